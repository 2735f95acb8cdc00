"""What huggingface_hub raises, as our own errors: one sentence each, and the right exit code."""

from collections.abc import Iterator
from contextlib import contextmanager

from ..errors import AnalogyError, HubError, NetworkError, UsageError
from .address import Address

HTTP_LIBRARIES = ("httpx", "httpx2", "httpcore", "httpcore2", "requests", "urllib3")  # of clients 1, 2 and 0
BUSY = (429, 500, 502, 503, 504)


@contextmanager
def explained(address: Address) -> Iterator[None]:
    """Raise the client's errors as `HubError`, `NetworkError` or `UsageError`."""
    try:
        yield
    except AnalogyError:
        raise
    except Exception as error:
        found = explanation(error, address)
        if found is None:
            raise
        raise found from error


def explanation(error: Exception, address: Address) -> AnalogyError | None:
    """Our own error for one of the client's; None if it is not about the Hub.

    The order matters: a gated repository is also one not found, and what is missing
    locally may hide why it could not be fetched.
    """
    from huggingface_hub import constants, errors

    place = f"'{address.repo}'"
    if isinstance(error, errors.HFValidationError):
        return UsageError(f"{place} is not a name on the Hub; use OWNER/NAME or a folder")
    if isinstance(error, errors.GatedRepoError):
        page = f"{constants.ENDPOINT}/{address.repo}"
        return HubError(f"{place} asks its users to accept terms; do so at {page}, then log in: hf auth login")
    if isinstance(error, errors.RepositoryNotFoundError):
        return HubError(
            f"{place} is neither a folder here nor a model on the Hub, or a private one; "
            "check the name, or log in with access: hf auth login"
        )
    if isinstance(error, errors.RevisionNotFoundError):
        return HubError(f"{place} has no revision '{address.revision}'; check its branches and tags")
    if isinstance(error, errors.OfflineModeIsEnabled):
        return NetworkError(f"{place} needs the network, and HF_HUB_OFFLINE is set; unset it")
    if isinstance(error, errors.LocalEntryNotFoundError):
        return not_cached(error, address)
    if isinstance(error, errors.EntryNotFoundError):
        return HubError(f"{place} is not a model of this library: a file is missing there ({last(error)})")
    status = status_of(error)
    if status is not None:
        return answered(status, address)
    return unreachable(address, error) if is_network(error) else None


def not_cached(error: Exception, address: Address) -> AnalogyError:
    """Why something is neither here nor could be fetched."""
    cause = error.__cause__ or error.__context__
    status = status_of(cause)
    if status is not None:
        return answered(status, address)
    if cause is not None and is_network(cause) and "outgoing traffic has been disabled" not in str(error):
        return unreachable(address, cause)
    return NetworkError(f"'{address}' is not on this machine, and the network may not be used; fetch it online first")


def answered(status: int, address: Address) -> AnalogyError:
    """What a Hub's refusal means."""
    if status == 401:
        return HubError("the Hub refused the token; log in again: hf auth login")
    if status == 403:
        return HubError(f"the token may not do this with '{address.repo}'; use one with write access")
    if status in BUSY:
        return NetworkError(f"the Hub is busy (HTTP {status}); try again in a minute")
    return HubError(f"the Hub answered HTTP {status} for '{address.repo}'; try again, or check the name")


def unreachable(address: Address, error: BaseException) -> NetworkError:
    """No answer at all."""
    from huggingface_hub import constants

    return NetworkError(
        f"'{address.repo}' is not on this machine, and {constants.ENDPOINT} could not be reached "
        f"({type(error).__name__}); check the name and the network"
    )


def status_of(error: BaseException | None) -> int | None:
    """The HTTP status that an error tells of."""
    return getattr(getattr(error, "response", None), "status_code", None)


def is_network(error: BaseException) -> bool:
    """Whether a connection failed; each version of the client has another HTTP library, so it goes by the module."""
    from huggingface_hub.errors import LocalEntryNotFoundError

    names = [kind.__module__.partition(".")[0] for kind in type(error).__mro__]
    return any(name in HTTP_LIBRARIES for name in names) or (
        isinstance(error, (ConnectionError, TimeoutError)) and not isinstance(error, LocalEntryNotFoundError)
    )


def last(error: Exception) -> str:
    """The last line of what the client says, which names the file."""
    return str(error).strip().splitlines()[-1] if str(error).strip() else type(error).__name__

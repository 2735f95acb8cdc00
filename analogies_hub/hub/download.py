"""Fetching a model: one snapshot, whole and checked, or one sentence why not."""

import hashlib
import time
import warnings
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from .. import __version__
from ..errors import AnalogyError, HubError, ModelError, NetworkError, Note
from ..saved import CONFIG_FILE, LIBRARY, WEIGHTS_FILE, check_weights, read_record
from .address import Address
from .card import CARD_FILE, EVAL_FILE
from .failures import BUSY, explained, is_network, status_of

FILES = [CONFIG_FILE, WEIGHTS_FILE, CARD_FILE, EVAL_FILE]
PROBE_SECONDS = 10  # for the first answer of the Hub, which the client would wait for without end
TRIES, PAUSE = 3, 1.0  # for what is busy or broken off for a moment; not every client tries again


class Fetched(NamedTuple):
    """A model on this machine.

    Attributes:
        folder: read only; it belongs to the cache.
        address: with the commit as its revision.
    """

    folder: Path
    address: Address


def fetch(address: Address, offline: bool = False) -> Fetched:
    """A model's folder in the cache of huggingface_hub; what is there already is not fetched again.

    A whole commit that is there needs no request; a branch or tag needs one, and if that is
    not answered what is there is used. A file that came damaged is fetched once more.

    Args:
        offline: use only what is on this machine.

    Raises:
        HubError: if there is no such model, or this user may not have it.
        NetworkError: if it is not here and cannot be fetched.
        ModelError: if what came is not what its config.json says.
    """
    with explained(address):
        folder = local_copy(address) if offline else newest_copy(address)
    return Fetched(folder, Address(address.repo, folder.name))


def local_copy(address: Address) -> Path:
    """What was fetched before, checked."""
    folder = snapshot(address, local=True)
    check(folder, address)
    return folder


def newest_copy(address: Address) -> Path:
    """What the Hub has; what is here if it does not answer. Of a commit that is here it is not even asked."""
    from huggingface_hub.errors import LocalEntryNotFoundError

    if address.pinned:
        with suppress(LocalEntryNotFoundError, AnalogyError):
            return local_copy(address)
    if (silence := unanswered(address)) is not None:
        try:
            folder = local_copy(address)
        except LocalEntryNotFoundError:
            raise silence from None
        warnings.warn(f"the Hub does not answer; '{address}' is as it was when it was fetched", Note, stacklevel=2)
        return folder
    folder = snapshot(address)
    try:
        check(folder, address)
    except ModelError:
        folder = snapshot(address, again=True)
        check(folder, address)
    return folder


def unanswered(address: Address) -> Exception | None:
    """Why the Hub does not say within reason that it has this model; None if it does. Of a commit it is not asked."""
    from huggingface_hub import HfApi, constants

    if address.pinned or constants.HF_HUB_OFFLINE:
        return None
    try:
        found = HfApi(library_name=LIBRARY, library_version=__version__).model_info(
            address.repo, revision=address.revision, timeout=PROBE_SECONDS
        )
    except Exception as error:
        if status_of(error) in BUSY or (status_of(error) is None and is_network(error)):
            return error
        raise
    if CONFIG_FILE not in [file.rfilename for file in found.siblings or []]:
        raise HubError(f"'{address.repo}' is not a model of this library: it has no {CONFIG_FILE}")
    return None


def snapshot(address: Address, local: bool = False, again: bool = False) -> Path:
    """The files of a revision, in one call.

    Args:
        local: ask nobody.
        again: also fetch what is there.
    """
    from huggingface_hub import snapshot_download

    for attempt in range(TRIES):
        try:
            return Path(
                snapshot_download(
                    address.repo,
                    revision=address.revision,
                    allow_patterns=FILES,
                    library_name=LIBRARY,
                    library_version=__version__,
                    local_files_only=local,
                    force_download=again,
                )
            )
        except Exception as error:
            passing = is_network(error) or (status_of(error) or 0) >= 500
            if not passing or attempt == TRIES - 1:
                raise
            time.sleep(PAUSE * 2**attempt)
    raise AssertionError("every way through the loop returns or raises")


def check(folder: Path, address: Address) -> None:
    """Make sure that a folder is a whole model of this library, and the one that was pinned.

    Raises:
        NetworkError: if a file is not there yet.
        ModelError: if a file is not what it should be.
    """
    config = folder / CONFIG_FILE
    if not config.exists():
        raise NetworkError(f"'{address}' is here only in part; fetch it again with the network")
    if address.sha256 and hashlib.sha256(config.read_bytes()).hexdigest() != address.sha256:
        raise ModelError(f"'{address}' is not the model that this release was made with; fetch it again, or tell us")
    for name, expected in read_record(folder)["files"].items():  # of weights alone, if that
        check_weights(folder / name, expected)

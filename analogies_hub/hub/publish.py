"""Publishing a model: one commit of a folder that was validated, or nothing."""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from .. import __version__
from ..errors import HubError, ModelError
from ..saved import CONFIG_FILE, LIBRARY
from .address import Address
from .failures import explained, status_of
from .validate import belongs, problems

if TYPE_CHECKING:
    from huggingface_hub import HfApi


class Entry(NamedTuple):
    """A file that is uploaded."""

    name: str
    size: int
    sha256: str


class Published(NamedTuple):
    """Where a model is now.

    Attributes:
        address: with the commit as its revision, and the sha256 of its config.json.
        changed: False if all of it was there already.
    """

    address: Address
    changed: bool


def manifest(folder: Path) -> list[Entry]:
    """What would be uploaded."""
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return [
        Entry(path.relative_to(folder).as_posix(), path.stat().st_size, hashlib.sha256(path.read_bytes()).hexdigest())
        for path in files
    ]


def check(folder: Path, load: Callable[[Path], object]) -> None:
    """Raise `ModelError` with everything that is wrong with a folder."""
    if found := problems(folder, load):
        raise ModelError(f"'{folder}' cannot be published: {'; '.join(found)}")


def publish(folder: Path, repo: str, private: bool = False, tag: str | None = None) -> Published:
    """Make a repository exactly what a folder is, in one commit; none if it is that already.

    Args:
        folder: validated by `check`.
        repo: OWNER/NAME; made if it does not exist.
        private: of a repository that is made: whether only its owner sees it.
        tag: a name for this state, such as v1.0.

    Raises:
        UsageError, HubError, NetworkError: if it cannot be done; then the repository is as it was.
    """
    from huggingface_hub import HfApi

    address, api = Address.parse(repo), HfApi(library_name=LIBRARY, library_version=__version__)
    with explained(address):
        api.create_repo(repo, private=private, exist_ok=True)
        there = api.model_info(repo)
        names = [file.rfilename for file in there.siblings or []]
        if foreign := [name for name in names if not belongs(name) and name != ".gitattributes"]:
            raise HubError(
                f"'{repo}' holds '{foreign[0]}', which is no part of a model and would be lost; publish to another name"
            )
        api.upload_folder(
            repo_id=repo,
            folder_path=folder,
            delete_patterns="*",
            commit_message=f"{folder.name}, by {LIBRARY} {__version__}",
            parent_commit=there.sha,
        )
        after = api.model_info(repo).sha
        assert after is not None
        if tag:
            give_tag(api, repo, after, tag)
    config = next(entry for entry in manifest(folder) if entry.name == CONFIG_FILE)
    return Published(Address(repo, after, config.sha256), there.sha != after)


def give_tag(api: "HfApi", repo: str, commit: str, tag: str) -> None:
    """Give a commit a tag.

    Raises:
        HubError: if the tag is another commit's: it may be in use.
    """
    from huggingface_hub.errors import HfHubHTTPError

    try:
        api.create_tag(repo, tag=tag, revision=commit)
    except HfHubHTTPError as error:
        if status_of(error) != 409:
            raise
        tags = {each.name: each.target_commit for each in api.list_repo_refs(repo).tags}
        if tags.get(tag) != commit:
            raise HubError(f"'{repo}' has a tag '{tag}' for another state; choose another tag") from None

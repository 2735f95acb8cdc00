"""Models of this library in the cache of huggingface_hub."""

from pathlib import Path
from typing import NamedTuple

from ..errors import ModelError
from ..saved import CONFIG_FILE, LIBRARY, read_record
from .address import Address


class Cached(NamedTuple):
    """A snapshot on this machine.

    Attributes:
        address: with the commit as its revision.
        method: what kind of model it is.
        size: in bytes.
    """

    address: Address
    method: str
    size: int
    folder: Path


def cached() -> list[Cached]:
    """The snapshots that hold a model of this library, by name."""
    return sorted(snapshots(), key=lambda each: (each.address.repo, each.address.revision or ""))


def snapshots() -> list[Cached]:
    """As `cached`, in any order."""
    from huggingface_hub import CacheNotFound, scan_cache_dir

    try:
        repos = scan_cache_dir().repos
    except CacheNotFound:
        return []
    found = []
    for repo in repos:
        for revision in repo.revisions:
            if (method := method_of(revision.snapshot_path)) is not None:
                address = Address(repo.repo_id, revision.commit_hash)
                found.append(Cached(address, method, revision.size_on_disk, revision.snapshot_path))
    return found


def method_of(folder: Path) -> str | None:
    """The method of a model of this library; None where a folder holds none."""
    if not (folder / CONFIG_FILE).exists():
        return None
    try:
        record = read_record(folder)
    except ModelError:
        return None
    return record["method"] if record.get("library_name") == LIBRARY else None


def remove(found: list[Cached]) -> int:
    """Delete snapshots.

    Returns:
        The bytes that are free again.
    """
    from huggingface_hub import scan_cache_dir

    plan = scan_cache_dir().delete_revisions(*[each.address.revision or "" for each in found])
    plan.execute()
    return plan.expected_freed_size

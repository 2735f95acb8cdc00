"""A saved pipeline's folder: config.json, and weights that must be exactly what it says, before they are opened."""

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn

from .config import brief
from .errors import ModelError
from .images import atomic_write

LIBRARY = "analogies-hub"  # as config.json and cards name it
FORMAT_VERSION = 1
CONFIG_FILE, WEIGHTS_FILE = "config.json", "model.safetensors"
MAX_CONFIG_BYTES = 1_000_000
ENTRIES = {"format_version", "library_name", "library_version", "method", "config", "files", "train"}
LFS_POINTER = b"version https://git-lfs"
FLOATING = ("F16", "BF16", "F32", "F64")
MAX_HEADER_BYTES = 4_000_000  # names and shapes of some 40,000 tensors; the file format allows 100 MB


class Shape(NamedTuple):
    """What a tensor is, before there is one."""

    sizes: tuple[int, ...]
    floating: bool


def read_record(folder: Path) -> dict[str, Any]:
    """The checked contents of a saved pipeline's config.json.

    Raises:
        ModelError: if it is missing, no JSON, incomplete, or of a newer format.
    """
    path = folder / CONFIG_FILE
    try:
        if path.stat().st_size > MAX_CONFIG_BYTES:
            raise ModelError(f"'{path}' is over {MAX_CONFIG_BYTES:,} bytes, no config is; download it again")
        record = json.loads(path.read_text(encoding="utf-8"))
    except OSError:
        raise ModelError(f"'{folder}' is not a saved pipeline: it has no readable {CONFIG_FILE}") from None
    except (ValueError, RecursionError):
        raise ModelError(f"'{path}' is not valid JSON; save or download it again") from None
    if not isinstance(record, dict):
        raise ModelError(f"'{path}' must hold a table, got {type(record).__name__}")
    if record.get("format_version") != FORMAT_VERSION:
        found = record.get("format_version")
        raise ModelError(
            f"'{path}' has format {brief(found)}, this version reads {FORMAT_VERSION}; upgrade analogies-hub"
        )
    for name, kind in {"method": str, "config": dict, "files": dict}.items():
        if not isinstance(record.get(name), kind):
            raise ModelError(f"'{path}' lacks a valid '{name}'; save or download it again")
    if not isinstance(record.get("train", {}), dict):
        raise ModelError(f"'{path}' must hold a table as 'train'; save or download it again")
    for name in [*(record.keys() - ENTRIES), *(record["files"].keys() - {WEIGHTS_FILE})]:
        raise ModelError(f"'{path}' has an entry {brief(name)} that means nothing here; take it out, or upgrade")
    return record


def write_weights(folder: Path, tensors: dict[str, Tensor], method: str) -> dict[str, Any]:
    """Write model.safetensors; equal tensors give equal bytes.

    Returns:
        The file's sha256 and size, for config.json.
    """
    weights = save(tensors, metadata={"analogies_hub": json.dumps({"method": method})})
    with atomic_write(folder / WEIGHTS_FILE) as file:
        file.write(weights)
    return {"sha256": hashlib.sha256(weights).hexdigest(), "size": len(weights)}


def check_weights(path: Path, expected: Any) -> None:
    """Make sure that a file of weights is the one that config.json names.

    Args:
        expected: its entry there.

    Raises:
        ModelError: if the file is missing, or another.
    """
    try:
        with path.open("rb") as file:
            start = file.read(len(LFS_POINTER))
            file.seek(0)
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        raise ModelError(f"'{path}' is missing or unreadable; download the model again") from None
    if digest != (expected.get("sha256") if isinstance(expected, dict) else None):
        pointer = " (it is a Git LFS pointer: run git lfs pull)" if start == LFS_POINTER else ""
        raise ModelError(f"'{path}' does not match the sha256 in {CONFIG_FILE}{pointer}; download the model again")


def shapes_in(path: Path) -> dict[str, Shape]:
    """The tensors of a safetensors file by name; none is read.

    Raises:
        ModelError: if it is no such file, or its header is absurdly long.
    """
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
    if length > MAX_HEADER_BYTES:
        raise ModelError(f"'{path}' is not a file of weights: its header would have {length:,} bytes")
    try:
        with safe_open(path, "pt") as file:
            slices = {name: file.get_slice(name) for name in file.keys()}  # noqa: SIM118
            return {name: Shape(tuple(each.get_shape()), each.get_dtype() in FLOATING) for name, each in slices.items()}
    except SafetensorError as error:
        raise ModelError(f"'{path}' is not a file of weights ({first_line(error)}); download the model again") from None


def check_fit(path: Path, found: dict[str, Shape], wanted: dict[str, Tensor]) -> None:
    """Raise `ModelError` unless a file's tensors are exactly those that a pipeline has."""
    expected = {name: Shape(tuple(value.shape), value.is_floating_point()) for name, value in wanted.items()}
    for name in sorted(expected.keys() | found.keys()):
        if expected.get(name) != found.get(name):
            told = ", ".join(
                f"{kind} {shape_words(each.get(name))}" for kind, each in (("expected", expected), ("got", found))
            )
            raise ModelError(f"'{path}' does not fit the settings in {CONFIG_FILE} ('{name}': {told})")


def shape_words(shape: Shape | None) -> str:
    """A shape as a user reads it."""
    if shape is None:
        return "none"
    return f"{' x '.join(map(str, shape.sizes)) or 'one number'}{'' if shape.floating else ' of integers'}"


def fill(module: nn.Module, path: Path) -> None:
    """Copy a file's tensors, which fit, into the module, one by one: there is never a second copy of all.

    Raises:
        ModelError: if a number is not finite.
    """
    with torch.no_grad(), safe_open(path, "pt") as file:
        for name, target in module.state_dict().items():
            value = file.get_tensor(name)
            if value.is_floating_point() and not value.isfinite().all():
                raise ModelError(f"'{path}' holds numbers that are not finite, in '{name}'; train or download it again")
            target.copy_(value)


def versions(values: Iterable[Tensor]) -> tuple:
    """What differs as soon as one of some tensors is another or has been changed."""
    # inference tensors, which a host may make of weights when it moves them, count no versions: nothing edits them
    return tuple((value.data_ptr(), -1 if value.is_inference() else value._version) for value in values)


def first_line(error: Exception) -> str:
    """What a library says, in one line."""
    return str(error).strip().partition("\n")[0]

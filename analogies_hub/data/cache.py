"""Pixels that are worked out once and then mapped from disk. Imports no torch: worker processes load it."""

import glob
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import AnalogyError, UsageError
from .parallel import in_parallel

Progress = Callable[[int, int], None]  # (done, total); raise from it to stop
Drawn = list[np.ndarray | str]  # per item its uint8 (H, W, 3), or why there is none
CHUNK = 256


def cached_pixels(
    name: str,
    key: dict[str, Any],
    items: Sequence[Any],
    shape: tuple[int, int],
    draw: Callable[[Sequence[Any]], Drawn],
    on_step: Progress | None = None,
) -> tuple[np.ndarray, dict[int, str]]:
    """The images `draw` makes, drawn in parallel the first time and mapped from a file ever after.

    The file appears whole or not at all, and of two builders at once one waits for the other.

    Args:
        name: start of the folder's name.
        key: everything that changes pixels, ready for JSON; another key, another folder.
        items: what to draw: numbers, files...; only their count goes into the key by itself.
        shape: height and width in pixels.
        draw: gives the images of some of the items; runs in other processes.
        on_step: told how many items are done, of how many.

    Returns:
        Read-only uint8 (N, H, W, 3) of the items that could be drawn, in order; and for the
        others the reason by item number.

    Raises:
        UsageError: if the disk is full or closed to writing.
    """
    folder = cache_folder() / f"{name[:40]}-{digest(key | {'count': len(items), 'shape': list(shape)})}"
    try:
        if not folder.is_dir():
            build_once(folder, key, (*shape, 3), lambda: draw_all(items, draw, on_step))
    except OSError as error:
        raise UsageError(f"'{folder}' cannot be made ({error.strerror or error}); set HF_ASSETS_CACHE") from None
    return load(folder, (*shape, 3))


def build_once(
    folder: Path, key: dict[str, Any], shape: tuple[int, ...], images: Callable[[], Iterator[np.ndarray | str]]
) -> None:
    """Build a folder unless another process does so first; then wait for it."""
    from filelock import FileLock

    folder.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{folder}.lock"):
        for left in folder.parent.glob(f".{glob.escape(folder.name)}.*.part"):  # of a builder that was killed
            shutil.rmtree(left, ignore_errors=True)
        if not folder.is_dir():
            build(folder, key, shape, images())


def load(folder: Path, shape: tuple[int, ...]) -> tuple[np.ndarray, dict[int, str]]:
    """What `cached_pixels` gives, from a folder that is there."""
    try:
        pixels = np.load(folder / "images.npy", mmap_mode="r", allow_pickle=False)
        skipped = json.loads((folder / "about.json").read_text(encoding="utf-8"))["skipped"]
        if pixels.dtype != np.uint8 or pixels.shape[1:] != shape:
            raise ValueError
        return pixels, {int(item): reason for item, reason in skipped.items()}
    except OSError as error:
        raise UsageError(
            f"'{folder}' cannot be read ({error.strerror or error}); delete it or let it be read"
        ) from None
    except (ValueError, KeyError, TypeError):
        raise UsageError(f"'{folder}' is damaged; delete it, it will be drawn again") from None


def cache_folder() -> Path:
    """Where drawn pixels are kept: the assets cache of huggingface_hub (moved by HF_ASSETS_CACHE or HF_HOME)."""
    from huggingface_hub import constants

    return Path(constants.HF_ASSETS_CACHE) / "analogies_hub" / "data"


def digest(key: dict[str, Any]) -> str:
    """Twelve hexadecimal digits that stand for a key."""
    return hashlib.sha256(json.dumps(key, sort_keys=True).encode()).hexdigest()[:12]


def build(folder: Path, key: dict[str, Any], shape: tuple[int, ...], images: Iterator[np.ndarray | str]) -> None:
    """Write the images into a folder beside the final one, then rename it."""
    partial = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", suffix=".part", dir=folder.parent))
    try:
        rows, skipped = 0, {}
        with (partial / "images.npy").open("w+b") as file:
            write_header(file, (0, *shape))
            for item, image in enumerate(images):
                if isinstance(image, str):
                    skipped[item] = image
                    continue
                if image.shape != shape or image.dtype != np.uint8:
                    raise AnalogyError(f"image {item} is {image.dtype} {image.shape}, expected uint8 {shape}")
                file.write(image.tobytes())
                rows += 1
            write_header(file, (rows, *shape))
            file.flush()
            os.fsync(file.fileno())
        about = {"key": key, "skipped": skipped}
        (partial / "about.json").write_text(json.dumps(about, indent=1), encoding="utf-8")
        partial.chmod(0o755)
        partial.rename(folder)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def write_header(file: Any, shape: tuple[int, ...]) -> None:
    """The .npy header for a shape, at the file's start; its length does not depend on the shape's digits."""
    file.seek(0)
    np.lib.format.write_array_header_1_0(file, {"descr": "|u1", "fortran_order": False, "shape": shape})


def draw_all(
    items: Sequence[Any], draw: Callable[[Sequence[Any]], Drawn], on_step: Progress | None
) -> Iterator[np.ndarray | str]:
    """Every item's image in order, drawn a chunk at a time on all cores."""
    chunks = [items[start : start + CHUNK] for start in range(0, len(items), CHUNK)]
    jobs = -1 if len(chunks) > 2 else 1  # other processes take a second to start
    done = 0
    for images in in_parallel(draw, chunks, jobs):
        yield from images
        done += len(images)
        if on_step:
            on_step(done, len(items))

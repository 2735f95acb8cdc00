"""Running an edit over a benchmark, into a folder that can be filled bit by bit and scored at any time."""

import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from ..data.avatars import choose_rasterizer, drawing_version
from ..data.cache import Progress
from ..data.source import to_float
from ..errors import ImageError, UsageError
from ..images import atomic_write, check_tensor, make_folder, open_image, save_image, to_pil
from .tasks import BLOCK, Benchmark, parse_task

Edit = Callable[[Tensor, Tensor], "Tensor | tuple[Tensor, Tensor]"]
"""Contents and guides (B, 3, H, W) in [0, 1] -> results, or results and masks (B, 1, H, W) in [0, 1].

A removal gets guides too, faces without the attribute, and may ignore them."""

NOTE = "benchmark.json"
PNG = b"\x89PNG\r\n\x1a\n"


def bind(folder: Path, benchmark: Benchmark, edit: str | None = None) -> None:
    """Note in a folder which benchmark, and which edit where it is known, its pictures are of.

    Raises:
        UsageError: if it holds pictures of another, or cannot be written.
    """
    check_note(folder, benchmark, edit)
    note = read_note(folder) | describe(benchmark) | ({"edit": edit} if edit else {})
    make_folder(folder)
    with atomic_write(folder / NOTE) as stream:
        stream.write(json.dumps(note, indent=1).encode())


def check_note(folder: Path, benchmark: Benchmark, edit: str | None = None) -> None:
    """Raise `UsageError` if a folder holds pictures of another benchmark or edit."""
    theirs = read_note(folder)
    if edit and "edit" not in theirs and any((folder / "outputs").glob("*.png")):
        raise UsageError(f"'{folder}' holds results of unknown make; choose another folder for those of {edit}")
    ours = describe(benchmark) | ({"edit": edit} if edit else {})
    for name in sorted(ours.keys() & theirs.keys() - {"count"}):
        if theirs[name] != ours[name]:
            raise UsageError(
                f"'{folder}' holds pictures of another run ({name} {theirs[name]!r}, now {ours[name]!r}); "
                "choose another folder or delete it"
            )


def describe(benchmark: Benchmark) -> dict[str, Any]:
    """A benchmark's settings and what draws its faces, ready for JSON."""
    values = asdict(benchmark) | {"task": benchmark.task.name, "others": benchmark.task.others}
    values["drawn"] = drawing_version(choose_rasterizer())
    return dict(sorted(values.items()))


def from_note(folder: Path) -> Benchmark | None:
    """The benchmark whose pictures a folder holds; None if it has no note."""
    note = read_note(folder)
    if not note:
        return None
    try:
        task = parse_task(note["task"], note["others"])
        return Benchmark(task, **{name: note[name] for name in note.keys() - {"task", "others", "edit", "drawn"}})
    except (KeyError, TypeError):
        raise UsageError(f"'{folder / NOTE}' is damaged; delete it and name the task again") from None


def read_note(folder: Path) -> dict[str, Any]:
    """What `bind` noted in a folder; empty if nothing.

    Raises:
        UsageError: if it cannot be read.
    """
    try:
        return dict(json.loads((folder / NOTE).read_text(encoding="utf-8")))
    except FileNotFoundError:
        return {}
    except NotADirectoryError:
        raise UsageError(f"'{folder}' is a file, expected a folder") from None
    except (OSError, TypeError, ValueError):
        raise UsageError(f"'{folder / NOTE}' is damaged; delete it and name the task again") from None


def numbered(folder: Path, kind: str, number: int) -> Path:
    """The file of an edit's picture: `outputs/00012.png`."""
    return folder / kind / f"{number:05d}.png"


def write_inputs(folder: Path, benchmark: Benchmark, on_step: Progress | None = None) -> None:
    """Write what an edit gets, contents/00000.png... and guides/00000.png..., for tools of any kind.

    Their results belong beside them, under the same names in `outputs/` (and, if there are
    masks, white where the tool edited, in `masks/`).
    """
    bind(folder, benchmark)
    for kind in ("contents", "guides", "outputs"):
        make_folder(folder / kind)
    for start in benchmark.starts():
        contents, guides = benchmark.inputs(start)
        for place, (content, guide) in enumerate(zip(contents, guides, strict=True)):
            number = start * benchmark.guides + place
            save_image(Image.fromarray(content), numbered(folder, "contents", number))
            save_image(Image.fromarray(guide), numbered(folder, "guides", number))
        if on_step:
            on_step(min(start + BLOCK, benchmark.count), benchmark.count)


def run_edit(
    edit: Edit, folder: Path, benchmark: Benchmark, device: str | torch.device = "cpu", on_step: Progress | None = None
) -> None:
    """Fill a folder with an edit's results; those that are there already are not made again.

    Args:
        on_step: told how many contents are edited, of how many.

    Raises:
        ImageError: if the edit gives something else than pictures of the contents' size in [0, 1].
    """
    for kind in ("outputs", "masks"):
        make_folder(folder / kind)
    for start in benchmark.starts():
        first = start * benchmark.guides
        numbers = range(first, first + len(benchmark.pairs(start)))
        missing = [number for number in numbers if not numbered(folder, "outputs", number).exists()]
        inputs = [to_float(pixels).to(device) for pixels in benchmark.inputs(start)] if missing else []
        for some in (missing[at : at + BLOCK] for at in range(0, len(missing), BLOCK)):
            contents, guides = (images[[number - first for number in some]] for images in inputs)
            with torch.no_grad():
                results = edit(contents, guides)
            write_results(results, contents, folder, some)
        if on_step:
            on_step(min(start + BLOCK, benchmark.count), benchmark.count)


def write_results(
    results: "Tensor | tuple[Tensor, Tensor]", contents: Tensor, folder: Path, numbers: list[int]
) -> None:
    """Save a batch of results, masks first, so that a result on disk is complete."""
    pictures, masks = results if isinstance(results, tuple) and len(results) == 2 else (results, None)
    count, _, height, width = contents.shape
    pictures = check_result(pictures, tuple(contents.shape), "results")
    if masks is None:
        for number in numbers:  # of an earlier run
            numbered(folder, "masks", number).unlink(missing_ok=True)
    else:
        save_all(check_result(masks, (count, 1, height, width), "masks"), folder, "masks", numbers)
    save_all(pictures, folder, "outputs", numbers)


def save_all(images: Tensor, folder: Path, kind: str, numbers: list[int]) -> None:
    """Save a batch (B, 3 or 1, H, W) under its numbers."""
    for number, picture in zip(numbers, to_pil(images), strict=True):
        save_image(picture, numbered(folder, kind, number))


def check_result(images: Any, shape: tuple[int, ...], name: str) -> Tensor:
    """What an edit gave, or an `ImageError` that says what is wrong with it: nothing is silently clamped."""
    got = tuple(images.shape) if isinstance(images, Tensor) else type(images).__name__
    if got != shape:
        raise ImageError(f"the {name} of the edit must be a tensor {shape} in [0, 1], got {got}")
    return check_tensor(images.expand(-1, 3, -1, -1), f"{name} of the edit")[:, : shape[1]]


def read_results(folder: Path, benchmark: Benchmark, start: int) -> tuple[np.ndarray, np.ndarray | None]:
    """A block's results and masks from a folder: uint8 (edits, H, W, 3), and (edits, H, W) or None.

    Raises:
        ImageError: if a picture is missing, broken or of another size.
    """
    first = start * benchmark.guides
    numbers = range(first, first + len(benchmark.pairs(start)))
    outputs = np.stack([read(numbered(folder, "outputs", number), benchmark.size) for number in numbers])
    if not has_masks(folder):
        return outputs, None
    return outputs, np.stack([read(numbered(folder, "masks", number), benchmark.size)[..., 0] for number in numbers])


def has_masks(folder: Path) -> bool:
    """Whether the results in a folder say where they were edited; then each must."""
    return any((folder / "masks").glob("*.png"))


def read(file: Path, size: int) -> np.ndarray:
    """A result as uint8 (size, size, 3). Only PNG: a lossy file would be scored for its encoder."""
    image = open_image(file)
    if file.read_bytes()[:8] != PNG:
        raise ImageError(f"'{file}' is no PNG file whatever its name says; save results without loss")
    if image.size != (size, size):
        raise ImageError(f"'{file}' is {image.width}x{image.height} px, the benchmark's pictures are {size}x{size}")
    return np.asarray(image)

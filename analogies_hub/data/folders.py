"""Pictures of the user's: one, a list, a folder, or a pair of folders as in trainA/ trainB/."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..errors import AnalogyError, ImageError, UsageError
from .cache import Drawn, Progress, cached_pixels

if TYPE_CHECKING:  # torch stays out of the processes that read
    from PIL import Image

    from .source import ImageSource

BAD = ("skip", "refuse")
READING = 1  # raise it with every change of what is read from a file
PAIR = ("A", "B")
SPLIT_FOLDERS = {"train": "train", "validation": "val", "test": "test"}


def single(picture: "str | Path | Image.Image", max_side: int | None = None) -> "ImageSource":
    """One picture as a source, in its own shape, at most `max_side` pixels long.

    Raises:
        ImageError: if it cannot be read.
    """
    from ..images import open_image
    from .source import ImageSource

    name = Path(picture).name if isinstance(picture, (str, Path)) else "picture"
    return ImageSource(np.asarray(open_image(picture, max_side))[None], name=name)


def pictures(files: Sequence[str | Path], size: int, bad: str = "skip", name: str = "pictures") -> "ImageSource":
    """A list of picture files, each cut square around its middle and resized, in memory.

    Args:
        size: side in pixels.
        bad: `skip` leaves out what is unreadable or smaller than `size` and counts it;
            `refuse` raises with the file's name.

    Raises:
        ImageError: if a picture is bad and may not be skipped.
        UsageError: if no picture is left.
    """
    from .source import ImageSource

    check_bad(bad)
    paths = [Path(file) for file in files]
    drawn = read_all(size, None, paths)
    skipped = {str(path): reason for path, reason in zip(paths, drawn, strict=True) if isinstance(reason, str)}
    refuse_bad(skipped, bad)
    kept = [image for image in drawn if not isinstance(image, str)]
    pixels = np.stack(kept) if kept else np.zeros((0, size, size, 3), np.uint8)
    return ImageSource(pixels, name=name, skipped=skipped)


def folder(path: str | Path, size: int, bad: str = "skip", on_step: Progress | None = None) -> "ImageSource":
    """All pictures of a folder, cut square around their middle and resized; kept on disk until a file changes.

    Args:
        size: side in pixels.
        bad: as in `pictures`.

    Raises:
        ImageError: if a picture is bad and may not be skipped.
        UsageError: if there is no such folder or no usable picture in it.
    """
    return cached_files(
        f"folder {Path(path).resolve().name}", picture_files(Path(path)), size, bad=bad, on_step=on_step
    )


def pair_folders(path: str | Path, split: str = "train") -> tuple[Path, Path]:
    """The folders of two domains in one: trainA/ and trainB/, valA/ and valB/, or testA/ and testB/.

    Raises:
        UsageError: if there is no such split.
    """
    if split not in SPLIT_FOLDERS:
        raise UsageError(f"'{split}' is no split; known: {', '.join(SPLIT_FOLDERS)}")
    first, second = (Path(path) / f"{SPLIT_FOLDERS[split]}{domain}" for domain in PAIR)
    return first, second


def cached_files(
    name: str,
    files: list[Path],
    size: int,
    exact: tuple[int, int] | None = None,
    bad: str = "skip",
    on_step: Progress | None = None,
) -> "ImageSource":
    """Picture files as a source, read in parallel once and mapped from disk after that.

    Args:
        size: side in pixels.
        exact: (width, height) every file must have; None takes any that is not too small.
        bad: as in `pictures`.
    """
    from PIL import __version__ as pillow

    from .source import ImageSource

    check_bad(bad)
    drawn = partial(read_all, size, exact)
    key = {"reading": READING, "pillow": pillow, "files": [mark(file) for file in files], "exact": exact}
    pixels, reasons = cached_pixels(name.replace(" ", "-"), key, files, (size, size), drawn, on_step)
    skipped = {str(files[item]): reason for item, reason in reasons.items()}
    refuse_bad(skipped, bad if len(pixels) else "refuse")
    return ImageSource(pixels, name=name, skipped=skipped)


def mark(file: Path) -> list[str | int]:
    """What tells that a file is still the same: path, size and times of change; the path alone if it is not there."""
    try:
        state = file.stat()
    except (OSError, ValueError):  # a name that no file can have
        return [str(file.absolute())]
    return [str(file.absolute()), state.st_size, state.st_mtime_ns, state.st_ctime_ns]  # the last: permissions


def picture_files(path: Path) -> list[Path]:
    """The picture files of a folder, sorted by name.

    Raises:
        UsageError: if there is no such folder, or no picture in it.
    """
    from ..images import READABLE

    if not path.is_dir():
        reason = "is a file, expected a folder" if path.exists() else "does not exist; check the path"
        raise UsageError(f"the folder '{path}' {reason}")
    try:
        entries = sorted(path.iterdir())
    except OSError as error:
        raise UsageError(f"the folder '{path}' cannot be read ({error.strerror}); check its permissions") from None
    visible = (entry for entry in entries if entry.suffix.lower() in READABLE and not entry.name.startswith("."))
    found = [entry for entry in visible if entry.is_file() or entry.is_symlink()]  # a dangling link is a bad picture
    if not found:
        raise UsageError(f"the folder '{path}' holds no picture; expected {', '.join(READABLE)}")
    return found


def read_all(size: int, exact: tuple[int, int] | None, files: Sequence[Path]) -> Drawn:
    """Picture files as uint8 (size, size, 3), or why they are bad."""
    drawn: Drawn = []
    for file in files:
        try:
            drawn.append(read_square(file, size, exact))
        except AnalogyError as error:
            drawn.append(str(error))
    return drawn


def read_square(file: Path, size: int, exact: tuple[int, int] | None) -> np.ndarray:
    """A picture's middle square at a size: uint8 (size, size, 3).

    Raises:
        ImageError: if it is unreadable, too small, or not of the exact size.
    """
    from PIL import Image, ImageOps

    from ..images import open_image

    image = open_image(file)
    if exact and image.size != exact:
        raise ImageError(f"'{file}' is {image.width}x{image.height} px, expected {exact[0]}x{exact[1]}")
    if min(image.size) < size:
        raise ImageError(f"'{file}' is {image.width}x{image.height} px, smaller than {size}x{size}")
    return np.asarray(ImageOps.fit(image, (size, size), Image.Resampling.BICUBIC))


def check_bad(bad: str) -> None:
    """Raise `UsageError` unless it says what to do with bad pictures."""
    if bad not in BAD:
        raise UsageError(f"'bad' must be one of {', '.join(BAD)}, got '{bad}'")


def refuse_bad(skipped: dict[str, str], bad: str) -> None:
    """Raise `ImageError` with the first reason if bad pictures are refused and there are some."""
    if skipped and bad == "refuse":
        reason = next(iter(skipped.values()))
        rest = f" ({len(skipped) - 1} more are bad)" if len(skipped) > 1 else ""
        raise ImageError(reason + rest)

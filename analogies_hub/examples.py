"""The pictures that come with the library, to try it with."""

from pathlib import Path

from .config import nearest_name
from .errors import UsageError
from .parts import part

FOLDER = part("gradio_app", "examples") / "examples"
SUFFIXES = (".jpg", ".png")
FACES = "faces"


def example_names(folder: str = "") -> list[str]:
    """Pictures by name, such as `tower` and `faces/glasses-1`.

    Args:
        folder: only those of `faces`.
    """
    found = [*sorted(FOLDER.glob("*")), *sorted((FOLDER / FACES).glob("*"))]
    names = [path.relative_to(FOLDER).with_suffix("").as_posix() for path in found if path.suffix in SUFFIXES]
    return [name for name in names if name.startswith(folder)]


def example_path(name: str) -> Path:
    """The file of a picture.

    Raises:
        UsageError: if there is none of that name.
    """
    names = example_names()
    if name not in names:
        raise UsageError(f"no example picture '{name}'; {nearest_name(name, names)}")
    return next(path for suffix in SUFFIXES if (path := FOLDER / f"{name}{suffix}").exists())

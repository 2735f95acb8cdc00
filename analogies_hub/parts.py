"""Where the folders that come with the package are: in it once it is installed, beside it in a checkout."""

from pathlib import Path

from .errors import UsageError

PACKAGE = Path(__file__).parent


def part(name: str, file: str) -> Path:
    """The folder of a frontend.

    Args:
        name: of the folder.
        file: one that it must hold.

    Raises:
        UsageError: if this package came without it.
    """
    for folder in (PACKAGE / name, PACKAGE.parent / name):
        if (folder / file).exists():
            return folder
    raise UsageError(f"'{name}' is neither in '{PACKAGE}' nor beside it; reinstall analogies-hub")

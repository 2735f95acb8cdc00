"""Files that other packages install: where they are, and whether they changed."""

import hashlib
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

from ..errors import UsageError


def package_folder(package: str, extra: str) -> Path:
    """Where a package is installed, without importing it.

    Raises:
        UsageError: if it is not installed; names the extra that brings it.
    """
    try:
        spec = find_spec(package)
    except ModuleNotFoundError:  # not even its parent package
        spec = None
    if spec is None or not spec.submodule_search_locations:
        raise UsageError(f'this data needs the package {package}; install it: pip install "analogies-hub[{extra}]"')
    return Path(next(iter(spec.submodule_search_locations)))


@lru_cache(maxsize=16)
def fingerprint(files: tuple[Path, ...]) -> str:
    """Twelve hexadecimal digits of the files' contents.

    Raises:
        UsageError: if one of them is missing.
    """
    try:
        contents = [hashlib.sha256(path.read_bytes()).digest() for path in files]
    except OSError as error:
        raise UsageError(f"'{error.filename}' cannot be read ({error.strerror}); reinstall the package") from None
    return hashlib.sha256(b"".join(contents)).hexdigest()[:12]

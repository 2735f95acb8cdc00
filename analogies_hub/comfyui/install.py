"""Our node pack in a ComfyUI: put there, or taken out."""

import os
import shutil
import sys
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal, NamedTuple

from ..errors import UsageError
from ..parts import PACKAGE, part

NAME = "analogies"  # of the pack, of its folder in custom_nodes, and of its menu in ComfyUI
SOURCE = "comfy_nodes"  # the pack's folder in a checkout, and in the package once that is installed
COMFYUI_HAS = ("main.py", "comfy", "comfyui_version.py")

Kind = Literal["", "link", "copy"]


class Done(NamedTuple):
    """What stands at the pack's place now, and whether that is news."""

    kind: Kind
    changed: bool


def pack_folder() -> Path:
    """The node pack that came with this package.

    Raises:
        UsageError: if it came without.
    """
    return part(SOURCE, "pyproject.toml")


def read_project(folder: Path) -> dict[str, Any]:
    """What a folder's pyproject.toml says; nothing if there is none that can be read."""
    try:
        return tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}


def is_pack(folder: Path) -> bool:
    """Whether a folder is our node pack, of whatever version."""
    project = read_project(folder).get("project")
    return isinstance(project, dict) and project.get("name") == NAME


def is_clone(folder: Path) -> bool:
    """Whether a folder is our whole repository, from which ComfyUI loads nothing."""
    return (folder / SOURCE).is_dir() and (folder / PACKAGE.name).is_dir()


def require_comfyui(folder: Path) -> None:
    """Raise `UsageError` unless a folder is ComfyUI's."""
    if not folder.is_dir():
        raise UsageError(f"there is no folder '{folder}'; give ComfyUI's, the one that holds main.py")
    if lacking := [name for name in COMFYUI_HAS if not (folder / name).exists()]:
        raise UsageError(f"'{folder}' is no ComfyUI, it lacks {', '.join(lacking)}; give the one that holds main.py")


def place_in(comfyui: Path) -> Path:
    """Where a ComfyUI has our pack."""
    return comfyui / "custom_nodes" / NAME


def target_of(place: Path) -> Path | None:
    """Where a link leads, be it symbolic or a junction of Windows; None for all else."""
    try:
        return place.readlink()
    except (OSError, ValueError):  # ValueError: a folder that Windows keeps in the cloud
        return None


def kind_at(place: Path) -> Kind:
    """What of ours is at a place: nothing, a link to a pack, maybe one that was moved away, or a copy.

    Raises:
        UsageError: if something is there that is not ours.
    """
    target = target_of(place)
    if is_pack(place):
        return "link" if target else "copy"
    if target and target.name == SOURCE and not place.exists():
        return "link"
    if is_clone(place):
        raise UsageError(clone_words(place))
    if os.path.lexists(place):
        raise UsageError(f"'{place}' is not our node pack and was left alone; move it away if you do not need it")
    return ""


def clone_words(place: Path) -> str:
    """What is wrong with a clone, and what to do."""
    return (
        f"'{place}' is the whole repository, from which ComfyUI loads nothing; "
        "move it out of custom_nodes and run analogies comfy install again"
    )


def same_files(pack: Path, other: Path) -> bool:
    """Whether every file of a pack is in another folder too, byte for byte."""
    names = [file.relative_to(pack) for file in pack.rglob("*") if file.is_file()]
    return all(
        (other / name).is_file() and (other / name).read_bytes() == (pack / name).read_bytes()
        for name in names
        if "__pycache__" not in name.parts
    )


def install(comfyui: Path, copy: bool) -> Done:
    """Link our pack into a ComfyUI; copy it if asked to, or where no link can be made.

    Raises:
        UsageError: if it is no ComfyUI, or something else is in the pack's place.
    """
    require_comfyui(comfyui)
    pack, place = pack_folder(), place_in(comfyui)
    before, wanted = kind_at(place), "copy" if copy else "link"
    if before == wanted and (same_files(pack, place) if copy else place.resolve() == pack.resolve()):
        return Done(before, changed=False)
    with workshop(place) as folder:
        new = folder / "new"
        linked = not copy and make_link(new, pack)
        if not linked:
            shutil.copytree(pack, new, ignore=shutil.ignore_patterns("__pycache__"))
        put(new, place, folder / "old")
    return Done("link" if linked else "copy", changed=True)


def uninstall(comfyui: Path) -> Kind:
    """Take our pack out of a ComfyUI; models stay.

    Returns:
        What was there.

    Raises:
        UsageError: if it is no ComfyUI, or what is there is not our pack.
    """
    require_comfyui(comfyui)
    place = place_in(comfyui)
    if found := kind_at(place):
        with workshop(place) as folder:
            place.rename(folder / "old")  # whole or not at all, should a file be in use
    return found


@contextmanager
def workshop(place: Path) -> Iterator[Path]:
    """A folder beside a place, which goes away with all that is left in it.

    Raises:
        UsageError: if none can be made.
    """
    try:
        place.parent.mkdir(exist_ok=True)
        made = TemporaryDirectory(prefix=f".{NAME}-", suffix=".disabled", dir=place.parent)  # not loaded by ComfyUI
    except OSError as error:
        raise UsageError(f"'{place.parent}' cannot be written to ({error.strerror}); change its rights") from None
    with made as name:
        yield Path(name)


def make_link(link: Path, target: Path) -> bool:
    """Make a symbolic link, or on Windows a junction, which needs no rights; False if neither can be made."""
    try:
        link.symlink_to(target, target_is_directory=True)
    except OSError:
        return make_junction(link, target)
    return True


def make_junction(link: Path, target: Path) -> bool:
    """Make Windows' other link to a folder; False if that cannot be."""
    if sys.platform != "win32":
        return False
    import _winapi

    try:
        _winapi.CreateJunction(str(target), str(link))
    except OSError:
        return False
    return True


def put(new: Path, place: Path, old: Path) -> None:
    """Move something to a place, and what was there, if anything, to `old`; or leave all as it was."""
    try:
        if os.path.lexists(place):
            place.rename(old)
        new.rename(place)
    finally:
        if os.path.lexists(old) and not os.path.lexists(place):
            old.rename(place)

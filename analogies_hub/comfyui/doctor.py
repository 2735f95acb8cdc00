"""What keeps our nodes from working in a ComfyUI, and what to do about it."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from .. import __version__
from ..errors import UsageError
from .install import (
    NAME,
    PACKAGE,
    clone_words,
    is_clone,
    is_pack,
    kind_at,
    pack_folder,
    place_in,
    read_project,
    require_comfyui,
    same_files,
    target_of,
)

COMFYUI_NEEDS = ("torch", "aiohttp", "comfyui_frontend_package")


class Check(NamedTuple):
    """Something that must be so for the nodes to work; if it is not, `do` says what to do."""

    ok: bool
    what: str
    do: str = ""


def find_python(comfyui: Path) -> Path | None:
    """The Python that starts a ComfyUI: one that lies in it or beside it, or this one if it could."""
    above = comfyui.parent
    homes = (comfyui / ".venv", comfyui / "venv", above / "python_embeded", above / ".venv", above / "venv")
    for file in (home / name for home in homes for name in ("bin/python", "Scripts/python.exe", "python.exe")):
        if file.is_file():
            return file
    return Path(sys.executable) if all(map(find_spec, COMFYUI_NEEDS)) else None


def named_python(name: str) -> Path:
    """The Python that a path, or a command's name, stands for.

    Raises:
        UsageError: if it is no program.
    """
    if (found := shutil.which(name)) is None:
        raise UsageError(f"--python '{name}' is no program; give the Python that starts ComfyUI")
    return Path(found).absolute()  # not resolved: a virtual environment's Python is a link


def imported_version(python: Path, comfyui: Path) -> str:
    """The version of this package that ComfyUI would import with a Python; empty if none."""
    code = f"import {PACKAGE.name}; print({PACKAGE.name}.__version__)"
    try:  # from ComfyUI's folder, since in a checkout of ours any Python finds the package
        done = subprocess.run([python, "-c", code], cwd=comfyui, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    except OSError:
        return ""
    return done.stdout.decode(errors="replace").strip() if done.returncode == 0 else ""


def command_line(*words: object) -> str:
    """Words as they are typed into a shell."""
    join = subprocess.list2cmdline if os.name == "nt" else shlex.join
    return join([str(word) for word in words])


def pip_command(python: Path | str) -> str:
    """What installs this package, as it is here, for another Python."""
    checkout = pack_folder().parent
    source = [f"analogies-hub=={__version__}"] if checkout == PACKAGE else ["-e", checkout]
    return command_line(python, "-m", "pip", "install", *source)


def diagnose(comfyui: Path, python: Path | None) -> Iterator[Check]:
    """Everything that keeps the nodes from working in a ComfyUI, and what is as it should be.

    Args:
        python: what starts ComfyUI; None looks for it.
    """
    try:
        require_comfyui(comfyui)
    except UsageError as error:
        yield failed(error)
        return
    yield check_version(comfyui)
    yield check_pack(comfyui)
    yield from strays(comfyui) or [Check(True, "there is no second copy of the nodes")]
    yield check_python(comfyui, python)
    yield check_models(comfyui)


def failed(error: UsageError) -> Check:
    """An error as a check; the last clause of ours says what to do."""
    what, _, do = str(error).rpartition("; ")
    return Check(False, what, do)


def check_version(comfyui: Path) -> Check:
    """Whether ComfyUI is as new as the pack asks for."""
    floor = read_project(pack_folder())["tool"]["comfy"]["requires-comfyui"].removeprefix(">=")
    text = (comfyui / "comfyui_version.py").read_text(encoding="utf-8", errors="replace")
    found = re.search(r"""__version__\s*=\s*["'](\d+(?:\.\d+)*)""", text)
    if found is None:
        return Check(False, "comfyui_version.py names no version", f"the nodes need ComfyUI {floor} or newer")
    if numbers(found[1]) < numbers(floor):
        return Check(False, f"ComfyUI is {found[1]}", f"update it, the nodes need {floor} or newer")
    return Check(True, f"ComfyUI is {found[1]}")


def numbers(version: str) -> list[int]:
    """A version as what can be compared."""
    return [int(number) for number in version.split(".")]


def check_pack(comfyui: Path) -> Check:
    """Whether the pack is there, and is this version's."""
    place = place_in(comfyui)
    try:
        kind = kind_at(place)
    except UsageError as error:
        return failed(error)
    words = ["analogies", "comfy", "install", "--comfyui", comfyui, *["--copy"] * (kind == "copy")]
    again = f"run {command_line(*words)}"
    if not kind:
        return Check(False, "the nodes are not installed", again)
    if not place.exists():
        return Check(False, f"'{place}' leads to '{target_of(place)}', which is gone", again)
    if not same_files(pack_folder(), place):
        return Check(False, f"'{place}' is a {kind} of another version, most likely an older one", again)
    return Check(True, f"the nodes are installed as a {kind}, '{place}'")


def strays(comfyui: Path) -> list[Check]:
    """What else of ours lies in custom_nodes: each loads nothing, or everything twice."""
    place = place_in(comfyui)
    others = [each for each in sorted(place.parent.glob("*")) if each != place and not each.name.endswith(".disabled")]
    clones = [failed(UsageError(clone_words(each))) for each in others if is_clone(each)]
    return clones + [Check(False, f"'{each}' has the nodes once more", "remove it") for each in others if is_pack(each)]


def check_python(comfyui: Path, python: Path | None) -> Check:
    """Whether ComfyUI's Python has this package, in this version."""
    python = python or find_python(comfyui)
    if python is None:
        do = f"name the Python that starts ComfyUI with --python, or run with it {pip_command('PYTHON')}"
        return Check(False, "no Python of ComfyUI was found", do)
    version = imported_version(python, comfyui)
    if version == __version__:
        return Check(True, f"'{python}' imports {PACKAGE.name} {version}")
    what = f"imports {PACKAGE.name} {version}, this is {__version__}" if version else f"cannot import {PACKAGE.name}"
    return Check(False, f"'{python}' {what}", f"run {pip_command(python)}")


def check_models(comfyui: Path) -> Check:
    """Which models lie where the nodes look for them; none is fine too."""
    folder = comfyui / "models" / NAME
    names = sorted(file.parent.name for file in folder.glob("*/config.json"))
    return Check(True, f"models in '{folder}': {', '.join(names) or 'none of your own'}")

"""`analogies comfy`: our nodes in a ComfyUI."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..errors import AnalogyError
from .common import JsonOption, friendly

if TYPE_CHECKING:
    from ..comfyui.doctor import Check

comfy_app = typer.Typer(no_args_is_help=True)

FolderOption = Annotated[
    Path, typer.Option("--comfyui", resolve_path=True, help="ComfyUI's folder, the one that holds main.py")
]
PythonOption = Annotated[
    str | None,
    typer.Option("--python", help="The Python that starts ComfyUI; default: the one in its folder or beside"),
]


@comfy_app.callback()
def comfy() -> None:
    """Put our nodes into a ComfyUI, take them out, and find out why they do not work."""


@comfy_app.command("install")
@friendly
def install_command(
    comfyui: FolderOption,
    copy: Annotated[bool, typer.Option("--copy", help="Copy the nodes; repeat it after each upgrade")] = False,
    python: PythonOption = None,
) -> None:
    """Link our nodes into a ComfyUI, bring them up to date, and say what is left to do.

    Example: analogies comfy install --comfyui ~/ComfyUI
    """
    from ..comfyui.doctor import check_python, check_version, named_python, strays
    from ..comfyui.install import NAME, install, place_in

    starter = named_python(python) if python else None
    done = install(comfyui, copy)
    if done.kind == "copy" and not copy:
        typer.echo("Note: no link can be made there, so the nodes were copied; repeat it after each upgrade", err=True)
    for check in [check_version(comfyui), *strays(comfyui)]:
        if not check.ok:
            typer.echo(f"Note: {check.what}; {check.do}", err=True)
    state = "Installed the nodes" if done.changed else "The nodes were up to date"
    typer.echo(f"{state}, as a {done.kind}: {place_in(comfyui)}")
    ready = check_python(comfyui, starter)
    typer.echo(f"Next: start ComfyUI; the nodes are under {NAME}" if ready.ok else f"Next: {ready.do}")


@comfy_app.command("uninstall")
@friendly
def uninstall_command(comfyui: FolderOption) -> None:
    """Take our nodes out of a ComfyUI; models stay, and so does all that is not ours."""
    from ..comfyui.install import place_in, uninstall

    place = place_in(comfyui)
    found = uninstall(comfyui)
    if found:
        typer.echo(f"Removed the nodes, a {found}: {place}")
    else:
        typer.echo(f"Note: there is no {place}, so nothing was removed", err=True)


@comfy_app.command("doctor")
@friendly
def doctor_command(comfyui: FolderOption, python: PythonOption = None, as_json: JsonOption = False) -> None:
    """Check all that our nodes need in a ComfyUI; 1 if something is wrong."""
    from ..comfyui.doctor import diagnose, named_python

    wrong = 0
    for check in diagnose(comfyui, named_python(python) if python else None):
        typer.echo(json.dumps(check._asdict()) if as_json else line(check))
        wrong += not check.ok
    if wrong:
        raise typer.Exit(AnalogyError.exit_code)


def line(check: "Check") -> str:
    """A check as a user reads it, in signs that the terminal has."""
    plain = not (sys.stdout.encoding or "").lower().startswith("utf")
    sign = ("x", "+") if plain else ("✗", "✓")
    return f"{sign[check.ok]} {check.what}{'' if check.ok else f': {check.do}'}"

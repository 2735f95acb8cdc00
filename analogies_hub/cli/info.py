"""`analogies methods` and `analogies info`: what there is, and what it can do."""

import json
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .common import JsonOption, Load, friendly, loading

if TYPE_CHECKING:
    from dataclasses import Field

    from ..operations import Value


@friendly
def methods(as_json: JsonOption = False) -> None:
    """List the methods."""
    from ..registry import METHODS, get_method

    for name in METHODS:
        method = get_method(name)
        row = {"name": name, "title": method.title, "summary": method.summary, "needs_weights": method.needs_weights}
        typer.echo(json.dumps(row) if as_json else f"{name}: {method.title}: {method.summary}")


@friendly
@loading
def info(
    load: Load,
    source: Annotated[str, typer.Argument(help="A method, a saved pipeline's folder, or a model's name")],
    as_json: JsonOption = False,
) -> None:
    """Show the operations of a method or saved pipeline, with their inputs."""
    from ..registry import METHODS, get_method

    pipeline = None if source in METHODS and not Path(source).is_dir() else load(source, "cpu")
    method = get_method(pipeline.method if pipeline else source)
    operations = list(method.pipeline_type().operations().values())
    if pipeline:
        operations = [operation.of(pipeline) for operation in operations]
    if as_json:
        listed = {
            operation.name: {"help": operation.help, "inputs": [row(item) for item in operation.inputs]}
            for operation in operations
        }
        typer.echo(json.dumps({"method": method.name, "paper": method.paper, "operations": listed}))
        return
    typer.echo(f"{method.title} ({method.name}): {method.summary}\n{method.paper}")
    if pipeline:
        typer.echo(f"settings: {pipeline.config.to_dict()}")
    else:
        typer.echo("\nsettings" + "".join(f"\n    {describe_setting(item)}" for item in fields(method.config)))
    for operation in operations:
        outputs = ", ".join(output.name for output in operation.outputs)
        typer.echo(f"\n{operation.name} -> {outputs}\n  {operation.help}")
        for item in operation.inputs:
            typer.echo(f"    {describe_input(item)}")


def describe_setting(item: "Field") -> str:
    """A setting in one line."""
    options = f" ({', '.join(item.metadata['options'])})" if item.metadata["options"] else ""
    return f"{item.name} = {item.default}: {item.metadata['help']}{options}"


def row(item: "Value") -> dict[str, Any]:
    """An input as plain data."""
    default = {} if item.required else {"default": item.default}
    return {"name": item.name, "kind": item.kind.name, "help": item.help} | item.kind.limits() | default


def describe_input(item: "Value") -> str:
    """An input in one line."""
    limits = ", ".join(f"{name} {value}" for name, value in item.kind.limits().items())
    default = "" if item.required else f" = {item.default}"
    return f"{item.name}{default}: {item.help}{f' ({limits})' if limits else ''}"

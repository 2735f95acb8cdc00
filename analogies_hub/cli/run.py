"""`analogies run`: every operation of every method, by name."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..config import nearest_name
from ..errors import UsageError
from . import common

if TYPE_CHECKING:
    from ..kinds import Kind
    from ..operations import Operation


@common.friendly
@common.loading
def run(
    load: common.Load,
    model: Annotated[str, typer.Argument(help="A method, a saved pipeline's folder, or a model's name")],
    operation: Annotated[str, typer.Argument(help="One of those that `analogies info MODEL` lists")],
    inputs: Annotated[list[str] | None, typer.Argument(help="content=a.jpg guide=b.jpg seed=3 ...")] = None,
    output: common.OutputOption = None,
    device: common.DeviceOption = "auto",
    threads: common.ThreadsOption = None,
    overwrite: common.OverwriteOption = False,
    as_json: common.JsonOption = False,
    quiet: common.QuietOption = False,
) -> None:
    """Apply any operation of a method or a saved pipeline.

    Example: analogies run pair sample image=a.jpg count=3 -o samples.png
    """
    from .jobs import Outlet, call, find_operation

    common.use_threads(threads)
    pipeline = load(model, device)
    found = find_operation(pipeline, operation)
    values = parse_inputs(found, inputs or [])
    outlet = Outlet(output or f"{operation}__{pipeline.method}{suffix(found)}", overwrite, as_json, quiet)
    call(pipeline, found, values, outlet, source=" ".join(inputs or []))


def suffix(operation: "Operation") -> str:
    """The ending of the file that an operation's result goes into by default."""
    from ..kinds import CodeKind

    return ".safetensors" if isinstance(operation.outputs[0].kind, CodeKind) else ".png"


def parse_inputs(operation: "Operation", words: list[str]) -> dict[str, Any]:
    """`name=value` words as the values that the operation takes.

    Raises:
        UsageError: if a word has no name, an unknown one, or a value of another kind.
    """
    kinds = {item.name: item.kind for item in operation.inputs}
    values: dict[str, Any] = {}
    for word in words:
        name, equals, text = word.partition("=")
        if not equals:
            raise UsageError(f"'{word}' must be name=value, where name is one of {', '.join(kinds)}")
        if name not in kinds:
            raise UsageError(f"{operation.name} has no input '{name}'; {nearest_name(name, list(kinds))}")
        values[name] = parsers()[type(kinds[name])](name, text)
    missing = [item.name for item in operation.inputs if item.required and item.name not in values]
    if missing:
        raise UsageError(f"{operation.name} needs {missing[0]}=...; `analogies info` lists its inputs")
    return values


def parsers() -> "dict[type[Kind], Callable[[str, str], Any]]":
    """For each kind of value, what turns an input's name and text into it."""
    from ..codes import Code
    from ..kinds import BoxKind, Choice, CodeKind, FramesKind, ImageKind, MaskKind, Number, SeedKind, Words

    return {
        ImageKind: lambda name, text: common.read_picture(text),
        MaskKind: lambda name, text: common.read_picture(text),
        FramesKind: lambda name, text: common.expand(text),
        CodeKind: lambda name, text: Code.load(text),
        Number: parse_number,
        SeedKind: parse_number,
        Choice: lambda name, text: text,
        Words: lambda name, text: text,
        BoxKind: lambda name, text: text,
    }


def parse_number(name: str, text: str) -> int | float:
    """An int where the text is one, else a float."""
    try:
        return int(text)
    except ValueError:
        pass
    try:
        return float(text)
    except ValueError:
        raise UsageError(f"'{name}' must be a number, got '{text}'") from None

"""`analogies translate` and `analogies interpolate`: trained models with common and separate codes."""

from typing import Annotated

import typer

from ..errors import UsageError
from . import common

ToOption = Annotated[
    str, typer.Option("--to", help="What is taken from the guide: glasses, glasses+smile, all that it shows, none")
]
OffOption = Annotated[
    str, typer.Option("--from", help="What content loses: smile, glasses+smile, all that it shows, none")
]


@common.friendly
@common.loading
def translate(
    content: Annotated[str, typer.Argument(help="The picture that is changed; a folder or glob for many")],
    guide: Annotated[str, typer.Argument(help="The picture whose glasses, smile... are taken")],
    load: common.Load,
    model: common.ModelOption = None,
    from_hub: common.HubOption = None,
    to: ToOption = "all",
    off: OffOption = "all",
    output: common.OutputOption = None,
    device: common.DeviceOption = "auto",
    threads: common.ThreadsOption = None,
    overwrite: common.OverwriteOption = False,
    as_json: common.JsonOption = False,
    quiet: common.QuietOption = False,
) -> None:
    """Give CONTENT what GUIDE has, in place of what it has itself.

    Example: analogies translate anna.png ben.png --model runs/didd-glasses-smile --to glasses -o anna-in-glasses.png
    """
    if content == guide == common.STREAM:
        raise UsageError("only one of the two pictures can come from stdin")
    contents = common.expand(content)

    from .jobs import call_on_contents, find_operation

    common.use_threads(threads)
    pipeline = load(model, device, from_hub)
    operation = find_operation(pipeline, "translate", ("to", "off"))
    inputs = {"guide": common.read_picture(guide), "to": to, "off": off}
    outlet = {"overwrite": overwrite, "as_json": as_json, "quiet": quiet}
    call_on_contents(pipeline, operation, contents, inputs, output, **outlet)


@common.friendly
@common.loading
def interpolate(
    content: Annotated[str, typer.Argument(help="The picture that gives everything that does not change")],
    start: Annotated[str, typer.Argument(help="The picture at the left end")],
    end: Annotated[str, typer.Argument(help="The picture at the right end")],
    load: common.Load,
    model: common.ModelOption = None,
    from_hub: common.HubOption = None,
    across: Annotated[
        str, typer.Option(help="What changes from left to right: glasses, smile, common... or all")
    ] = "all",
    down: Annotated[str, typer.Option(help="What changes from top to bottom")] = "common",
    down_ends: Annotated[
        tuple[str, str] | None, typer.Option(help="The pictures at the top and at the bottom, for a grid")
    ] = None,
    steps: Annotated[int, typer.Option(min=2, max=64, help="Pictures from one end to the other")] = 5,
    output: common.OutputOption = None,
    device: common.DeviceOption = "auto",
    threads: common.ThreadsOption = None,
    overwrite: common.OverwriteOption = False,
    as_json: common.JsonOption = False,
    quiet: common.QuietOption = False,
) -> None:
    """Go from START's glasses, smile... to END's on the face of CONTENT, in one picture: a row, or a grid.

    Example: analogies interpolate anna.png ben.png carl.png --model runs/didd-glasses-smile --across glasses -o row.png
    """
    from .jobs import Outlet, call, find_operation

    common.use_threads(threads)
    pipeline = load(model, device, from_hub)
    operation = find_operation(pipeline, "interpolate", ("across", "down"))
    values = {"content": content, "start": start, "end": end, "across": across, "down": down, "steps": steps}
    if down_ends:
        values |= {"down_start": down_ends[0], "down_end": down_ends[1]}
    outlet = Outlet(output or f"interpolation__{pipeline.method}.png", overwrite, as_json, quiet, only=("grid",))
    call(pipeline, operation, values, outlet, source=content)

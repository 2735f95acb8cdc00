"""`analogies pair`: a structural analogy from two pictures."""

from typing import Annotated

import typer

from ..errors import UsageError
from . import common

SizeOption = Annotated[int | None, typer.Option(help="Long side in pixels; default: content's own, up to 512")]
StructureOption = Annotated[
    float | None, typer.Option(help="0 keeps the guide's objects whole, 1 follows every line of content; default 0.5")
]
FollowOption = Annotated[str | None, typer.Option(help="What of content: both (default), layout, lines or none")]
CompletenessOption = Annotated[
    float | None, typer.Option(help="0 takes what fits best, 1 makes all of the guide appear; default 0.5")
]
VariationOption = Annotated[float | None, typer.Option(help="How far the results of two seeds differ; default 0.1")]
SeedOption = Annotated[int | None, typer.Option(help="Another number, another result; default 0")]
KNOBS = ("size", "structure", "follow", "completeness", "variation", "seed")  # not given: the operation's default


@common.friendly
def pair(
    content: Annotated[str, typer.Argument(help="The picture whose arrangement is kept; a folder or glob for many")],
    guide: Annotated[str, typer.Argument(help="The picture whose look is taken")],
    output: common.OutputOption = None,
    both: Annotated[bool, typer.Option("--both", help="The reverse as well")] = False,
    size: SizeOption = None,
    structure: StructureOption = None,
    follow: FollowOption = None,
    completeness: CompletenessOption = None,
    variation: VariationOption = None,
    seed: SeedOption = None,
    device: common.DeviceOption = "auto",
    threads: common.ThreadsOption = None,
    overwrite: common.OverwriteOption = False,
    as_json: common.JsonOption = False,
    quiet: common.QuietOption = False,
) -> None:
    """Draw the look of GUIDE in the arrangement of CONTENT.

    Example: analogies pair pumpkins.jpg balls.jpg -o analogy.png
    """
    if content == guide == common.STREAM:
        raise UsageError("only one of the two pictures can come from stdin")
    knobs = dict(zip(KNOBS, (size, structure, follow, completeness, variation, seed), strict=True))
    contents = common.expand(content)

    from ..registry import load_pipeline
    from .jobs import call_on_contents

    common.use_threads(threads)
    pipeline = load_pipeline("pair", device)
    inputs = {"guide": common.read_picture(guide)} | {name: value for name, value in knobs.items() if value is not None}
    operation = pipeline.operations()["both_ways" if both else "translate"]
    outlet = {"overwrite": overwrite, "as_json": as_json, "quiet": quiet}
    call_on_contents(pipeline, operation, contents, inputs, output, **outlet)

"""`analogies pair`: a structural analogy from two pictures."""

from pathlib import Path
from typing import Annotated, Any

import typer

from ..errors import UsageError
from .common import (
    STREAM,
    DeviceOption,
    JsonOption,
    OutputOption,
    OverwriteOption,
    QuietOption,
    ThreadsOption,
    expand,
    friendly,
    read_picture,
    use_threads,
)


@friendly
def pair(
    content: Annotated[str, typer.Argument(help="The picture whose arrangement is kept; a folder or glob for many")],
    guide: Annotated[str, typer.Argument(help="The picture whose look is taken")],
    output: OutputOption = None,
    both: Annotated[bool, typer.Option("--both", help="The reverse as well")] = False,
    size: Annotated[int | None, typer.Option(help="Long side in pixels; default: content's own, up to 512")] = None,
    structure: Annotated[
        float | None,
        typer.Option(help="0 keeps the guide's objects whole, 1 follows every line of content; default 0.5"),
    ] = None,
    follow: Annotated[
        str | None, typer.Option(help="both (default), layout, lines or none of content's guides")
    ] = None,
    completeness: Annotated[
        float | None, typer.Option(help="0 takes what fits best, 1 makes all of the guide appear; default 0.5")
    ] = None,
    variation: Annotated[float | None, typer.Option(help="How far the results of two seeds differ, 0 to 1")] = None,
    seed: Annotated[int | None, typer.Option(help="Another number, another result; default 0")] = None,
    device: DeviceOption = "auto",
    threads: ThreadsOption = None,
    overwrite: OverwriteOption = False,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Draw the look of GUIDE in the arrangement of CONTENT.

    Example: analogies pair pumpkins.jpg balls.jpg -o analogy.png
    """
    if content == guide == STREAM:
        raise UsageError("only one of the two pictures can come from stdin")
    knobs: dict[str, Any] = {
        "size": size,
        "structure": structure,
        "follow": follow,
        "completeness": completeness,
        "variation": variation,
        "seed": seed,
    }
    given = {
        name: value for name, value in knobs.items() if value is not None
    }  # the rest have the operation's defaults
    contents = expand(content)
    look = read_picture(guide)

    from ..registry import load_pipeline
    from .jobs import Outlet, call_each

    use_threads(threads)
    pipeline = load_pipeline("pair", device)
    targets = [target_of(source, output, len(contents) > 1) for source in contents]
    jobs = [
        (Outlet(target, overwrite, as_json, quiet), {"content": read_picture(source), "guide": look, **given}, source)
        for source, target in zip(contents, targets, strict=True)
    ]
    call_each(jobs, pipeline, pipeline.operations()["both_ways" if both else "translate"])


def target_of(source: str, output: str | None, several: bool) -> str:
    """The file for one content picture: the output itself, or a name of its own in a folder.

    Raises:
        UsageError: if several pictures would go into one file.
    """
    own = f"{'stdin' if source == STREAM else Path(source).stem}__pair.png"
    if output is None:
        return own
    if output != STREAM and Path(output).is_dir():
        return str(Path(output) / own)
    if several:
        raise UsageError(f"several pictures need a folder that exists, got -o {output}")
    return output

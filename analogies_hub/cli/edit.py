"""`analogies edit`: local edits of photos by models that find a mask."""

from typing import Annotated, Any

import typer

from ..errors import UsageError
from . import common

PhotosArgument = Annotated[list[str], typer.Argument(help="The photos that are edited; folders and globs for many")]
GuideOption = Annotated[str | None, typer.Option(help="The picture whose glasses, smile... are taken")]
RemoveOption = Annotated[bool, typer.Option("--remove", help="Take away what the photos show")]
ThresholdOption = Annotated[
    float | None, typer.Option(min=0, max=1, help="Below it a mask counts as nothing; default: the model's own")
]
StyleOption = Annotated[
    str | None,
    typer.Option(help="soft blends where the mask is half there, hard cuts; default: soft to add, hard to remove"),
]
GrowOption = Annotated[
    float | None,
    typer.Option(
        min=0, max=0.25, help="How far masks are widened, a share of the face's side; default: the model's own"
    ),
]
FeatherOption = Annotated[
    float | None,
    typer.Option(min=0, max=0.25, help="How far its edge is blurred, a share of the face's side; default: 0"),
]
BoxOption = Annotated[str | None, typer.Option(help="The face: left,top,width,height in pixels; default: the middle")]
SaveMaskOption = Annotated[bool, typer.Option("--save-mask", help="Also write the mask, as NAME_mask")]


@common.friendly
@common.loading
def edit(
    photos: PhotosArgument,
    load: common.Load,
    model: common.ModelOption = None,
    from_hub: common.HubOption = None,
    guide: GuideOption = None,
    remove: RemoveOption = False,
    threshold: ThresholdOption = None,
    style: StyleOption = None,
    grow: GrowOption = None,
    feather: FeatherOption = None,
    box: BoxOption = None,
    save_mask: SaveMaskOption = False,
    output: common.OutputOption = None,
    device: common.DeviceOption = "auto",
    threads: common.ThreadsOption = None,
    overwrite: common.OverwriteOption = False,
    as_json: common.JsonOption = False,
    quiet: common.QuietOption = False,
) -> None:
    """Put on PHOTO what the guide wears, or with --remove take it away, or both, to replace it; the rest stays.

    Example: analogies edit anna.jpg --guide ben.jpg --model mask_transfer-avatars-glasses -o anna-in-glasses.png
    """
    name = operation_name(photos, guide, remove)
    sources = [source for photo in photos for source in common.expand(photo)]

    from .jobs import call_on_contents, find_operation

    common.use_threads(threads)
    pipeline = load(model, device, from_hub)
    options = {"threshold": threshold, "style": style, "grow": grow, "feather": feather, "box": box}
    inputs: dict[str, Any] = {option: value for option, value in options.items() if value is not None}
    operation = find_operation(pipeline, name, ("content", *inputs))
    inputs |= {"guide": common.read_picture(guide)} if guide is not None else {}
    outlet = {"overwrite": overwrite, "as_json": as_json, "quiet": quiet, "only": ("image", "mask")[: 1 + save_mask]}
    call_on_contents(pipeline, operation, sources, inputs, output, **outlet)


def operation_name(photos: list[str], guide: str | None, remove: bool) -> str:
    """What is done with a guide, with what the photos show, or with both.

    Raises:
        UsageError: if there is neither, or both pictures are stdin.
    """
    if common.STREAM in photos and guide == common.STREAM:
        raise UsageError("only one of the pictures can come from stdin")
    if guide is None:
        if not remove:
            raise UsageError("nothing to do: give --guide PICTURE, --remove, or both")
        return "remove"
    return "replace" if remove else "transfer"

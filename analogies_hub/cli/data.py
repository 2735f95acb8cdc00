"""`analogies data`: build the image sets, count them, and show what is in them."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..errors import UsageError
from .common import JsonOption, OverwriteOption, QuietOption, friendly

if TYPE_CHECKING:
    from ..data.source import ImageSource

data_app = typer.Typer(help="Build image sets, count them, and write a contact sheet.", no_args_is_help=True)

SplitOption = Annotated[list[str] | None, typer.Option(help="train, validation or test; repeat for more")]
SizeOption = Annotated[int, typer.Option(min=8, max=1024, help="Side in pixels")]
SeedOption = Annotated[int, typer.Option(min=0, help="Another number, other images")]
BadOption = Annotated[str, typer.Option(help="skip leaves out unusable pictures and counts them, refuse stops at one")]
SheetOption = Annotated[Path, typer.Option("--output", "-o", help="Picture file of the contact sheet")]
Build = Callable[..., "ImageSource"]  # with an on_step


@data_app.callback()
def data() -> None:
    """Build image sets, count them, and write a contact sheet."""


@data_app.command("avatars")
@friendly
def avatars_command(
    domain: Annotated[
        list[str] | None, typer.Option(help="glasses, smile, facial_hair, joined by +; none; any-glasses... Repeat")
    ] = None,
    split: SplitOption = None,
    count: Annotated[int, typer.Option(min=1, help="Faces a domain and split")] = 10_000,
    size: SizeOption = 64,
    style: Annotated[str, typer.Option(help="avataaars, open-peeps, doodles or mixed")] = "avataaars",
    seed: SeedOption = 0,
    output: SheetOption = Path("avatars.png"),
    overwrite: OverwriteOption = False,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Draw faces with and without glasses, a smile and facial hair.

    Example: analogies data avatars --domain glasses --domain smile --size 128
    """
    from functools import partial

    from ..data.avatars import avatars

    builds = [
        partial(avatars, each, part, count, size, style, seed)
        for each in domain or ["none", "glasses", "smile", "facial_hair"]
        for part in split or ["train"]
    ]
    build_all(builds, Sheet(output, overwrite, as_json, quiet))


@data_app.command("digits")
@friendly
def digits_command(
    domain: Annotated[list[str] | None, typer.Option(help="mnist or svhn; repeat for both")] = None,
    split: SplitOption = None,
    size: SizeOption = 32,
    seed: SeedOption = 0,
    folder: Annotated[Path | None, typer.Option(help="Your torchvision data folder with MNIST and SVHN")] = None,
    output: SheetOption = Path("digits.png"),
    overwrite: OverwriteOption = False,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Digits: your MNIST and SVHN, or without them 5,000 of MNIST and drawn house numbers."""
    from functools import partial

    from ..data.digits import digits

    builds = [
        partial(digits, each, part, size, seed, folder)
        for each in domain or ["mnist", "svhn"]
        for part in split or ["train", "test"]
    ]
    build_all(builds, Sheet(output, overwrite, as_json, quiet))


@data_app.command("maps")
@friendly
def maps_command(
    style: Annotated[list[str] | None, typer.Option(help="satellite, topographic, relief or roadmap; repeat")] = None,
    split: SplitOption = None,
    size: SizeOption = 64,
    seed: SeedOption = 0,
    output: SheetOption = Path("maps.png"),
    overwrite: OverwriteOption = False,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Map tiles in four styles that lie exactly over each other."""
    from functools import partial

    from ..data.maps import STYLES, maps

    builds = [partial(maps, each, part, size, seed) for part in split or ["train"] for each in style or list(STYLES)]
    build_all(builds, Sheet(output, overwrite, as_json, quiet))


@data_app.command("celeba")
@friendly
def celeba_command(
    folder: Annotated[Path, typer.Argument(help="Holds img_align_celeba/ and the attribute and partition lists")],
    domain: Annotated[
        list[str] | None, typer.Option(help="A named rule or attributes: Eyeglasses+-Male; repeat")
    ] = None,
    split: SplitOption = None,
    size: SizeOption = 64,
    bad: BadOption = "skip",
    output: SheetOption = Path("celeba.png"),
    overwrite: OverwriteOption = False,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Your CelebA, by the attribute rules of the papers."""
    from functools import partial

    from ..data.celeba import celeba

    builds = [
        partial(celeba, folder, each, part, size, bad)
        for each in domain or ["glasses", "no-glasses"]
        for part in split or ["train"]
    ]
    build_all(builds, Sheet(output, overwrite, as_json, quiet))


@data_app.command("folders")
@friendly
def folders_command(
    folder: Annotated[list[Path], typer.Argument(help="Two folders of pictures, or one with trainA/ and trainB/")],
    split: SplitOption = None,
    size: SizeOption = 64,
    bad: BadOption = "skip",
    output: SheetOption = Path("folders.png"),
    overwrite: OverwriteOption = False,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Your own folders of pictures."""
    from functools import partial

    from ..data.folders import folder as read
    from ..data.folders import pair_folders

    if len(folder) > 2 or (split and len(folder) == 2):
        raise UsageError("give one folder with trainA/, trainB/... and maybe --split, or two folders without --split")
    if len(folder) == 1:
        folders = [each for part in split or ["train"] for each in pair_folders(folder[0], part)]
    else:
        folders = folder
    build_all([partial(read, each, size, bad) for each in folders], Sheet(output, overwrite, as_json, quiet))


class Sheet:
    """Where the contact sheet goes, and how the counts are said."""

    def __init__(self, output: Path, overwrite: bool, as_json: bool, quiet: bool) -> None:
        from ..images import check_writable

        self.output, self.as_json, self.quiet = check_writable(output), as_json, quiet
        if output.exists() and not overwrite:
            raise UsageError(f"'{output}' exists; add --overwrite or choose another output")

    def report(self, sources: Sequence["ImageSource"]) -> None:
        """Write the sheet and print what is in each source."""
        from ..data.source import contact_sheet
        from ..images import save_image

        save_image(contact_sheet(sources), self.output, {"rows": [source.name for source in sources]})
        for source in sources:
            height, width = source.pixels.shape[1:3]
            if self.as_json:
                counts = {"images": len(source), "width": width, "height": height, "skipped": source.skipped}
                counts["sha256"] = source.sha256()
                typer.echo(json.dumps({"name": source.name} | counts))
            else:
                skipped = f", {source.describe_skipped()}" if source.skipped else ""
                count = f"{len(source):,} images of {width}x{height} px, sha256 {source.sha256()[:12]}"
                typer.echo(f"{source.name}: {count}{skipped}")
        if not self.as_json:
            typer.echo(f"Wrote {self.output}")


def build_all(builds: Sequence[Build], sheet: Sheet) -> None:
    """Build each source under a progress bar and report them."""
    from .common import progress

    sources = []
    for number, build in enumerate(builds, start=1):
        with progress(f"Building {number} of {len(builds)}", sheet.quiet or sheet.as_json) as on_step:
            sources.append(build(on_step=on_step))
    sheet.report(sources)

"""`analogies eval segment`: how well a model's mask finds what nobody has marked."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..errors import UsageError
from .common import DeviceOption, JsonOption, Load, QuietOption, ThreadsOption, friendly, loading, progress, use_threads
from .evaluate import CountOption
from .scoring import print_table

if TYPE_CHECKING:
    from ..evaluation.segmentation import Segmentation
    from ..pipeline import Pipeline


@friendly
@loading
def segment_command(
    load: Load,
    model: Annotated[str, typer.Argument(help="A trained model")],
    attribute: Annotated[str | None, typer.Option(help="What is looked for; default: the model's only one")] = None,
    card: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Card's folder, for segment.json and the model with the best threshold"),
    ] = None,
    n: CountOption = 1000,
    device: DeviceOption = "auto",
    threads: ThreadsOption = None,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Score a model's mask against the pixels an attribute changes, beside a class activation map and a removal.

    Example: analogies eval segment mask_transfer-avatars-glasses
    """
    from ..evaluation.judges import load_judges
    from ..evaluation.segmentation import segmentation
    from ..hub.card import SEGMENT_FILE, masks
    from ..images import atomic_write, make_folder

    use_threads(threads)
    pipeline = load(model, device)
    known: tuple[str, ...] = getattr(pipeline, "attributes", ())
    if attribute is None and len(known) != 1:
        raise UsageError(f"which of {', '.join(known) or 'no attributes'}? name one with --attribute")
    with progress("Looking", quiet or as_json) as on_step:
        found = segmentation(pipeline, attribute or known[0], n, load_judges("avataaars", pipeline.device), on_step)
    numbers = json.dumps({name: asdict(each) for name, each in found.items()}, indent=1)
    if card is not None:
        make_folder(card)
        keep(pipeline, found, card)
        with atomic_write(card / SEGMENT_FILE) as stream:
            stream.write(numbers.encode())
    if as_json:
        typer.echo(numbers)
    else:
        print_table(masks({name: asdict(each) for name, each in found.items()}))


def keep(pipeline: "Pipeline", found: "dict[str, Segmentation]", card: Path) -> None:
    """Save a model that has a mask, with its best threshold."""
    from dataclasses import replace

    from ..evaluation.segmentation import MASK

    if MASK in found:
        config: Any = pipeline.config
        pipeline.config = replace(config, segment_threshold=found[MASK].threshold)
        pipeline.save_pretrained(card, half=True)

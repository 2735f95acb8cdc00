"""`analogies eval`: score edits of drawn faces against their true results, and digits by what they show."""

import json
from pathlib import Path
from typing import Annotated

import typer

from ..errors import UsageError
from .common import DeviceOption, JsonOption, Load, QuietOption, ThreadsOption, friendly, loading, progress, use_threads
from .scoring import (
    BENCHMARK,
    Scoring,
    fill,
    is_function,
    is_model,
    needed,
    print_table,
    score_folder,
    stored_benchmark,
    was_given,
)

eval_app = typer.Typer(help="Score edits of drawn faces against their true results.", no_args_is_help=True)

TaskOption = Annotated[
    str | None, typer.Option(help="add-glasses, remove-smile, glasses-to-facial_hair...; a folder knows its own")
]
CountOption = Annotated[int, typer.Option("--n", min=4, help="Contents to edit")]
GuidesOption = Annotated[int, typer.Option(min=1, max=20, help="Guides a content")]
SizeOption = Annotated[int, typer.Option(min=32, max=512, help="Side in pixels")]
StyleOption = Annotated[str, typer.Option(help="avataaars or open-peeps")]
OthersOption = Annotated[str, typer.Option(help="The attributes a task is not about: any (they vary) or none")]
SeedOption = Annotated[int, typer.Option(min=0, help="Another number, other people")]
SplitOption = Annotated[str, typer.Option(help="Whose faces: test, or validation for choosing settings")]
NetOption = Annotated[
    list[str] | None,
    typer.Option(help="Net of FID, content...: avatars-attributes (default), efflite0...; repeat"),
]
ThresholdOption = Annotated[
    float, typer.Option(min=0, max=1, help="Above it a mask counts as edited; choose it with --split validation")
]


@eval_app.callback()
def evaluate() -> None:
    """Score edits of drawn faces against their true results."""


@eval_app.command("inputs")
@friendly
def inputs_command(
    task: Annotated[str, typer.Argument(help="add-glasses, remove-smile, glasses-to-facial_hair...")],
    folder: Annotated[Path, typer.Option("--output", "-o", help="Folder to fill with contents/ and guides/")],
    n: CountOption = 1000,
    guides: GuidesOption = 1,
    size: SizeOption = 64,
    style: StyleOption = "avataaars",
    others: OthersOption = "any",
    seed: SeedOption = 0,
    split: SplitOption = "test",
    quiet: QuietOption = False,
) -> None:
    """Write the pictures of a task, so that any tool can edit them; put its results into outputs/."""
    from ..evaluation.edits import write_inputs
    from ..evaluation.tasks import Benchmark, parse_task

    benchmark = Benchmark(parse_task(task, others), n, guides, size, style, seed, split)
    with progress(f"Drawing {task}", quiet) as on_step:
        write_inputs(folder, benchmark, on_step)
    typer.echo(f"Wrote {len(benchmark)} contents and guides to {folder}; put the results into {folder / 'outputs'}")


@eval_app.command("edits")
@friendly
@loading
def edits_command(
    context: typer.Context,
    load: Load,
    edit: Annotated[str, typer.Argument(help="A trained model, a folder with outputs/, or a function module:function")],
    task: TaskOption = None,
    folder: Annotated[Path | None, typer.Option("--output", "-o", help="Folder for results and report")] = None,
    n: CountOption = 1000,
    guides: GuidesOption = 1,
    size: SizeOption = 64,
    style: StyleOption = "avataaars",
    others: OthersOption = "any",
    seed: SeedOption = 0,
    split: SplitOption = "test",
    net: NetOption = None,
    allow_download: Annotated[bool, typer.Option(help="torchvision may fetch weights of a --net")] = False,
    mask_threshold: ThresholdOption = 0.5,
    device: DeviceOption = "auto",
    threads: ThreadsOption = None,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Score edits beside copies of the input, of the guide, and the truth.

    Example: analogies eval edits mymodel:edit --task add-glasses -o report
    """
    from ..evaluation.tasks import Benchmark, parse_task

    use_threads(threads)
    wanted = Benchmark(parse_task(task, others), n, guides, size, style, seed, split) if task else None
    scoring = Scoring(net or ["avatars-attributes"], allow_download, mask_threshold, device, as_json, quiet)
    if is_function(edit) or is_model(edit):
        benchmark, place = needed(wanted), folder or Path(f"eval-{task}")
        label = fill(edit, place, benchmark, scoring, load)
        score_folder(place, benchmark, label, scoring)
    elif folder is not None:
        raise UsageError("-o is for a function's results; the report of a folder is written into that folder")
    else:
        place = Path(edit)
        given = [name for name in BENCHMARK if was_given(context, name)]
        score_folder(place, stored_benchmark(place, wanted, given), place.resolve().name, scoring)


@eval_app.command("compare")
@friendly
def compare_command(
    first: Annotated[Path, typer.Argument(help="A scored folder")],
    second: Annotated[Path, typer.Argument(help="Another, of the same benchmark")],
    as_json: JsonOption = False,
) -> None:
    """How much better the first edit is than the second, with intervals over the same contents."""
    from ..evaluation.report import compare

    cells, records = compare(first, second)
    if as_json:
        for record in records:
            typer.echo(json.dumps(record))
    else:
        print_table(cells)


@eval_app.command("judges")
@friendly
def judges_command(
    train: Annotated[
        bool, typer.Option("--train", help="Train them again into -o, some ten minutes each on 2 cores")
    ] = False,
    folder: Annotated[Path | None, typer.Option("--output", "-o", help="Folder for new weights and scores")] = None,
    threads: ThreadsOption = None,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Show how good the judges are on faces that no training saw."""
    from ..evaluation.judges import WEIGHTS, read_scores

    use_threads(threads)
    if train:
        if folder is None:
            raise UsageError(f"--train needs a folder for new weights: add -o; judges in use lie in {WEIGHTS}")
        train_all(folder, quiet or as_json)
    scores = read_scores(folder or WEIGHTS)
    if as_json:
        typer.echo(json.dumps(scores))
        return
    for name, entry in scores.items():
        print_table([[name, "unseen faces"], *([key, f"{value:.4f}"] for key, value in entry["scores"].items())])


def train_all(folder: Path, quiet: bool) -> None:
    """Train every judge into a folder."""
    from ..evaluation.judges import JUDGES
    from ..evaluation.judges.training import RECIPES, make_judge

    if not folder.is_dir():
        raise UsageError(f"the folder '{folder}' does not exist; create it or choose another")
    for name in JUDGES:
        with progress(f"Training {name}", quiet) as on_step:
            make_judge(name, *RECIPES[name], folder, on_step)


@eval_app.command("model")
@friendly
@loading
def model_command(
    load: Load,
    model: Annotated[str, typer.Argument(help="A trained model")],
    card: Annotated[Path, typer.Option("--output", "-o", help="Folder for the weights, eval.json and examples")],
    results: Annotated[Path | None, typer.Option(help="Folder for every result; default: beside -o")] = None,
    task: Annotated[list[str] | None, typer.Option(help="Only these tasks; repeat")] = None,
    n: CountOption = 1000,
    net: NetOption = None,
    device: DeviceOption = "auto",
    threads: ThreadsOption = None,
    quiet: QuietOption = False,
) -> None:
    """Measure everything a trained model can do, and put what its card needs into one folder."""
    from ..evaluation.cards import card_table, evaluate_model, write_card
    from ..evaluation.features import load_feature_net
    from ..evaluation.judges import load_judges
    from ..pipeline import pick_device
    from ..registry import load_pipeline

    use_threads(threads)
    load(model, device).save_pretrained(card, half=True)
    pipeline = load_pipeline(card, device)  # what is measured is what is published
    nets = [load_feature_net(name, pick_device(device)) for name in net or []]
    place = results or card.parent / f"{card.name}-results"
    with progress("Scoring", quiet) as on_step:
        told = (lambda what, done, total: on_step(done, total)) if on_step else None
        found = evaluate_model(pipeline, place, n, load_judges("avataaars", pipeline.device), nets, task, told)
    written = write_card(found, place, card)
    print_table(card_table(found))
    typer.echo(f"Wrote {', '.join(map(str, written))}")


@eval_app.command("digits")
@friendly
@loading
def digits_command(
    load: Load,
    model: Annotated[str, typer.Argument(help="A model trained with --data digits --domains mnist svhn")],
    seed: Annotated[int, typer.Option(min=0, help="Another number, other guides")] = 0,
    split: Annotated[str, typer.Option(help="Which digits: test, or validation for choosing settings")] = "test",
    device: DeviceOption = "auto",
    threads: ThreadsOption = None,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Is a digit, moved between MNIST and house numbers, still that digit? Trains two classifiers, a minute each.

    Example: analogies eval digits runs/didd-mnist-svhn
    """
    from ..evaluation.adaptation import adaptation, caption, cells, records

    use_threads(threads)
    pipeline, label = load(model, device), Path(model).name
    with progress("Judging digits", quiet or as_json) as on_step:
        found = adaptation(pipeline, seed, split, on_step)
    if as_json:
        for record in records(found, label):
            typer.echo(json.dumps(record | {"model": pipeline.fingerprint()}))
        return
    print_table(cells(found, label))
    typer.echo(caption(found))

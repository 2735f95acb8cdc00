"""`analogies eval`: score edits of drawn faces against their true results."""

import json
import sys
from collections.abc import Callable
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from ..errors import UsageError
from .common import DeviceOption, JsonOption, QuietOption, ThreadsOption, friendly, progress, use_threads

if TYPE_CHECKING:
    from ..evaluation.tasks import Benchmark

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
def edits_command(
    context: typer.Context,
    edit: Annotated[str, typer.Argument(help="A folder with outputs/, or the Python function module:function")],
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
    mask_threshold: Annotated[
        float, typer.Option(min=0, max=1, help="Above it a mask counts as edited; choose it with --split validation")
    ] = 0.5,
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
    given = [name for name in BENCHMARK if was_given(context, name)]
    wanted = Benchmark(parse_task(task, others), n, guides, size, style, seed, split) if task else None
    scoring = Scoring(net or ["avatars-attributes"], allow_download, mask_threshold, device, as_json, quiet)
    if is_function(edit):
        benchmark, place = needed(wanted), folder or Path(f"eval-{task}")
        fill(edit, place, benchmark, scoring)
        score_folder(place, benchmark, edit, scoring)
    elif folder is not None:
        raise UsageError("-o is for a function's results; the report of a folder is written into that folder")
    else:
        place = Path(edit)
        score_folder(place, stored_benchmark(place, wanted, given), place.resolve().name, scoring)


def was_given(context: typer.Context, name: str) -> bool:
    """Whether an option was written on the command line; by name, since typer may carry a click of its own."""
    source = context.get_parameter_source(name)
    return source is not None and source.name == "COMMANDLINE"


BENCHMARK = ("n", "guides", "size", "style", "others", "seed", "split")  # options that make one, of a task


class Scoring(NamedTuple):
    """How edits are scored, and how it is said."""

    nets: list[str]
    allow_download: bool
    mask_threshold: float
    device: str
    as_json: bool
    quiet: bool

    @property
    def silent(self) -> bool:
        """Whether stderr stays empty."""
        return self.quiet or self.as_json


def needed(benchmark: "Benchmark | None") -> "Benchmark":
    """The benchmark, or a `UsageError` that asks for its task."""
    if benchmark is None:
        raise UsageError("a function must be told what to do: add --task, for instance --task add-glasses")
    return benchmark


def is_function(edit: str) -> bool:
    """Whether the argument is `module:function` and not a folder."""
    return ":" in edit and not Path(edit).is_dir()


def find_function(name: str) -> Callable[..., Any]:
    """The function that `module:function` names, the module looked for here first.

    Raises:
        UsageError: if there is no such module or function.
    """
    module, _, function = name.partition(":")
    sys.path.insert(0, "")  # and it stays: the function may import its neighbours
    try:
        found = getattr(import_module(module), function, None)
    except Exception as error:  # whatever a stranger's module does
        raise UsageError(f"'{module}' cannot be imported ({type(error).__name__}: {error})") from error
    if not callable(found):
        raise UsageError(f"the module '{module}' has no function '{function}'")
    return found


def fill(edit: str, folder: Path, benchmark: "Benchmark", scoring: Scoring) -> None:
    """Run a function over a benchmark into a folder; what is there from an earlier run stays."""
    from ..evaluation.edits import bind, run_edit
    from ..evaluation.scores import require_torchmetrics
    from ..pipeline import pick_device

    require_torchmetrics()
    function = find_function(edit)
    bind(folder, benchmark, edit)
    ready = len(list((folder / "outputs").glob("*.png")))
    if ready and not scoring.silent:
        typer.echo(f"{ready} results of {edit} are in {folder} already and are not made again", err=True)
    with progress(f"Editing by {edit}", scoring.silent) as on_step:
        run_edit(function, folder, benchmark, pick_device(scoring.device), on_step)


def stored_benchmark(folder: Path, wanted: "Benchmark | None", given: list[str]) -> "Benchmark":
    """The benchmark a folder's pictures are of; a count that was given wins over the folder's.

    Raises:
        UsageError: if the folder does not say and no task was named, or it says another.
    """
    from ..evaluation.edits import check_note, from_note

    if not (folder / "outputs").is_dir():
        raise UsageError(f"'{folder}' has no folder outputs/; make the inputs with: analogies eval inputs TASK -o DIR")
    noted = from_note(folder)
    if wanted is None and given:
        raise UsageError("options of a task need the task itself: add --task, or leave them away for the folder's own")
    if wanted is None and noted is None:
        raise UsageError(f"'{folder}' does not say which task its pictures are of; add --task")
    benchmark = wanted or noted
    assert benchmark is not None
    if noted and "n" not in given:
        benchmark = replace(benchmark, count=noted.count)
    check_note(folder, benchmark)
    return benchmark


def score_folder(folder: Path, benchmark: "Benchmark", label: str, scoring: Scoring) -> None:
    """Score what is in a folder, write the report beside it, and print the table or the records."""
    from ..evaluation.edits import bind
    from ..evaluation.features import load_feature_net
    from ..evaluation.judges import load_judges
    from ..evaluation.report import caption, records, table, write_report
    from ..evaluation.scores import evaluate
    from ..pipeline import pick_device

    device = pick_device(scoring.device)
    nets = [load_feature_net(name, device, scoring.allow_download) for name in scoring.nets]
    judges = load_judges(benchmark.style, device)
    with progress("Scoring", scoring.silent) as on_step:
        evaluation = evaluate(folder, benchmark, judges, nets, scoring.mask_threshold, on_step)
    bind(folder, benchmark)
    written = write_report(evaluation, folder, label)
    if scoring.as_json:
        for record in records(evaluation, label):
            typer.echo(json.dumps(record))
        return
    print_table(table(evaluation, label))
    typer.echo(caption(evaluation))
    typer.echo(f"Wrote {', '.join(map(str, written))}")


def print_table(cells: list[list[str]]) -> None:
    """Cells with a heading on stdout, as wide as they need where stdout is no terminal."""
    from rich.console import Console
    from rich.markup import escape  # FID[net] is no markup
    from rich.table import Table

    table = Table(*map(escape, cells[0]))
    for line in cells[1:]:
        table.add_row(*map(escape, line))
    Console(width=None if sys.stdout.isatty() else 180).print(table)


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

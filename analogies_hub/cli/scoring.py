"""What `analogies eval` does with an edit: find it, run it over a benchmark, score and show the results."""

import json
import sys
from collections.abc import Callable
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import typer

from ..errors import UsageError
from .common import Load, progress

if TYPE_CHECKING:
    from ..evaluation.edits import Edit
    from ..evaluation.tasks import Benchmark


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


def is_model(edit: str) -> bool:
    """Whether the argument is a trained model, here or on the Hub, and not a folder of results."""
    from ..hub.address import NAME, pins
    from ..registry import model_folder

    folder = model_folder(edit)
    if folder is None:
        return not Path(edit).exists() and (edit in pins() or NAME.fullmatch(edit.partition("@")[0]) is not None)
    return (folder / "config.json").is_file()


def find_edit(edit: str, benchmark: "Benchmark", device: str, load: Load) -> "tuple[Edit, str]":
    """The edit that a function's or a model's name stands for, and what tells it from others.

    Args:
        load: finds models.

    Raises:
        UsageError: if there is none, or the model cannot do the task.
    """
    if is_function(edit):
        return find_function(edit), edit
    from ..evaluation.models import edit_of

    pipeline = load(edit, device)
    return edit_of(pipeline, benchmark.task), pipeline.fingerprint()


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


def fill(edit: str, folder: Path, benchmark: "Benchmark", scoring: Scoring, load: Load) -> str:
    """Run an edit over a benchmark into a folder; what is there from an earlier run stays.

    Returns:
        What the results are called in the report.
    """
    from ..evaluation.edits import bind, run_edit
    from ..evaluation.scores import require_torchmetrics
    from ..pipeline import pick_device

    require_torchmetrics()
    function, name = find_edit(edit, benchmark, scoring.device, load)
    bind(folder, benchmark, name)
    ready = len(list((folder / "outputs").glob("*.png")))
    if ready and not scoring.silent:
        typer.echo(f"{ready} results of {edit} are in {folder} already and are not made again", err=True)
    with progress(f"Editing by {edit}", scoring.silent) as on_step:
        run_edit(function, folder, benchmark, pick_device(scoring.device), on_step)
    return name


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

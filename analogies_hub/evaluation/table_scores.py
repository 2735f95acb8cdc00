"""The tables of `tables`, filled with what models score."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..errors import UsageError
from ..numbers import formatted
from .features import FeatureNet
from .judges import Judges
from .metrics import EDIT
from .models import knows, score_model
from .scores import CONTROLS, REAL, Evaluation, require_torchmetrics
from .tables import Table
from .tasks import Benchmark, parse_task

Told = Callable[[str, int, int], None]  # (what, done, total)
Found = dict[tuple[str, str], Evaluation]  # by task and system


def score_table(
    table: Table,
    models: dict[str, Any],
    folder: Path,
    count: int,
    judges: Judges,
    nets: list[FeatureNet] | None = None,
    split: str = "test",
    on_step: Told | None = None,
) -> Found:
    """Every task of a table that each model can do, scored; nothing is trained.

    Args:
        models: pipelines by name.
        folder: for results and reports, one folder a model and task; what is there from
            an earlier call is not made again.
        count: contents a task.
        nets: what FID and KID are measured in.
        on_step: told which edit is run or scored, and how many contents are done, of how many.

    Raises:
        UsageError: if no model can do any task, or two models of one system do the same.
    """
    require_torchmetrics()
    found: Found = {}
    for name in table.tasks:
        task = parse_task(name)
        for label, pipeline in models.items():
            if not knows(pipeline, task):
                continue
            system = table.system(label, pipeline)
            if (name, system) in found:
                raise UsageError(f"two models of {system} do {name}; name the one that is meant")
            benchmark = Benchmark(task, count, size=pipeline.config.size, split=split)
            told = (lambda done, total, what=f"{label} {name}": on_step(what, done, total)) if on_step else None
            place = folder / label / name
            found[name, system] = score_model(pipeline, place, benchmark, judges, nets, label, told)
    if not found:
        raise UsageError(f"none of the models {', '.join(models)} can do a task of {table.name}")
    return found


def cells(table: Table, found: Found) -> list[list[str]]:
    """The table: a heading, then for each number a line a system and a line a control."""
    systems = list(dict.fromkeys(system for _, system in found))
    rows = [["number", "system", *table.tasks]]
    for number in measured(table, found):
        for system in (*systems, *CONTROLS, REAL):
            values = [cell(found, task, number, system) for task in table.tasks]
            if system != REAL or set(values) != {"-"}:
                rows.append([number, system, *values])
    return rows


def measured(table: Table, found: Found) -> list[str]:
    """The names of a table's numbers, those of feature nets once for each net."""
    lines = next(iter(found.values())).lines
    return [line.name for number in table.numbers for line in lines if line.name.split("[")[0] == number]


def cell(found: Found, task: str, number: str, system: str) -> str:
    """One number with its interval; a dash where there is none."""
    for (name, method), evaluation in found.items():
        if name == task and system in (method, *CONTROLS, REAL):
            line = next(line for line in evaluation.lines if line.name == number)
            interval = line.values.get(EDIT if system == method else system)
            return formatted(line.unit, interval) if interval else "-"
    return "-"

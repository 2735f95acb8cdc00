"""The table of the DIDD paper (Benaim et al. 2019, Table 1) on drawn faces, where the truth is known.

The paper asks a classifier whether a translation shows the other domain's attribute. Here
that is Class: the target's attribute on and the source's off. What Class misses stands beside
it, with the controls and 95 % intervals. Numbers cannot be compared with the paper's: these
faces are drawn, the classifier is another.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..errors import UsageError
from .judges import Judges
from .metrics import EDIT
from .models import knows, score_model
from .report import formatted
from .scores import CONTROLS, Evaluation, require_torchmetrics
from .tasks import Benchmark, parse_task

DIRECTIONS = (  # in the paper's order; its beard is our facial hair
    "smile-to-glasses",
    "glasses-to-smile",
    "facial_hair-to-smile",
    "smile-to-facial_hair",
    "facial_hair-to-glasses",
    "glasses-to-facial_hair",
)
SHOWN = ("class", "keep", "edit_gain", "sim_rel", "success", "l1")
Told = Callable[[str, int, int], None]  # (what, done, total)


def table1(
    models: dict[str, Any],
    folder: Path,
    count: int,
    judges: Judges,
    split: str = "test",
    on_step: Told | None = None,
) -> dict[tuple[str, str], Evaluation]:
    """Every direction that each model can do, scored; nothing is trained.

    Args:
        models: pipelines by name.
        folder: for results and reports, one folder a model and direction; what is there from
            an earlier call is not made again.
        count: contents a direction.
        on_step: told which edit is run or scored, and how many contents are done, of how many.

    Returns:
        Evaluations by direction and model.

    Raises:
        UsageError: if no model can do any direction.
    """
    require_torchmetrics()
    found: dict[tuple[str, str], Evaluation] = {}
    for direction in DIRECTIONS:
        task = parse_task(direction)
        for name, pipeline in models.items():
            if knows(pipeline, task):
                benchmark = Benchmark(task, count, size=pipeline.config.size, split=split)
                told = (lambda done, total, what=f"{name} {direction}": on_step(what, done, total)) if on_step else None
                place = folder / name / direction
                found[direction, name] = score_model(pipeline, place, benchmark, judges, name=name, on_step=told)
    if not found:
        raise UsageError(f"none of the models {', '.join(models)} knows two of the attributes of drawn faces")
    return found


def cells(found: dict[tuple[str, str], Evaluation]) -> list[list[str]]:
    """The table: a heading, then for each number a line a model and a line a control."""
    names = list(dict.fromkeys(name for _, name in found))
    rows = [["number", "system", *DIRECTIONS]]
    for metric in SHOWN:
        for system in (*names, *CONTROLS):
            rows.append([metric, system, *(cell(found, direction, metric, system) for direction in DIRECTIONS)])
    return rows


def cell(found: dict[tuple[str, str], Evaluation], direction: str, metric: str, system: str) -> str:
    """One number with its interval; a dash where a model cannot do a direction."""
    for (task, name), evaluation in found.items():
        if task == direction and (system == name or system in CONTROLS):
            line = next(line for line in evaluation.lines if line.name == metric)
            return formatted(line.unit, line.values[system if system in CONTROLS else EDIT])
    return "-"

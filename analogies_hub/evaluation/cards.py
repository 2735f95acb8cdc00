"""Everything that is measured of a trained model, as its card shows it."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from PIL import Image

from ..errors import UsageError
from ..hub.card import EVAL_FILE, scores
from ..images import atomic_write, save_image
from .edits import describe
from .features import FeatureNet
from .judges import Judges
from .metrics import EDIT
from .models import score_model
from .report import finite
from .scores import Evaluation, require_torchmetrics
from .tasks import Benchmark, parse_task, task_names

FACES = ("content", "guide")
Told = Callable[[str, int, int], None]  # (what, done, total)


def evaluate_model(
    pipeline: Any,
    folder: Path,
    count: int,
    judges: Judges,
    nets: list[FeatureNet] | None = None,
    tasks: list[str] | None = None,
    on_step: Told | None = None,
) -> dict[str, Evaluation]:
    """Every task that a model can do, scored on people it never saw.

    Args:
        pipeline: has `attributes`, `translate` and a config with `size`.
        folder: for results and reports, one folder a task; what is there is not made again.
        count: contents a task.
        tasks: names; by default every task about the model's own attributes.
        on_step: told which task is scored, and how many contents are done, of how many.

    Raises:
        UsageError: if the model can do none.
    """
    require_torchmetrics()
    found = {}
    for name in tasks or tasks_of(pipeline):
        benchmark = Benchmark(parse_task(name), count, size=pipeline.config.size)
        told = (lambda done, total, name=name: on_step(name, done, total)) if on_step else None
        found[name] = score_model(pipeline, folder / name, benchmark, judges, nets, on_step=told)
    return found


def tasks_of(pipeline: Any) -> list[str]:
    """The tasks about nothing but a model's own attributes, or, if it has only one, about adding and removing it.

    Raises:
        UsageError: if there is none.
    """
    attributes = set(getattr(pipeline, "attributes", ()))
    tasks = (parse_task(name) for name in task_names())
    known = [
        task.name
        for task in tasks
        if {task.adds, task.removes} - {None} <= attributes or (len(attributes) == 1 and task.adds in attributes)
    ]
    if not known:
        raise UsageError(f"'{pipeline.method}' knows none of the attributes of drawn faces, so there is no truth")
    return known


def card_numbers(found: dict[str, Evaluation]) -> dict[str, Any]:
    """All numbers by task, metric and system as [value, low, high], ready for JSON."""
    return {
        name: {
            "settings": describe(evaluation.benchmark) | evaluation.settings,
            "edits": len(evaluation.rows[EDIT]["edit"]),
            "numbers": {
                line.name: {"unit": line.unit, "better": line.better}
                | {
                    "model" if system == EDIT else system: [rounded(end) for end in interval]
                    for system, interval in line.values.items()
                }
                for line in evaluation.lines
            },
        }
        for name, evaluation in found.items()
    }


def rounded(value: float) -> float | None:
    """Five digits; JSON has no NaN."""
    kept = finite(value)
    return None if kept is None else float(f"{kept:.5g}")


def card_table(found: dict[str, Evaluation]) -> list[list[str]]:
    """Cells: a heading, and for each task the model's headline numbers and those of the copies."""
    return scores(card_numbers(found))


def write_card(found: dict[str, Evaluation], results: Path, card: Path) -> list[Path]:
    """Write eval.json, the tasks' example sheets, and a first content and guide to try, into a card's folder."""
    images = card / "images"
    images.mkdir(parents=True, exist_ok=True)
    files = {card / EVAL_FILE: json.dumps(card_numbers(found), indent=1).encode()}
    files |= {images / f"{name}.png": (results / name / "examples.png").read_bytes() for name in found}
    for path, content in files.items():
        with atomic_write(path) as stream:
            stream.write(content)
    first = next(iter(found.values())).benchmark
    faces = {images / f"{name}.png": pictures[0] for name, pictures in zip(FACES, first.inputs(0), strict=True)}
    for path, face in faces.items():
        save_image(Image.fromarray(face), path)
    return [*files, *faces]

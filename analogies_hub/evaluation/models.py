"""Trained models as edits that can be scored."""

from pathlib import Path
from typing import Any

from torch import Tensor

from ..data.cache import Progress
from ..errors import UsageError
from .edits import Edit, bind, run_edit
from .features import FeatureNet
from .judges import Judges
from .report import write_report
from .scores import Evaluation, evaluate
from .tasks import Benchmark, Task


def knows(pipeline: Any, task: Task) -> bool:
    """Whether a pipeline can move attributes, and has a code for what a task adds or, alone, removes."""
    needed = task.adds or task.removes
    return bool({"translate", "transfer"} & set(pipeline.operations())) and needed in getattr(
        pipeline, "attributes", ()
    )


def edit_of(pipeline: Any, task: Task) -> Edit:
    """What a pipeline with separate codes does for a task.

    What it does not know it cannot remove: an attribute that the task removes and the model
    has no code for stays.

    Args:
        pipeline: has `attributes` and either `translate(content, guide, to, off)`, or
            `transfer(content, guide)` and `remove(content)`, which also give masks.

    Raises:
        UsageError: if it has no such operation, or no code for what the task adds or, alone, removes.
    """
    attributes = getattr(pipeline, "attributes", ())
    if not knows(pipeline, task):
        known = f"only {', '.join(attributes)}" if attributes else "no attributes"
        raise UsageError(f"'{pipeline.method}' cannot do {task.name}: this model knows {known}")
    to = task.adds or "none"
    off = task.removes if task.removes in attributes else "none"

    def translate(contents: Tensor, guides: Tensor) -> Tensor:
        return pipeline.translate(contents, guides, to=to, off=off)

    def paint(contents: Tensor, guides: Tensor) -> tuple[Tensor, Tensor]:
        image, mask = pipeline.transfer(contents, guides) if task.adds else pipeline.remove(contents)
        return image, mask

    return translate if "translate" in pipeline.operations() else paint


def score_model(
    pipeline: Any,
    folder: Path,
    benchmark: Benchmark,
    judges: Judges,
    nets: list[FeatureNet] | None = None,
    name: str = "model",
    on_step: Progress | None = None,
) -> Evaluation:
    """Edit a benchmark's pictures with a pipeline, score and report it.

    Args:
        folder: for results and report; results that are there are not made again.
        name: what the report calls it.

    Raises:
        UsageError: if the pipeline cannot do the task.
    """
    edit = edit_of(pipeline, benchmark.task)
    bind(folder, benchmark, pipeline.fingerprint())
    run_edit(edit, folder, benchmark, pipeline.device)
    evaluation = evaluate(folder, benchmark, judges, nets, on_step=on_step)
    write_report(evaluation, folder, name)
    return evaluation

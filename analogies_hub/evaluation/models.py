"""Trained models as edits that can be scored."""

from typing import Any

from torch import Tensor

from ..errors import UsageError
from .edits import Edit
from .tasks import Task


def edit_of(pipeline: Any, task: Task) -> Edit:
    """What a pipeline with separate codes does for a task.

    What it does not know it cannot remove: an attribute that the task removes and the model
    has no code for stays.

    Args:
        pipeline: has `attributes` and `translate(content, guide, to, off)`.

    Raises:
        UsageError: if it has no such operation, or no code for what the task adds or, alone, removes.
    """
    attributes = getattr(pipeline, "attributes", ())
    needed = task.adds or task.removes
    if "translate" not in pipeline.operations() or needed not in attributes:
        known = f"only {', '.join(attributes)}" if attributes else "no attributes"
        raise UsageError(f"'{pipeline.method}' cannot do {task.name}: this model knows {known}")
    to = task.adds or "none"
    off = task.removes if task.removes in attributes else "none"

    def edit(contents: Tensor, guides: Tensor) -> Tensor:
        return pipeline.translate(contents, guides, to=to, off=off)

    return edit

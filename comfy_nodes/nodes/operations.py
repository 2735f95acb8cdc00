"""A node for each operation of each method."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import torch

from analogies_hub.codes import Code
from analogies_hub.errors import Note
from analogies_hub.images import common_count
from analogies_hub.kinds import CodeKind, ImageKind, MaskKind
from analogies_hub.operations import Operation
from analogies_hub.registry import Method, load_pipeline

from . import host, values
from .host import io

if TYPE_CHECKING:
    from analogies_hub.pipeline import Pipeline

MODEL = "model"
BATCHED = (ImageKind, MaskKind, CodeKind)


def operation_node(method: Method, operation: Operation) -> type[io.ComfyNode]:
    """The node of an operation.

    Its model is a socket; of a method without weights one that may stay open.
    """

    def define_schema(cls: type) -> io.Schema:
        tooltip = f"of {method.title}" + ("" if method.needs_weights else "; without one, the method as it comes")
        model = values.model_type(method.name).Input(MODEL, optional=not method.needs_weights, tooltip=tooltip)
        inputs = [values.as_input(method.name, item) for item in operation.inputs]
        return host.schema(
            node_id=node_id(method, operation.name),
            display_name=f"{operation.title} ({method.title})",
            category=category(method),
            description=operation.help,
            inputs=[model, *inputs] if method.needs_weights else [*inputs, model],
            outputs=[values.as_output(method.name, item) for item in operation.outputs],
        )

    def execute(cls: type, model: Any = None, **given: Any) -> io.NodeOutput:
        with host.ordinary_tensors(), told_notes() as notes:
            pipeline = host.ready(model or host.held(load_pipeline(method.name, "cpu")))
            results = run(pipeline, operation, values.to_core(operation.inputs, given))
        shown = {"text": tuple(notes)} if notes else None
        return io.NodeOutput(*(hand_over(operation, results)), ui=shown)

    return type(
        node_id(method, operation.name),
        (io.ComfyNode,),
        {"define_schema": classmethod(define_schema), "execute": classmethod(execute)},
    )


def node_id(method: Method, name: str) -> str:
    """What workflows call a node, for ever."""
    return f"Analogies_{method.name}_{name}"


def category(method: Method) -> str:
    """Where in the menu a method's nodes are."""
    return f"analogies/{method.title}"


@contextmanager
def told_notes() -> Iterator[list[str]]:
    """Collects what the library notes of a result, for the node and the log."""
    told: list[str] = []
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", Note)
        yield told
    for each in caught:
        if not issubclass(each.category, Note):
            warnings.warn_explicit(each.message, each.category, each.filename, each.lineno)
        elif str(each.message) not in told:
            told.append(str(each.message))
            host.LOG.warning("%s", each.message)


def run(pipeline: "Pipeline", operation: Operation, given: dict[str, Any]) -> list[tuple[Any, ...]]:
    """The results of a call for each picture of the batches, so that no batch is too large, or too long to cancel.

    Raises:
        AnalogyError: if a value cannot be used.
    """
    jobs = each_picture(operation, given)
    bar, results = host.Bar(len(jobs)), []
    for job in jobs:
        results.append(operation.call(pipeline, job, bar))
        bar.next()
    return results


def each_picture(operation: Operation, given: dict[str, Any]) -> list[dict[str, Any]]:
    """The inputs of one call for each picture; where one input has a single picture, all calls share it.

    Raises:
        ImageError: if batches of different sizes meet.
    """
    kinds = {item.name: item.kind for item in operation.inputs}
    pieces = {
        name: each.split(1) if isinstance(each, torch.Tensor) else each.split()
        for name, each in given.items()
        if isinstance(kinds[name], BATCHED)
    }
    count = common_count(pieces)
    return [
        given | {name: batch[number if len(batch) > 1 else 0] for name, batch in pieces.items()}
        for number in range(count)
    ]


def hand_over(operation: Operation, results: list[tuple[Any, ...]]) -> list[Any]:
    """All calls' results as one batch an output; an output that there is not stops the nodes behind it."""
    outputs = []
    for item, parts in zip(operation.outputs, zip(*results, strict=True), strict=True):
        if parts[0] is None:
            outputs.append(host.ExecutionBlocker(f"there are no {item.name}: an optional input that they need is open"))
        else:
            joined = Code.joined(parts) if isinstance(item.kind, CodeKind) else torch.cat(parts)
            outputs.append(values.to_host(item, joined))
    return outputs

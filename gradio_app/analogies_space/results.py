"""How outputs are shown: pictures beside what they were made of, several as a gallery, masks over the picture."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import gradio as gr
from gradio.components import Component
from PIL import Image, ImageOps

from analogies_hub.images import to_pil
from analogies_hub.kinds import CodeKind, ImageKind, Kind, MaskKind
from analogies_hub.operations import Operation, Value

from .files import OVERLAY_SIDE, keep_code, keep_picture, to_look_at

PICTURE_HEIGHT = 440
BUTTONS = ["download", "fullscreen"]  # nothing that uploads to elsewhere
ORANGE, OPAQUE = "#f97316", 0.75  # of masks over pictures
BEFORE, BASE = "content", "image"  # what an operation calls the picture that it changes, or looks at


@dataclass(frozen=True)
class Call:
    """What was asked for.

    Attributes:
        name: of the operation, as files are called.
        inputs: as the operation got them, by name.
        record: what made the results.
    """

    name: str
    inputs: dict[str, Any]
    record: dict[str, Any]


class Result(NamedTuple):
    """A component, and what it is given for an output's value."""

    component: Component
    shown: Callable[[Component, Any, Call], Any]


def results_of(operation: Operation) -> list[list[Result]]:
    """For each output of an operation the components that show it."""
    return [KINDS[type(output.kind)](operation, output) for output in operation.outputs]


def label_of(output: Value) -> str:
    """What an output is called on the page."""
    return output.name.replace("_", " ").capitalize() + (f": {output.help.rstrip('.')}" if output.help else "")


def image(operation: Operation, output: Value) -> list[Result]:
    """A gallery of several; a slider between before and after where content is changed."""
    inputs = {item.name for item in operation.inputs if isinstance(item.kind, ImageKind)}
    common: dict[str, Any] = {"label": label_of(output), "format": "png", "buttons": BUTTONS, "elem_classes": "result"}
    if output.kind.several:  # type: ignore[attr-defined]
        return [Result(gr.Gallery(columns=3, object_fit="contain", interactive=False, **common), gallery)]
    if output.name == "image" and BEFORE in inputs:
        common["label"] = "Before and after: drag the line"
        return [Result(gr.ImageSlider(max_height=PICTURE_HEIGHT, interactive=False, **common), before_and_after)]
    return [Result(gr.Image(height=PICTURE_HEIGHT, interactive=False, **common), single)]


def single(component: Component, value: Any, call: Call) -> str:
    """One picture."""
    return keep_picture(component, call.name, value[:1], call.record)


def gallery(component: Component, value: Any, call: Call) -> list[str]:
    """Each picture of a batch; none of an output that there is not."""
    pictures = [] if value is None else value.split(1)
    return [keep_picture(component, f"{call.name}_{n + 1}", each, call.record) for n, each in enumerate(pictures)]


def before_and_after(component: Component, value: Any, call: Call) -> tuple[str, str]:
    """What of the content the result shows, and the result."""
    content, (height, width) = call.inputs[BEFORE], value.shape[-2:]
    scale = min(OVERLAY_SIDE, max(content.size)) / max(height, width)  # as sharp as it came, whatever the result is
    before = ImageOps.fit(content, (max(1, round(width * scale)), max(1, round(height * scale))))
    return keep_picture(component, "before", before, {}), single(component, value, call)


def mask(operation: Operation, output: Value) -> list[Result]:
    """The mask over the picture, and the mask itself."""
    common: dict[str, Any] = {"format": "png", "interactive": False, "buttons": BUTTONS}
    over = gr.Image(label="Where", height=PICTURE_HEIGHT, elem_classes="result", **common)
    return [Result(over, overlay), Result(gr.Image(label="Mask", height=200, **common), mask_file)]


def mask_file(component: Component, value: Any, call: Call) -> str:
    """The mask in grey."""
    return keep_picture(component, f"{call.name}_mask", value[:1], call.record)


def overlay(component: Component, value: Any, call: Call) -> str:
    """The picture that it was found in, and the mask in colour over it."""
    base = to_look_at(call.inputs.get(BEFORE) or call.inputs[BASE])
    (grey,) = to_pil(value[:1] * OPAQUE)
    coloured = Image.composite(Image.new("RGB", base.size, ORANGE), base, grey.resize(base.size))
    return keep_picture(component, f"{call.name}_where", coloured, call.record)


def code(operation: Operation, output: Value) -> list[Result]:
    """A file to keep, or to hand to another form."""
    return [Result(gr.File(label=label_of(output), interactive=False), code_file)]


def code_file(component: Component, value: Any, call: Call) -> str:
    """The code's file."""
    return keep_code(component, call.name, value)


KINDS: dict[type[Kind], Callable[[Operation, Value], list[Result]]] = {ImageKind: image, MaskKind: mask, CodeKind: code}

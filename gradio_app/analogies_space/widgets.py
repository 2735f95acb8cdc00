"""One table: each kind of input as a component, and what an operation takes for what the component gives."""

from collections.abc import Callable
from typing import Any, NamedTuple

import gradio as gr
from gradio.components import Component

from analogies_hub.kinds import (
    BoxKind,
    Choice,
    CodeKind,
    FramesKind,
    ImageKind,
    Kind,
    MaskKind,
    Number,
    SeedKind,
    Words,
)
from analogies_hub.operations import Value

from .files import read_code, read_picture
from .picture_input import PictureInput

PICTURE_HEIGHT = 220


class Row(NamedTuple):
    """A kind of value.

    Attributes:
        widget: makes the component, given the input and what every component has.
        to_core: what the operation takes, given the input's name and what the component gives.
    """

    widget: Callable[..., Component]
    to_core: Callable[[str, Any], Any] = lambda name, value: value


def picture(item: Value, **common: Any) -> Component:
    """A place for a picture: a file, the clipboard or the camera."""
    common.pop("info")
    return PictureInput(type="filepath", height=PICTURE_HEIGHT, sources=["upload", "clipboard"], **common)


def pictures(item: Value, **common: Any) -> Component:
    """A place for several pictures, in their order."""
    common["label"] += f": {common.pop('info')}"
    return gr.Gallery(type="filepath", file_types=["image"], columns=3, height=PICTURE_HEIGHT, buttons=[], **common)


def code(item: Value, **common: Any) -> Component:
    """A place for a code's file."""
    common.pop("info")
    return gr.File(type="filepath", file_types=[".safetensors"], height=PICTURE_HEIGHT, **common)


def number(item: Value, **common: Any) -> Component:
    """A slider; a field that may stay empty where the default is the model's own."""
    low, high, whole = item.kind.low, item.kind.high, item.kind.whole  # type: ignore[attr-defined]
    if item.default is None:
        return gr.Number(minimum=low, maximum=high, step=0.01, **common)
    return gr.Slider(low, high, step=1 if whole else 0.05, precision=0 if whole else None, **common)


def seed(item: Value, **common: Any) -> Component:
    """A field for a whole number."""
    return gr.Number(minimum=int(item.kind.low), maximum=int(item.kind.high), precision=0, **common)  # type: ignore[attr-defined]


def words(item: Value, **common: Any) -> Component:
    """A box to tick for each word."""
    common["label"] = f"{common['label']}: {common.pop('info')}"
    options, extra = item.kind.options or (), item.kind.extra  # type: ignore[attr-defined]
    common["value"] = {
        "all": [word for word in options if word not in extra],
        "none": [],
    }.get(common["value"], [common["value"]])
    return gr.CheckboxGroup(list(options), **common)


KINDS: dict[type[Kind], Row] = {
    ImageKind: Row(picture, read_picture),
    MaskKind: Row(picture, read_picture),
    FramesKind: Row(pictures, lambda name, found: [read_picture(name, path) for path, _ in found]),
    CodeKind: Row(code, lambda name, path: read_code(path)),
    Number: Row(number),
    SeedKind: Row(seed),
    Choice: Row(lambda item, **common: gr.Radio(list(item.kind.options), **common)),
    Words: Row(words, lambda name, ticked: "+".join(ticked) or "none"),
    BoxKind: Row(lambda item, **common: gr.Textbox(max_lines=1, **common), lambda name, text: text.strip() or None),
}


def widget(item: Value, start: Any = None, **more: Any) -> Component:
    """The component of an input.

    Args:
        start: what it shows at first; by default the input's own default.
        more: of the component.
    """
    value = item.default if start is None and not item.required else start
    label = item.name.replace("_", " ").capitalize()
    if item.default is None and isinstance(item.kind, ImageKind):
        label += " (optional)"
    return KINDS[type(item.kind)].widget(item, label=label, info=item.help or None, value=value, **more)


def to_core(item: Value, given: Any) -> Any:
    """What an operation takes for what a component gives; None for what was left empty."""
    return None if given is None else KINDS[type(item.kind)].to_core(item.name, given)

"""One table: each kind of value as a socket or widget of the host, and both ways between tensors."""

from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import Tensor

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

from .host import io, result_device

UNSET = -1.0  # in a number's widget: the operation's own default, which only the model knows
STEP = 0.01


class Row(NamedTuple):
    """A kind of value.

    Attributes:
        socket: makes the input, given a method's id, the value, and what every input has.
        to_core: what the operation takes for what the host gives.
        output: the socket's type where operations yield the kind, given a method's id.
        to_host: what the host takes for what the operation yields.
    """

    socket: Callable[..., io.Input]
    to_core: Callable[[Any], Any] = lambda value: value
    output: Callable[[str], Any] | None = None
    to_host: Callable[[Any], Any] = lambda value: value


def model_type(*methods: str) -> Any:
    """The socket of a model of one of some methods."""
    return io.Custom(",".join(f"ANALOGIES_{method.upper()}" for method in methods))


def code_type(*methods: str) -> Any:
    """The socket of a code of one of some methods."""
    return io.Custom(",".join(f"ANALOGIES_{method.upper()}_CODE" for method in methods))


def number_input(method: str, item: Value, **common: Any) -> io.Input:
    """A number's widget, with one value more where the default is the model's own."""
    kind, low = item.kind, item.kind.low
    if item.default is None:
        low = common["default"] = UNSET
        common["tooltip"] += f" (at {UNSET:g})"
    if kind.whole:
        return io.Int.Input(item.name, min=int(low), max=int(kind.high), step=1, **common)
    return io.Float.Input(item.name, min=low, max=kind.high, step=STEP, round=STEP / 10, **common)


def seed_input(method: str, item: Value, **common: Any) -> io.Input:
    """A seed's widget, which the page can change after each run."""
    low, high = int(item.kind.low), int(item.kind.high)
    return io.Int.Input(item.name, min=low, max=high, control_after_generate=True, **common)


def words_input(method: str, item: Value, **common: Any) -> io.Input:
    """Text: which words there are, only the model knows."""
    extra = "".join(f", {word}" for word in item.kind.extra)
    common["tooltip"] += f": all, none{extra}, or the model's own words joined by +, as glasses+smile"
    return io.String.Input(item.name, **common)


def socket_input(kind: Any) -> Callable[..., io.Input]:
    """A socket without a widget."""

    def made(method: str, item: Value, **common: Any) -> io.Input:
        common.pop("default", None)
        return kind.Input(item.name, **common)

    return made


def image_to_core(images: Tensor) -> Tensor:
    """Pictures (B, H, W, 1, 3 or 4) as (B, 3, H, W) in [0, 1], transparency over white: a copy of the host's tensor."""
    images = images.movedim(-1, 1).clone().float()
    if images.shape[1] == 4:
        colours, alpha = images[:, :3], images[:, 3:].clamp(0, 1)
        images = torch.lerp(torch.ones_like(colours), colours, alpha)
    return images.clamp(0, 1).expand(-1, 3, -1, -1)


def image_to_host(images: Tensor) -> Tensor:
    """Pictures (B, 3, H, W) as (B, H, W, 3) in [0, 1]."""
    return images.movedim(1, -1).float().clamp(0, 1).contiguous().to(result_device())


def mask_to_host(masks: Tensor) -> Tensor:
    """Masks (B, 1, H, W) as (B, H, W)."""
    return masks[:, 0].float().clamp(0, 1).to(result_device())


KINDS: dict[type[Kind], Row] = {
    ImageKind: Row(socket_input(io.Image), image_to_core, lambda method: io.Image, image_to_host),
    MaskKind: Row(
        socket_input(io.Mask), lambda masks: masks.clone().float()[:, None], lambda method: io.Mask, mask_to_host
    ),
    FramesKind: Row(socket_input(io.Image), lambda images: list(image_to_core(images).split(1))),
    CodeKind: Row(lambda method, item, **common: code_type(method).Input(item.name, **common), output=code_type),
    Number: Row(number_input),
    SeedKind: Row(seed_input),
    Choice: Row(lambda method, item, **common: io.Combo.Input(item.name, options=list(item.kind.options), **common)),
    Words: Row(words_input),
    BoxKind: Row(
        lambda method, item, **common: io.String.Input(item.name, **common | {"default": ""}), lambda text: text or None
    ),
}


def as_input(method: str, item: Value) -> io.Input:
    """An operation's input as the host's."""
    common: dict[str, Any] = {"tooltip": item.help, "optional": not item.required}
    if item.default is not None and not item.required:
        common["default"] = item.default
    return KINDS[type(item.kind)].socket(method, item, **common)


def as_output(method: str, item: Value) -> io.Output:
    """An operation's output as the host's."""
    kind = KINDS[type(item.kind)].output
    if kind is None:
        raise TypeError(f"the host has no socket for an output of kind {item.kind.name}")
    return kind(method).Output(display_name=item.name, tooltip=item.help or None)


def to_core(inputs: tuple[Value, ...], values: dict[str, Any]) -> dict[str, Any]:
    """What an operation takes, for what the host gives; what is not set is left out."""
    given = {
        item.name: KINDS[type(item.kind)].to_core(values[item.name])
        for item in inputs
        if values.get(item.name) is not None and not unset(item, values[item.name])
    }
    return {name: value for name, value in given.items() if value is not None}


def unset(item: Value, value: Any) -> bool:
    """Whether a number's widget says that the model's own is wanted."""
    return isinstance(item.kind, Number) and item.default is None and value == UNSET


def to_host(item: Value, value: Any) -> Any:
    """What the host takes, for what an operation yields."""
    return KINDS[type(item.kind)].to_host(value)

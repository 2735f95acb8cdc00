"""Typed, self-describing operations: the one declaration that every frontend is drawn from.

A pipeline method marked `@operation` declares its inputs and outputs by its signature:

    @operation
    def translate(self, content: Image, strength: Annotated[float, Number(0, 1), "how much"] = 0.5) -> Image:

`describe` turns that into data: names, kinds, defaults, ranges, and help, which is the
annotation's string or else the name's line under `Args:`.
"""

import functools
import inspect
import re
import typing
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol

from .errors import UsageError
from .kinds import KINDS, Kind

if TYPE_CHECKING:
    from torch import Tensor


class OnStep(Protocol):
    """Told of each step of a long operation; cancels it by raising."""

    def __call__(self, done: int, total: int, preview: "Tensor | None" = None) -> None:
        """Step `done` of `total` is finished; `preview` is an image (1, 3, H, W) in [0, 1].

        Within a long step the last one may be reported again, without a preview, so that it can be cancelled.
        """


@dataclass(frozen=True)
class Value:
    """One input or output of an operation."""

    name: str
    kind: Kind
    help: str = ""
    default: Any = inspect.Parameter.empty

    @property
    def required(self) -> bool:
        """Whether a caller must give it."""
        return self.default is inspect.Parameter.empty


@dataclass(frozen=True)
class Operation:
    """What a frontend needs to know of an operation."""

    name: str
    help: str
    inputs: tuple[Value, ...]
    outputs: tuple[Value, ...]
    reports_steps: bool
    title: str  # as a heading, with the words that people look for

    def of(self, pipeline: Any) -> "Operation":
        """The operation as one pipeline has it, with the words of its own."""
        return replace(self, inputs=tuple(replace(item, kind=item.kind.of(pipeline)) for item in self.inputs))

    def call(self, pipeline: Any, values: dict[str, Any], on_step: OnStep | None = None) -> tuple[Any, ...]:
        """What a pipeline gives for inputs by name: a value for each output.

        Raises:
            AnalogyError: if a value cannot be used.
        """
        steps = {"on_step": on_step} if on_step is not None and self.reports_steps else {}
        result = getattr(pipeline, self.name)(**values, **steps)
        return tuple(result) if len(self.outputs) > 1 else (result,)


def operation(function: Callable | None = None, *, title: str = "") -> Callable:
    """Mark a pipeline method as an operation, by default titled as it is named, and check its values before it runs."""
    if function is None:
        return functools.partial(operation, title=title)

    @functools.wraps(function)
    def checked(self: Any, *args: Any, **kwargs: Any) -> Any:
        try:
            bound = inspect.signature(function).bind(self, *args, **kwargs)
        except TypeError as error:
            raise UsageError(f"{function.__name__}: {error}") from None
        for value in describe(checked).inputs:
            if value.name in bound.arguments and bound.arguments[value.name] is not value.default:
                bound.arguments[value.name] = value.kind.of(self).check(value.name, bound.arguments[value.name])
        return function(*bound.args, **bound.kwargs)

    checked.is_operation = True  # type: ignore[attr-defined]
    checked.title = title or function.__name__.replace("_", " ").capitalize()  # type: ignore[attr-defined]
    return checked


@functools.cache
def describe(function: Callable) -> Operation:
    """The declaration of a method marked `@operation`.

    Raises:
        TypeError: a programmer's error: an input or output without a kind.
    """
    hints = typing.get_type_hints(function, localns=forward_names(), include_extras=True)
    parameters = inspect.signature(function).parameters
    text = inspect.getdoc(function) or ""
    helps = argument_helps(text)
    inputs = [
        Value(name, kind_of(hints[name]), help_of(hints[name]) or helps.get(name, ""), parameters[name].default)
        for name in parameters
        if name not in ("self", "on_step")
    ]
    return Operation(
        name=function.__name__,
        help=text.split("\n\n")[0].replace("\n", " "),
        inputs=tuple(inputs),
        outputs=outputs_of(hints["return"]),
        reports_steps="on_step" in parameters,
        title=function.title,  # type: ignore[attr-defined]
    )


def forward_names() -> dict[str, Any]:
    """Names quoted in annotations so that importing this module imports no torch."""
    from .codes import Code
    from .images import Picture

    return {"Code": Code, "Picture": Picture}


def notes_of(hint: Any) -> list[Any]:
    """What `Annotated` adds to a type, also inside `... | None`."""
    return [note for part in (hint, *typing.get_args(hint)) for note in getattr(part, "__metadata__", ())]


def help_of(hint: Any) -> str:
    """The help string of an annotation, if it has one."""
    return next((note for note in notes_of(hint) if isinstance(note, str)), "")


def kind_of(hint: Any) -> Kind:
    """The `Kind` of an annotation."""
    for note in notes_of(hint):
        if isinstance(note, Kind):
            return note
    raise TypeError(f"{hint} names no kind of value; known: {', '.join(kind.__name__ for kind in KINDS)}")


def outputs_of(hint: Any) -> tuple[Value, ...]:
    """One value named `image`, `mask`..., or the fields of a NamedTuple."""
    if hasattr(hint, "_fields"):
        fields = typing.get_type_hints(hint, localns=forward_names(), include_extras=True)
        helps = argument_helps(inspect.getdoc(hint) or "")
        return tuple(Value(name, kind_of(fields[name]), helps.get(name, "")) for name in hint._fields)
    kind = kind_of(hint)
    return (Value(kind.name, kind),)


def argument_helps(doc: str) -> dict[str, str]:
    """The texts under `Args:` of a docstring by name; `a, b: text` counts for both."""
    section = re.search(r"^Args:\n((?:[ ]+.*\n?|\n)+)", doc, re.MULTILINE)
    helps: dict[str, str] = {}
    for entry in re.split(r"\n(?= {4}\S)", section[1].rstrip()) if section else ():
        names, _, text = entry.partition(":")
        helps |= {name.strip(): " ".join(text.split()) for name in names.split(",")}
    return helps

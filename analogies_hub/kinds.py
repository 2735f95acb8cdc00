"""What sorts of values operations take and give, and the names by which signatures say so."""

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, Any

from .config import nearest_name
from .errors import UsageError

if TYPE_CHECKING:
    from .codes import Code
    from .images import Picture


class Kind:
    """What sort of value an input or output is; frontends map each kind to a widget or socket."""

    @property
    def name(self) -> str:
        """The kind in one word, as frontends and JSON call it."""
        return type(self).__name__.removesuffix("Kind").lower()

    def of(self, pipeline: Any) -> "Kind":
        """The kind as one pipeline has it, where that differs between models of a method."""
        return self

    def limits(self) -> dict[str, Any]:
        """What restricts the value, by name."""
        return {}

    def check(self, name: str, value: Any) -> Any:
        """The value to use, or a `UsageError` in terms of the input's `name`."""
        return value


@dataclass(frozen=True)
class ImageKind(Kind):
    """A picture; inside operations a float tensor (B, 3, H, W) in [0, 1].

    Attributes:
        several: an output has many pictures even where the inputs have one.
    """

    several: bool = False


class MaskKind(Kind):
    """A grey picture; a float tensor (B, 1, H, W) in [0, 1]."""


class CodeKind(Kind):
    """A `codes.Code`: the named parts into which one model takes a picture apart."""


class FramesKind(Kind):
    """A list of pictures in order: a folder, or a video's frames."""


@dataclass(frozen=True)
class Number(Kind):
    """A number from `low` to `high`, both included; `whole` numbers have no fraction."""

    low: float
    high: float
    whole: bool = False

    def limits(self) -> dict[str, Any]:
        """The range."""
        return {"from": self.low, "to": self.high}

    def check(self, name: str, value: Any) -> float | int:
        """The number, an int where it must be whole."""
        number = not isinstance(value, bool) and isinstance(value, (int, float)) and math.isfinite(value)
        if not number or (self.whole and value != int(value)) or not self.low <= value <= self.high:
            what = "a whole number" if self.whole else "a number"
            raise UsageError(f"'{name}' must be {what} from {self.low:g} to {self.high:g}, got {value!r}")
        return int(value) if self.whole else float(value)


class SeedKind(Number):
    """A whole number that fixes every random choice of an operation."""


@dataclass(frozen=True)
class Choice(Kind):
    """One of several words."""

    options: tuple[str, ...]

    def limits(self) -> dict[str, Any]:
        """The words."""
        return {"options": list(self.options)}

    def check(self, name: str, value: Any) -> str:
        """The word itself."""
        if value not in self.options:
            raise UsageError(f"'{name}' cannot be {value!r}; {nearest_name(str(value), list(self.options))}")
        return value


@dataclass(frozen=True)
class Words(Kind):
    """Some of a model's own words, joined by `+`: its attributes, and what else `extra` names.

    `all` and `none` stand for all attributes and for no word at all.

    Attributes:
        options: the words; None where no model is at hand yet.
    """

    extra: tuple[str, ...] = ()
    options: tuple[str, ...] | None = None

    def of(self, pipeline: Any) -> "Words":
        """With the attributes of a pipeline."""
        return replace(self, options=(*self.extra, *pipeline.attributes))

    def limits(self) -> dict[str, Any]:
        """The words."""
        return {"words": [*self.options, "all", "none"]} if self.options else {}

    def check(self, name: str, value: Any) -> str:
        """The words themselves."""
        if not isinstance(value, str):
            raise UsageError(f"'{name}' must be words joined by +, got {value!r}")
        known = [*(self.options or ()), "all", "none"]
        for word in value.split("+") if self.options else ():
            if word not in known:
                raise UsageError(f"'{name}' cannot be {word!r}; {nearest_name(word, known)}")
        return value


class BoxKind(Kind):
    """A part of a picture: left, top, width and height in pixels, as four numbers or as text, `40,30,200,220`."""

    def check(self, name: str, value: Any) -> tuple[int, int, int, int]:
        """The four numbers."""
        numbers = value.split(",") if isinstance(value, str) else value
        try:
            left, top, width, height = (int(number) for number in numbers)
        except (TypeError, ValueError):
            left = top = width = height = -1
        if min(left, top) < 0 or min(width, height) < 1:
            raise UsageError(f"'{name}' must be left,top,width,height in pixels, got {value!r}")
        return left, top, width, height


KINDS: tuple[type[Kind], ...] = (ImageKind, MaskKind, CodeKind, FramesKind, Number, SeedKind, Choice, Words, BoxKind)

Image = Annotated["Picture", ImageKind()]
Images = Annotated["Picture", ImageKind(several=True)]
Mask = Annotated["Picture", MaskKind()]
CodeValue = Annotated["Code", CodeKind()]
Frames = Annotated["list[Picture]", FramesKind()]
Seed = Annotated[int, SeedKind(0, 2**32 - 1, whole=True), "another number, another result"]
Unit = Annotated[float, Number(0, 1)]

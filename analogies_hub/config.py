"""Settings of a method: one declaration serves JSON, help and checks. Imports no torch."""

import dataclasses
import difflib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

from .errors import ModelError, UsageError

LONGEST = 80  # characters of a value in a message


def setting(
    default: Any, help: str, low: float = -math.inf, high: float = math.inf, options: tuple[str, ...] = ()
) -> Any:
    """A field of a `Config`: its default, its help, and the values it may take.

    Args:
        default: also fixes the type (a tuple is one of words); values of another type are refused.
        help: one phrase with the unit or the paper's symbol.
        low, high: inclusive range of a number.
        options: the allowed words of a string.
    """
    limits = {"help": help, "low": low, "high": high, "options": options}
    return dataclasses.field(default=default, metadata=limits)


def with_default(base: "type[Config]", name: str, default: Any) -> Any:
    """A setting of a base class with another default."""
    inherited = next(field for field in dataclasses.fields(base) if field.name == name)
    return dataclasses.field(default=default, metadata=inherited.metadata)


def nearest_name(name: str, known: list[str]) -> str:
    """A clause that names the closest of the `known` names, or all of them."""
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    return f"did you mean '{close[0]}'?" if close else f"known: {', '.join(sorted(known))}"


def brief(value: Any) -> str:
    """A value of a stranger's file in a sentence: its beginning is enough."""
    text = repr(value)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}..."


@dataclass(frozen=True)
class Config:
    """Base of every method's settings: frozen, flat, and exact in JSON.

    Raises:
        ModelError: if a value has the wrong type, is not finite, or is out of range.
    """

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            check(field, getattr(self, field.name))

    def to_dict(self) -> dict[str, Any]:
        """The values by name, ready for JSON."""
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, values: Any) -> Self:
        """The inverse of `to_dict`; missing names take their defaults, unknown ones are refused."""
        if not isinstance(values, dict):
            raise ModelError(f"the settings must be a table of names and values, got {type(values).__name__}")
        known = [field.name for field in dataclasses.fields(cls)]
        for name in values:
            if name not in known:
                raise ModelError(f"unknown setting {brief(name)}; {nearest_name(str(name), known)}")
        return cls(**{name: tuple(value) if isinstance(value, list) else value for name, value in values.items()})

    @classmethod
    def parse(cls, words: Sequence[str]) -> dict[str, Any]:
        """`name=value` words as values by name, each of the type of its default.

        Raises:
            UsageError: if a word has no name, an unknown one, or a value of another type.
        """
        fields = {field.name: type(field.default) for field in dataclasses.fields(cls)}
        values = {}
        for word in words:
            name, equals, text = word.partition("=")
            if not equals or name not in fields:
                raise UsageError(f"'{word}' must be setting=value; {nearest_name(name, list(fields))}")
            values[name] = parse_value(name, text, fields[name])
        return values


def parse_value(name: str, text: str, kind: type) -> Any:
    """A setting's value from the text of a command line."""
    if kind is tuple:
        return tuple(text.replace(",", " ").split())
    if kind is bool:
        if text not in ("true", "false"):
            raise UsageError(f"setting '{name}' must be true or false, got '{text}'")
        return text == "true"
    try:
        return kind(text)
    except ValueError:
        raise UsageError(f"setting '{name}' must be of type {kind.__name__}, got '{text}'") from None


def check(field: dataclasses.Field, value: Any) -> None:
    """Raise `ModelError` unless `value` suits the declaration of `field`."""
    kind, limits = type(field.default), field.metadata
    number = kind in (int, float)
    fits = type(value) in ((int, float) if kind is float else (kind,))
    if not fits or (number and not math.isfinite(value)):
        raise ModelError(f"setting '{field.name}' must be a finite {kind.__name__}, got {brief(value)}")
    if number and not limits["low"] <= value <= limits["high"]:
        raise ModelError(
            f"setting '{field.name}' must be from {limits['low']:g} to {limits['high']:g}, got {brief(value)}"
        )
    if kind is tuple and not all(isinstance(word, str) for word in value):
        raise ModelError(f"setting '{field.name}' must hold words, got {brief(value)}")
    if limits["options"] and value not in limits["options"]:
        raise ModelError(f"setting '{field.name}' must be one of {', '.join(limits['options'])}, got {brief(value)}")

"""Who a drawn face is and what it wears, as plain values."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Any, Self, TypeVar

from ...config import nearest_name
from ...errors import UsageError

ATTRIBUTES = ("glasses", "smile", "facial_hair")
SPLITS = ("train", "validation", "test", "judges", "judges-test")  # each has people of its own

T = TypeVar("T")


@dataclass(frozen=True)
class Face:
    """A person, and for each attribute whose it is that they show; None where they show none.

    `Face("anna", glasses="ben")` is Anna in Ben's glasses, not smiling, shaved.

    Attributes:
        identity: any name; it fixes hair, skin, eyes, clothes, background and pose.
        glasses, smile, facial_hair: the identity whose glasses (smile, facial hair) these
            are: shape, colour and size.
    """

    identity: str
    glasses: str | None = None
    smile: str | None = None
    facial_hair: str | None = None

    def shows(self, attribute: str) -> bool:
        """Whether the face has an attribute."""
        return getattr(self, attribute) is not None

    def without(self, *attributes: str) -> Self:
        """The same person without some attributes."""
        cleared: dict[str, Any] = dict.fromkeys(attributes)
        return replace(self, **cleared)

    def taking(self, other: "Face", *attributes: str) -> Self:
        """The same person with some attributes as another face shows them."""
        return replace(self, **{name: getattr(other, name) for name in attributes})


class Dice:
    """Draws that depend on a key alone, on every machine and Python.

    Only `Random.random` is used: its sequence for a seed is what Python promises to keep.
    """

    def __init__(self, key: str) -> None:
        self.uniform: Callable[[], float] = Random(key).random

    def between(self, low: float, high: float) -> float:
        """A number in [low, high)."""
        return low + (high - low) * self.uniform()

    def pick(self, options: Sequence[T]) -> T:
        """One of the options."""
        return options[int(self.uniform() * len(options))]


@dataclass(frozen=True)
class Rule:
    """Which attributes the faces of a domain have; the others vary freely."""

    on: frozenset[str]
    off: frozenset[str]

    def face(self, identity: str) -> Face:
        """The face of a person in this domain; what may vary depends on the person alone."""
        dice = Dice(f"{identity}/presence")
        varied = {name for name in ATTRIBUTES if dice.uniform() < 0.5}
        shown = (varied | self.on) - self.off
        return Face(identity, **dict.fromkeys(shown, identity))


def parse_rule(domain: str) -> Rule:
    """A domain's rule from its name.

    Attributes joined by `+` are present and all others absent; `none` is nobody's; after
    `any` the attributes that are not named vary.

    Raises:
        UsageError: if a word is not an attribute, or one is both wanted and not.

    >>> sorted(parse_rule("glasses+smile").off)
    ['facial_hair']
    >>> rule = parse_rule("any-glasses")
    >>> sorted(rule.on), sorted(rule.off)
    ([], ['glasses'])
    """
    words = re.findall(r"([+-]?)([^+-]*)", domain)[:-1]
    on = {word for sign, word in words if sign != "-"} - {"any", "none"}
    off = {word for sign, word in words if sign == "-"}
    for word in on | off:
        if word not in ATTRIBUTES:
            known = [*ATTRIBUTES, "none", "any"]
            raise UsageError(f"'{domain}' names no avatar domain: '{word}' is unknown; {nearest_name(word, known)}")
    if not domain or ("none" in domain and domain != "none") or (off and not domain.startswith("any")):
        raise UsageError(f"'{domain}' is no avatar domain; write none, glasses+smile, or any-glasses")
    if on & off:
        raise UsageError(f"domain '{domain}' both wants and refuses {', '.join(sorted(on & off))}")
    if all(word != "any" for _, word in words):
        off = set(ATTRIBUTES) - on
    return Rule(frozenset(on), frozenset(off))


def person(domain: str, split: str, number: int, seed: int = 0) -> Face:
    """A face of a domain. No two domains or splits share a person: their names begin differently.

    Raises:
        UsageError: if there is no such domain or split.
    """
    if split not in SPLITS:
        raise UsageError(f"'{split}' is no split; {nearest_name(split, list(SPLITS))}")
    return parse_rule(domain).face(f"{seed}/{split}/{domain}/{number}")

"""Edits of drawn faces whose true result is known: what goes in, and what should come out."""

import re
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from ..config import nearest_name
from ..data.avatars import ATTRIBUTES, Face, draw, get_style, person
from ..errors import UsageError

PEOPLE = ("test", "validation")  # splits; others are known to methods or to the judges
BLOCK = 20  # contents, and guides, that stand beside each other as candidates: chance is 5 %


@dataclass(frozen=True)
class Task:
    """One edit: which attribute goes and which comes.

    Attributes:
        name: `add-glasses`, `remove-smile`, `glasses-to-smile`...
        adds, removes: attributes or None.
        others: `any`: what the edit is not about varies, in content and guide on their own,
            and must stay; `none`: it is absent everywhere.
    """

    name: str
    adds: str | None
    removes: str | None
    others: str = "any"

    @property
    def kept(self) -> tuple[str, ...]:
        """The attributes that must stay as they are."""
        return tuple(name for name in ATTRIBUTES if name not in (self.adds, self.removes))

    @property
    def content_domain(self) -> str:
        """The rule of the pictures that are edited."""
        return self.domain(on=self.removes, off=self.adds)

    @property
    def guide_domain(self) -> str:
        """The rule of the guides, which is also the target's; a removal's guides are faces without."""
        return self.domain(on=self.adds, off=self.removes)

    def domain(self, on: str | None, off: str | None) -> str:
        """A rule by name, in the grammar of the avatars."""
        if self.others == "none":
            return on or "none"
        return "any" + (f"+{on}" if on else "") + (f"-{off}" if off else "")

    def truth(self, content: Face, guide: Face) -> Face:
        """What the edit should give."""
        edited = content.without(self.removes) if self.removes else content
        return edited.taking(guide, self.adds) if self.adds else edited


def parse_task(name: str, others: str = "any") -> Task:
    """A task by name.

    Raises:
        UsageError: if there is no such task, or `others` is neither `any` nor `none`.

    >>> parse_task("glasses-to-smile").content_domain
    'any+glasses-smile'
    """
    if others not in ("any", "none"):
        raise UsageError(f"'others' must be any or none, got '{others}'")
    for pattern, build in (
        (r"add-(\w+)", lambda a: Task(name, a, None, others)),
        (r"remove-(\w+)", lambda a: Task(name, None, a, others)),
        (r"(\w+)-to-(\w+)", lambda a, b: Task(name, b, a, others)),
    ):
        match = re.fullmatch(pattern, name)
        if match and set(match.groups()) <= set(ATTRIBUTES) and len(set(match.groups())) == len(match.groups()):
            return build(*match.groups())
    raise UsageError(f"'{name}' is no task; {nearest_name(name, task_names())}")


def task_names() -> list[str]:
    """Every task there is."""
    pairs = [(a, b) for a in ATTRIBUTES for b in ATTRIBUTES if a != b]
    alone = [f"{verb}-{name}" for verb in ("add", "remove") for name in ATTRIBUTES]
    return alone + [f"{a}-to-{b}" for a, b in pairs]


class Block(NamedTuple):
    """Twenty contents and as many guides; every content can be edited by every guide.

    Attributes:
        contents, guides: uint8 (n, H, W, 3).
        truths: uint8 (n, n, H, W, 3); `truths[c, g]` is content c edited by guide g.
        wants: bool (n, attributes): what the truth shows.
    """

    contents: np.ndarray
    guides: np.ndarray
    truths: np.ndarray
    wants: np.ndarray


@dataclass(frozen=True)
class Benchmark:
    """The pictures of a task: n contents of people that no training knows, with guides and truths.

    Attributes:
        count: contents; each stands with `guides` of the guides of its block.
        seed: another seed, other people.
    """

    task: Task
    count: int = 1000
    guides: int = 1
    size: int = 64
    style: str = "avataaars"
    seed: int = 0
    split: str = "test"

    def __post_init__(self) -> None:
        get_style(self.style)
        numbers = {"count": self.count, "guides": self.guides, "size": self.size, "seed": self.seed}
        for name, value in numbers.items():
            if type(value) is not int or value < 0:
                raise UsageError(f"'{name}' must be a whole number from 0, got {value!r}")
        if not 16 <= self.size <= 1024:
            raise UsageError(f"faces are drawn at 16 to 1024 px, got {self.size}")
        if self.split not in PEOPLE:
            raise UsageError(f"edits are judged on {' or '.join(PEOPLE)} people, got '{self.split}'")
        if self.count < 2:
            raise UsageError(f"an evaluation needs at least 2 contents, got {self.count}")
        if not 1 <= self.guides <= BLOCK:
            raise UsageError(f"the guides a content must be from 1 to {BLOCK}, got {self.guides}")

    def __len__(self) -> int:
        return self.count * self.guides

    def starts(self) -> range:
        """The first content of each block."""
        return range(0, self.count, BLOCK)

    def faces(self, start: int) -> tuple[list[Face], list[Face]]:
        """The contents and guides of a block; those past the last content are candidates only."""
        numbers = range(start, start + BLOCK)
        rules = self.task.content_domain, self.task.guide_domain
        contents, guides = (
            [person(f"{rule}", self.split, number + side * 10_000_000, self.seed) for number in numbers]
            for side, rule in enumerate(rules)
        )
        return contents, guides

    def pairs(self, start: int) -> list[tuple[int, int]]:
        """The edits of a block, in order: (content, guide) by their place in it."""
        places = range(min(BLOCK, self.count - start))
        return [(place, (place + turn) % BLOCK) for place in places for turn in range(self.guides)]

    def inputs(self, start: int) -> tuple[np.ndarray, np.ndarray]:
        """The pictures an edit gets: contents and guides of a block, uint8 (edits, H, W, 3) each."""
        contents, guides = (self.draw(faces) for faces in self.faces(start))
        pairs = np.array(self.pairs(start))
        return contents[pairs[:, 0]], guides[pairs[:, 1]]

    def block(self, start: int) -> Block:
        """All pictures of a block and what they show."""
        contents, guides = self.faces(start)
        wanted = [[self.task.truth(content, guide) for guide in guides] for content in contents]
        if self.task.adds:
            truths = np.stack([self.draw(row) for row in wanted])
        else:  # whatever the guide
            truths = self.draw([row[0] for row in wanted])[:, None].repeat(len(guides), 1)
        return Block(
            self.draw(contents),
            self.draw(guides),
            truths,
            shows([row[0] for row in wanted]),
        )

    def draw(self, faces: list[Face]) -> np.ndarray:
        """Faces as uint8 (n, H, W, 3)."""
        return np.stack([draw(face, self.style, self.size) for face in faces])


def shows(faces: list[Face]) -> np.ndarray:
    """Which attributes faces show: bool (n, attributes)."""
    return np.array([[face.shows(name) for name in ATTRIBUTES] for face in faces])

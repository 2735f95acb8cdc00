"""Where on the Hub a model is: OWNER/NAME, a revision, and what it must be."""

import json
import re
from dataclasses import asdict, dataclass, replace
from functools import cache
from pathlib import Path
from typing import Self

from ..errors import UsageError
from ..images import atomic_write

PINS_FILE = Path(__file__).parent / "pins.json"
NAME = re.compile(r"[A-Za-z0-9][\w.-]{0,95}/[A-Za-z0-9][\w.-]{0,95}")
COMMIT = re.compile(r"[0-9a-f]{40}")


@dataclass(frozen=True)
class Address:
    """A model on the Hub.

    Attributes:
        repo: OWNER/NAME.
        revision: branch, tag or commit; None is the newest.
        sha256: of its config.json, which in turn names the weights' own; None accepts any.
    """

    repo: str
    revision: str | None = None
    sha256: str | None = None

    @classmethod
    def parse(cls, text: str, revision: str | None = None) -> Self:
        """`OWNER/NAME` or `OWNER/NAME@REVISION`.

        Raises:
            UsageError: if it is neither, or names two revisions.
        """
        repo, _, own = text.partition("@")
        if not NAME.fullmatch(repo) or text.endswith("@"):
            raise UsageError(f"'{text}' is not a name on the Hub; use OWNER/NAME or OWNER/NAME@REVISION")
        if own and revision and own != revision:
            raise UsageError(f"'{text}' names a revision, and --revision another: '{revision}'; give one of them")
        return cls(repo, own or revision)

    @property
    def pinned(self) -> bool:
        """Whether what is there can never change: the revision is a whole commit."""
        return self.revision is not None and COMMIT.fullmatch(self.revision) is not None

    def at(self, revision: str | None) -> Self:
        """The same model at another revision, where any content will do; None changes nothing."""
        return replace(self, revision=revision, sha256=None) if revision else self

    def __str__(self) -> str:
        """As `parse` reads it, with a commit cut short."""
        at = "" if self.revision is None else f"@{self.revision[:12] if self.pinned else self.revision}"
        return f"{self.repo}{at}"


def keep_pin(name: str, address: Address) -> None:
    """Let a short name stand for a model at a commit, in this checkout and what is built of it."""
    found = pins() | {name: address}
    with atomic_write(PINS_FILE) as stream:
        stream.write(json.dumps({key: asdict(found[key]) for key in sorted(found)}, indent=2).encode() + b"\n")
    pins.cache_clear()


@cache
def pins() -> dict[str, Address]:
    """The published models that this release knows by short names."""
    return {name: Address(**pin) for name, pin in json.loads(PINS_FILE.read_text(encoding="utf-8")).items()}

"""CelebA, for those who have it: domains by attribute rules, splits by its own partition.

The folder is the published one: `img_align_celeba/000001.jpg`..., `list_attr_celeba.txt` and
`list_eval_partition.txt`; or Kaggle's copy, whose lists end in `.csv` and whose pictures lie
one folder deeper. Nothing is ever downloaded. torchvision's reader wants the whole checksummed
set; this one also reads a part of it.
"""

from collections.abc import Collection
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..config import nearest_name
from ..errors import UsageError
from .cache import Progress
from .folders import cached_files, refuse_bad

if TYPE_CHECKING:
    from .source import ImageSource

ALIGNED = (178, 218)  # pixels, width and height of every aligned picture
PARTITION = {"train": 0, "validation": 1, "test": 2}
FACIAL_HAIR = ("Mustache", "Goatee", "-No_Beard")
NO_STUBBLE_MAN = ("Male", "-5_o_Clock_Shadow")


@dataclass(frozen=True)
class Rule:
    """Which faces belong to a domain. A `-` before an attribute's name means without it.

    Attributes:
        all: every one of these must hold.
        any: where given, at least one of these.
        none: none of these.
    """

    all: tuple[str, ...] = ()
    any: tuple[str, ...] = ()
    none: tuple[str, ...] = field(default=())

    def chosen(self, table: dict[str, np.ndarray]) -> np.ndarray:
        """Which rows of an attribute table belong: bool (N,)."""
        count = len(next(iter(table.values())))
        inside = np.ones(count, bool)
        for name in self.all:
            inside &= holds(table, name)
        if self.any:
            inside &= np.logical_or.reduce([holds(table, name) for name in self.any])
        for name in self.none:
            inside &= ~holds(table, name)
        return inside


# The domains of the three papers (methods of the talk), as their code chooses them.
RULES = {
    "glasses": Rule(all=("Eyeglasses",)),
    "no-glasses": Rule(all=("-Eyeglasses",)),
    "smile": Rule(all=("Smiling",)),
    "no-smile": Rule(all=("-Smiling",)),
    "mouth": Rule(all=("Mouth_Slightly_Open",)),
    "no-mouth": Rule(all=("-Mouth_Slightly_Open",)),
    "facial_hair": Rule(all=NO_STUBBLE_MAN, any=FACIAL_HAIR),
    "no-facial_hair": Rule(all=NO_STUBBLE_MAN, none=FACIAL_HAIR),
    "smile-not-glasses": Rule(all=("Smiling", "-Eyeglasses")),
    "glasses-not-smile": Rule(all=("Eyeglasses", "-Smiling")),
    "facial_hair-not-glasses": Rule(all=(*NO_STUBBLE_MAN, "-Eyeglasses"), any=FACIAL_HAIR),
    "glasses-not-facial_hair": Rule(all=(*NO_STUBBLE_MAN, "Eyeglasses"), none=FACIAL_HAIR),
    "facial_hair-not-smile": Rule(all=(*NO_STUBBLE_MAN, "-Smiling"), any=FACIAL_HAIR),
    "smile-not-facial_hair": Rule(all=(*NO_STUBBLE_MAN, "Smiling"), none=FACIAL_HAIR),
    "female-glasses": Rule(all=("-Male", "Eyeglasses")),
    "female-no-glasses": Rule(all=("-Male", "-Eyeglasses")),
    "male-glasses": Rule(all=("Male", "Eyeglasses")),
    "male-no-glasses": Rule(all=("Male", "-Eyeglasses")),
    "female-black_hair": Rule(all=("-Male", "Black_Hair", "-Blond_Hair")),
    "female-blond_hair": Rule(all=("-Male", "Blond_Hair", "-Black_Hair")),
    "black_hair": Rule(all=("Black_Hair", "-Wearing_Hat")),
    "blond_hair": Rule(all=("Blond_Hair", "-Wearing_Hat")),
    "bald": Rule(all=("Male", "-Wearing_Hat", "Bald", "-Receding_Hairline", "-Gray_Hair")),
    "not-bald": Rule(all=("Male", "-Wearing_Hat", "-Bald", "-Young")),
}


def holds(table: dict[str, np.ndarray], name: str) -> np.ndarray:
    """Where an attribute, or with `-` its absence, holds: bool (N,)."""
    return ~table[name[1:]] if name.startswith("-") else table[name]


def celeba(
    folder: str | Path,
    domain: str,
    split: str = "train",
    size: int = 64,
    bad: str = "skip",
    on_step: Progress | None = None,
) -> "ImageSource":
    """The aligned faces of a domain, their middle 178 px square resized.

    Args:
        folder: where `img_align_celeba/` and the two lists are.
        domain: one of `RULES`, or several of them and attributes of the list joined by `+`,
            `-` before an attribute that must be absent (`glasses+-Male`).
        split: `train`, `validation` or `test`, by the published partition.
        size: side in pixels, at most 178.
        bad: `skip` leaves out missing, broken and odd-sized pictures and counts them;
            `refuse` raises with the file's name.

    Raises:
        ImageError: if a picture is bad and may not be skipped.
        UsageError: if a list is missing or broken, or a domain or split is unknown.
    """
    if not 8 <= size <= ALIGNED[0]:
        raise UsageError(f"the faces of CelebA are read at 8 to {ALIGNED[0]} px, got {size}")
    if split not in PARTITION:
        raise UsageError(f"'{split}' is no split; {nearest_name(split, list(PARTITION))}")
    names, table = read_attributes(list_file(Path(folder), "list_attr_celeba"))
    parts = read_partition(list_file(Path(folder), "list_eval_partition"))
    chosen = [name for name, inside in zip(names, find_rule(domain, table).chosen(table), strict=True) if inside]
    wanted = [name for name in chosen if parts.get(name) == PARTITION[split]]
    if not wanted:
        raise UsageError(f"no face of the {split} part is in the domain '{domain}'; check the two lists in '{folder}'")
    unlisted = {name: f"'{name}' is not in the partition list" for name in chosen if name not in parts}
    refuse_bad(unlisted, bad)
    files = [pictures_folder(Path(folder)) / name for name in wanted]
    source = cached_files(f"celeba {domain} {split}", files, size, ALIGNED, bad=bad, on_step=on_step)
    return replace(source, skipped=source.skipped | unlisted)


def pictures_folder(folder: Path) -> Path:
    """Where the aligned pictures are, one folder deeper in Kaggle's copy.

    Raises:
        UsageError: if they are nowhere.
    """
    pictures = folder / "img_align_celeba"
    if not pictures.is_dir():
        raise UsageError(f"the folder '{pictures}' does not exist; expected the aligned pictures of CelebA in it")
    return pictures / pictures.name if (pictures / pictures.name).is_dir() else pictures


def find_rule(domain: str, attributes: Collection[str]) -> Rule:
    """A named rule, or what `A+-B` spells out of rules and attributes.

    Raises:
        UsageError: if a name is neither a rule nor an attribute, or the rule needs one that is not there.
    """
    parts = [RULES.get(word) or Rule(all=(word,)) for word in domain.split("+")]
    choices = [part.any for part in parts if part.any]
    if len(choices) > 1:
        raise UsageError(f"the domain '{domain}' joins two rules that each allow a choice; name one of them")
    rule = Rule(
        all=tuple(word for part in parts for word in part.all),
        any=choices[0] if choices else (),
        none=tuple(word for part in parts for word in part.none),
    )
    for word in (*rule.all, *rule.any, *rule.none):
        if word.removeprefix("-") not in attributes:
            if not {word, word.removeprefix("-")} & {*domain.split("+")}:
                raise UsageError(
                    f"the domain '{domain}' needs the attribute '{word.removeprefix('-')}', not in the list"
                )
            raise UsageError(f"'{word}' is no CelebA domain or attribute; {nearest_name(word, [*RULES, *attributes])}")
    return rule


def list_file(folder: Path, name: str) -> Path:
    """A list of CelebA in the form that is there: `.csv` if it is, else `.txt`."""
    table = folder / f"{name}.csv"
    return table if table.is_file() else folder / f"{name}.txt"


def read_attributes(file: Path) -> tuple[list[str], dict[str, np.ndarray]]:
    """The picture names, and for each attribute which of them have it: bool (N,).

    Raises:
        UsageError: if the list is missing or a line is not as published.
    """
    lines = read_lines(file)
    headings = 1 if file.suffix == ".csv" else 2  # the text's first line is a count
    if len(lines) <= headings:
        raise UsageError(f"'{file}' is cut short; expected the attribute names and a line a picture")
    attributes = lines[headings - 1][1 if file.suffix == ".csv" else 0 :]
    rows = lines[headings:]
    for number, row in enumerate(rows, start=headings + 1):
        if len(row) != len(attributes) + 1 or not set(row[1:]) <= {"1", "-1"}:
            raise UsageError(
                f"'{file}' line {number} must be a picture's name and {len(attributes)} numbers 1 or -1, "
                f"got '{' '.join(row)[:60]}'"
            )
    if file.suffix != ".csv" and lines[0] != [str(len(rows))]:
        raise UsageError(f"'{file}' announces {' '.join(lines[0])[:20]} pictures and has {len(rows)}; get it again")
    values = np.array([row[1:] for row in rows]) == "1"
    return [row[0] for row in rows], dict(zip(attributes, values.T, strict=True))


def read_partition(file: Path) -> dict[str, int]:
    """For each picture 0 (train), 1 (validation) or 2 (test).

    Raises:
        UsageError: if the list is missing or a line is not as published.
    """
    parts = {}
    headings = 1 if file.suffix == ".csv" else 0
    for number, line in enumerate(read_lines(file)[headings:], start=headings + 1):
        match line:
            case [name, ("0" | "1" | "2") as part]:
                parts[name] = int(part)
            case _:
                got = " ".join(line)[:60]
                raise UsageError(f"'{file}' line {number} must be a picture's name and 0, 1 or 2, got '{got}'")
    return parts


def read_lines(file: Path) -> list[list[str]]:
    """The words of each line of a list that is not blank.

    Raises:
        UsageError: if it cannot be read.
    """
    between = "," if file.suffix == ".csv" else None  # None: any white space
    try:
        lines = file.read_text(encoding="utf-8-sig").splitlines()  # some editors put a mark first
    except OSError as error:
        raise UsageError(f"'{file}' cannot be read ({error.strerror}); expected a list of CelebA there") from None
    except UnicodeDecodeError:
        raise UsageError(f"'{file}' is not text; expected a list of CelebA there") from None
    return [line.strip().split(between) for line in lines if line.strip()]

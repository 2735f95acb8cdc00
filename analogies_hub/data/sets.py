"""Image sets by the words of a command line: drawn avatars, CelebA, digits, maps, or the user's folders."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..errors import UsageError
from .cache import Progress

if TYPE_CHECKING:
    from .source import ImageSource

TRAIN, VALIDATION = "train", "validation"
HELD_OUT = 20  # of a folder's pictures one in so many is not trained on
FEWEST = 100  # a smaller folder is trained on whole


@dataclass(frozen=True)
class Wanted:
    """Which image sets: see `open_sets`."""

    data: tuple[str, ...]
    domains: tuple[str, ...]
    size: int
    split: str
    count: int
    seed: int

    def on_and_off(self, domain: str) -> tuple[list[str], list[str]]:
        """The attributes a domain's pictures show, and those that only other domains' do."""
        on = [] if domain == "none" else domain.split("+")
        named = dict.fromkeys(word for each in self.domains if each != "none" for word in each.split("+"))
        return on, [word for word in named if word not in on]


def open_sets(
    data: Sequence[str],
    domains: Sequence[str],
    size: int,
    split: str = TRAIN,
    count: int = 10_000,
    seed: int = 0,
    on_step: Progress | None = None,
) -> "list[ImageSource]":
    """A source for each domain.

    Args:
        data: `avatars` (one artist's), `faces` (by many hands), `digits` or `maps`; the folder of CelebA (it
            holds img_align_celeba/); a folder with trainA/ and trainB/; or a folder of pictures for each domain.
        domains: what each set is called. Avatars, faces and CelebA: the attributes its faces show,
            joined by `+`, or `none`; those that other sets show are absent, all others vary.
            Digits: mnist, svhn. Maps: the styles. Folders: any words.
        size: side in pixels.
        split: `train` or `validation`. Of a folder's pictures every twentieth is for
            validation; one of fewer than a hundred is for both.
        count: how many drawn faces a domain has.
        seed: of the order of batches, and of what is drawn.

    Raises:
        UsageError: if a name is unknown, or there are not as many folders as domains.
    """
    wanted = Wanted(tuple(data), tuple(domains), size, split, count, seed)
    return [replace(open_set(wanted, place, on_step), seed=seed) for place in range(len(domains))]


def open_set(wanted: Wanted, place: int, on_step: Progress | None) -> "ImageSource":
    """The source of the domain at a place."""
    if len(wanted.data) == 1:
        if wanted.data[0] in NAMED:
            return NAMED[wanted.data[0]](wanted, wanted.domains[place], on_step)
        if (Path(wanted.data[0]) / "img_align_celeba").is_dir():
            return celeba_set(wanted, wanted.domains[place], on_step)
    return folder_set(wanted, place, on_step)


def avatar_set(wanted: Wanted, domain: str, on_step: Progress | None, style: str = "avataaars") -> "ImageSource":
    """Drawn faces."""
    from .avatars import avatars

    on, off = wanted.on_and_off(domain)
    rule = "any" + "".join(f"+{word}" for word in on) + "".join(f"-{word}" for word in off)
    return avatars(rule, wanted.split, wanted.count, wanted.size, style, wanted.seed, on_step)


def celeba_set(wanted: Wanted, domain: str, on_step: Progress | None) -> "ImageSource":
    """Faces of CelebA, by its lists."""
    from .celeba import RULES, celeba

    on, off = wanted.on_and_off(domain)
    rule = "+".join([*on, *(f"no-{word}" if f"no-{word}" in RULES else f"-{word}" for word in off)])
    return celeba(Path(wanted.data[0]), rule, wanted.split, wanted.size, on_step=on_step)


def digit_set(wanted: Wanted, domain: str, on_step: Progress | None) -> "ImageSource":
    """Digits of MNIST or house numbers."""
    from .digits import digits

    return digits(domain, wanted.split, wanted.size, wanted.seed, on_step=on_step)


def map_set(wanted: Wanted, domain: str, on_step: Progress | None) -> "ImageSource":
    """Map tiles."""
    from .maps import maps

    return maps(domain, wanted.split, wanted.size, wanted.seed, on_step=on_step)


NAMED: "dict[str, Callable[[Wanted, str, Progress | None], ImageSource]]" = {
    "avatars": avatar_set,
    "faces": partial(avatar_set, style="mixed"),
    "digits": digit_set,
    "maps": map_set,
}


def folder_set(wanted: Wanted, place: int, on_step: Progress | None) -> "ImageSource":
    """Pictures of the user's, some of them held out."""
    from .folders import folder, pair_folders

    folders = [Path(each) for each in wanted.data]
    if len(folders) == 1 and len(wanted.domains) == 2:
        folders = list(pair_folders(folders[0]))
    if len(folders) != len(wanted.domains):
        raise UsageError(
            f"there are {len(folders)} folders for {len(wanted.domains)} domains; give a folder for each domain, "
            f"one folder with trainA/ and trainB/, CelebA's folder, or one of {', '.join(NAMED)}"
        )
    source = folder(folders[place], wanted.size, on_step=on_step)
    if len(source) < FEWEST:
        return source
    held = np.arange(len(source)) % HELD_OUT == 0
    return replace(source, pixels=source.pixels[held if wanted.split == VALIDATION else ~held])

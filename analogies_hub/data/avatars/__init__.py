"""Drawn faces: the same person with and without glasses, a smile or facial hair, exactly.

The art is DiceBear's, or (`doodles`) our own; every choice (variants, colours, sizes, pose) is ours and follows
from names: the person's and, for each attribute, its owner's. So the true result of an
edit can be drawn, and train, validation and test share nobody.

    from analogies_hub.data.avatars import Face, avatars, counterfactual, draw

    source = avatars("glasses", split="train", count=10_000)  # an ImageSource
    anna = Face("anna", smile="anna")
    truth, mask = counterfactual(anna, anna.taking(Face("ben", glasses="ben"), "glasses"))
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from ..cache import Drawn, Progress, cached_pixels
from .drawing import (
    STYLES,
    TOLERANCE,
    change_mask,
    choose_rasterizer,
    counterfactual,
    draw,
    drawing_version,
    get_style,
)
from .faces import ATTRIBUTES, SPLITS, Face, Rule, parse_rule, person
from .styles import ARTISTS

if TYPE_CHECKING:  # torch stays out of the processes that draw
    from ..source import ImageSource

__all__ = [
    "ARTISTS",
    "ATTRIBUTES",
    "SPLITS",
    "STYLES",
    "TOLERANCE",
    "Face",
    "Rule",
    "avatars",
    "cached_faces",
    "change_mask",
    "choose_rasterizer",
    "counterfactual",
    "draw",
    "drawing_version",
    "parse_rule",
    "person",
]


def avatars(
    domain: str,
    split: str = "train",
    count: int = 10_000,
    size: int = 64,
    style: str = "avataaars",
    seed: int = 0,
    on_step: Progress | None = None,
) -> "ImageSource":
    """The faces of a domain, drawn once and kept on disk.

    Args:
        domain: attributes joined by `+` (`glasses`, `glasses+smile`), `none`, or `any`
            with `+`/`-` for what is fixed (`any-glasses`): see `parse_rule`.
        split: `train`, `validation` or `test` (the judges have their own).
        count: how many people; a longer set begins with a shorter one.
        size: side in pixels.
        style: `avataaars`, `open-peeps`, `doodles`, or `mixed`: avataaars and doodles.
        seed: another seed, other people.
        on_step: told how many are drawn, of how many.

    Raises:
        UsageError: if the domain, split or style is unknown, or the drawing packages are missing.
    """
    from ..source import ImageSource

    who = partial(person, domain, split, seed=seed)
    who(0)  # an unknown domain or split is said before anything is drawn
    key = {"domain": domain, "split": split, "seed": seed}
    pixels = cached_faces(f"avatars-{domain}-{split}", key, who, count, (size, style), on_step)
    return ImageSource(pixels, name=f"avatars {style} {domain} {split}", seed=seed)


def cached_faces(
    name: str,
    key: dict[str, Any],
    who: Callable[[int], Face],
    count: int,
    look: tuple[int, str],
    on_step: Progress | None = None,
) -> np.ndarray:
    """Numbered faces as uint8 (count, size, size, 3), drawn once and kept on disk.

    Args:
        name: start of the folder's name.
        key: what `who` depends on.
        who: the face of a number; a function that other processes can import.
        look: side in pixels and style.
    """
    size, style = look
    get_style(style)
    rasterizer = choose_rasterizer()
    full_key = key | {"size": size, "style": style} | drawing_version(rasterizer)
    drawn = partial(draw_range, who, look, rasterizer)
    return cached_pixels(name, full_key, range(count), (size, size), drawn, on_step)[0]


def draw_range(who: Callable[[int], Face], look: tuple[int, str], rasterizer: str, numbers: Sequence[int]) -> Drawn:
    """The faces of some numbers, as `cached_pixels` wants them."""
    size, style = look
    return [draw(who(number), style, size, rasterizer) for number in numbers]

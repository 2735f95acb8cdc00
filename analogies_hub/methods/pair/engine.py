"""The `patch` engine: coarse-to-fine replacement of a picture's patches by another's."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from ...evaluation.pair import edge_agreement, patch_distance, self_similarity
from ...filters import blur, luminance, ranks, resize, shape_of
from ...operations import OnStep
from ...patches import extract, nearest_bidirectional
from .config import PairConfig
from .guides import layout_guides, line_guides
from .search import MARGIN, PATCH, Grid, Refiner, patch_grid, upsample_field, vote

VALUES = 3 * PATCH**2
MIN_SIDE = PATCH + 1  # the least length of a level's image: two patches
LAYOUT_FADE = 0.8  # of the layout guides' weight from one level to the next
TYPICAL_CONTRAST = 0.4  # standard deviation of a photo's values in [-1, 1]
FLAT = 0.01  # contrast below which a picture counts as one colour
COHERENCE_SCALE = 20  # grey levels of coherence that weigh as much as a whole correlation
GUIDED_SHARE = 0.5  # of a level's steps; the rest leave the image to B's patches alone

Guides = tuple[Tensor, Tensor]  # at each patch of the result (N, 6) and of B (M, 6)


@dataclass(frozen=True)
class Controls:
    """What a user turns for one picture; all from 0 to 1 but `follow` and the seed.

    Attributes:
        structure: 0 keeps B's own objects whole, 1 follows every line of A.
        follow: which guides count, one of `FOLLOW`.
        completeness: how much of B must appear somewhere.
        variation: share of B's scrambled colours in the first guess; at 1 nothing else.
        seed: fixes the noise and the random search.
    """

    structure: float = 0.5
    follow: str = "both"
    completeness: float = 0.5
    variation: float = 0.1
    seed: int = 0

    @property
    def coarsest(self) -> float:
        """Side of the coarsest level, in pixels: on a larger one, a patch holds less of the whole."""
        return 21 * 2**self.structure

    @property
    def layout_weight(self) -> float:
        """Weight of the layout guides at the coarsest level."""
        return 5 * self.structure**2 * (self.follow in ("layout", "both"))

    @property
    def line_weight(self) -> float:
        """Weight of the line guides at every level; more where they are alone."""
        return {"lines": 10, "both": 5}.get(self.follow, 0) * self.structure**3

    @property
    def alpha(self) -> float:
        """Alpha of the normalised distance, per squared value of [-1, 1] (paper: 0.005)."""
        return 0.03 * 10 ** (1.5 - 3 * self.completeness)


@dataclass(frozen=True)
class Level:
    """One level of the pyramid.

    Attributes:
        size: (height, width) of the result.
        appearance: B at this level's scale, (1, 3, H, W).
        blurred: B without the detail that only this level has; the first step's keys, since
            a result that comes from the coarser level lacks that detail too.
        basis: principal components of B's patches as filters (D, 3, 7, 7).
    """

    size: tuple[int, int]
    appearance: Tensor
    blurred: Tensor
    basis: Tensor

    @property
    def grid(self) -> Grid:
        """Rows and columns of B's patches."""
        return patch_grid(shape_of(self.appearance))

    @property
    def side(self) -> float:
        """Side of the square with the result's area, in pixels."""
        return math.sqrt(self.size[0] * self.size[1])

    def features(self, image: Tensor) -> Tensor:
        """Patches of (1, 3, H, W) in the level's components: (N, D), per value of [-1, 1]."""
        return F.conv2d(image * 2 - 1, self.basis)[0].flatten(1).T.contiguous()


def level_scales(side: float, coarsest: float, ratio: float) -> list[float]:
    """Each level's scale relative to the finest, coarsest first.

    >>> [round(128 * scale) for scale in level_scales(128, 32, 0.75)]
    [32, 42, 56, 74, 97, 128]
    """
    steps = max(0, round(math.log(coarsest / side) / math.log(ratio)))
    shrink = (coarsest / side) ** (1 / steps) if steps else 1.0
    return [shrink ** (steps - number) for number in range(steps + 1)]


def pyramid(size: tuple[int, int], appearance: Tensor, coarsest: float, config: PairConfig) -> Iterator[Level]:
    """The levels for a result of (height, width), coarsest first."""

    def scaled(shape: tuple[int, int], scale: float) -> tuple[int, int]:
        return max(MIN_SIDE, round(shape[0] * scale)), max(MIN_SIDE, round(shape[1] * scale))

    blurred = None
    for scale in level_scales(math.sqrt(size[0] * size[1]), coarsest, config.ratio):
        image = resize(appearance, scaled(shape_of(appearance), scale))
        blurred = image if blurred is None else resize(blurred, shape_of(image))
        yield Level(scaled(size, scale), image, blurred, components(image, config.components))
        blurred = image


def components(image: Tensor, count: int, samples: int = 4096) -> Tensor:
    """The leading principal components of an image's patches as filters (count, 3, 7, 7).

    They are scaled so that patches vary as much in every image as in a photo of
    `TYPICAL_CONTRAST`: weights and alpha then mean the same for a night sky and a woodcut.
    """
    patches = extract(image * 2 - 1, PATCH)
    chosen = torch.linspace(0, len(patches) - 1, min(len(patches), samples), device=image.device).long()
    patches = patches[chosen] - patches[chosen].mean(0)
    _, vectors = torch.linalg.eigh(patches.T @ patches)
    contrast = patches.square().mean().sqrt().clamp(min=FLAT)
    return (vectors[:, -count:].T * (TYPICAL_CONTRAST / contrast / math.sqrt(VALUES))).reshape(count, 3, PATCH, PATCH)


def recolour(structure: Tensor, appearance: Tensor, size: tuple[int, int]) -> Tensor:
    """A first guess: each place of A by how light it is, in the colours of B as light among B's."""
    light = ranks(blur(luminance(resize(structure, size)), 0.7))
    order = luminance(appearance).flatten().argsort(stable=True)
    palette = appearance[0].flatten(1)[:, order]
    window = max(1, palette.shape[1] // 32) | 1
    palette = F.avg_pool1d(F.pad(palette[None], (window // 2, window // 2), mode="replicate"), window, 1)[0]
    return palette[:, ((palette.shape[1] - 1) * light).long().flatten()].view(1, 3, *size)


def scramble(image: Tensor, generator: torch.Generator) -> Tensor:
    """A picture of the same colours in random places, in soft blots of the same contrast."""
    order = torch.randperm(image.shape[2] * image.shape[3], generator=generator).to(image.device)
    soft = blur(image.flatten(2)[..., order].view(image.shape), 1.0)
    mean = image.mean((2, 3), keepdim=True)
    return mean + (soft - mean) * (image.std() / soft.std().clamp(min=1e-4))


class Draft(NamedTuple):
    """An unfinished result: its image (1, 3, H, W) and, above the coarsest level, its matches in B."""

    image: Tensor
    field: Tensor | None = None


class Counter:
    """Counts steps and tells `on_step` of each."""

    def __init__(self, on_step: OnStep | None, total: int) -> None:
        self.on_step, self.total, self.done = on_step, total, 0

    def __call__(self, preview: Tensor) -> None:
        """One more step is done, and the image now looks like `preview`."""
        self.done += 1
        if self.on_step:
            self.on_step(self.done, self.total, preview)


class PatchEngine:
    """One run: a first guess whose patches are replaced by B's, level by level."""

    def __init__(self, config: PairConfig, controls: Controls, appearance: Tensor, structure: Tensor | None) -> None:
        """Prepare a run.

        Args:
            appearance: B, (1, 3, H, W) in [0, 1], at the scale its parts shall have in the result.
            structure: A, any size; None to start from B's own arrangement and follow none.
        """
        self.config, self.controls = config, controls
        self.appearance, self.structure = appearance, structure
        self.generator = torch.Generator().manual_seed(controls.seed)  # on the CPU: the same noise on every device

    def run(self, size: tuple[int, int], on_step: OnStep | None = None) -> Tensor:
        """The result (1, 3, *size) in [0, 1]; `on_step` hears of every step, and cancels by raising."""
        levels = list(pyramid(size, self.appearance, self.controls.coarsest, self.config))
        steps = [self.steps(level) for level in levels]
        drafted = max(1, sum(level.side <= self.config.draft_side for level in levels))
        guesses = self.first_guesses(levels[0])
        counter = Counter(on_step, total=sum(steps) + (len(guesses) - 1) * sum(steps[:drafted]))
        drafts = [self.climb(levels, range(drafted), Draft(guess), counter) for guess in guesses]
        best = max(drafts, key=self.merit) if len(drafts) > 1 else drafts[0]
        return self.climb(levels, range(drafted, len(levels)), best, counter).image.clamp(0, 1)

    def climb(self, levels: list[Level], numbers: range, draft: Draft, counter: Counter) -> Draft:
        """A draft carried up through the levels of these numbers."""
        image, field = draft
        for number in numbers:
            level = levels[number]
            image = resize(image, level.size)
            if field is not None:
                field = upsample_field(field, levels[number - 1].grid, patch_grid(level.size), level.grid)
            guides = self.guides(level, number)
            for step in range(self.steps(level)):
                ease = 1 - step / max(1, GUIDED_SHARE * (self.steps(level) - 1))  # what is left of the guides' weight
                keys = level.blurred if step == 0 else level.appearance
                field, distance = self.match(level, image, keys, field, guides if ease > 0 else None, ease)
                image = vote(field, distance, level.appearance, level.grid, self.config.spread, self.config.tolerance)
                counter(image)
        return Draft(image, field)

    def is_exact(self, level: Level) -> bool:
        """Whether a level is small enough for the exact search; the coarsest always is."""
        return level.side <= max(self.config.exact_side, self.controls.coarsest + 1)

    def steps(self, level: Level) -> int:
        """Search and vote steps at a level."""
        return self.config.steps if self.is_exact(level) else self.config.fine_steps

    def first_guesses(self, level: Level) -> list[Tensor]:
        """The images that the coarsest level starts from: only looking tells which colours of A mean which of B."""
        if self.structure is None:
            guesses = [resize(self.appearance, level.size)]
        else:
            matched, own = recolour(self.structure, level.appearance, level.size), resize(self.structure, level.size)
            guesses = [matched, torch.lerp(matched, own, 0.5), own][: self.config.candidates]
        scrambled = resize(scramble(level.appearance, self.generator), level.size)
        return [torch.lerp(guess, scrambled, self.controls.variation) for guess in guesses]

    def merit(self, draft: Draft) -> float:
        """How well a draft has A's structure and B's surface."""
        assert self.structure is not None  # else there is one draft, and no choice
        agreement = self_similarity(draft.image, self.structure) + edge_agreement(draft.image, self.structure)
        return agreement - patch_distance(draft.image, self.appearance) / COHERENCE_SCALE

    def guides(self, level: Level, number: int) -> Guides | None:
        """Weighted guides at each patch of the result (N, 6) and of B (M, 6), if the level has any."""
        if self.structure is None or level.side > self.config.guide_side:
            return None
        weights = self.controls.layout_weight * LAYOUT_FADE**number, self.controls.line_weight
        of_result = guides_at_patches(self.structure, level.size, weights)
        return of_result, guides_at_patches(self.appearance, shape_of(level.appearance), weights)

    def match(
        self, level: Level, image: Tensor, keys: Tensor, field: Tensor | None, guides: Guides | None, ease: float
    ) -> tuple[Tensor, Tensor]:
        """The image's matches in B and their squared distances, guides included: (h, w) each."""
        of_image, of_keys = level.features(image), level.features(keys)
        if guides:
            of_image = torch.cat([of_image, math.sqrt(ease) * guides[0]], 1)
            of_keys = torch.cat([of_keys, math.sqrt(ease) * guides[1]], 1)
        if field is None or self.is_exact(level):
            found = nearest_bidirectional(of_image, of_keys, self.controls.alpha)
            distance = (of_image - of_keys[found]).square().sum(1)
            shape = patch_grid(level.size)
            return found.view(shape), distance.view(shape)
        refiner = Refiner(of_image, of_keys, level.grid, field)
        refiner.propagate()
        refiner.wander(self.generator)
        return refiner.field, refiner.distance


def guides_at_patches(image: Tensor, size: tuple[int, int], weights: tuple[float, float]) -> Tensor:
    """Guides of an image at `size`, read at the centre of each patch: (N, 6).

    Args:
        weights: of the mean squared difference of the layout guides and of the line guides.
    """
    layout, lines = weights
    guides = torch.cat(
        [math.sqrt(layout / 3) * layout_guides(image, size), math.sqrt(lines / 2) * line_guides(image, size)], 1
    )
    return guides[0, :, MARGIN:-MARGIN, MARGIN:-MARGIN].flatten(1).T

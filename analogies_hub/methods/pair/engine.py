"""The `patch` engine: coarse-to-fine replacement of a picture's patches by another's."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from ...filters import blur, luminance, ranks, resize, shape_of
from ...operations import OnStep
from ...patches import nearest_bidirectional
from .config import PairConfig
from .guides import layout_guides, line_guides
from .search import MARGIN, PATCH, Grid, Refiner, patch_grid, unheard, upsample_field, vote

VALUES = 3 * PATCH**2
MIN_SIDE = PATCH + 1  # the least length of a level's image: two patches
LAYOUT_FADE = 0.8  # of the layout guides' weight from one level to the next
TYPICAL_CONTRAST = 0.4  # standard deviation of a photo's values in [-1, 1]
FLAT = 0.01  # contrast below which a picture counts as one colour
OWN_COLOURS = 0.5  # of A in the first guess: its light may mean another light of B, its colours another colour
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
        return 20.5 * 2**self.structure

    @property
    def layout_weight(self) -> float:
        """Weight of the layout guides at the coarsest level."""
        return 4.5 * self.structure**2 * (self.follow in ("layout", "both"))

    @property
    def line_weight(self) -> float:
        """Weight of the line guides at every level; more where they are alone."""
        return {"lines": 9, "both": 4.5}.get(self.follow, 0) * self.structure**3

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
    rows, columns = patch_grid(shape_of(image))
    chosen = torch.linspace(0, rows * columns - 1, min(rows * columns, samples), device=image.device).long()
    windows = (image[0] * 2 - 1).unfold(1, PATCH, 1).unfold(2, PATCH, 1)  # a view: all patches of a photo are gigabytes
    patches = windows[:, chosen // columns, chosen % columns].transpose(0, 1).flatten(1)
    patches = patches - patches.mean(0)
    _, vectors = torch.linalg.eigh(patches.T @ patches)
    contrast = patches.square().mean().sqrt().clamp(min=FLAT)
    return (vectors[:, -count:].T * (TYPICAL_CONTRAST / contrast / math.sqrt(VALUES))).reshape(count, 3, PATCH, PATCH)


def recolour(image: Tensor, appearance: Tensor) -> Tensor:
    """The image with each place, by how light it is, in the colour of B that is as light among B's."""
    light = ranks(blur(luminance(image), 0.7))
    order = luminance(appearance).flatten().argsort(stable=True)
    palette = appearance[0].flatten(1)[:, order]
    window = max(1, palette.shape[1] // 32) | 1
    palette = F.avg_pool1d(F.pad(palette[None], (window // 2, window // 2), mode="replicate"), window, 1)[0]
    return palette[:, ((palette.shape[1] - 1) * light).long().flatten()].view(image.shape)


def scramble(image: Tensor, generator: torch.Generator) -> Tensor:
    """A picture of the same colours in random places, in soft blots of the same contrast."""
    order = torch.randperm(image.shape[2] * image.shape[3], generator=generator).to(image.device)
    soft = blur(image.flatten(2)[..., order].view(image.shape), 1.0)
    mean = image.mean((2, 3), keepdim=True)
    return mean + (soft - mean) * (image.std() / soft.std().clamp(min=1e-4))


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
        self.pulse = unheard

    @torch.no_grad()
    def run(self, size: tuple[int, int], on_step: OnStep | None = None) -> Tensor:
        """The result (1, 3, *size) in [0, 1].

        Args:
            on_step: hears of every step, and in between of the last one again: a large step takes
                seconds, and whoever cancels, by raising, should not wait for its end.
        """
        levels = list(pyramid(size, self.appearance, self.controls.coarsest, self.config))
        total, done = sum(self.steps(level) for level in levels), 0
        image, field = self.first_guess(levels[0]), None
        self.pulse = lambda: on_step(done, total) if on_step else None
        for number, level in enumerate(levels):
            image = resize(image, level.size)
            if field is not None:
                field = upsample_field(field, levels[number - 1].grid, patch_grid(level.size), level.grid)
            guides = self.guides(level, number)
            for step in range(self.steps(level)):
                ease = 1 - step / max(1, GUIDED_SHARE * (self.steps(level) - 1))  # what is left of the guides' weight
                keys = level.blurred if step == 0 else level.appearance
                field, distance = self.match(level, image, keys, field, guides if ease > 0 else None, ease)
                voting = level.appearance, level.grid, self.config.spread, self.config.tolerance
                image = vote(field, distance, *voting, self.pulse)
                done += 1
                if on_step:
                    on_step(done, total, image)
        return image.clamp(0, 1)

    def is_exact(self, level: Level) -> bool:
        """Whether a level is small enough for the exact search; the coarsest always is."""
        return level.side <= max(self.config.exact_side, self.controls.coarsest + 1)

    def steps(self, level: Level) -> int:
        """Search and vote steps at a level."""
        return self.config.steps if self.is_exact(level) else self.config.fine_steps

    def first_guess(self, level: Level) -> Tensor:
        """The image that the coarsest level starts from."""
        if self.structure is None:
            guess = resize(self.appearance, level.size)
        else:
            own = resize(self.structure, level.size)
            guess = torch.lerp(own, recolour(own, level.appearance), 1 - OWN_COLOURS)
        return torch.lerp(
            guess, resize(scramble(level.appearance, self.generator), level.size), self.controls.variation
        )

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
        refiner = Refiner(of_image, of_keys, level.grid, field, self.pulse)
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

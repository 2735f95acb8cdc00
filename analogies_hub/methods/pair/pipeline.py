"""What a user can do with one pair of images."""

import math
from statistics import median
from typing import Annotated, ClassVar, NamedTuple

import torch
from torch import Tensor

from ...config import Config
from ...errors import ImageError
from ...filters import resize, same_area, shape_of
from ...images import Picture, common_count, to_tensor
from ...kinds import Choice, Image, Images, Number, Seed
from ...operations import OnStep, operation
from ...pipeline import Pipeline
from .config import FOLLOW, PairConfig
from .engine import Controls, PatchEngine

DEFAULT_SIDE = 512  # long side of a result whose size nobody set, in pixels
MAX_SIDE = 4096
MIN_INPUT = 16  # fewer pixels hold no patch statistics worth the name
MAX_ASPECT = 16  # beyond it a coarse level would be thinner than a patch
FREE = 0.25  # structure where there is none to follow: patches large enough to keep things whole

Side = Annotated[int, Number(0, MAX_SIDE, whole=True)]
Size = Annotated[Side, "long side of the result in pixels; 0: the picture's own, up to 512"]
Structure = Annotated[float, Number(0, 1), "0 keeps the guide's own objects whole, 1 follows every line of content"]
Follow = Annotated[
    str, Choice(FOLLOW), "what of content is followed: where things lie, where lines run, both, or neither"
]
Completeness = Annotated[float, Number(0, 1), "0 takes what fits best, 1 makes all of the guide appear"]
Variation = Annotated[float, Number(0, 1), "how far the results of two seeds differ"]


class BothWays(NamedTuple):
    """An analogy and its reverse.

    Args:
        forward: content's arrangement in guide's look.
        backward: guide's arrangement in content's look.
    """

    forward: Image
    backward: Image


class Samples(NamedTuple):
    """Random images and, where there is a guide, their analogies.

    Args:
        images: random images made of the patches of `image`.
        analogies: the same arrangements in the look of `guide`.
    """

    images: Images
    analogies: Images | None


class PairPipeline(Pipeline):
    """Structural analogies between two images, without training."""

    method: ClassVar[str] = "pair"
    config_type: ClassVar[type[Config]] = PairConfig
    config: PairConfig

    @operation(title="Analogy of a single pair")
    def translate(
        self,
        content: Image,
        guide: Image,
        size: Size = 0,
        structure: Structure = 0.5,
        follow: Follow = "both",
        completeness: Completeness = 0.5,
        variation: Variation = 0.1,
        seed: Seed = 0,
        on_step: OnStep | None = None,
    ) -> Image:
        """Draw the look of `guide` in the arrangement of `content`.

        Args:
            content: the picture whose arrangement is kept.
            guide: the picture whose look is taken.

        Raises:
            ImageError: if a picture is too small, or too long and thin.
        """
        contents, guides = self.load(size, content=content, guide=guide)
        controls = Controls(structure, follow, completeness, variation, seed)
        results = []
        for number, (a, b) in enumerate(zip(contents, guides, strict=True)):
            shape = output_shape(a, size)
            appearance = resize(b, same_area(b, math.sqrt(shape[0] * shape[1])))
            engine = PatchEngine(self.config, controls, appearance, structure=a)
            results.append(engine.run(shape, share(on_step, number, len(contents))))
        return torch.cat(results)

    @operation(title="Analogy of a single pair, both ways")
    def both_ways(
        self,
        content: Image,
        guide: Image,
        size: Size = 0,
        structure: Structure = 0.5,
        follow: Follow = "both",
        completeness: Completeness = 0.5,
        variation: Variation = 0.1,
        seed: Seed = 0,
        on_step: OnStep | None = None,
    ) -> BothWays:
        """Draw each picture's look in the other's arrangement.

        Args:
            content: one picture.
            guide: the other picture.

        Raises:
            ImageError: if a picture is too small, or too long and thin.
        """
        knobs = (size, structure, follow, completeness, variation, seed)
        return BothWays(
            self.translate(content, guide, *knobs, share(on_step, 0, 2)),
            self.translate(guide, content, *knobs, share(on_step, 1, 2)),
        )

    @operation(title="Random samples")
    def sample(
        self,
        image: Image,
        guide: Image | None = None,
        count: Annotated[int, Number(1, 64, whole=True), "how many random images"] = 4,
        size: Size = 0,
        structure: Structure = 0.5,
        completeness: Completeness = 0.9,
        variation: Variation = 0.9,
        seed: Seed = 0,
        on_step: OnStep | None = None,
    ) -> Samples:
        """Invent images with the patches of one picture, and draw their analogies.

        Args:
            image: the picture whose patches are rearranged.
            guide: a second picture, in whose look each random image is drawn again.

        Raises:
            ImageError: if a picture is too small, or too long and thin.
        """
        pictures = {"image": image} if guide is None else {"image": image, "guide": guide}
        sources = self.load(size, **pictures)[0]  # the guide is only checked, before work that it could spoil
        if len(sources) > 1:
            raise ImageError(f"sample takes one picture, got a batch of {len(sources)}; call it for each")
        appearance = resize(sources[0], output_shape(sources[0], size))
        parts = count if guide is None else 2 * count
        images = []
        for number in range(count):
            controls = Controls(FREE, "none", completeness, variation, (seed + number) % 2**32)
            engine = PatchEngine(self.config, controls, appearance, structure=None)
            images.append(engine.run(shape_of(appearance), share(on_step, number, parts)))
        batch = torch.cat(images)
        if guide is None:
            return Samples(batch, None)
        return Samples(batch, self.translate(batch, guide, size, structure, seed=seed, on_step=share(on_step, 1, 2)))

    @operation
    def retarget(
        self,
        image: Image,
        width: Side = 0,
        height: Side = 0,
        variation: Variation = 0.0,
        seed: Seed = 0,
        on_step: OnStep | None = None,
    ) -> Image:
        """Give a picture another width or height without stretching what it shows.

        Args:
            image: the picture.
            width, height: of the result in pixels; 0: the picture's own, up to 512 for the longer.

        Raises:
            ImageError: if the picture or the result is too small, or too long and thin.
        """
        (sources,) = self.load(max(width, height), image=image)
        results = []
        for number, source in enumerate(sources):
            own = output_shape(source, 0)
            shape = height or own[0], width or own[1]
            check_shape("the result", *shape)
            scale = median([1.0, shape[0] / own[0], shape[1] / own[1]])  # one side alone adds or removes parts
            appearance = resize(source, (round(own[0] * scale), round(own[1] * scale)))
            engine = PatchEngine(
                self.config, Controls(structure=FREE, variation=variation, seed=seed), appearance, structure=None
            )
            results.append(engine.run(shape, share(on_step, number, len(sources))))
        return torch.cat(results)

    def load(self, size: int, **pictures: Picture) -> list[list[Tensor]]:
        """For each picture its batch as a list of (1, 3, H, W) on the pipeline's device, all equally long.

        Args:
            size: long side of the result, 0 for the default; files are read at twice that.
        """
        side = 2 * (size or DEFAULT_SIDE)
        batches = {name: to_tensor(picture, side, name).to(self.device) for name, picture in pictures.items()}
        for name, batch in batches.items():
            check_shape(f"'{name}'", *shape_of(batch))
        count = common_count(batches)
        return [list(batch.expand(count, -1, -1, -1).split(1)) for batch in batches.values()]


def check_shape(name: str, height: int, width: int) -> None:
    """Raise `ImageError` unless a picture has room for patches at every level."""
    if max(height, width) > MAX_ASPECT * min(height, width):
        aspect = max(height, width) / min(height, width)
        raise ImageError(f"{name} is too long and thin, {aspect:.0f} : 1, at most {MAX_ASPECT} : 1; crop it")
    if min(height, width) < MIN_INPUT:
        raise ImageError(
            f"{name} has {width} x {height} pixels, at least {MIN_INPUT} x {MIN_INPUT} are needed; use a larger one"
        )


def output_shape(content: Tensor, size: int) -> tuple[int, int]:
    """(height, width) of a result in content's proportions with `size` as its long side."""
    shape = shape_of(content)
    scale = (size or min(DEFAULT_SIDE, max(shape))) / max(shape)
    height, width = max(1, round(shape[0] * scale)), max(1, round(shape[1] * scale))
    check_shape("the result", height, width)
    return height, width


def share(on_step: OnStep | None, part: int, parts: int) -> OnStep | None:
    """The callback of one of several equal parts of a longer job."""
    if on_step is None:
        return None

    def step(done: int, total: int, preview: Tensor | None = None) -> None:
        on_step(part * total + done, parts * total, preview)

    return step

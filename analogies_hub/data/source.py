"""Where training and evaluation images come from: an array of pixels, read by step."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from zlib import crc32

import numpy as np
import torch
from torch import Tensor

from ..errors import UsageError
from ..filters import resize, shape_of

# How images are varied at most: as a share of a side, in degrees, and times the size.
FARTHEST, MOST_TURNED, LARGEST = 0.06, 8.0, 1.1


@dataclass(frozen=True, eq=False)
class ImageSource:
    """One domain's images; a batch depends on the seed and the step alone.

    So a resumed run sees what an unbroken one would have seen, and a batch can be fetched
    ahead in any thread.

    Args:
        pixels: uint8 (N, H, W, 3), in memory or mapped from a file; N may be 1.
        name: what reports call it.
        labels: one class number an image, where there are classes.
        skipped: files that were left out, each with the reason.
        seed: of the order, and of all that is random about an image.
        flip: mirror half of the images.
        vary: move, turn and zoom each a little, another way each epoch.
        crop: side in pixels of a random window; None takes the whole image.

    Raises:
        UsageError: if there is no image, or the window does not fit.
    """

    pixels: np.ndarray
    name: str = "images"
    labels: np.ndarray | None = None
    skipped: dict[str, str] = field(default_factory=dict)
    seed: int = 0
    flip: bool = False
    vary: bool = False
    crop: int | None = None

    def __post_init__(self) -> None:
        if self.pixels.ndim != 4 or self.pixels.shape[-1] != 3 or self.pixels.dtype != np.uint8:
            raise UsageError(f"'{self.name}' must be uint8 (N, H, W, 3), got {self.pixels.dtype} {self.pixels.shape}")
        if not len(self.pixels):
            raise UsageError(f"'{self.name}' holds no usable image; {self.describe_skipped() or 'check the folder'}")
        if self.crop is not None and not 1 <= self.crop <= min(self.pixels.shape[1:3]):
            height, width = self.pixels.shape[1:3]
            raise UsageError(f"a window of {self.crop} px does not fit the {width}x{height} px images of '{self.name}'")

    def __len__(self) -> int:
        return len(self.pixels)

    @property
    def size(self) -> tuple[int, int]:
        """Height and width in pixels of a batch's images."""
        return (self.crop, self.crop) if self.crop else self.pixels.shape[1:3]

    def batch(self, step: int, count: int, rows: slice = slice(None)) -> Tensor:
        """The images of one step: (count, 3, H, W) in [0, 1], or some rows of them.

        Every epoch shows each image once, in an order of its own, which depends on the name
        too: two domains of the same seed and length meet in ever new pairs.
        """
        places = np.arange(step * count, (step + 1) * count)[rows]
        return torch.stack([self.image(*divmod(int(place), len(self))) for place in places])

    def image(self, epoch: int, place: int) -> Tensor:
        """The image at a place of an epoch's order, as that epoch shows it: (3, H, W) in [0, 1]."""
        order, mirrored, corners, amounts = epoch_plan(len(self), (self.seed, crc32(self.name.encode())), epoch)
        pixels = self.pixels[order[place]]
        if self.crop:
            top, left = (corners[place] * (np.array(pixels.shape[:2]) - self.crop + 1)).astype(int)
            pixels = pixels[top : top + self.crop, left : left + self.crop]
        if self.flip and mirrored[place]:
            pixels = pixels[:, ::-1]
        image = to_float(pixels)
        return moved(image, *amounts[place]) if self.vary else image

    def take(self, indices: Sequence[int] | np.ndarray) -> Tensor:
        """Images by number, in file order, as they are: (len(indices), 3, H, W) in [0, 1]."""
        return torch.stack([to_float(self.pixels[index]) for index in indices])

    def sha256(self) -> str:
        """Of the pixels: two machines hold the same images if it is the same."""
        return hashlib.sha256(np.ascontiguousarray(self.pixels).data).hexdigest()

    def describe_skipped(self) -> str:
        """How many files were left out, and why the first was; empty if none."""
        if not self.skipped:
            return ""
        name, reason = next(iter(self.skipped.items()))
        return f"{len(self.skipped)} skipped, the first: {name} ({reason})"


@lru_cache(maxsize=16)
def epoch_plan(count: int, seeds: tuple[int, ...], epoch: int) -> tuple[np.ndarray, ...]:
    """What is random about an epoch.

    Returns:
        Its order (count,), which places are mirrored (count,), crop corners (count, 2) in [0, 1), and amounts
        (count, 4) in [-1, 1) for `moved`.
    """
    generator = np.random.default_rng([*seeds, epoch])
    order, mirrored = generator.permutation(count), generator.random(count) < 0.5
    return order, mirrored, generator.random((count, 2)), generator.uniform(-1, 1, (count, 4))


def moved(image: Tensor, right: float, down: float, turn: float, zoom: float) -> Tensor:
    """An image (3, H, W), moved, turned and zoomed by amounts in [-1, 1] of the most; its edge goes on outside."""
    from torchvision.transforms.v2 import functional as transforms

    height, width = shape_of(image)
    wide = transforms.pad(image, [width // 4, height // 4], padding_mode="edge")
    shift = [FARTHEST * width * right, FARTHEST * height * down]
    bilinear = transforms.InterpolationMode.BILINEAR
    placed = transforms.affine(wide, MOST_TURNED * turn, shift, LARGEST**zoom, [0.0], interpolation=bilinear)
    return transforms.center_crop(placed, [height, width])


def to_float(pixels: np.ndarray) -> Tensor:
    """uint8 (..., H, W, 3) as (..., 3, H, W) in [0, 1]."""
    return torch.from_numpy(np.array(pixels)).movedim(-1, -3).float() / 255


def contact_sheet(sources: Sequence[ImageSource], count: int = 16) -> Tensor:
    """Some images of each source, a row a source: (1, 3, H, W) in [0, 1].

    Sources of equal length show the same numbers, so that aligned ones can be compared.
    Those of different sizes are shown at the size of the largest.
    """
    from torchvision.utils import make_grid

    size = tuple(max(sides) for sides in zip(*(source.pixels.shape[1:3] for source in sources), strict=True))
    chosen = [epoch_plan(len(source), (0,), 0)[0][:count] for source in sources]
    rows = [resize(source.take(numbers), (size[0], size[1])) for source, numbers in zip(sources, chosen, strict=True)]
    white = torch.ones(1, 3, *size)
    filled = [torch.cat([row, white.expand(max(map(len, rows)) - len(row), -1, -1, -1)]) for row in rows]
    return make_grid(torch.cat(filled), nrow=len(filled[0]), padding=2, pad_value=1.0)[None]

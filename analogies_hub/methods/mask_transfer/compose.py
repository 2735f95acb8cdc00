"""Paint at the model's size, picture at its own: masks enlarged, thresholded, and nothing else touched."""

from dataclasses import dataclass
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from ...errors import ImageError
from ...filters import blur, resize, shape_of

SOFT, HARD = "soft", "hard"
SAME, DIFFERENT = 0.02, 0.08  # how much a channel differs at most where a patch is not needed, and where it fully is
CRISP = 5  # how much steeper at most an enlarged mask's edges are made; beyond, steps of the small one show
EDGE = 0.4  # of the mask beside it: where an enlarged mask's edge lies; what covers half a pixel should stay


class Square(NamedTuple):
    """The part of a picture that a model sees, in pixels."""

    top: int
    left: int
    side: int


@dataclass(frozen=True)
class Edge:
    """How a mask ends.

    Attributes:
        threshold: below it a mask counts as nothing.
        style: soft leaves what is above as it is, hard makes it 1.
        grow: how far the mask is widened, as a share of the square's side.
        feather: standard deviation of a blur of its edge, as a share of the square's side.
    """

    threshold: float
    style: str = SOFT
    grow: float = 0.0
    feather: float = 0.0

    def of(self, mask: Tensor) -> Tensor:
        """A model's mask (B, 1, R, R) in [0, 1] with this edge."""
        side = mask.shape[-1]
        mask = torch.where(mask < self.threshold, 0.0, mask if self.style == SOFT else 1.0)
        if reach := round(self.grow * side):
            mask = F.max_pool2d(mask, 2 * reach + 1, stride=1, padding=reach)
        return blur(mask, self.feather * side).clamp(0, 1) if self.feather * side >= 0.25 else mask


class View(NamedTuple):
    """Another look at pictures, by which nothing is lost.

    Args:
        right, down: how far they are rolled, in pixels.
        mirrored: whether left and right are changed as well.
    """

    right: int
    down: int
    mirrored: bool

    def of(self, images: Tensor) -> Tensor:
        """Pictures (B, C, H, W) as this view shows them."""
        rolled = images.roll((self.down, self.right), (2, 3))
        return rolled.flip(3) if self.mirrored else rolled

    def back(self, images: Tensor) -> Tensor:
        """The pictures that this view shows as these (B, C, H, W)."""
        return (images.flip(3) if self.mirrored else images).roll((-self.down, -self.right), (2, 3))


OTHER_VIEWS = View(1, 2, True), View(2, -1, False), View(-1, 1, True)  # more of them add little


def middle(images: Tensor) -> Square:
    """The largest square in the middle of pictures (B, C, H, W)."""
    height, width = shape_of(images)
    side = min(height, width)
    return Square((height - side) // 2, (width - side) // 2, side)


def around(images: Tensor, box: tuple[int, int, int, int]) -> Square:
    """The square around a box (left, top, width, height), moved and shrunk to lie within pictures (B, C, H, W).

    Raises:
        ImageError: if the box does not lie within them.
    """
    (height, width), (left, top, wide, tall) = shape_of(images), box
    if left + wide > width or top + tall > height:
        raise ImageError(f"the box {','.join(map(str, box))} reaches beyond the picture of {width} x {height} pixels")
    side = min(max(wide, tall), height, width)
    down, right = top + (tall - side) // 2, left + (wide - side) // 2
    return Square(min(max(0, down), height - side), min(max(0, right), width - side), side)


def cut(images: Tensor, square: Square) -> Tensor:
    """The part (B, C, side, side) of pictures; a view."""
    top, left, side = square
    return images[..., top : top + side, left : left + side]


def enlarged(mask: Tensor, side: int, threshold: float, crisp: bool = False) -> Tensor:
    """A mask (B, 1, R, R) at (B, 1, side, side), with nothing below the threshold.

    Enlarging makes small values beside large ones; they would be seen as a veil.

    Args:
        crisp: make edges steeper, which are as wide as a pixel of the small mask: glasses have outlines. What
            fills in where something was taken away had better blend.
    """
    steepness, size = min(CRISP, side / mask.shape[-1]), (side, side)
    if not crisp or steepness <= 1:
        large = F.interpolate(mask, size, mode="bilinear", align_corners=False)
    else:
        beside = F.interpolate(F.max_pool2d(mask, 3, stride=1, padding=1), size, mode="bilinear", align_corners=False)
        share = resize(mask, size).div_(beside.clamp(min=1e-3))
        large = share.sub_(EDGE).mul_(steepness).add_(EDGE).clamp_(0, 1).mul_(beside)
    return torch.where(large < threshold, 0.0, large)


def needed(mask: Tensor, photo: Tensor, patch: Tensor) -> Tensor:
    """A mask (B, 1, H, W), less where a patch is nearly what the photo shows anyway, each (B, 3, H, W) in [0, 1].

    A mask that reaches beyond glasses lies on skin, too, whose colour the patch does not quite meet; pixels
    of the photo are better. A ramp, since at a step single pixels would stand out.
    """
    difference = (photo - patch).abs_().amax(1, keepdim=True)
    return difference.sub_(SAME).div_(DIFFERENT - SAME).clamp_(0, 1).mul_(mask)


def composed(photo: Tensor, square: Square, patch: Tensor, mask: Tensor) -> Tensor:
    """A patch laid over a photo by a mask; pixels where the mask is 0 are the photo's, to the bit.

    Args:
        photo: (B, 3, H, W) in [0, 1].
        patch: (B, 3, R, R) in [0, 1], of any size.
        mask: (B, 1, side, side) in [0, 1].
    """
    result = photo.clone()
    cut(result, square).lerp_(resize(patch, (square.side, square.side)), mask)  # by 0: the very same number
    return result


def placed(mask: Tensor, square: Square, photo: Tensor) -> Tensor:
    """A mask (B, 1, side, side) in the frame of its photo: (B, 1, H, W), 0 around the square."""
    whole = mask.new_zeros(len(mask), 1, *shape_of(photo))
    cut(whole, square).copy_(mask)
    return whole

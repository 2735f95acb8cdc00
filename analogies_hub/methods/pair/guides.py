"""Guides: maps of an image that say where things are, in terms two images share.

A guide compares the arrangement of A with places in B: it is added to the patches as further
dimensions. Each map is of ranks, so that light, rare or busy means the same in both images
whatever their palettes.
"""

import torch
from torch import Tensor

from ...filters import blur, gradient, luminance, ranks, resize, same_area

LAYOUT_SIDE = 96  # layout is a matter of the whole picture; finer maps cost time and add noise
RARITY_SCALE = 0.1  # how far apart two colours must be to count as different, RGB in [0, 1]
RARITY_SAMPLES = 1024


def layout_guides(image: Tensor, size: tuple[int, int]) -> Tensor:
    """Where the objects and grounds are: (1, 3, H, W) of how light, how rare, how busy.

    Args:
        image: RGB (1, 3, H, W) in [0, 1].
        size: (height, width) of the result.
    """
    side = min(LAYOUT_SIDE, (size[0] * size[1]) ** 0.5)
    small = resize(image, same_area(image, side))
    maps = [blur(luminance(small), 1.0), -commonness(small), local_variance(small, 1.5)]
    return resize(torch.cat([ranks(each) for each in maps], 1), size)


def commonness(image: Tensor) -> Tensor:
    """How many places have about this place's colour: (1, 1, H, W)."""
    colours = blur(image, 1.0).flatten(2)[0].T
    chosen = torch.linspace(0, len(colours) - 1, min(len(colours), RARITY_SAMPLES), device=image.device)
    apart = torch.cdist(colours, colours[chosen.long()])
    return torch.exp(-(apart**2) / (2 * RARITY_SCALE**2)).mean(1).view(1, 1, *image.shape[-2:])


def local_variance(image: Tensor, sigma: float) -> Tensor:
    """Variance of the colours around each place: (1, 1, H, W)."""
    variance = blur(image.square(), sigma) - blur(image, sigma).square()
    return variance.clamp(min=0).sum(1, keepdim=True)


def line_guides(image: Tensor, size: tuple[int, int]) -> Tensor:
    """Where the lines are and which way they run: (1, 3, H, W).

    The first map ranks how light a place is against its surroundings; the other two are the
    cosine and sine of twice the direction, half as long, shorter where no direction prevails.
    """
    grey = luminance(resize(image, size))
    surroundings = (size[0] * size[1]) ** 0.5 / 12
    dx, dy = gradient(blur(grey, 0.7))
    tensor = blur(torch.cat([dx * dx - dy * dy, 2 * dx * dy, dx * dx + dy * dy], 1), 1.5)
    strength = tensor[:, 2:] + 1e-3 * tensor[:, 2:].mean() + 1e-8
    return torch.cat([ranks(blur(grey, 0.6) - blur(grey, surroundings)), 0.5 * tensor[:, :2] / strength], 1)

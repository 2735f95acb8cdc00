"""Pure functions on image tensors (B, C, H, W) that methods and scores share."""

import torch
import torch.nn.functional as F
from torch import Tensor

LUMINANCE = (0.299, 0.587, 0.114)  # ITU-R BT.601


def resize(image: Tensor, size: tuple[int, int]) -> Tensor:
    """Images (B, C, H, W) at (height, width), bicubic with antialiasing, each within its old range."""
    if shape_of(image) == size:
        return image
    resized = F.interpolate(image, size=size, mode="bicubic", antialias=True, align_corners=False)
    low, high = (bound.view(-1, 1, 1, 1) for bound in image.flatten(1).aminmax(dim=1))
    return torch.minimum(torch.maximum(resized, low), high)


def shape_of(image: Tensor) -> tuple[int, int]:
    """The (height, width) of images (..., H, W)."""
    return image.shape[-2], image.shape[-1]


def same_area(image: Tensor, side: float) -> tuple[int, int]:
    """The (height, width) in the image's proportions whose area is side x side."""
    height, width = shape_of(image)
    scale = side / (height * width) ** 0.5
    return max(1, round(height * scale)), max(1, round(width * scale))


def luminance(image: Tensor) -> Tensor:
    """RGB images (B, 3, H, W) to grey (B, 1, H, W)."""
    weights = torch.tensor(LUMINANCE, dtype=image.dtype, device=image.device)
    return (image * weights.view(1, 3, 1, 1)).sum(1, keepdim=True)


def blur(image: Tensor, sigma: float) -> Tensor:
    """Gaussian blur of (B, C, H, W) with `sigma` in pixels, edges repeated."""
    radius = int(3 * sigma + 0.5)
    steps = torch.arange(-radius, radius + 1, dtype=image.dtype, device=image.device)
    kernel = torch.exp(-(steps**2) / (2 * sigma**2))
    channels = image.shape[1]
    kernel = (kernel / kernel.sum()).repeat(channels, 1, 1)
    image = F.conv2d(F.pad(image, (radius, radius, 0, 0), mode="replicate"), kernel[:, :, None], groups=channels)
    return F.conv2d(F.pad(image, (0, 0, radius, radius), mode="replicate"), kernel[..., None], groups=channels)


def gradient(grey: Tensor) -> tuple[Tensor, Tensor]:
    """Central differences of (B, 1, H, W) along x and along y, edges repeated."""
    padded = F.pad(grey, (1, 1, 1, 1), mode="replicate")
    return padded[..., 1:-1, 2:] - padded[..., 1:-1, :-2], padded[..., 2:, 1:-1] - padded[..., :-2, 1:-1]


def ranks(values: Tensor) -> Tensor:
    """Each value's rank in (0, 1], equal values sharing their mean rank; any shape.

    >>> ranks(torch.tensor([3.0, 1.0, 3.0, 2.0])).tolist()
    [0.875, 0.25, 0.875, 0.5]
    """
    _, place, counts = torch.unique(values, return_inverse=True, return_counts=True)
    twice_mean = 2 * counts.cumsum(0) - counts + 1
    return (twice_mean.to(values.dtype) / (2 * values.numel()))[place]

"""The judges' networks: small, for 64 px faces, with numbers in and shapes in the docstrings."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def conv(width_in: int, width_out: int, stride: int = 1) -> nn.Sequential:
    """3x3 convolution, batch norm, ReLU."""
    return nn.Sequential(
        nn.Conv2d(width_in, width_out, 3, stride, padding=1, bias=False),
        nn.BatchNorm2d(width_out),
        nn.ReLU(inplace=True),
    )


class PlainTrunk(nn.Sequential):
    """(B, 3, H, W) in [0, 1] -> features (B, 128, H/8, W/8): six convolutions."""

    width = 128

    def __init__(self) -> None:
        super().__init__(conv(3, 32, 2), conv(32, 48), conv(48, 64, 2), conv(64, 96), conv(96, 128, 2), conv(128, 128))


def taps(trunk: nn.Sequential, images: Tensor) -> dict[str, Tensor]:
    """(B, 3, H, W) in [0, 1] -> every second layer's activations: in `PlainTrunk` the last at each stride."""
    maps, features = {}, images
    for place, layer in enumerate(trunk, start=1):
        features = layer(features)
        if place % 2 == 0:
            maps[f"layer{place}"] = features
    return maps


class Residual(nn.Module):
    """Two 3x3 convolutions with group norm, added to the input."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.GroupNorm(4, width),
            nn.SiLU(),
            nn.Conv2d(width, width, 3, padding=1),
            nn.GroupNorm(4, width),
            nn.SiLU(),
            nn.Conv2d(width, width, 3, padding=1),
        )

    def forward(self, features: Tensor) -> Tensor:
        """(B, C, H, W) -> the same shape."""
        return features + self.body(features)


class ResidualTrunk(nn.Sequential):
    """(B, 3, H, W) in [0, 1] -> features (B, 96, H/8, W/8): another shape than `PlainTrunk`, on purpose."""

    width = 96

    def __init__(self) -> None:
        super().__init__(
            nn.Conv2d(3, 24, 5, stride=2, padding=2),
            Residual(24),
            nn.Conv2d(24, 48, 2, stride=2),
            Residual(48),
            nn.Conv2d(48, 96, 2, stride=2),
            Residual(96),
            nn.GroupNorm(4, 96),
            nn.SiLU(),
        )


class AttributeNet(nn.Module):
    """Which of the attributes a face shows."""

    def __init__(self, trunk: PlainTrunk | ResidualTrunk, attributes: int) -> None:
        super().__init__()
        self.trunk = trunk
        self.head = nn.Linear(trunk.width, attributes)
        self.register_buffer("spread", torch.ones(trunk.width))

    spread: Tensor  # standard deviation of each feature over the training faces; distances depend on scale

    def features(self, images: Tensor) -> Tensor:
        """(B, 3, H, W) in [0, 1] -> (B, width), each feature of deviation 1 over the training faces."""
        return self.trunk(images).mean((2, 3)) / self.spread

    def forward(self, images: Tensor) -> Tensor:
        """(B, 3, H, W) in [0, 1] -> logits (B, attributes)."""
        return self.head(self.trunk(images).mean((2, 3)))


class IdentityNet(nn.Module):
    """Whose face it is, whatever it wears: a point on the unit sphere."""

    def __init__(self, trunk: PlainTrunk, width: int) -> None:
        super().__init__()
        self.trunk = trunk
        self.head = nn.Linear(trunk.width * 16, width)

    def features(self, images: Tensor) -> Tensor:
        """(B, 3, H, W) in [0, 1] -> (B, width), each of norm 1."""
        return F.normalize(self.head(F.adaptive_avg_pool2d(self.trunk(images), 4).flatten(1)), dim=1)

    def forward(self, images: Tensor) -> Tensor:
        """The features: (B, 3, H, W) in [0, 1] -> (B, width)."""
        return self.features(images)

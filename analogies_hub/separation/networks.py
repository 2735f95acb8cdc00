"""Encoders, critics, and the published decoder. Numbers in, shapes in the docstrings.

`Published*` are the papers' networks: convolutions of kernel 4 and stride 2 with instance
norm, after Fader Networks. `Compact*` are ours. They start from blocks of pixels, where a
convolution costs little; their common code is coarse, since only from a coarse one can an
attribute be kept out; details of the picture are codes of their own, each of a small block;
a separate code is one vector for the whole picture; and they keep amplitudes, which instance
norm throws away.
"""

import itertools
import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

CODE_SIDE = 8  # cells along a side of a compact common code, or more where a size cannot be halved often enough
DETAIL_BLOCK = 4  # pixels along a side of what one detail describes
LOOK_SIDE = 32  # blocks of pixels along a side that a compact separate encoder starts from
GROUP = 16  # channels that are normalised together
WIDEST = 4  # times the width of the finest layers, at most
LATENT = 512  # channels of the published code, common and separate together


class NormAct(nn.GroupNorm):
    """Group norm and SiLU, in one module: on one small picture modules take as long as their sums."""

    def __init__(self, width: int, abreast: int = 1) -> None:
        super().__init__(abreast * math.gcd(max(1, width // GROUP), width), abreast * width)

    def forward(self, features: Tensor) -> Tensor:
        """(B, width, H, W) -> the same shape."""
        return F.silu(torch.group_norm(features, self.num_groups, self.weight, self.bias, self.eps))


class Residual(nn.Sequential):
    """Two 3x3 convolutions, each after group norm and SiLU, added to their input.

    Args:
        abreast: how many networks of this width stand side by side in it, as groups of channels.
    """

    def __init__(self, width: int, abreast: int = 1) -> None:
        layers = (layer for _ in range(2) for layer in (NormAct(width, abreast), conv3(width, width, abreast)))
        super().__init__(*layers)

    def forward(self, features: Tensor) -> Tensor:
        """(B, width, H, W) -> the same shape."""
        return features + super().forward(features)


def conv3(width_in: int, width_out: int, abreast: int = 1) -> nn.Conv2d:
    """3x3 convolution that keeps the sides, of each of some networks."""
    return nn.Conv2d(abreast * width_in, abreast * width_out, 3, padding=1, groups=abreast)


def halve(width_in: int, width_out: int, abreast: int = 1) -> nn.Conv2d:
    """4x4 convolution that halves the sides, of each of some networks."""
    return nn.Conv2d(abreast * width_in, abreast * width_out, 4, stride=2, padding=1, groups=abreast)


def double(width_in: int, width_out: int, abreast: int = 1) -> tuple[nn.Module, nn.Module]:
    """1x1 convolution whose channels become 2x2 pixels each; what it cannot smooth, the next layer does."""
    return nn.Conv2d(abreast * width_in, abreast * 4 * width_out, 1, groups=abreast), nn.PixelShuffle(2)


def halvings(size: int, side: int) -> int:
    """How often a size can be halved to come down to a side, or as near as whole halvings go."""
    times = max(0, round(math.log2(size / side)))
    return next(fewer for fewer in range(times, -1, -1) if size % 2**fewer == 0)


def widths_down_to(width: int, times: int) -> list[int]:
    """Channels of a decoder that doubles its sides some times, coarsest first; at most `WIDEST` times the last."""
    return [min(width * 2**place, WIDEST * width) for place in range(times - 1, -1, -1)]


class CompactCommonEncoder(nn.Sequential):
    """(B, 3, R, R) in [-1, 1] -> common code (B, channels, s, s), s = 8 for R = 32, 64, 128..."""

    def __init__(self, size: int, width: int, channels: int) -> None:
        widths = widths_down_to(width, halvings(size, CODE_SIDE) - 1)[::-1]
        layers: list[nn.Module] = [nn.PixelUnshuffle(4), conv3(3 * 4**2, widths[0])]
        for narrow, wide in itertools.pairwise(widths):
            layers += [Residual(narrow), NormAct(narrow), halve(narrow, wide)]
        super().__init__(*layers, Residual(widths[-1]), NormAct(widths[-1]), nn.Conv2d(widths[-1], channels, 1))


class DetailEncoder(nn.Module):
    """What the common code is too coarse for, block by block, so that no detail tells of its neighbours."""

    def __init__(self, width: int, numbers: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.PixelUnshuffle(DETAIL_BLOCK),
            nn.Conv2d(3 * DETAIL_BLOCK**2, 2 * width, 1),
            nn.SiLU(),
            nn.Conv2d(2 * width, numbers - 1, 1),
        )

    def forward(self, images: Tensor) -> Tensor:
        """(B, 3, R, R) in [-1, 1] -> details (B, numbers, R / 4, R / 4).

        The first number is always 1, and so tells the decoder that the detail is known.
        """
        return F.pad(self.body(images), (0, 0, 0, 0, 1, 0), value=1.0)


class CompactSeparateEncoders(nn.Module):
    """What each attribute looks like in a picture, and whether it is there at all.

    There is a network for each attribute. They stand side by side, as groups of channels of one, since
    a single small picture takes less time so.

    Attributes:
        usual: the mean looks (attributes, numbers - 1) of pictures that show them, as training found them; zeros
            if it never did.
    """

    usual: Tensor

    def __init__(self, size: int, width: int, numbers: int, attributes: int) -> None:
        super().__init__()
        block, wide = 2 ** halvings(size, LOOK_SIDE), 2 * width
        self.trunk = nn.Sequential(
            nn.PixelUnshuffle(block),
            conv3(3 * block**2, width, attributes),
            NormAct(width, attributes),
            halve(width, wide, attributes),
            Residual(wide, attributes),
            NormAct(wide, attributes),
            halve(wide, wide, attributes),
            Residual(wide, attributes),
            NormAct(wide, attributes),
            halve(wide, wide, attributes),
            NormAct(wide, attributes),
        )
        side = size // block // 8
        self.head = nn.Conv2d(attributes * wide, attributes * numbers, side, groups=attributes)
        self.register_buffer("usual", torch.zeros(attributes, numbers - 1))

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """What each network sees (B, attributes, 3, R, R) in [-1, 1] -> codes and logits of presence.

        Returns:
            (B, attributes, numbers, 1, 1) of mean square 1, and (B, attributes).
        """
        looks, presence = self.looks_and_presence(images)
        return self.codes(looks), presence

    def looks_and_presence(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """As `forward`, but looks (B, attributes, numbers - 1) instead of codes."""
        told = self.head(self.trunk(images.flatten(1, 2))).view(*images.shape[:2], -1)
        return told[..., 1:], told[..., 0]

    def codes(self, looks: Tensor) -> Tensor:
        """Looks -> codes (B, attributes, numbers, 1, 1): by how they differ from the usual, at mean square 1.

        The first number is always 1, and so tells the decoder that the attribute is there.
        """
        looks = looks - self.usual
        looks = looks / (looks.square().mean(2, keepdim=True) + 1e-4).sqrt()
        return F.pad(looks, (1, 0), value=1.0)[..., None, None]


class PublishedEncoder(nn.Sequential):
    """(B, 3, R, R) in [-1, 1] -> code (B, widths[-1], R/64, R/64)."""

    def __init__(self, widths: Sequence[int], spectral: bool, normless: int | None = None) -> None:
        """Stride-2 convolutions 3 -> widths[0] -> widths[1]...

        Args:
            spectral: bound each convolution's spectral norm to 1.
            normless: the block without instance norm, from 0; the published DIDD has one by mistake.
        """
        layers: list[nn.Module] = []
        for place, (width_in, width_out) in enumerate(zip([3, *widths], widths, strict=False)):
            convolution: nn.Module = halve(width_in, width_out)
            layers += [spectral_norm(convolution) if spectral else convolution]
            layers += [] if place == normless else [nn.InstanceNorm2d(width_out)]
            layers += [nn.LeakyReLU(0.2)]
        super().__init__(*layers)


class PublishedSeparateEncoders(nn.ModuleDict):
    """Published encoders by attribute, called as `CompactSeparateEncoders`; they cannot tell whether it is there."""

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """What each sees (B, attributes, 3, R, R) in [-1, 1] -> codes (B, attributes, C, h, w), logits above 0."""
        codes = [encoder(seen) for encoder, seen in zip(self.values(), images.unbind(1), strict=True)]
        return torch.stack(codes, 1), images.new_ones(images.shape[:2])


class PublishedDecoder(nn.Module):
    """Common code and separate codes -> the picture, by transposed convolutions."""

    def __init__(self, widths: Sequence[int], spectral: bool) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for width_in, width_out in itertools.pairwise(widths):
            convolution: nn.Module = nn.ConvTranspose2d(width_in, width_out, 4, stride=2, padding=1)
            # The published code takes the norm over the weight's first axis, its input channels.
            layers += [spectral_norm(convolution, dim=0) if spectral else convolution]
            layers += [nn.InstanceNorm2d(width_out), nn.ReLU()]
        self.body = nn.Sequential(*layers, nn.ConvTranspose2d(widths[-1], 3, 4, stride=2, padding=1), nn.Tanh())

    def forward(self, common: Tensor, separate: Sequence[Tensor]) -> Tensor:
        """Common (B, C, s, s), each attribute's (B, D, s, s) -> images (B, 3, 64 s, 64 s) in [-1, 1]."""
        return self.body(torch.cat([common, *separate], dim=1))


class CompactCodeCritic(nn.Sequential):
    """Common code (B, channels, s, s) -> logits (B, outputs) of what its picture shows."""

    def __init__(self, channels: int, side: int, outputs: int) -> None:
        super().__init__(
            conv3(channels, 64),
            nn.LeakyReLU(0.2),
            conv3(64, 64),
            nn.LeakyReLU(0.2),
            nn.Flatten(),
            nn.Linear(64 * side**2, 128),
            nn.LeakyReLU(0.2),
            nn.Linear(128, outputs),
        )


class PictureCritic(nn.Sequential):
    """Images (B, 3, R, R) in [-1, 1] -> logits (B, attributes) of which attributes they show."""

    def __init__(self, size: int, width: int, attributes: int) -> None:
        layers: list[nn.Module] = []
        for narrow, wide in ((3, width), (width, 2 * width), (2 * width, 4 * width)):
            layers += [spectral_norm(halve(narrow, wide)), nn.LeakyReLU(0.2)]
        layers += [halve(4 * width, 2 * width), nn.LeakyReLU(0.2), nn.Flatten()]
        super().__init__(*layers, nn.Linear(2 * width * (size // 16) ** 2, attributes))


class FillCritic(nn.Sequential):
    """Images (B, 3, R, R) in [-1, 1] -> logits (B, 1, R / 8, R / 8): does each neighbourhood look real?"""

    def __init__(self, width: int) -> None:
        layers: list[nn.Module] = []
        for narrow, wide in ((3, width), (width, 2 * width), (2 * width, 4 * width)):
            layers += [halve(narrow, wide), nn.LeakyReLU(0.2)]
        super().__init__(*layers, conv3(4 * width, 1))


class PublishedCodeCritic(nn.Sequential):
    """Common code (B, C, s, s) -> logits (B, outputs) of what its picture shows."""

    def __init__(self, numbers: int, outputs: int) -> None:
        super().__init__(nn.Flatten(), nn.Linear(numbers, 512), nn.LeakyReLU(0.2), nn.Linear(512, outputs))

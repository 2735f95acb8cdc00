"""The encoders and the decoder. Numbers in, shapes in the docstrings.

`Published*` are the papers' networks: convolutions of kernel 4 and stride 2 with instance
norm, after Fader Networks. `Compact*` are ours. They start from blocks of pixels, where a
convolution costs little; their common code is a map, so that a picture comes back sharp; a
separate code is one vector for the whole picture, so that it says what an attribute looks
like and the common code says where it goes; attributes are laid over what the common code
gives; and they keep amplitudes, which instance norm throws away.
"""

import itertools
import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from .config import SeparationConfig

CODE_SIDE = 16  # cells of a compact common code, for 64, 128, 256... px; at 32 px there are 8
GROUP = 16  # channels that are normalised together
LATENT = 512  # channels of the published code, common and separate together


class PixelNorm(nn.Module):
    """Scale the channels of each pixel to mean square 1, then each channel by a weight.

    Source: RMSNorm (Zhang and Sennrich 2019), over channels. Group norm would let a local
    change shift the colours of the whole picture.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width, 1, 1))
        self.bias = nn.Parameter(torch.zeros(width, 1, 1))

    def forward(self, features: Tensor) -> Tensor:
        """(B, width, H, W) -> the same shape."""
        scale = (features.square().mean(1, keepdim=True) + 1e-5).rsqrt()
        return torch.addcmul(self.bias, features * scale, self.weight)


class Residual(nn.Sequential):
    """Two 3x3 convolutions, each after a norm and SiLU, added to their input."""

    def __init__(self, width: int, local: bool = False) -> None:
        super().__init__(*norm_act(width, local), conv3(width, width), *norm_act(width, local), conv3(width, width))

    def forward(self, features: Tensor) -> Tensor:
        """(B, width, H, W) -> the same shape."""
        return features + super().forward(features)


def conv3(width_in: int, width_out: int) -> nn.Conv2d:
    """3x3 convolution that keeps the sides."""
    return nn.Conv2d(width_in, width_out, 3, padding=1)


def halve(width_in: int, width_out: int) -> nn.Conv2d:
    """4x4 convolution that halves the sides."""
    return nn.Conv2d(width_in, width_out, 4, stride=2, padding=1)


def double(width_in: int, width_out: int) -> tuple[nn.Module, nn.Module]:
    """3x3 convolution whose channels become 2x2 pixels each."""
    return conv3(width_in, 4 * width_out), nn.PixelShuffle(2)


def norm_act(width: int, local: bool = False) -> tuple[nn.Module, nn.Module]:
    """Group norm, or a norm of each pixel alone, and SiLU."""
    return PixelNorm(width) if local else nn.GroupNorm(math.gcd(max(1, width // GROUP), width), width), nn.SiLU()


def halvings(size: int, side: int) -> int:
    """How often a size is halved to come down to a side, or as near as whole halvings go."""
    return max(0, round(math.log2(size / side)))


def code_halvings(size: int) -> int:
    """How often a size is halved to become the side of its compact common code: at least twice."""
    return max(2, halvings(size, CODE_SIDE))


class CompactCommonEncoder(nn.Sequential):
    """(B, 3, R, R) in [-1, 1] -> common code (B, channels, s, s), s = 16 for R = 64, 128..."""

    def __init__(self, size: int, width: int, channels: int) -> None:
        blocks = min(2, code_halvings(size) - 1)  # log2 of the side of a block of pixels
        halved = code_halvings(size) - blocks
        widths = [max(GROUP, 2 * width >> (halved - place)) for place in range(halved + 1)]
        layers: list[nn.Module] = [nn.PixelUnshuffle(2**blocks), conv3(3 * 4**blocks, widths[0])]
        for narrow, wide in itertools.pairwise(widths):
            layers += [Residual(narrow), *norm_act(narrow), halve(narrow, wide)]
        super().__init__(*layers, Residual(widths[-1]), *norm_act(widths[-1]), nn.Conv2d(widths[-1], channels, 1))


class CompactSeparateEncoder(nn.Module):
    """What an attribute looks like in a picture, and whether it is there at all.

    The look is read where there is evidence of the attribute, so its code cannot hold what is
    elsewhere in the picture. The evidence is a class activation map (Zhou et al. 2016) with
    weights of each place's own.
    """

    def __init__(self, size: int, width: int, numbers: int) -> None:
        super().__init__()
        block = 2 ** code_halvings(size)
        self.trunk = nn.Sequential(
            nn.PixelUnshuffle(block),
            conv3(3 * block**2, width),
            *norm_act(width, local=True),
            conv3(width, 2 * width),
            *norm_act(2 * width, local=True),
            nn.Flatten(2),
        )
        cells = (size // block) ** 2
        self.weight = nn.Parameter(torch.randn(2 * width, cells) * (2 * width * cells) ** -0.5)
        self.bias = nn.Parameter(torch.zeros(()))
        self.look = nn.Linear(2 * width, numbers - 1)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """(B, 3, R, R) in [-1, 1] -> code (B, numbers, 1, 1) of mean square 1, logit of presence (B,).

        The first number is always 1, and so tells the decoder that the attribute is there.
        """
        features = self.trunk(images)
        evidence = (features * self.weight).sum(1)
        shares = F.relu(evidence) + 1e-4
        look = self.look((features * (shares / shares.sum(1, keepdim=True))[:, None]).sum(-1))
        look = look / (look.square().mean(1, keepdim=True) + 1e-4).sqrt()
        return F.pad(look, (1, 0), value=1.0)[..., None, None], evidence.sum(1) + self.bias


class CompactDecoder(nn.Module):
    """Common code and separate codes -> the picture: what all have in common, and attributes laid over it."""

    def __init__(self, size: int, width: int, common: int, separate: int) -> None:
        super().__init__()
        doubled = code_halvings(size)
        widths = [max(GROUP, 2 * width >> place) for place in range(doubled)]
        wide = widths[0]
        self.trunk = nn.Sequential(conv3(common, wide), Residual(wide, local=True))
        self.base = nn.Sequential(Residual(wide, local=True), *self.to_pixels(widths, 3), nn.Tanh())
        self.over = nn.Sequential(conv3(wide + separate, wide), Residual(wide, local=True), *self.to_pixels(widths, 4))

    @staticmethod
    def to_pixels(widths: Sequence[int], channels: int) -> list[nn.Module]:
        """Double the sides once for each width."""
        last = widths[-1]
        layers = [layer for pair in itertools.pairwise(widths) for layer in double(*pair)]
        layers += [*norm_act(last, local=True), conv3(last, last), *norm_act(last, local=True)]
        return [*layers, *double(last, channels)]

    def layers(self, common: Tensor, separate: Sequence[Tensor]) -> tuple[Tensor, Tensor, Tensor]:
        """What the picture is made of.

        Args:
            common: (B, C, s, s).
            separate: each attribute's code (B, D, 1, 1); the first number says how much of it is there.

        Returns:
            The picture without any attribute (B, 3, R, R) in [-1, 1], what is laid over it, and
            how opaque that is (B, 1, R, R) in [0, 1].
        """
        features = self.trunk(common)
        spread = [code.expand(-1, -1, *common.shape[-2:]) for code in separate]
        colours, opacity = self.over(torch.cat([features, *spread], dim=1)).split((3, 1), dim=1)
        present = torch.stack([code[:, :1] for code in separate]).amax(0)
        return self.base(features), colours.tanh(), opacity.sigmoid() * present

    def forward(self, common: Tensor, separate: Sequence[Tensor]) -> Tensor:
        """Common (B, C, s, s), each attribute's (B, D, 1, 1) -> images (B, 3, R, R) in [-1, 1]."""
        base, colours, opacity = self.layers(common, separate)
        return torch.lerp(base, colours, opacity)


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


class PublishedSeparateEncoder(PublishedEncoder):
    """A published encoder as `CompactSeparateEncoder` is called; it cannot tell whether an attribute is there."""

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """(B, 3, R, R) in [-1, 1] -> code (B, C, R/64, R/64), logits (B,) that are always positive."""
        return super().forward(images), torch.ones(len(images), device=images.device)


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


def compact(config: SeparationConfig) -> tuple[nn.Module, nn.ModuleDict, nn.Module]:
    """Our common encoder, separate encoders by attribute, and decoder."""
    size, width, names = config.size, config.width, config.attributes
    separate = {name: CompactSeparateEncoder(size, width, config.separate) for name in names}
    return (
        CompactCommonEncoder(size, width, config.common),
        nn.ModuleDict(separate),
        CompactDecoder(size, width, config.common, len(names) * config.separate),
    )


class CompactCodeCritic(nn.Sequential):
    """Common code (B, channels, s, s) -> logits (B, outputs) of what its picture shows."""

    def __init__(self, channels: int, side: int, outputs: int) -> None:
        super().__init__(
            halve(channels, 64),
            nn.LeakyReLU(0.2),
            conv3(64, 96),
            nn.LeakyReLU(0.2),
            nn.Flatten(),
            nn.Linear(96 * (side // 2) ** 2, outputs),
        )


class PublishedCodeCritic(nn.Sequential):
    """Common code (B, C, s, s) -> logits (B, outputs) of what its picture shows."""

    def __init__(self, numbers: int, outputs: int) -> None:
        super().__init__(nn.Flatten(), nn.Linear(numbers, 512), nn.LeakyReLU(0.2), nn.Linear(512, outputs))

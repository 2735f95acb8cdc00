"""The published networks of mask based content transfer. Numbers in, shapes in the docstrings."""

import itertools
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from ...separation.config import SeparationConfig
from ...separation.model import Networks
from ...separation.networks import LATENT, PublishedSeparateEncoders, halve

SLOPE = 0.2


def published(config: SeparationConfig) -> Networks:
    """The common encoder, separate encoder and both decoders of rmokady/mbu-content-tansfer."""
    first = [config.width * 2**place for place in range(4)]
    rest, separate = LATENT - config.separate, config.separate
    slim = [*first[:3], first[2], first[2], separate]
    return (
        Encoder([*first, rest, rest]),
        PublishedSeparateEncoders({name: Encoder(slim) for name in config.attributes}),
        Decoder([LATENT, LATENT, *reversed(first)], separate),
        None,
    )


def normed(convolution: nn.Conv2d | nn.ConvTranspose2d) -> tuple[nn.Module, ...]:
    """A convolution, batch norm, and what the published code has after both, in decoders too."""
    return convolution, nn.BatchNorm2d(convolution.out_channels), nn.LeakyReLU(SLOPE)


class Encoder(nn.Sequential):
    """(B, 3, R, R) in [-1, 1] -> code (B, widths[-1], R/64, R/64)."""

    def __init__(self, widths: Sequence[int]) -> None:
        pairs = itertools.pairwise([3, *widths])
        super().__init__(*(layer for pair in pairs for layer in normed(halve(*pair))))


class Trunk(nn.Sequential):
    """Code (B, widths[0], s, s) -> (B, channels, 64 s, 64 s), not yet squashed."""

    def __init__(self, widths: Sequence[int], channels: int) -> None:
        pairs = itertools.pairwise(widths)
        layers = [layer for pair in pairs for layer in normed(nn.ConvTranspose2d(*pair, 4, stride=2, padding=1))]
        super().__init__(*layers, nn.ConvTranspose2d(widths[-1], channels, 4, stride=2, padding=1))


class Decoder(nn.Module):
    """The plain decoder and the mask decoder, which share nothing.

    The published code's plain decoder is trained with a separate code of zeros, so the weights
    for it stay as they began; and yet it is fed the code in removal. Here it always gets zeros.
    """

    def __init__(self, widths: Sequence[int], separate: int) -> None:
        super().__init__()
        self.separate = separate
        self.plain = Trunk(widths, 3)
        self.mask = Trunk(widths, 1 + 3)

    def forward(self, common: Tensor, separate: Sequence[Tensor]) -> Tensor:
        """Common (B, C, s, s), the attribute's (B, D, s, s) -> the attribute painted over the plain picture."""
        base = self.ground(common)
        patch, mask = self.painted(common, separate, base)
        return torch.lerp(base, patch, mask)

    def ground(self, common: Tensor) -> Tensor:
        """Common (B, C, s, s) -> the picture without the attribute (B, 3, R, R) in [-1, 1]."""
        nothing = common.new_zeros(len(common), self.separate, *common.shape[2:])
        return torch.tanh(self.plain(torch.cat([common, nothing], dim=1)))

    def painted(self, common: Tensor, separate: Sequence[Tensor], base: Tensor) -> tuple[Tensor, Tensor]:
        """What is painted (B, 3, R, R) in [-1, 1], and where (B, 1, R, R) in [0, 1]; `base` is not looked at."""
        mask, patch = self.mask(torch.cat([common, *separate], dim=1)).split((1, 3), dim=1)
        return torch.tanh(patch), torch.sigmoid(mask)

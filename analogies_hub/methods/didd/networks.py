"""The published networks of DIDD, and our critic of pictures. Numbers in, shapes in the docstrings."""

from torch import nn
from torch.nn.utils.parametrizations import spectral_norm

from ...separation.config import SeparationConfig
from ...separation.model import Networks
from ...separation.networks import LATENT, PublishedDecoder, PublishedEncoder, PublishedSeparateEncoder, halve


def published(config: SeparationConfig) -> Networks:
    """The common encoder, separate encoders and decoder of sagiebenaim/DomainIntersectionDifference.

    The common encoder's second block has no norm there: it is added to the first block's
    list after that block was built.
    """
    first = [config.width * 2**place for place in range(4)]
    separate, names = config.separate, config.attributes
    common = [*first, LATENT - separate, LATENT - separate * len(names)]
    return (
        PublishedEncoder(common, config.spectral, normless=1),
        nn.ModuleDict({name: PublishedSeparateEncoder([*first, LATENT, separate], config.spectral) for name in names}),
        PublishedDecoder([LATENT, LATENT, *reversed(first)], config.spectral),
        None,
    )


class PictureCritic(nn.Sequential):
    """Images (B, 3, R, R) in [-1, 1] -> logits (B, attributes) of which attributes they show."""

    def __init__(self, size: int, width: int, attributes: int) -> None:
        layers: list[nn.Module] = []
        for narrow, wide in ((3, width), (width, 2 * width), (2 * width, 4 * width)):
            layers += [spectral_norm(halve(narrow, wide)), nn.LeakyReLU(0.2)]
        layers += [halve(4 * width, 2 * width), nn.LeakyReLU(0.2), nn.Flatten()]
        super().__init__(*layers, nn.Linear(2 * width * (size // 16) ** 2, attributes))

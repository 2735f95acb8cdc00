"""The published networks of DIDD."""

from torch import nn

from ...separation.config import SeparationConfig
from ...separation.model import Networks
from ...separation.networks import LATENT, PublishedDecoder, PublishedEncoder, PublishedSeparateEncoder


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

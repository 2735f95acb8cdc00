"""The published networks of DIDD."""

from ...separation.config import SeparationConfig
from ...separation.model import Networks
from ...separation.networks import LATENT, PublishedDecoder, PublishedEncoder, PublishedSeparateEncoders


def published(config: SeparationConfig) -> Networks:
    """The common encoder, separate encoders and decoder of sagiebenaim/DomainIntersectionDifference.

    The common encoder's second block has no norm there: it is added to the first block's
    list after that block was built.
    """
    first = [config.width * 2**place for place in range(4)]
    separate, names = config.separate, config.attributes
    common, slim = [*first, LATENT - separate, LATENT - separate * len(names)], [*first, LATENT, separate]
    return (
        PublishedEncoder(common, config.spectral, normless=1),
        PublishedSeparateEncoders({name: PublishedEncoder(slim, config.spectral) for name in names}),
        PublishedDecoder([LATENT, LATENT, *reversed(first)], config.spectral),
        None,
    )

"""The `content_transfer` pipeline: the operations of common and separate codes, for one attribute."""

from typing import ClassVar

from ...separation.config import SeparationConfig
from ...separation.model import Networks
from ...separation.networks import LATENT, PublishedDecoder, PublishedEncoder, PublishedSeparateEncoders
from ...separation.pipeline import SeparationPipeline
from .config import ContentTransferConfig


def published(config: SeparationConfig) -> Networks:
    """The two encoders and the decoder of oripress/ContentDisentanglement."""
    first = [config.width * 2**place for place in range(4)]
    slim, rest = [*first[:3], first[2], first[2], config.separate], LATENT - config.separate
    return (
        PublishedEncoder([*first, rest, rest], config.spectral),
        PublishedSeparateEncoders({name: PublishedEncoder(slim, config.spectral) for name in config.attributes}),
        PublishedDecoder([LATENT, LATENT, *reversed(first)], config.spectral),
        None,
    )


class ContentTransferPipeline(SeparationPipeline):
    """Moves what only the first image set has; its code of a picture of the second set means nothing."""

    method: ClassVar[str] = "content_transfer"
    config_type: ClassVar[type[ContentTransferConfig]] = ContentTransferConfig
    published = staticmethod(published)
    tells_presence: ClassVar[bool] = False

"""Networks that have learned nothing, and yet find their attributes in every picture, as nothing is drawn without."""

from torch import nn

from ..registry import Method
from ..separation.networks import CompactSeparateEncoders
from ..separation.pipeline import Coder


def untrained(method: Method, preset: str, size: int, **settings: object) -> Coder:
    """A pipeline of a method with common and separate codes, for images of `size` px."""
    pipeline = method.pipeline_type()(method.config(**method.preset(preset) | {"size": size} | settings))
    assert isinstance(pipeline, Coder)
    if isinstance(pipeline.encoder_separate, CompactSeparateEncoders):
        told = pipeline.encoder_separate.head.bias.view(len(pipeline.attributes), -1)  # type: ignore[union-attr]
        nn.init.constant_(told[:, 0], 100.0)
    return pipeline

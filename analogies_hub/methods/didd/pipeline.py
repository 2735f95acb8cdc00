"""The `didd` pipeline: the operations of common and separate codes, for two or more attributes."""

from typing import ClassVar

from ...separation.pipeline import SeparationPipeline
from .config import DiddConfig
from .networks import published


class DiddPipeline(SeparationPipeline):
    """Moves what only one image set has between pictures of any of them."""

    method: ClassVar[str] = "didd"
    config_type: ClassVar[type[DiddConfig]] = DiddConfig
    config: DiddConfig
    published = staticmethod(published)

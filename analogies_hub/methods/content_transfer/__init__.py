"""Content transfer by emerging disentanglement (Press et al., ICLR 2019, arXiv 2001.05017).

The baseline of `didd`: one set of pictures shows something (glasses), the other does not, and
only what the first has gets a separate code. It can put one picture's glasses on another and
take them off; it knows nothing that only the second set has.

The `reference` preset is the published code's networks, losses and numbers: instance norm in
every block, a slim separate encoder, no spectral norm, squared errors, confused codes of both
sets get the second set's label. The `default` preset has the compact networks of `didd` and
absolute errors, so that the two methods can be compared at equal cost; its losses are the
paper's.
"""

from typing import TYPE_CHECKING

from ...registry import Method
from .config import REFERENCE, ContentTransferConfig

if TYPE_CHECKING:
    from ...separation.trainer import SeparationTrainer
    from .pipeline import ContentTransferPipeline


def pipeline_type() -> "type[ContentTransferPipeline]":
    """The pipeline class, imported when first needed since it brings torch."""
    from .pipeline import ContentTransferPipeline

    return ContentTransferPipeline


def build_trainer(pipeline: "ContentTransferPipeline") -> "SeparationTrainer":
    """What trains a pipeline."""
    from ...separation.trainer import SeparationTrainer

    return SeparationTrainer(pipeline)


METHOD = Method(
    name="content_transfer",
    title="Content transfer",
    summary="from two unpaired image sets: move what only the first has (glasses), or take it away; a baseline",
    paper="Emerging Disentanglement in Auto-Encoder Based Unsupervised Image Content Transfer, ICLR 2019",
    config=ContentTransferConfig,
    pipeline_type=pipeline_type,
    needs_weights=True,
    smoke={"size": 32, "width": 16, "common": 4, "separate": 4, "batch": 2, "steps": 4},
    trainer=build_trainer,
    presets={"default": {}, "reference": REFERENCE},
)

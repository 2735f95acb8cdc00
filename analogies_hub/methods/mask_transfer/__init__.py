"""Mask based content transfer (Mokady et al., ICLR 2020, arXiv 1906.06558).

Of two unpaired image sets the first shows something local (glasses, a smile, a beard) that the
second does not. It is put on other pictures, or taken off, only where a mask says so that
nobody has drawn: everything else of the photo stays as it is, at its own size.

| here | paper | published code |
|---|---|---|
| `encoder_common`, `encoder_separate` | E^c, E^s | E1, E2 |
| `decoder.plain` (P), `decoder.mask` (M) | D_A, D_B | d_a, d_b; in its checkpoints decoder, mustacher |
| the first set, the second | B, A | A, B |
| `w_recon`, `w_plain` | L_Recon1 of B, of A | gama, delta |
| `w_same` | L_Recon2 | alpha1, alpha2 |
| `w_common`, `w_code` | L_Cycle, both parts | beta1, beta2 |

The `reference` presets are the published networks, losses and numbers: for glasses, and those
named after other attributes for these. Kept of their quirks, since they change results: batch
norm of both sets apart; confused codes of both sets get the second set's label; the critic's
gradients are not clipped; results go through the separate encoder in training mode. Changed:
the mask decoder runs three times a step instead of four, and the common encoder does not see
translations whose weight is 0 (batch norm counts differ by that); the critic's pass does not
go back into the encoder, where its gradients were thrown away; removal draws with a separate
code of zeros, which is what the plain decoder is trained with.

The `default` preset is ours, and shares networks and training with `didd`: the mask and the
patch are a layer drawn of the separate code alone (`separation.layers`), where the published
code's mask decoder sees the common code, too, which in a picture with glasses helps to draw
them and in one without does not. What is removed is drawn from the common code and from the
details around it. A separate encoder knows whether its attribute is there.
"""

from typing import TYPE_CHECKING, Any

from ...registry import Method
from .config import REFERENCE, REFERENCE_FACIAL_HAIR, REFERENCE_SMILE, MaskTransferConfig

if TYPE_CHECKING:
    from ...separation.trainer import SeparationTrainer
    from .pipeline import MaskTransferPipeline


def pipeline_type() -> "type[MaskTransferPipeline]":
    """The pipeline class, imported when first needed since it brings torch."""
    from .pipeline import MaskTransferPipeline

    return MaskTransferPipeline


def build_trainer(pipeline: "MaskTransferPipeline") -> "SeparationTrainer":
    """What trains a pipeline: the published loop for the published networks, else ours."""
    from ...separation.layers_trainer import LayersTrainer
    from .trainer import MaskTransferTrainer

    return (MaskTransferTrainer if pipeline.config.networks == "published" else LayersTrainer)(pipeline)


def convert(checkpoint: Any, attribute: str) -> "MaskTransferPipeline":
    """A pipeline of a published checkpoint's weights."""
    from .convert import convert

    return convert(checkpoint, attribute)


METHOD = Method(
    name="mask_transfer",
    title="Mask based content transfer",
    summary="local content (glasses, a smile) through a mask the model finds itself: add, remove, replace, segment",
    paper="Mask Based Unsupervised Content Transfer, ICLR 2020, arXiv 1906.06558",
    config=MaskTransferConfig,
    pipeline_type=pipeline_type,
    needs_weights=True,
    smoke={
        "size": 32,
        "width": 16,
        "common": 4,
        "separate": 4,
        "width_critic": 8,
        "batch": 2,
        "steps": 4,
        "steps_alone": 1,
    },
    trainer=build_trainer,
    presets={
        "default": {},
        "reference": REFERENCE,
        "reference_smile": REFERENCE_SMILE,
        "reference_facial_hair": REFERENCE_FACIAL_HAIR,
    },
    convert=convert,
)

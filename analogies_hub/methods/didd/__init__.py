"""Domain Intersection and Domain Difference (Benaim et al., ICCV 2019, arXiv 1908.11628).

From unpaired image sets, a common code of what all pictures have and, for each attribute, a
separate code of what only some have. The paper has two sets with one attribute each.

| here | paper | published code |
|---|---|---|
| `encoder_common`, c | E^c | Ec |
| `encoder_separate`, s | E^s_A, E^s_B | E_a, E_b |
| `decoder` | G | Dec |
| `w_zero`, `w_confusion` | lambda_1, lambda_2 | zero_loss weight 1, discweight |

The `reference` preset is the published code's networks, losses and numbers, with these of its
quirks, since they change results: no norm in the common encoder's second block; spectral norm
of transposed convolutions over the input axis; instance norm on 2x2 codes; confused codes of
both domains get the second domain's label; the critic sees codes of the updated encoder and
its gradients are not clipped. Not kept, since nothing depends on them: biases before a norm
stay but do nothing, the sigmoid is part of the loss, and the critic's pass through the
encoder, whose gradients were thrown away, is not made.

The `default` preset is ours. What it changes, and why:
    - Compact networks (`separation.networks`): no instance norm, so colours and contrast
      survive; the common code is a 16x16 map, so pictures come back sharp; any size from 32 px.
    - Edges count beside colours in every distance of pictures, since blur is cheap in L1.
    - K >= 2 attributes, and sets that show none or several of them at once, so that removing
      and combining are trained; with two sets it is the paper's setting.
    - A separate code is there, with mean square 1, or is zero; the encoder learns to tell which.
      This replaces the zero loss, which shrinks codes everywhere.
    - Separate encoders see moved pictures, so that a code does not say where things are.
    - The common encoder sees most pictures that are only drawn again with a hole, so that
      separate codes are needed.
    - The autoencoder first learns to draw, alone. Confusion from the first step on keeps it
      from ever drawing sharply.
    - Then translations are trained, not hoped for: each step makes some, a critic judges
      whether they look real and show what the guide shows, their separate codes must be like
      the guide's more than like another's, and translated back they must give the picture
      they came from. Going back, translations count as data: pairs that the model made itself.
    - The code critic's answer for confused codes is "cannot tell", one answer an attribute.
    - Critics learn from the codes and translations of the very step; averaged weights.
"""

from typing import TYPE_CHECKING

from ...registry import Method
from .config import GPU, REFERENCE, DiddConfig

if TYPE_CHECKING:
    from ...separation.trainer import SeparationTrainer
    from .pipeline import DiddPipeline


def pipeline_type() -> "type[DiddPipeline]":
    """The pipeline class, imported when first needed since it brings torch."""
    from .pipeline import DiddPipeline

    return DiddPipeline


def trainer(pipeline: "DiddPipeline") -> "SeparationTrainer":
    """What trains a pipeline: the published loop for the published networks, else ours."""
    from ...separation.trainer import SeparationTrainer
    from .trainer import DiddTrainer

    return (SeparationTrainer if pipeline.config.networks == "published" else DiddTrainer)(pipeline)


METHOD = Method(
    name="didd",
    title="Domain intersection and difference",
    summary="from unpaired image sets: move what only some have (glasses, a smile); add, remove, combine, interpolate",
    paper="Domain Intersection and Domain Difference, ICCV 2019, arXiv 1908.11628",
    config=DiddConfig,
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
    trainer=trainer,
    presets={"default": {}, "reference": REFERENCE, "gpu": GPU},
)

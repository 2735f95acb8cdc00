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
      survive; any size from 32 px.
    - The decoder draws a ground from the common code, and over it one layer an attribute, which
      its separate code alone describes: how much it covers, and with what
      (`separation.layers`). Drawn from common and separate codes together, attributes came out
      faint: the common code of a picture with glasses helped to draw them, and that of a
      picture without did not, however well the adversary hid which is which.
    - A layer is drawn as if all faces were in one place, and laid where the common code says: moved,
      turned and zoomed. Otherwise a guide's glasses land where the guide's eyes are: of drawn
      faces, which differ by 4 % of the side, 8 degrees and 8 % in size, perfect glasses would
      have an Edit gain of 0.46, smiles 0.11, facial hair 0.64. Pictures moved by known amounts
      teach where faces are.
    - Separate encoders see the face in the frame of their layer, and only where that is wont to
      be: codes of whole pictures tell their hues, and layers ignore them. The error there counts
      by itself, so that a small attribute counts as much as a large one.
    - The common code is coarse, since a fine one carries attributes whatever an adversary does.
      Beside it are details, each of a block of 4x4 pixels. Training withholds them in
      rectangles, so that the coarse code can draw whatever is missing. Those beneath a layer
      are let go.
    - In use only what changes is drawn: pixels stay where no layer is taken off or laid on, also
      those of attributes that stay. So a code holds a picture's pixels, and its own separate codes.
    - Edges count beside colours in the distance of pictures, since blur is cheap in L1.
    - K >= 2 attributes, and sets that show none or several of them at once; with two sets it
      is the paper's setting.
    - A separate code is there, with mean square 1, or is zero; the encoder learns to tell which.
      This replaces the zero loss, which shrinks codes everywhere. Noise on it leaves room for
      what the common code cannot say, and for nothing else.
    - A separate code says how a look differs from the usual one, the running mean, at mean
      square 1: otherwise the codes of all pictures become the same. The mean of the looks of a
      step gets no gradient, or looks would run away from what is usual.
    - Encoders see faces a little farther from where they are, so that codes cannot tell where that
      is and the common code has to.
    - Covering has a price, so that layers keep to their attribute; at first a little is free.
    - After the first steps, each step also makes some translations and undoes them: the common
      code is asked to be the same with and without an attribute, and to tell what lies beneath.
      The code critic cannot ask for that.
    - A critic that learns to see through translations judges whether they show what they were
      given, where some set shows that; and small parts of pictures are withheld from the common
      code. Otherwise it pays as well to leave an attribute to the common code, and its layer
      never learns it.
    - Small attributes begin with that critic, which is best pleased by loud ones, the same for all.
      So once layers have settled, at 40 % of the steps, it counts half and reaches how much they
      cover, no more their colours.
    - From then on another critic judges whether what is filled in where an attribute was
      taken away looks real, there alone. Reconstruction draws the middle of all that could be
      there: faces without eyes.
    - A layer can borrow a colour of the picture: skin that hides the mouth beneath a smile. In the
      last third (`refine`) colours of its own have a price, or the guide's skin comes along, a halo
      around the mouth; and encoders see faces where they are, so that codes can tell how the
      attribute lies in its face. Sooner, layers of dashes form.
    - Sets of fewer pictures than `few` are moved, turned and zoomed a little: of 40 faces a set,
      layers then take less of the guide's face along.
    - The code critic's answer for confused codes is "cannot tell", one answer an attribute. It
      learns from the codes of the very step; averaged weights.
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


def build_trainer(pipeline: "DiddPipeline") -> "SeparationTrainer":
    """What trains a pipeline: the published loop for the published networks, else ours."""
    from ...separation.layers_trainer import LayersTrainer
    from ...separation.trainer import SeparationTrainer

    return (SeparationTrainer if pipeline.config.networks == "published" else LayersTrainer)(pipeline)


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
    trainer=build_trainer,
    presets={"default": {}, "reference": REFERENCE, "gpu": GPU},
)

"""Structural analogy from a single image pair (Benaim et al. 2020, arXiv 2004.02222).

Given two images and nothing else, draw the second one's material in the first one's
arrangement. The `patch` engine does it without training, by coarse-to-fine replacement of
patches (Granot et al. 2022, arXiv 2103.15545).

Deviations of the `patch` engine from the published patch method, each kept because results
looked better with it, or because it saves time at equal looks:
    - Guides: maps of the two images (how light, how rare, how busy, which way lines run) are
      compared beside the patches, so that A's arrangement survives. Their weight falls to
      nothing within each level, so that every level ends on B's patches alone.
    - The first guess is half A itself, half A in the colours of B that are as light. Either
      alone misleads in some pairs: dark may mean dark, or ground may mean ground.
    - Patches are compared in their leading principal components, at equal contrast whatever
      the picture, so that one alpha and one set of weights serve a night sky and a woodcut.
    - The normalised search is exact up to `exact_side`; above it the coarser level's matches
      are refined by propagation and random search (Barnes et al. 2009, PatchMatch).
    - Patches vote with weights (near the patch's centre, and good matches, count more),
      which keeps small objects and sharp edges that plain averaging loses.
    - One pass over the pyramid, not two; 6 steps a level, not 10; coarsest level 20 to 41 px.

Tried and left out after blind rankings of 10 pairs x 3 seeds: plain averaging, either half of
the first guess alone, and the best of several drafts by score or by how well they translate
back (scores do not choose as eyes do). A second pass was better than the first guesses ranked
with it, takes twice the time, and has not been compared with the one kept.
"""

from typing import TYPE_CHECKING

from ...registry import Method
from .config import PairConfig

if TYPE_CHECKING:
    from .pipeline import PairPipeline


def pipeline_type() -> "type[PairPipeline]":
    """The pipeline class, imported when first needed since it brings torch."""
    from .pipeline import PairPipeline

    return PairPipeline


METHOD = Method(
    name="pair",
    title="Structural analogy",
    summary="from two images only: B's look in A's structure, and the reverse; random variants; other sizes",
    paper="Structural-analogy from a Single Image Pair, Computer Graphics Forum 2020, arXiv 2004.02222",
    config=PairConfig,
    pipeline_type=pipeline_type,
    needs_weights=False,
    smoke={"steps": 2, "fine_steps": 1},
)

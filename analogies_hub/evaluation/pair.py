"""Scores of a structural analogy: B's surface (coherence, completeness), A's structure.

All images are float tensors (1, 3, H, W) in [0, 1]. "B" gave the appearance, "A" the
structure, "y" is the result. The structure scores are partly what the patch engine
optimises, and coherence rewards copying B: read them together, and look at the picture.
"""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from ..methods.pair.filters import blur, ranks, resize, same_area
from ..methods.pair.patches import extract

SCALES = (96, 48, 24)
PATCH = 7


class PairScores(NamedTuple):
    """Scores of one result.

    Attributes:
        coherence: how far y's patches are from B's nearest, in grey levels of 255; 0 is best.
        completeness: how far B's patches are from y's nearest, in grey levels; 0 is best.
        self_similarity: agreement with A in which places look alike, in [-1, 1]; blind to
            any consistent recolouring.
        edges: agreement with A in where the contours are, in [-1, 1].
    """

    coherence: float
    completeness: float
    self_similarity: float
    edges: float


def score(result: Tensor, structure: Tensor, appearance: Tensor) -> PairScores:
    """All scores of one result."""
    return PairScores(
        coherence=patch_distance(result, appearance),
        completeness=patch_distance(appearance, result),
        self_similarity=self_similarity(result, structure),
        edges=edge_agreement(result, structure),
    )

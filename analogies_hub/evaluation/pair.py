"""Scores of a structural analogy: B's surface (coherence, completeness), A's structure.

All images are float tensors (1, 3, H, W) in [0, 1]. B gave the appearance, A the structure,
y is the result. The structure scores are partly what the patch engine optimises, and
coherence rewards copying B: read them together, and look at the picture.
"""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from ..filters import blur, gradient, luminance, ranks, resize, same_area
from ..patches import extract, nearest

SCALES = (96, 48, 24)  # sides in pixels
PATCH = 7
THUMBNAIL = (16, 16)


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


def score_pair(result: Tensor, structure: Tensor, appearance: Tensor) -> PairScores:
    """All scores of a result against A (`structure`) and B (`appearance`)."""
    return PairScores(
        coherence=patch_distance(result, appearance),
        completeness=patch_distance(appearance, result),
        self_similarity=self_similarity(result, structure),
        edges=edge_agreement(result, structure),
    )


def patch_distance(image: Tensor, other: Tensor) -> float:
    """Root mean squared distance of the image's 7x7 patches to the nearest of the other's.

    sqrt(mean_i min_j |p_i - q_j|^2 / 147) in grey levels of 255, averaged over images of
    96, 48 and 24 px (sides of the square of equal area).
    """
    distances = []
    for side in SCALES:
        patches, others = (extract(resize(each, same_area(each, side)), PATCH) * 255 for each in (image, other))
        squares, _ = nearest(patches, others)
        distances.append((squares / patches.shape[1]).mean().sqrt())
    return float(sum(distances) / len(SCALES))


def self_similarity(image: Tensor, other: Tensor) -> float:
    """Rank correlation of all distances among the 3x3 patches of the two 16x16 px thumbnails."""
    compared = [F.pdist(extract(resize(each, THUMBNAIL), 3)) for each in (image, other)]
    return rank_correlation(*compared)


def edge_agreement(image: Tensor, other: Tensor) -> float:
    """Rank correlation of edge strength, freed of its broad trend, at 96 px in the other's shape."""
    size = same_area(other, SCALES[0])
    return rank_correlation(*(edge_strength(resize(each, size)) for each in (image, other)))


def edge_strength(image: Tensor) -> Tensor:
    """Gradient magnitude of the luminance, blurred by 2 px, minus the same blurred by 14 px."""
    dx, dy = gradient(luminance(image))
    magnitude = (dx.square() + dy.square()).sqrt()
    return blur(magnitude, 2.0) - blur(magnitude, 14.0)


def rank_correlation(first: Tensor, second: Tensor) -> float:
    """Spearman's correlation of two tensors of equal size; 0 where one of them is constant."""
    pair = torch.stack([ranks(first.double().flatten()), ranks(second.double().flatten())])
    centred = pair - pair.mean(1, keepdim=True)
    return float((centred[0] * centred[1]).sum() / centred.norm(dim=1).prod().clamp(min=1e-12))

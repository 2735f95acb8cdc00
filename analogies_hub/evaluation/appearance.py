"""What a feature net says of results: how like their truths, and how like real faces, they look."""

from dataclasses import dataclass

import torch
from torch import Tensor

from .counterfactual import Rows, joined
from .features import FeatureNet
from .perceptual import content_distance, content_of, gram_distance, mean_grams, paired_maps, pdist_of, style_distance


@dataclass(frozen=True)
class Reference:
    """Two equally large sets of real faces of the target domain, and the units they give a net's layers.

    Attributes:
        features: of the first set, float64 (N, D).
        grams: by layer, the first set's mean Gram matrix (C, C).
        content_units: by layer, the mean square between unrelated real faces.
        style_units: by layer, how far Gram matrices of the second set are from `grams` in the mean.
    """

    net: FeatureNet
    features: Tensor
    grams: dict[str, Tensor]
    content_units: dict[str, float]
    style_units: dict[str, float]


def refer(net: FeatureNet, real: Tensor, others: Tensor) -> Reference:
    """What a net's scores are measured against.

    Args:
        real, others: real faces of the target domain, of different people, (N, 3, H, W) in [0, 1] each.
    """
    return Reference(
        net,
        net.pooled(real),
        grams=mean_grams(net, real),
        content_units={layer: float(values.mean()) for layer, values in content_distance(net, real, others).items()},
        style_units={layer: distance.single for layer, distance in style_distance(net, others, real).items()},
    )


def appearance_scores(reference: Reference, results: Tensor, truths: Tensor) -> Rows:
    """How pictures look to a net, one value a picture.

    Args:
        results, truths: (N, 3, H, W) in [0, 1].

    Returns:
        `content[net]`: mean square to the truth in each layer, over that between unrelated
        real faces, mean of the layers: 0 is the truth, 1 another face. `style[net]`: squared
        distance of the Gram matrix to the real faces' mean, over that of other real faces,
        mean of the layers: 1 is as real. `pdist[net]`: see `perceptual.pdist`.

    Source: Johnson et al. 2016, eq. 2 to 4, in units that make layers comparable.
    """
    parts: list[Rows] = []
    for found, wanted in paired_maps(reference.net, results, truths):
        content = [value / reference.content_units[layer] for layer, value in content_of(found, wanted).items()]
        distances = gram_distance(found, reference.grams)
        style = [value / reference.style_units[layer] for layer, value in distances.items()]
        parts.append(
            {
                "content": torch.stack(content).mean(0).numpy(),
                "style": torch.stack(style).mean(0).numpy(),
                "pdist": pdist_of(found, wanted).numpy(),
            }
        )
    name = reference.net.name
    return {f"{key}[{name}]": values for key, values in joined(parts).items()}

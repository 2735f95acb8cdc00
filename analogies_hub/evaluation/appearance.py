"""What a feature net says of results: how like their truths, and how like real faces, they look."""

from dataclasses import dataclass

import torch
from torch import Tensor

from .counterfactual import Rows, joined
from .features import FeatureNet, Maps
from .perceptual import content_distance, content_of, gram_distance, maps_of, mean_grams, pdist_of, style_distance

UNIT = 250  # faces are enough for a mean


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
    features = net.pooled(real)
    real, others = real[:UNIT], others[:UNIT]
    return Reference(
        net,
        features,
        grams=mean_grams(net, real),
        content_units={layer: float(values.mean()) for layer, values in content_distance(net, real, others).items()},
        style_units={layer: distance.single for layer, distance in style_distance(net, others, real).items()},
    )


def appearance_scores(reference: Reference, systems: dict[str, Tensor], truths: Tensor) -> dict[str, Rows]:
    """How the pictures of several systems look to a net, one row a picture.

    Args:
        systems: by name, results (N, 3, H, W) in [0, 1].
        truths: what they should be, (N, 3, H, W) in [0, 1].

    Returns:
        By system, `content[net]`: mean square to the truth in each layer, over that between
        unrelated real faces, mean of the layers: 0 is the truth, 1 another face. `style[net]`:
        squared distance of the Gram matrix to the real faces' mean, over that of other real
        faces, mean of the layers: 1 is as real. `pdist[net]`: see `perceptual.pdist`.
        `features[net]`: (N, D), for distances of whole sets.

    Source: Johnson et al. 2016, eq. 2 to 4, in units that make layers comparable.
    """
    parts: dict[str, list[Rows]] = {system: [] for system in systems}
    chunks = zip(*(maps_of(reference.net, images) for images in (truths, *systems.values())), strict=True)
    for wanted, *results in chunks:
        for system, found in zip(systems, results, strict=True):
            parts[system].append(compare_maps(reference, found, wanted))
    name = f"features[{reference.net.name}]"
    return {
        system: joined(parts[system]) | {name: reference.net.pooled(images).numpy()}
        for system, images in systems.items()
    }


def compare_maps(reference: Reference, found: Maps, wanted: Maps) -> Rows:
    """The scores of pictures from their activations and those of their truths."""
    content = content_of(found, wanted)
    style = gram_distance(found, reference.grams)
    scores = {
        "content": torch.stack([content[layer] / unit for layer, unit in reference.content_units.items()]).mean(0),
        "style": torch.stack([style[layer] / unit for layer, unit in reference.style_units.items()]).mean(0),
        "pdist": pdist_of(found, wanted),
    }
    return {f"{name}[{reference.net.name}]": values.numpy() for name, values in scores.items()}

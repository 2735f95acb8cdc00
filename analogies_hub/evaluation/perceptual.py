"""How far pictures are apart in the layers of a feature net: content, style, and how they look.

Images are float (N, 3, H, W) in [0, 1]; results are float64, computed in parts, so that
the activations of many images need no more memory than those of `BATCH`.
"""

from collections.abc import Iterator
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from ..errors import UsageError
from .features import FeatureNet, Maps

BATCH = 32


class StyleDistance(NamedTuple):
    """Squared Frobenius distances of Gram matrices in one layer.

    Attributes:
        average: of the results' mean Gram matrix to the targets' mean. Blind to variety.
        single: mean over results of the distance to the targets' mean.
    """

    average: float
    single: float


def content_distance(net: FeatureNet, first: Tensor, second: Tensor) -> dict[str, Tensor]:
    """|phi(x) - phi(y)|^2 / (C H W) of each pair in each layer: (N,) by layer.

    Source: Johnson et al. 2016, eq. 2. They use relu3_3 of VGG-16, for which there is
        `tv-vgg16`; layers differ in scale, so print each.
    """
    parts = [content_of(one, two) for one, two in paired_maps(net, first, second)]
    return {layer: torch.cat([part[layer] for part in parts]) for layer in parts[0]}


def content_of(first: Maps, second: Maps) -> dict[str, Tensor]:
    """Mean squares between the activations of pairs: (N,) by layer."""
    return {layer: (first[layer] - second[layer]).square().mean((1, 2, 3)) for layer in first}


def pdist(net: FeatureNet, first: Tensor, second: Tensor, mask: Tensor | None = None) -> Tensor:
    """How different two pictures look: (N,) from 0 to 2 after ReLU. LPIPS-like, unlearned.

    Mean over layers of the mean over places of |f/|f| - g/|g||^2. Its scale is not that of
    LPIPS, which weights the channels by people's judgements.

    Args:
        mask: (N, 1, H, W), weights of the pixels; a layer uses their mean under each of its
            places. NaN where there is no weight.

    Source: the sum in Zhang et al. 2018, eq. 1, with w = 1.
    """
    masks = mask.split(BATCH) if mask is not None else [None] * -(-len(first) // BATCH)
    pairs = zip(paired_maps(net, first, second), masks, strict=True)
    return torch.cat([pdist_of(*maps, mask=weight) for maps, weight in pairs])


def pdist_of(first: Maps, second: Maps, mask: Tensor | None = None) -> Tensor:
    """`pdist` from the activations of pairs: (N,)."""
    layers = [apart(normalised(first[layer]), normalised(second[layer]), mask) for layer in first]
    return torch.stack(layers).mean(0)


def normalised(maps: Tensor) -> Tensor:
    """(N, C, H, W) with a norm of 1 over channels at each place; 0 stays 0."""
    return F.normalize(maps, dim=1, eps=1e-10)


def apart(first: Tensor, second: Tensor, mask: Tensor | None) -> Tensor:
    """Mean over places of the squared distance over channels: (N, C, H, W) twice -> (N,)."""
    squares = (first - second).square().sum(1)
    if mask is None:
        return squares.mean((1, 2))
    weight = F.adaptive_avg_pool2d(mask.double(), (squares.shape[1], squares.shape[2]))[:, 0]
    return (squares * weight).sum((1, 2)) / weight.sum((1, 2))


def diversity(net: FeatureNet, images: Tensor, mask: Tensor | None = None) -> Tensor:
    """Mean `pdist` of all pairs among the results for one source: (S,).

    Divide by that of the true results (`statistics.bootstrap_ratio`): 1 is right, 0 is one
    result whatever the guide.

    Args:
        images: K results for each of S sources, (S, K, 3, H, W) in [0, 1].
        mask: (S, 1, H, W), where results may differ.

    Raises:
        UsageError: if there are fewer than 2 results a source.
    """
    if images.ndim != 5 or images.shape[1] < 2:
        raise UsageError(f"diversity needs (sources, 2 or more results, 3, H, W), got {tuple(images.shape)}")
    one, two = torch.triu_indices(images.shape[1], images.shape[1], offset=1)
    values = []
    for place, results in enumerate(images):
        weight = mask[place : place + 1] if mask is not None else None
        layers = [normalised(maps.double()) for maps in net.maps(results, batch=BATCH).values()]
        values.append(torch.stack([apart(layer[one], layer[two], weight).mean() for layer in layers]).mean())
    return torch.stack(values)


def style_distance(net: FeatureNet, results: Tensor, targets: Tensor) -> dict[str, StyleDistance]:
    """How far the Gram matrices of results are from the targets' mean, by layer.

    Layers differ in scale: before averaging them divide each by its value for two sets of
    real images.

    Args:
        results, targets: (N, 3, H, W) and (M, 3, H', W') in [0, 1].

    Source: Johnson et al. 2016, eq. 3 and 4, against a mean of many targets instead of one.
    """
    wanted = mean_grams(net, targets)
    average = {layer: float((mean - wanted[layer]).square().sum()) for layer, mean in mean_grams(net, results).items()}
    parts = [gram_distance(maps, wanted) for maps in maps_of(net, results)]
    return {
        layer: StyleDistance(average[layer], float(torch.cat([p[layer] for p in parts]).mean())) for layer in wanted
    }


def columns(maps: Tensor) -> Tensor:
    """Activations (N, C, H, W) as F (N, C, H W) such that F F^T is their Gram matrix over C H W."""
    return maps.double().flatten(2) / (maps.shape[1] * maps.shape[2] * maps.shape[3]) ** 0.5


def mean_grams(net: FeatureNet, images: Tensor) -> dict[str, Tensor]:
    """The images' mean Gram matrix (C, C), float64, by layer."""
    total: dict[str, Tensor] = {}
    for maps in maps_of(net, images):
        for layer, values in maps.items():
            flat = columns(values).transpose(0, 1).flatten(1)
            total[layer] = total.get(layer, 0) + flat @ flat.T / len(images)
    return total


def gram_distance(maps: Maps, targets: dict[str, Tensor]) -> dict[str, Tensor]:
    """Squared Frobenius distance of each image's Gram matrix to the layer's target (C, C): (N,) by layer.

    The matrices themselves (10 MB an image in the deepest layer of `efflite0`) are not made:
    |G - T|^2 = |F^T F|^2 - 2 tr F^T T F + |T|^2.
    """
    distances = {}
    for layer, target in targets.items():
        flat = columns(maps[layer])
        wide = flat.shape[1] > flat.shape[2]  # then F^T F is smaller than F F^T, and as long
        power = (flat.mT @ flat if wide else flat @ flat.mT).square().sum((1, 2))
        cross = (flat * (target @ flat)).sum((1, 2))
        distances[layer] = (power - 2 * cross + target.square().sum()).clamp(min=0)
    return distances


def maps_of(net: FeatureNet, images: Tensor) -> Iterator[Maps]:
    """The activations of the images in float64, part by part."""
    for part in images.split(BATCH):
        yield {layer: values.double() for layer, values in net.maps(part, batch=BATCH).items()}


def paired_maps(net: FeatureNet, first: Tensor, second: Tensor) -> Iterator[tuple[Maps, Maps]]:
    """The activations of pairs of images, part by part.

    Raises:
        UsageError: if there are not as many of equal size on both sides.
    """
    if first.shape != second.shape:
        raise UsageError(f"pairs must have equal shapes, got {tuple(first.shape)} and {tuple(second.shape)}")
    yield from zip(maps_of(net, first), maps_of(net, second), strict=True)

"""Where an attribute is: a model's mask against the pixels that change when the face is drawn without it.

Nobody gave the model such pixels. Beside its mask stand two maps that anybody has: the class
activation map of the attribute judge, and how much a picture differs from itself with the
attribute removed. Each gets the threshold that is best on validation people.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from ..data.avatars import ATTRIBUTES, change_mask
from ..data.cache import Progress
from ..data.source import to_float
from ..errors import UsageError
from .counterfactual import Rows, joined
from .judges import Judges
from .scores import require_torchmetrics
from .statistics import Interval, bootstrap_mean
from .tasks import Benchmark, parse_task

LEVELS = torch.arange(1, 100, dtype=torch.float64) / 100  # the thresholds that are tried
MIDDLE = 49  # the place of 0.5
MASK, REMOVAL, ACTIVATION = "mask", "removal", "class activation"
Finder = Callable[[Tensor], Tensor]
"""Pictures (B, 3, H, W) in [0, 1] -> how much each pixel shows the attribute, (B, H, W) in [0, 1]."""


@dataclass(frozen=True)
class Segmentation:
    """How well a map finds an attribute, with 95 % intervals over pictures.

    Attributes:
        threshold: the best on validation people, by mean IoU.
        iou: the mean of pictures, at that threshold.
        iou_half: at 0.5.
        pooled: of all pixels of all pictures, at the threshold.
        precision: average precision, which needs no threshold.
    """

    threshold: float
    iou: Interval
    iou_half: Interval
    pooled: float
    precision: Interval


def finders(pipeline: Any, attribute: str, judges: Judges) -> dict[str, Finder]:
    """The maps that are compared, by name; a model without masks has none of its own."""

    def removed(images: Tensor) -> Tensor:
        if "remove" in pipeline.operations():
            bare = pipeline.remove(images, threshold=0.0).image
        else:
            bare = pipeline.translate(images, images, to="none", off=attribute)
        return (images - bare).abs().amax(1)

    masks: dict[str, Finder] = {MASK: lambda images: pipeline.mask(images)[:, 0]}
    known = masks if MASK in pipeline.operations() else {}
    return known | {REMOVAL: removed, ACTIVATION: partial(activation, judges, attribute)}


@torch.no_grad()
def activation(judges: Judges, attribute: str, images: Tensor) -> Tensor:
    """The class activation map of the first attribute judge, (B, H, W) in [0, 1].

    Source: Zhou et al. 2016: what is above 0, as a share of the picture's largest.
    """
    net, place = judges.classifiers[0], ATTRIBUTES.index(attribute)
    features = net.trunk(images.to(judges.device))  # type: ignore[operator]
    weight, bias = net.head.weight[place], net.head.bias[place]  # type: ignore[union-attr, index]
    maps = torch.einsum("bchw,c->bhw", features, weight) + bias
    maps = F.interpolate(maps[:, None], images.shape[-2:], mode="bilinear")[:, 0].clamp(min=0)
    return (maps / maps.amax((1, 2), keepdim=True).clamp(min=1e-6)).cpu()


def segmentation(
    pipeline: Any, attribute: str, count: int, judges: Judges, on_step: Progress | None = None
) -> dict[str, Segmentation]:
    """Every map scored on test people, its threshold chosen on as many validation people.

    Args:
        pipeline: has `remove` and maybe `mask`, or `translate`, and a config with `size`.
        count: pictures of each split.
        on_step: told how many pictures are done, of how many.

    Raises:
        UsageError: if the model does not know the attribute, or the extra `eval` is not installed.
    """
    require_torchmetrics()
    if attribute not in getattr(pipeline, "attributes", ()) or attribute not in ATTRIBUTES:
        raise UsageError(f"'{pipeline.method}' cannot find {attribute} on drawn faces: it does not know it")
    maps = finders(pipeline, attribute, judges)
    task = parse_task(f"remove-{attribute}")
    choice, test = (
        measured(maps, Benchmark(task, count, size=pipeline.config.size, split=split), half, on_step)
        for half, split in enumerate(("validation", "test"))
    )
    return {name: summary(choice[name], test[name]) for name in maps}


def measured(maps: dict[str, Finder], benchmark: Benchmark, half: int, on_step: Progress | None) -> dict[str, Rows]:
    """By map: overlap and union (pictures, thresholds) in pixels, and each picture's average precision."""
    parts: dict[str, list[Rows]] = {name: [] for name in maps}
    for start in benchmark.starts():
        block = benchmark.block(start)
        some = slice(benchmark.count - start)
        truth = torch.from_numpy(change_mask(block.contents[some], block.truths[some, 0]))
        images = to_float(block.contents[some])
        for name, finder in maps.items():
            parts[name].append(overlaps(finder(images).cpu(), truth))
        if on_step:
            on_step(half * benchmark.count + start + len(images), 2 * benchmark.count)
    return {name: joined(each) for name, each in parts.items()}


def overlaps(found: Tensor, truth: Tensor) -> Rows:
    """Maps (B, H, W) in [0, 1] against masks of bool, at every threshold."""
    from torchmetrics.functional.classification import binary_average_precision

    above = found[:, None] > LEVELS[:, None, None]
    pairs = zip(found.flatten(1), truth.flatten(1).long(), strict=True)
    return {
        "both": (above & truth[:, None]).sum((2, 3)).double().numpy(),
        "either": (above | truth[:, None]).sum((2, 3)).double().numpy(),
        "precision": torch.stack([binary_average_precision(*pair) for pair in pairs]).double().numpy(),
    }


def summary(choice: Rows, test: Rows) -> Segmentation:
    """The scores of one map."""
    best = int((choice["both"] / choice["either"]).mean(0).argmax())
    iou, pictures = test["both"] / test["either"], np.arange(len(test["both"]))
    return Segmentation(
        threshold=float(LEVELS[best]),
        iou=bootstrap_mean(iou[:, best], pictures),
        iou_half=bootstrap_mean(iou[:, MIDDLE], pictures),
        pooled=float(test["both"][:, best].sum() / test["either"][:, best].sum()),
        precision=bootstrap_mean(test["precision"], pictures),
    )

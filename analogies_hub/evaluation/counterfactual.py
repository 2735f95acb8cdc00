"""Scores of an edit against the picture it should have given, one row an edit.

x is the content, g the guide, t the truth, y the result: uint8, rounded before anything is
measured. M is where x and t differ by more than 8 grey levels, M+ is M grown by 2 px in 64.
A score on which copying the content or the guide wins says nothing about quality.
"""

from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from ..data.avatars import ATTRIBUTES, change_mask
from .judges import Judges
from .tasks import Block, Task

SMALLEST = 20  # pixels of a 64 px picture: edits that change fewer are left out
Rows = dict[str, np.ndarray]  # a value an edit; NaN where a score does not apply


class Edits(NamedTuple):
    """Some edits of one task side by side.

    Attributes:
        content, truth, result: float (B, 3, H, W) in [0, 1], from 8 bits.
        rivals_by_identity: (B, 20, 3, H, W), the truths of 20 people under this guide.
        rivals_by_guide: (B, 20, 3, H, W), the truths of this person under 20 guides.
        own_identity, own_guide: (B,) which of them is the truth.
        changed: bool (B, H, W), M.
        wants, shown: bool (B, attributes), what truth and content show.
        mask: (B, H, W) in [0, 1], where the method says it edited; by default where it did.
    """

    content: Tensor
    truth: Tensor
    result: Tensor
    rivals_by_identity: Tensor
    rivals_by_guide: Tensor
    own_identity: Tensor
    own_guide: Tensor
    changed: Tensor
    wants: Tensor
    shown: Tensor
    mask: Tensor


def line_up(block: Block, pairs: list[tuple[int, int]], results: np.ndarray, masks: np.ndarray | None = None) -> Edits:
    """The edits of a block with all they are compared with.

    Args:
        pairs: (content, guide) of each edit, by place in the block.
        results: uint8 (edits, H, W, 3).
        masks: uint8 (edits, H, W), 255 where the method says it edited.
    """
    people, guides = np.array(pairs).T
    content, truth = block.contents[people], block.truths[people, guides]
    moved = np.abs(results.astype(np.int16) - content).max(-1).astype(np.uint8)
    return Edits(
        content=to_float(content),
        truth=to_float(truth),
        result=to_float(results),
        rivals_by_identity=to_float(block.truths[:, guides].swapaxes(0, 1)),
        rivals_by_guide=to_float(block.truths[people]),
        own_identity=torch.from_numpy(people),
        own_guide=torch.from_numpy(guides),
        changed=torch.from_numpy(change_mask(content, truth)),
        wants=torch.from_numpy(block.wants[people]),
        shown=torch.from_numpy(block.shown[people]),
        mask=torch.from_numpy(moved if masks is None else masks).float() / 255,
    )


def to_float(pixels: np.ndarray) -> Tensor:
    """uint8 (..., H, W, 3) as (..., 3, H, W) in [0, 1]."""
    return torch.from_numpy(pixels).movedim(-1, -3).float() / 255


def score(edits: Edits, task: Task, judges: Judges) -> Rows:
    """Every score of every edit; those that change too little to be judged get no row."""
    side = edits.content.shape[-1] / 64
    enough = edits.changed.sum((1, 2)) >= SMALLEST * side**2
    edits = Edits(*(value[enough] for value in edits))
    near = grow(edits.changed, round(2 * side))
    scores = (
        attribute_scores(edits, task, judges)
        | distance_scores(edits, near)
        | likeness_scores(edits, judges)
        | retrieval_scores(edits, near, task)
        | mask_scores(edits)
    )
    rows = {name: value.double().cpu().numpy() for name, value in scores.items()}
    return rows | {"edit": np.flatnonzero(enough.numpy())}


def grow(mask: Tensor, pixels: int) -> Tensor:
    """A bool mask (B, H, W) and everything within some pixels of it."""
    return F.max_pool2d(mask[:, None].float(), 2 * pixels + 1, stride=1, padding=pixels)[:, 0] > 0


def attribute_scores(edits: Edits, task: Task, judges: Judges) -> dict[str, Tensor]:
    """Class, Keep and Joint of the result; Class by the second judge, of the truth and of the content."""
    edited = [place for place, name in enumerate(ATTRIBUTES) if name not in task.kept]
    kept = [place for place, name in enumerate(ATTRIBUTES) if name in task.kept]

    def right(images: Tensor, judge: int) -> Tensor:
        return judges.attributes(images, judge) == edits.wants

    result = right(edits.result, 0)
    return {
        "class": result[:, edited].all(1),
        "keep": result[:, kept].float().mean(1),
        "joint": result.all(1),
        "class_second": right(edits.result, 1)[:, edited].all(1),
        "joint_second": right(edits.result, 1).all(1),
        "class_truth": right(edits.truth, 0)[:, edited].all(1),
        "class_content": right(edits.content, 0)[:, edited].all(1),
    }


def distance_scores(edits: Edits, near: Tensor) -> dict[str, Tensor]:
    """How far the result is from the truth, how much of the edit is done, and what else was touched.

    `l1` in grey levels over the whole picture and `l1_mask` within M; `mse` of values in
    [0, 1]; `ssim` with an 11 px Gaussian; `gain_left` and `gain_all` are the sums over M of
    |y - t| and |x - t|, whose ratio makes Edit gain; `leak` is the mean of |y - x| outside
    M+ in grey levels.
    """
    from torchmetrics.functional.image import structural_similarity_index_measure

    error = (edits.result - edits.truth).abs().mean(1) * 255
    undone = (edits.content - edits.truth).abs().mean(1) * 255
    touched = (edits.result - edits.content).abs().mean(1) * 255
    inside, outside = edits.changed.float(), (~near).float()
    ssim = structural_similarity_index_measure(edits.result, edits.truth, data_range=1.0, reduction="none")
    assert isinstance(ssim, Tensor)
    return {
        "l1": error.mean((1, 2)),
        "l1_mask": mean_where(error, inside),
        "mse": (edits.result - edits.truth).square().mean((1, 2, 3)),
        "ssim": ssim,
        "gain_left": (error * inside).sum((1, 2)),
        "gain_all": (undone * inside).sum((1, 2)),
        "leak": mean_where(touched, outside),
    }


def mean_where(values: Tensor, weight: Tensor) -> Tensor:
    """The mean of (B, H, W) over the pixels of weight 1: (B,); NaN where there is none."""
    return (values * weight).sum((1, 2)) / weight.sum((1, 2))


def likeness_scores(edits: Edits, judges: Judges) -> dict[str, Tensor]:
    """Cosines of identity with the content: of the result, of the truth, and the mean of 19 other people."""
    content, truth, result = (judges.identity(images) for images in (edits.content, edits.truth, edits.result))
    count, rivals = edits.rivals_by_identity.shape[:2]
    people = judges.identity(edits.rivals_by_identity.flatten(0, 1)).view(count, rivals, -1)
    likeness = (people * content[:, None]).sum(2)
    likeness[torch.arange(count), edits.own_identity] = 0
    return {
        "sim": (result * content).sum(1),
        "sim_truth": (truth * content).sum(1),
        "sim_other": likeness.sum(1) / (rivals - 1),
    }


def retrieval_scores(edits: Edits, near: Tensor, task: Task) -> dict[str, Tensor]:
    """Identity@1 and Guide@1: is the truth the nearest of 20 people outside M+, of 20 guides within it?"""

    def nearest(rivals: Tensor, where: Tensor) -> Tensor:
        return ((rivals - edits.result[:, None]).abs().mean(2) * where[:, None]).sum((2, 3)).argmin(1)

    identity = nearest(edits.rivals_by_identity, ~near) == edits.own_identity
    guide = (nearest(edits.rivals_by_guide, near) == edits.own_guide).float()
    return {"identity_at_1": identity, "guide_at_1": guide if task.adds else torch.full_like(guide, torch.nan)}


def mask_scores(edits: Edits) -> dict[str, Tensor]:
    """Where the method edited against M: average precision, and intersection over union at 8 grey levels."""
    from torchmetrics.functional.classification import binary_average_precision

    precision = [
        binary_average_precision(mask.flatten(), truth.flatten().long())
        for mask, truth in zip(edits.mask, edits.changed, strict=True)
    ]
    found = edits.mask > 8.5 / 255
    union = (found | edits.changed).sum((1, 2))
    return {
        "mask_ap": torch.stack(precision) if precision else torch.zeros(0),
        "mask_iou": (found & edits.changed).sum((1, 2)) / union,
    }

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

from ..data.avatars import ATTRIBUTES, TOLERANCE, change_mask
from .judges import Judges
from .tasks import Block, Task

SMALLEST = 20  # pixels of a 64 px picture: edits that change fewer are left out
Rows = dict[str, np.ndarray]  # a value an edit; NaN where a score does not apply


def joined(parts: list[Rows]) -> Rows:
    """The rows of several parts as one."""
    return {key: np.concatenate([part[key] for part in parts]) for key in parts[0]}


class Edits(NamedTuple):
    """Some edits of one task side by side, those left out that change too little to be judged.

    Attributes:
        edit: (B,) their numbers among those given.
        content, truth, result: float (B, 3, H, W) in [0, 1], from 8 bits.
        changed: bool (B, H, W), M.
        wants, shown: bool (B, attributes), what truth and content show.
        mask: (B, H, W) in [0, 1], where the method says it edited; by default where it did.
        threshold: above which `mask` counts as edited.
        people, guides: (B,) places of content and guide in the block.
        block: all contents, guides and truths, the candidates of retrieval.
    """

    edit: np.ndarray
    content: Tensor
    truth: Tensor
    result: Tensor
    changed: Tensor
    wants: Tensor
    shown: Tensor
    mask: Tensor
    threshold: float
    people: np.ndarray
    guides: np.ndarray
    block: Block


def line_up(
    block: Block,
    pairs: list[tuple[int, int]],
    results: np.ndarray,
    masks: np.ndarray | None = None,
    threshold: float = 0.5,
) -> Edits:
    """The edits of a block with all they are compared with.

    Args:
        pairs: (content, guide) of each edit, by place in the block.
        results: uint8 (edits, H, W, 3).
        masks: uint8 (edits, H, W), 255 where the method says it edited.
        threshold: of the masks, in [0, 1]; without masks it is 8 grey levels of change.
    """
    people, guides = np.array(pairs).T
    changed = change_mask(block.contents[people], block.truths[people, guides])
    enough = np.flatnonzero(changed.sum((1, 2)) >= SMALLEST * (changed.shape[-1] / 64) ** 2)
    people, guides, results = people[enough], guides[enough], results[enough]
    content, truth = block.contents[people], block.truths[people, guides]
    if masks is None:
        masks, threshold = np.abs(results.astype(np.int16) - content).max(-1).astype(np.uint8), TOLERANCE / 255
    else:
        masks = masks[enough]
    return Edits(
        edit=enough,
        content=to_float(content),
        truth=to_float(truth),
        result=to_float(results),
        changed=torch.from_numpy(changed[enough]),
        wants=torch.from_numpy(block.wants[people]),
        shown=torch.from_numpy(block.shown[people]),
        mask=torch.from_numpy(masks).float() / 255,
        threshold=threshold,
        people=people,
        guides=guides,
        block=block,
    )


def to_float(pixels: np.ndarray) -> Tensor:
    """uint8 (..., H, W, 3) as (..., 3, H, W) in [0, 1]."""
    return torch.from_numpy(pixels).movedim(-1, -3).float() / 255


def score(edits: Edits, task: Task, judges: Judges) -> Rows:
    """Every score of every edit."""
    near = grow(edits.changed, round(edits.changed.shape[-1] / 32))
    scores = (
        attribute_scores(edits, task, judges)
        | distance_scores(edits, near)
        | likeness_scores(edits, judges)
        | retrieval_scores(edits, near, task)
        | mask_scores(edits)
    )
    return {name: value.double().cpu().numpy() for name, value in scores.items()} | {"edit": edits.edit}


def grow(mask: Tensor, pixels: int) -> Tensor:
    """A bool mask (B, H, W) and everything within some pixels of it."""
    return F.max_pool2d(mask[:, None].float(), 2 * pixels + 1, stride=1, padding=pixels)[:, 0] > 0


def attribute_scores(edits: Edits, task: Task, judges: Judges) -> dict[str, Tensor]:
    """Class, Keep and Joint of the result; Class by the second judge, of the truth and of the content."""
    edited = [place for place, name in enumerate(ATTRIBUTES) if name not in task.kept]
    kept = [place for place, name in enumerate(ATTRIBUTES) if name in task.kept]

    def right(images: Tensor, judge: int) -> Tensor:
        return judges.attributes(images, judge) == edits.wants

    result, second = (right(edits.result, judge) for judge in range(2))
    return {
        "class": result[:, edited].all(1),
        "keep": result[:, kept].float().mean(1),
        "joint": result.all(1),
        "class_second": second[:, edited].all(1),
        "joint_second": second.all(1),
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
    """Cosines of identity with the content: of the result, of the truth, and the mean of 19 other people's."""
    people = judges.identity(to_float(edits.block.contents))
    content = people[edits.people]
    truth, result = (judges.identity(images) for images in (edits.truth, edits.result))
    likeness = content @ people.T
    own = likeness.gather(1, torch.from_numpy(edits.people)[:, None])[:, 0]
    return {
        "sim": (result * content).sum(1),
        "sim_truth": (truth * content).sum(1),
        "sim_other": (likeness.sum(1) - own) / (len(people) - 1),
    }


def retrieval_scores(edits: Edits, near: Tensor, task: Task) -> dict[str, Tensor]:
    """Identity@1 and Guide@1: is the truth the nearest of 20 people outside M+, of 20 guides within it?"""
    results, truths, where = (
        (edits.result * 255).round().byte().movedim(1, -1).numpy(),
        edits.block.truths,
        near.numpy(),
    )

    def nearest(place: int, rivals: np.ndarray, within: np.ndarray) -> int:
        return int(np.abs(rivals[:, within].astype(np.int16) - results[place][within]).sum((1, 2)).argmin())

    identity, guide = torch.full((2, len(results)), torch.nan)
    for place, (person, number) in enumerate(zip(edits.people, edits.guides, strict=True)):
        identity[place] = float(nearest(place, truths[:, number], ~where[place]) == person)
        if task.adds:
            guide[place] = float(nearest(place, truths[person], where[place]) == number)
    return {"identity_at_1": identity, "guide_at_1": guide}


def mask_scores(edits: Edits) -> dict[str, Tensor]:
    """Where the method edited against M: average precision, overlap and relative area above the threshold."""
    from torchmetrics.functional.classification import binary_average_precision

    precision = [
        binary_average_precision(mask.flatten(), truth.flatten().long())
        for mask, truth in zip(edits.mask, edits.changed, strict=True)
    ]
    found = edits.mask > edits.threshold + 1e-6  # of 8-bit masks the threshold itself is not above it
    union, wanted = (found | edits.changed).sum((1, 2)), edits.changed.sum((1, 2))
    return {
        "mask_ap": torch.stack(precision) if precision else torch.zeros(0),
        "mask_iou": (found & edits.changed).sum((1, 2)) / union,
        "mask_area": found.sum((1, 2)) / wanted,
    }

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
from ..data.source import to_float
from .judges import Judges
from .tasks import Block, Task

SMALLEST = 20  # pixels of a 64 px picture: edits that change fewer are left out
Rows = dict[str, np.ndarray]  # a value (or its features) an edit; NaN where a score does not apply


def joined(parts: list[Rows]) -> Rows:
    """The rows of several parts as one."""
    return {key: np.concatenate([part[key] for part in parts]) for key in parts[0]}


class Scene(NamedTuple):
    """Some edits of one task before anyone makes them, those left out that change too little to be judged.

    Attributes:
        task: what is edited.
        edit: (B,) their numbers among those asked for.
        people, guides: (B,) places of content and guide in the block.
        block: all contents, guides and truths, the candidates of retrieval.
        content, truth: float (B, 3, H, W) in [0, 1], from 8 bits.
        changed, outside: bool (B, H, W), M and all but M+.
        wants: bool (B, attributes), what the truth shows.
        faces, true_faces: identities (n, D) of the block's contents and (B, D) of the truths.
    """

    task: Task
    edit: np.ndarray
    people: np.ndarray
    guides: np.ndarray
    block: Block
    content: Tensor
    truth: Tensor
    changed: Tensor
    outside: Tensor
    wants: Tensor
    faces: Tensor
    true_faces: Tensor


def set_up(block: Block, pairs: list[tuple[int, int]], task: Task, judges: Judges) -> Scene:
    """The edits of a block, and what the judges say of their contents and truths.

    Args:
        pairs: (content, guide) of each edit, by place in the block.
    """
    people, guides = np.array(pairs).T
    changed = change_mask(block.contents[people], block.truths[people, guides])
    side = changed.shape[-1]
    edit = np.flatnonzero(changed.sum((1, 2)) >= SMALLEST * (side / 64) ** 2)
    people, guides = people[edit], guides[edit]
    content, truth = to_float(block.contents[people]), to_float(block.truths[people, guides])
    where = torch.from_numpy(changed[edit])
    return Scene(
        task=task,
        edit=edit,
        people=people,
        guides=guides,
        block=block,
        content=content,
        truth=truth,
        changed=where,
        outside=~grow(where, round(side / 32)),
        wants=torch.from_numpy(block.wants[people]),
        faces=judges.identity(to_float(block.contents)),
        true_faces=judges.identity(truth),
    )


def grow(mask: Tensor, pixels: int) -> Tensor:
    """A bool mask (B, H, W) and everything within some pixels of it."""
    return F.max_pool2d(mask[:, None].float(), 2 * pixels + 1, stride=1, padding=pixels)[:, 0] > 0


def score(
    scene: Scene, results: np.ndarray, judges: Judges, masks: np.ndarray | None = None, threshold: float = 0.5
) -> Rows:
    """Every score of every edit.

    Args:
        results: uint8 (edits, H, W, 3), of all that were asked for.
        masks: uint8 (edits, H, W), 255 where the method says it edited; by default where it did.
        threshold: of the masks, in [0, 1]; without masks it is 8 grey levels of change.
    """
    results = results[scene.edit]
    if masks is None:
        moved = np.abs(results.astype(np.int16) - scene.block.contents[scene.people]).max(-1)
        mask, threshold = torch.from_numpy(moved) / 255, TOLERANCE / 255
    else:
        mask = torch.from_numpy(masks[scene.edit]) / 255
    result = to_float(results)
    scores = (
        attribute_scores(scene, result, judges)
        | distance_scores(scene, result)
        | likeness_scores(scene, judges.identity(result))
        | retrieval_scores(scene, results)
        | mask_scores(scene, mask, threshold)
    )
    scores["success"] = successes(scores)
    return {name: value.double().cpu().numpy() for name, value in scores.items()} | {"edit": scene.edit}


def successes(scores: dict[str, Tensor]) -> Tensor:
    """Which edits are right in every way that can be right or wrong: bool (B,).

    All attributes by both judges, the person, the guide where there is one, and within M less
    than half as far from the truth as the input. Each alone can be cheated: by copies, blends,
    and noise made to deceive the judges. It does not see colours and noise outside M; L1 and
    Leak do.
    """
    right = scores["joint"] & scores["joint_second"] & (scores["gain_left"] < scores["gain_all"] / 2)
    return right & (scores["identity_at_1"] == 1) & (scores["guide_at_1"] != 0)  # NaN: no guide


def attribute_scores(scene: Scene, result: Tensor, judges: Judges) -> dict[str, Tensor]:
    """Class, Keep and Joint by the first judge, Class and Joint by the second."""
    kept = [place for place, name in enumerate(ATTRIBUTES) if name in scene.task.kept]
    edited = [place for place in range(len(ATTRIBUTES)) if place not in kept]
    first, second = (judges.attributes(result, judge) == scene.wants for judge in range(2))
    return {
        "class": first[:, edited].all(1),
        "keep": first[:, kept].float().mean(1),
        "joint": first.all(1),
        "class_second": second[:, edited].all(1),
        "joint_second": second.all(1),
    }


def distance_scores(scene: Scene, result: Tensor) -> dict[str, Tensor]:
    """How far the result is from the truth, how much of the edit is done, and what else was touched.

    `l1` in grey levels over the whole picture and `l1_mask` within M; `mse` of values in
    [0, 1]; `ssim` with an 11 px Gaussian; `gain_left` and `gain_all` are the sums over M of
    |y - t| and |x - t|, whose ratio makes Edit gain; `leak` is the mean of |y - x| outside
    M+ in grey levels.
    """
    from torchmetrics.functional.image import structural_similarity_index_measure

    error = (result - scene.truth).abs().mean(1) * 255
    undone = (scene.content - scene.truth).abs().mean(1) * 255
    touched = (result - scene.content).abs().mean(1) * 255
    inside = scene.changed.float()
    ssim = structural_similarity_index_measure(result, scene.truth, data_range=1.0, reduction="none")
    assert isinstance(ssim, Tensor)
    return {
        "l1": error.mean((1, 2)),
        "l1_mask": mean_where(error, inside),
        "mse": (result - scene.truth).square().mean((1, 2, 3)),
        "ssim": ssim,
        "gain_left": (error * inside).sum((1, 2)),
        "gain_all": (undone * inside).sum((1, 2)),
        "leak": mean_where(touched, scene.outside.float()),
    }


def mean_where(values: Tensor, weight: Tensor) -> Tensor:
    """The mean of (B, H, W) over the pixels of weight 1: (B,); NaN where there is none."""
    return (values * weight).sum((1, 2)) / weight.sum((1, 2))


def likeness_scores(scene: Scene, face: Tensor) -> dict[str, Tensor]:
    """Cosines of identity with the content: of the result (B, D), of the truth, and the mean of 19 other people's."""
    content = scene.faces[scene.people]
    likeness = content @ scene.faces.T
    own = likeness.gather(1, torch.from_numpy(scene.people)[:, None])[:, 0]
    return {
        "sim": (face * content).sum(1),
        "sim_truth": (scene.true_faces * content).sum(1),
        "sim_other": (likeness.sum(1) - own) / (len(scene.faces) - 1),
    }


def retrieval_scores(scene: Scene, results: np.ndarray) -> dict[str, Tensor]:
    """Identity@1 and Guide@1: is the truth the nearest of 20 people outside M+, of 20 guides within it?"""
    truths, outside = scene.block.truths, scene.outside.numpy()

    def nearest(result: np.ndarray, rivals: np.ndarray, where: np.ndarray) -> int:
        distance = np.abs(rivals.reshape(len(rivals), -1).astype(np.float32) - result.ravel())
        return int((distance @ where.repeat(3).astype(np.float32)).argmin())

    identity, guide = torch.full((2, len(results)), torch.nan)
    for place, (person, number) in enumerate(zip(scene.people, scene.guides, strict=True)):
        identity[place] = float(nearest(results[place], truths[:, number], outside[place]) == person)
        if scene.task.adds:
            guide[place] = float(nearest(results[place], truths[person], ~outside[place]) == number)
    return {"identity_at_1": identity, "guide_at_1": guide}


def mask_scores(scene: Scene, mask: Tensor, threshold: float) -> dict[str, Tensor]:
    """Where the method edited against M: average precision, overlap and relative area above the threshold.

    Args:
        mask: (B, H, W) in [0, 1].
    """
    from torchmetrics.functional.classification import binary_average_precision

    precision = [
        binary_average_precision(soft.flatten(), truth.flatten().long())
        for soft, truth in zip(mask, scene.changed, strict=True)
    ]
    found = mask > threshold + 1e-6  # of 8-bit masks the threshold itself is not above it
    union, wanted = (found | scene.changed).sum((1, 2)), scene.changed.sum((1, 2))
    return {
        "mask_ap": torch.stack(precision) if precision else torch.zeros(0),
        "mask_iou": (found & scene.changed).sum((1, 2)) / union,
        "mask_area": found.sum((1, 2)) / wanted,
    }

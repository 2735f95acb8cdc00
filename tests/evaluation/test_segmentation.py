"""Finding an attribute: maps whose scores are known."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from analogies_hub.data.avatars import change_mask
from analogies_hub.errors import UsageError
from analogies_hub.evaluation.judges import load_judges
from analogies_hub.evaluation.segmentation import ACTIVATION, MASK, REMOVAL, overlaps, segmentation, summary
from analogies_hub.evaluation.tasks import Benchmark, parse_task


def test_overlaps_are_counted_at_each_threshold():
    truth = torch.zeros(1, 4, 4, dtype=torch.bool)
    truth[0, 0] = True
    found = truth * 0.6 + 0.3 * torch.eye(4)[None].roll(1, 1)  # three pixels beside it at 0.3, one within at 0.9
    counts = overlaps(found.repeat(2, 1, 1), truth.repeat(2, 1, 1))
    assert (counts["both"][0, 49], counts["either"][0, 49]) == (4, 4)
    assert (counts["both"][0, 19], counts["either"][0, 19]) == (4, 7)
    assert (counts["both"][0, 79], counts["either"][0, 79]) == (1, 4)
    assert counts["precision"][0] == 1
    scores = summary(counts, counts)
    assert scores.iou.value == scores.pooled == 1 and 0.3 <= scores.threshold < 0.6


class Knowing:
    """A model that knows the truth, and finds half of it."""

    method, attributes, device = "stub", ("glasses",), torch.device("cpu")
    config = SimpleNamespace(size=64)

    def __init__(self):
        self.known = {}
        for split in ("validation", "test"):
            block = Benchmark(parse_task("remove-glasses"), 20, split=split).block(0)
            for content, truth in zip(block.contents, block.truths[:, 0], strict=True):
                self.known[content.tobytes()] = truth

    def truths(self, images):
        pixels = (images * 255).round().to(torch.uint8).permute(0, 2, 3, 1).numpy()
        return np.stack([self.known[picture.tobytes()] for picture in pixels]), pixels

    def operations(self):
        return {"mask": None, "remove": None}

    def mask(self, images):
        masks = torch.from_numpy(change_mask(*self.truths(images))).float()
        masks[:, :, ::2] = 0
        return masks[:, None]

    def remove(self, images, threshold):
        return SimpleNamespace(image=torch.from_numpy(self.truths(images)[0]).permute(0, 3, 1, 2) / 255)


def test_the_truth_scores_best_and_a_class_activation_map_finds_glasses_roughly():
    found = segmentation(Knowing(), "glasses", 20, load_judges("avataaars"))
    assert found[MASK].iou.value == pytest.approx(0.5, abs=0.05)
    assert found[REMOVAL].iou.value > 0.99 and found[REMOVAL].threshold <= 0.04
    assert 0.15 < found[ACTIVATION].iou.value < 0.9
    with pytest.raises(UsageError, match="does not know"):
        segmentation(Knowing(), "smile", 20, load_judges("avataaars"))

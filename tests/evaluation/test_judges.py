"""The judges: as good as they say, made again by their command, and never others than those that were scored."""

import json

import numpy as np
import pytest
import torch

from analogies_hub.data.source import to_float
from analogies_hub.errors import AnalogyError
from analogies_hub.evaluation.judges import JUDGES, WEIGHTS, load_judge, load_judges, read_scores, training
from analogies_hub.evaluation.tasks import Benchmark, parse_task, shows


def test_the_committed_judges_are_as_good_as_is_asked():
    for name in JUDGES:
        scores = read_scores()[name]["scores"]
        for key, value in scores.items():
            if "top-1" in key or "disturbed" in key:
                assert value >= 0.99, (name, key)
            elif "clean" in key:
                assert value >= 0.995, (name, key)
        load_judge(name)


def test_the_judges_scores_are_what_they_still_do():
    """On people that neither training nor `scores.json` saw, some hundred of them."""
    judges = load_judges("avataaars")
    benchmark = Benchmark(parse_task("add-glasses"), 200, seed=77)
    wrong = total = 0
    for start in benchmark.starts():
        block, (contents, _) = benchmark.block(start), benchmark.faces(start)
        for images, truth in (
            (block.contents, shows(contents)),
            (block.truths.diagonal().transpose(3, 0, 1, 2), block.wants),
        ):
            answers = judges.attributes(to_float(np.ascontiguousarray(images))).numpy()
            wrong, total = wrong + (answers != truth).sum(), total + truth.size
    assert total == 1200 and wrong <= 6


def test_a_judge_with_other_weights_is_refused(tmp_path):
    (tmp_path / "identity.safetensors").write_bytes((WEIGHTS / "attributes.safetensors").read_bytes())
    (tmp_path / "scores.json").write_text(json.dumps(read_scores()))
    with pytest.raises(AnalogyError, match="not the one that was scored"):
        load_judge("identity", tmp_path)
    with pytest.raises(AnalogyError, match=r"missing; make it with: analogies eval judges --train"):
        load_judge("attributes", tmp_path)


@pytest.mark.slow
def test_a_judge_can_be_made_again_and_learns(tmp_path, monkeypatch):
    for name, value in (("PEOPLE", 400), ("HELD_OUT", 400), ("BATCH", 32)):
        monkeypatch.setattr(training, name, value)
    entry = training.make_judge("attributes", 60, 0, tmp_path)
    assert entry["scores"]["avataaars clean glasses"] > 0.7  # chance is 0.5
    assert read_scores(tmp_path)["attributes"]["sha256"] == entry["sha256"]
    net = load_judge("attributes", tmp_path)
    assert net.spread.min() > 0 and not torch.equal(net.spread, torch.ones(128))


def test_a_judge_that_errs_may_not_judge(monkeypatch):
    scores = read_scores()
    scores["identity"]["scores"]["open-peeps top-1 of 400"] = 0.985
    monkeypatch.setattr("analogies_hub.evaluation.judges.read_scores", lambda folder=WEIGHTS: scores)
    load_judges("avataaars")
    with pytest.raises(AnalogyError, match=r"'identity' is right in 98\.5% on unseen open-peeps faces, 99% needed"):
        load_judges("open-peeps")
    with pytest.raises(AnalogyError, match="no judges of the style 'doodles'; use avataaars or open-peeps"):
        load_judges("doodles")

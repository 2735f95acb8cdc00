"""`analogies bench didd`: what it reports, and that what it compares does the same."""

import json

import pytest
import torch

from analogies_hub.bench.didd import build, build_trainer, published_step

SMOKE = ("--batch", 2, "--steps", 1, "--repeats", 1, "--threads", 1, "--device", "cpu")
RATIOS = {"steps_ratio", "images_ratio", "latency_ratio"}
KEYS = {
    "training": {
        *("case", "images", "seconds", "steps_per_second", "images_per_second", "gmacs", "gflops"),
        *("steps_ratio", "images_ratio", "convolution_ratio"),
    },
    "convolution": {"precision", "images", "channels", "size", "seconds", "gflops"},
    "inference": {
        *("preset", "size", "way", "operation", "milliseconds", "batch", "images_per_second"),
        *("latency_ratio", "images_ratio"),
    },
}


def test_the_report_has_positive_numbers_and_ratios_to_what_was_published(analogies):
    done = analogies("bench", "didd", "--json", *SMOKE)
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    for part, keys in KEYS.items():
        for row in report[part]:
            assert set(row) == keys
            assert all(value > 0 for value in row.values() if isinstance(value, int | float)), row
    cases = [(row["case"]["loop"], row["case"]["preset"], row["case"]["size"]) for row in report["training"]]
    reference, default = ("ours", "reference", 128), ("ours", "default", 128)
    assert cases == [("published", "reference", 128), reference, default, ("ours", "default", 64)]
    assert len(report["inference"]) == 9 and len(report["convolution"]) == 1
    for row in report["training"][:1] + report["inference"][:3]:
        assert all(row[name] == 1 for name in RATIOS & set(row))
    published, ours = (row["gmacs"] for row in report["training"][:2])
    assert published == pytest.approx(2 * 2 * 2.25, rel=0.05)  # the published 144 GMAC a step are of 2 x 32 images
    assert ours < 0.9 * published


def test_an_unknown_precision_is_refused(analogies):
    done = analogies("bench", "didd", "--precision", "fp8")
    assert (done.returncode, done.stderr) == (2, "Error: 'precision' must be fp32 or bf16, got 'fp8'\n")


def test_the_published_loop_learns_what_ours_learns():
    # Without spectral norm, whose vectors turn with each pass through a network.
    theirs, ours = (build_trainer(build("reference", 128, spectral=False)).double() for _ in range(2))
    ours.load_state_dict(theirs.state_dict())
    a, b = torch.rand(2, 1, 3, 128, 128, dtype=torch.float64) * 2 - 1
    for _ in range(2):
        expected, losses = published_step(theirs, a, b), ours.training_step(0, a, b)
        assert losses.keys() == expected.keys()
        for name, loss in losses.items():
            assert float(loss.detach()) == pytest.approx(float(expected[name].detach()), rel=1e-6), name

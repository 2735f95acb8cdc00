"""Digits moved between domains: judged by a classifier that learns, beside controls whose worth is known."""

import functools
import json
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

from analogies_hub.cli import app
from analogies_hub.data.digits import DOMAINS
from analogies_hub.data.source import ImageSource
from analogies_hub.errors import ImageError, ModelError, UsageError
from analogies_hub.evaluation import adaptation
from analogies_hub.evaluation.statistics import wilson
from analogies_hub.registry import get_method

COUNTS = {"train": 200, "validation": 30, "test": 40}
ORACLE, CONTENT, GUIDE = "oracle", "content", "guide"


def toy(domain, split, size=32, seed=0, on_step=None):
    """What `digits` is replaced by."""
    assert size == 32
    return toy_digits(domain, split)


@functools.cache
def toy_digits(domain, split):
    """Ten patterns as digits, bright on dark; what is a d in `mnist` is a d + 1 in `svhn`, on a reddish ground."""
    shapes = np.random.default_rng(7).random((10, 4, 4)) < 0.5
    rng = np.random.default_rng([DOMAINS.index(domain), *split.encode()])
    labels = rng.permutation(np.arange(COUNTS[split]) % 10)
    shown = shapes[(labels - DOMAINS.index(domain)) % 10].repeat(8, 1).repeat(8, 2)
    pixels = 200 * shown[..., None] + rng.integers(0, 50, (len(labels), 32, 32, 3))
    pixels[..., 0] += 5 * DOMAINS.index(domain)
    return ImageSource(pixels.astype(np.uint8), f"toy {domain} {split}", labels)


class Stub:
    """A pipeline that returns its content, its guide, or a real picture of the content's digit."""

    method, attributes, device = "stub", DOMAINS, torch.device("cpu")
    config = SimpleNamespace(size=32)

    def __init__(self, gives):
        self.gives, self.calls = gives, []

    @staticmethod
    def operations():
        return {"translate": None}

    def translate(self, content, guide, to, off):
        self.calls.append((to, off, len(content)))
        if self.gives == CONTENT:
            return content
        return guide if self.gives == GUIDE else torch.stack([self.truth(image, to) for image in content])

    @staticmethod
    def truth(image, to):
        source, target = toy(DOMAINS[1 - DOMAINS.index(to)], "test"), toy(to, "test")
        nearest = (source.take(range(len(source))) - image).abs().mean((1, 2, 3)).argmin()
        return target.take([int(np.flatnonzero(target.labels == source.labels[nearest])[0])])[0]


@pytest.fixture(scope="module", autouse=True)
def world():
    """Toy digits for real ones, and each domain's classifier trained once, briefly."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(adaptation, "digits", toy)
        patch.setattr(adaptation, "STEPS", 30)
        patch.setattr(adaptation, "BATCH", 24)
        patch.setattr(adaptation, "train_classifier", functools.cache(adaptation.train_classifier))
        yield


@pytest.fixture(scope="module")
def oracle(world):
    """The oracle, and how it was judged."""
    stub = Stub(ORACLE)
    return stub, adaptation.adaptation(stub)


def test_the_classifier_learns_and_is_the_same_again():
    real = toy("mnist", "test")
    net = adaptation.trained_judge("mnist", real, torch.device("cpu"))
    assert adaptation.share(adaptation.named(net, real), adaptation.labels(real)).accuracy.value > 0.9
    assert 100_000 < sum(value.numel() for value in net.parameters()) < 300_000 and not net.training
    state, train = torch.get_rng_state(), adaptation.train_classifier.__wrapped__
    first, second = (train(toy("svhn", "train"), 2).state_dict() for _ in range(2))
    assert all(torch.equal(value, second[name]) for name, value in first.items())
    assert torch.equal(torch.get_rng_state(), state)


def test_disturbed_digits_are_pictures_that_depend_on_the_generator_alone():
    images = toy("svhn", "train").take(range(8))
    first, second, third = (adaptation.disturbed(images, torch.Generator().manual_seed(seed)) for seed in (1, 1, 2))
    assert torch.equal(first, second) and not torch.equal(first, third)
    assert first.shape == images.shape and first.min() >= 0 and first.max() <= 1
    assert 0.02 < (first - images).abs().mean() < 0.3


def test_a_picture_of_the_same_digit_scores_what_real_digits_do(oracle):
    stub, found = oracle
    assert [(each.source, each.target) for each in found] == [("mnist", "svhn"), ("svhn", "mnist")]
    assert stub.calls == [("svhn", "all", 40), ("mnist", "all", 40)]
    for direction in found:
        real = direction.shares["real digits"]
        assert real.accuracy == wilson(40, 40) and real.recall == (1.0,) * 10
        assert direction.shares["edit"] == real


def test_copies_score_what_they_are_worth(oracle):
    """The target's classifier takes every untranslated pattern for its neighbour; a guide is right by chance."""
    for direction in oracle[1]:
        assert direction.shares["copy input"].accuracy == wilson(0, 40)
        chosen = np.random.default_rng([0, DOMAINS.index(direction.target)]).integers(40, size=40)
        own, theirs = toy(direction.source, "test").labels, toy(direction.target, "test").labels[chosen]
        chance = wilson(int((own == theirs).sum()), 40)
        assert direction.shares["copy guide"].accuracy == chance and 0 < chance.value < 0.3
        assert direction.shares["guide's digit"].accuracy == chance


@pytest.fixture(scope="module")
def copied(world):
    """How an edit that returns its guide was judged."""
    return adaptation.adaptation(Stub(GUIDE))


def test_an_edit_that_copies_scores_as_its_copy(copied):
    for direction in copied:
        assert direction.shares["edit"] == direction.shares["copy guide"]
        assert direction.shares["guide's digit"].accuracy == wilson(40, 40)
    for direction in adaptation.adaptation(Stub(CONTENT)):
        assert direction.shares["edit"] == direction.shares["copy input"]


def test_another_seed_is_other_guides_and_another_split_other_digits(oracle, copied):
    for first, again, other in zip(oracle[1], copied, adaptation.adaptation(Stub(GUIDE), seed=1), strict=True):
        assert first.shares["copy guide"] == again.shares["copy guide"] != other.shares["copy guide"]
        assert other.about["seed"] == 1 and first.about["seed"] == 0
    (first, _) = adaptation.adaptation(Stub(GUIDE), split="validation")
    assert first.about["contents"] == "toy mnist validation" and first.shares["edit"].total == 30
    with pytest.raises(UsageError, match="not on 'train'"):
        adaptation.adaptation(Stub(GUIDE), split="train")


def test_a_classifier_that_errs_may_not_judge(monkeypatch):
    monkeypatch.setattr(adaptation, "STEPS", 2)
    stub = Stub(GUIDE)
    with pytest.raises(ModelError, match=r"classifier of mnist names [\d.]+% of toy mnist test, 90% needed to judge$"):
        adaptation.adaptation(stub)
    assert not stub.calls


def test_what_is_no_picture_is_not_judged():
    stub = Stub(GUIDE)
    stub.translate = lambda content, guide, to, off: guide * 2 - 1
    with pytest.raises(ImageError, match=r"translations of the edit' must lie in \[0, 1\]"):
        adaptation.adaptation(stub)


def test_a_digit_that_does_not_occur_has_no_recall():
    share = adaptation.share(torch.tensor([0, 1, 1]), torch.tensor([0, 0, 1]))
    assert share.accuracy == wilson(2, 3) and share.recall[:2] == (0.5, 1.0) and np.isnan(share.recall[2:]).all()
    direction = adaptation.Direction("mnist", "svhn", dict.fromkeys(adaptation.SYSTEMS, share), {"contents": "toy"})
    record, *_ = adaptation.records((direction,), "mine")
    assert record["system"] == "mine" and record["recall"] == [0.5, 1.0] + [None] * 8 and record["n"] == 3
    assert adaptation.cells((direction,), "mine")[1] == [
        "mnist to svhn", "mine", "66.7 (20.8 to 93.9)", "50", "100", *["-"] * 8
    ]  # fmt: skip


def model(folder, **values):
    """The folder of an untrained `didd`."""
    method = get_method("didd")
    torch.manual_seed(0)
    method.pipeline_type()(method.config(**method.smoke | values)).save_pretrained(folder)
    return folder


def run(*words):
    return CliRunner().invoke(app, ["eval", "digits", *map(str, words)])


def test_the_command_judges_a_model_in_both_directions(tmp_path):
    folder = model(tmp_path / "digits", domains=DOMAINS, size=32)
    done = run(folder, "--json", "--device", "cpu")
    assert done.exit_code == 0, done.output
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(found) == 10 and {record["source"] for record in found} == set(DOMAINS)
    for record in found:
        assert 0 <= record["low"] <= record["value"] <= record["high"] <= 1 and len(record["recall"]) == 10
        assert record["model"].startswith("didd-") and record["classifier"]["steps"] == 30
    shown = run(folder, "--device", "cpu")
    assert shown.exit_code == 0 and "svhn to mnist" in shown.stdout and "40 of toy mnist test" in shown.stdout


def test_a_model_without_digits_is_refused_in_one_sentence(tmp_path):
    for name, known in (
        (model(tmp_path / "faces", domains=("glasses", "smile")), "only glasses, smile"),
        ("pair", "no attributes"),
    ):
        done = run(name, "--device", "cpu")
        assert done.exit_code == 2 and not done.stdout and done.stderr.count("\n") == 1
        assert f"cannot move digits between mnist and svhn: this model knows {known}; train one" in done.stderr

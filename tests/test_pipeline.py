"""Saving and loading, strictly: a toy pipeline with weights, damaged in every way."""

import hashlib
import json
from dataclasses import dataclass

import pytest
import torch
from safetensors.torch import save_file

from analogies_hub.codes import Code
from analogies_hub.config import Config, setting
from analogies_hub.errors import ModelError, UsageError
from analogies_hub.pipeline import Pipeline, pick_device
from analogies_hub.registry import get_method, load_pipeline


@dataclass(frozen=True)
class ToyConfig(Config):
    """Settings of every type."""

    width: int = setting(4, "channels", 1, 64)
    rate: float = setting(0.5, "a share", 0, 1)
    mode: str = setting("fast", "a word", options=("fast", "slow"))


class ToyPipeline(Pipeline):
    """One convolution."""

    method = "toy"
    config_type = ToyConfig

    def __init__(self, config):
        super().__init__(config)
        self.net = torch.nn.Conv2d(3, config.width, 1)


@pytest.fixture
def folder(tmp_path):
    ToyPipeline(ToyConfig(width=5)).save_pretrained(tmp_path / "toy")
    return tmp_path / "toy"


def edit(folder, **changes):
    """Change entries of config.json."""
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def replace_weights(folder, tensors):
    """Other weights, with a hash that matches them."""
    save_file(tensors, folder / "model.safetensors")
    digest = hashlib.sha256((folder / "model.safetensors").read_bytes()).hexdigest()
    edit(folder, files={"model.safetensors": {"sha256": digest}})


def test_what_is_saved_comes_back_bit_by_bit(tmp_path):
    pipeline = ToyPipeline(ToyConfig(width=5, mode="slow"))
    pipeline.save_pretrained(tmp_path)
    again = ToyPipeline.from_pretrained(tmp_path)
    assert again.config == pipeline.config
    assert torch.equal(again.net.weight, pipeline.net.weight)
    assert not again.training


def test_equal_pipelines_save_equal_bytes(tmp_path):
    pipeline = ToyPipeline(ToyConfig())
    for name in ("one", "two"):
        pipeline.save_pretrained(tmp_path / name)
    for name in ("config.json", "model.safetensors"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


DAMAGE = {
    "no config": (lambda f: (f / "config.json").unlink(), "not a saved pipeline"),
    "no JSON": (lambda f: (f / "config.json").write_text("{"), "not valid JSON"),
    "a list": (lambda f: (f / "config.json").write_text("[]"), "must hold a table"),
    "a deep list": (lambda f: (f / "config.json").write_text("[" * 100_000), "not valid JSON"),
    "newer format": (lambda f: edit(f, format_version=99), "upgrade"),
    "no method": (lambda f: edit(f, method=None), "lacks a valid 'method'"),
    "other method": (lambda f: edit(f, method="pair"), "holds method 'pair'"),
    "extra setting": (lambda f: edit(f, config={"widht": 3}), "did you mean 'width'"),
    "wrong type": (lambda f: edit(f, config={"width": "3"}), "finite int"),
    "bool for int": (lambda f: edit(f, config={"width": True}), "finite int"),
    "NaN": (lambda f: edit(f, config={"rate": float("nan")}), "finite float"),
    "absurd size": (lambda f: edit(f, config={"width": 10**9}), "from 1 to 64"),
    "unknown word": (lambda f: edit(f, config={"mode": "faster"}), "one of fast, slow"),
    "no weights listed": (lambda f: edit(f, files={}), "must list model.safetensors"),
    "no hash": (lambda f: edit(f, files={"model.safetensors": {}}), "sha256"),
    "weights missing": (lambda f: (f / "model.safetensors").unlink(), "missing"),
    "flipped byte": (lambda f: (f / "model.safetensors").write_bytes(b"x" * 300), "sha256"),
    "LFS pointer": (lambda f: (f / "model.safetensors").write_bytes(b"version https://git-lfs..."), "git lfs pull"),
    "tensor missing": (lambda f: replace_weights(f, {"net.weight": torch.zeros(5, 3, 1, 1)}), "does not fit"),
    "other shape": (
        lambda f: replace_weights(f, {"net.weight": torch.zeros(6, 3, 1, 1), "net.bias": torch.zeros(6)}),
        "does not fit",
    ),
}


@pytest.mark.parametrize("name", DAMAGE)
def test_a_damaged_folder_is_refused_with_a_sentence(folder, name):
    damage, reason = DAMAGE[name]
    damage(folder)
    with pytest.raises(ModelError, match=reason) as caught:
        ToyPipeline.from_pretrained(folder)
    assert "\n" not in str(caught.value)


def test_an_unknown_source_names_the_nearest():
    with pytest.raises(UsageError, match="did you mean 'pair'"):
        load_pipeline("pear")


def test_devices_are_checked():
    assert pick_device("cpu").type == "cpu"
    with pytest.raises(UsageError, match="unknown device"):
        pick_device("abacus")
    if not torch.cuda.is_available():
        with pytest.raises(UsageError, match="not present"):
            pick_device("cuda")


def test_a_code_comes_back_and_another_model_refuses_it(tmp_path):
    code = Code("toy", {"common": torch.rand(1, 4)})
    code.save(tmp_path / "code.safetensors")
    again = Code.load(tmp_path / "code.safetensors").expect("toy", "common")
    assert torch.equal(again.parts["common"], code.parts["common"])
    with pytest.raises(ModelError, match="made by 'toy'"):
        again.expect("pair")
    with pytest.raises(ModelError, match="no part 'separate'"):
        again.expect("toy", "separate")


def test_a_file_that_is_no_code_is_refused(tmp_path):
    (tmp_path / "text").write_text("hello")
    save_file({"x": torch.zeros(1)}, tmp_path / "weights")
    for name in ("text", "weights", "missing"):
        with pytest.raises(ModelError):
            Code.load(tmp_path / name)


def test_half_precision_halves_the_file_and_draws_the_same_picture(tmp_path):
    method = get_method("didd")
    torch.manual_seed(0)
    pipeline = method.pipeline_type()(method.config(**method.smoke)).eval()
    sizes = {}
    for half in (False, True):
        pipeline.save_pretrained(tmp_path / str(half), {"step": 3}, half=half)
        sizes[half] = (tmp_path / str(half) / "model.safetensors").stat().st_size
    assert sizes[True] < 0.6 * sizes[False]
    images = torch.rand(2, 4, 3, 32, 32)
    again = load_pipeline(tmp_path / "True", "cpu")
    assert next(again.parameters()).dtype == torch.float32
    assert (again.translate(*images) - pipeline.translate(*images)).abs().max() < 0.5 / 255

"""A stranger's model: whatever its files hold, it loads or is refused in one sentence, in bounded memory and time."""

import hashlib
import json
import random
import resource
import struct
import time

import pytest
import torch

from analogies_hub.errors import AnalogyError, ModelError
from analogies_hub.hub.card import facts_of, measured
from analogies_hub.registry import get_method, load_pipeline

CASES = 200
SMALL = {"size": 64, "width": 16, "common": 4, "separate": 4, "domains": ("glasses", "none")}
VALUES = [
    0,
    -1,
    1,
    3,
    10**9,
    1e308,
    float("nan"),
    float("inf"),
    "../../etc/passwd",
    "x" * 10_000,
    "",
    None,
    True,
    [],
    {},
]
VALUES += [["a", "b"], ["none", "none"], [1, 2], {"width": 3}, [["a"]], 4096, 512, 63, "published", "compact", "l2"]


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """The files of a small model, as they should be."""
    folder = tmp_path_factory.mktemp("model")
    method = get_method("mask_transfer")
    torch.manual_seed(0)
    method.pipeline_type()(method.config(**SMALL)).save_pretrained(folder)
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def written(folder, config, weights):
    """A folder whose config holds the true hash of whatever its weights are: a stranger's would."""
    folder.mkdir(exist_ok=True)
    entry = {"sha256": hashlib.sha256(weights).hexdigest(), "size": len(weights)}
    if isinstance(config, dict) and isinstance(config.get("files"), dict) and "model.safetensors" in config["files"]:
        config = config | {"files": config["files"] | {"model.safetensors": entry}}
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "model.safetensors").write_bytes(weights)
    return folder


def mutated_config(chance, config):
    """One or two entries of another value, removed, or new."""
    config = json.loads(json.dumps(config))
    for _ in range(chance.choice((1, 1, 2))):
        table = chance.choice([config, config["config"], config["config"], config["config"], config["files"]])
        if not isinstance(table, dict) or not table:
            continue
        name = chance.choice([*table, "extra", "__class__", "../path"])
        if chance.random() < 0.2:
            table.pop(name, None)
        else:
            table[name] = chance.choice(VALUES)
        if not all(isinstance(config.get(key), dict) for key in ("config", "files")):
            break
    return config


def mutated_weights(chance, weights):
    """Bytes flipped, cut, doubled or put in front, in the header for the most part."""
    data = bytearray(weights)
    kind = chance.randrange(5)
    if kind == 0:
        return bytes(data[: chance.randrange(len(data))])
    if kind == 1:
        return bytes(data) + chance.randbytes(chance.randrange(1, 1000))
    if kind == 2:
        return struct.pack("<Q", chance.choice([0, 1, 2**20, 2**40, 2**63])) + bytes(data[8:])
    header = 8 + int.from_bytes(data[:8], "little")
    for _ in range(chance.choice((1, 3, 30))):
        data[chance.randrange(header if kind == 3 else len(data))] = chance.randrange(256)
    return bytes(data)


def test_mutated_files_load_or_are_refused_in_a_sentence(model, tmp_path):
    config, refused, slowest = json.loads(model["config.json"]), 0, 0.0
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for seed in range(CASES):
        chance = random.Random(seed)
        values = config if seed % 3 == 2 else mutated_config(chance, config)
        weights = mutated_weights(chance, model["model.safetensors"]) if seed % 3 else model["model.safetensors"]
        start = time.perf_counter()
        try:
            load_pipeline(written(tmp_path / "case", values, weights), "cpu")
        except AnalogyError as error:
            refused += 1
            assert "\n" not in str(error) and len(str(error)) < 600
        slowest = max(slowest, time.perf_counter() - start)
    assert refused > CASES / 2  # mutations of numbers that still fit are models, too
    assert slowest < 10
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - peak) * 1024
    assert grown < 2 * len(model["model.safetensors"]) + 50_000_000  # what imports take


def entries(count):
    """A valid header of so many empty tensors."""
    header = json.dumps(
        {f"t{number}": {"dtype": "F32", "shape": [0], "data_offsets": [0, 0]} for number in range(count)}
    )
    return struct.pack("<Q", len(header)) + header.encode()


@pytest.mark.parametrize(
    ("weights", "reason"),
    [
        (struct.pack("<Q", 10**11) + b"{}", "header would have 100,000,000,000 bytes"),
        (entries(100_000), "header would have"),
        (entries(1000), "does not fit the settings"),
        (b"<html>not found</html>", "not a file of weights"),
        (b"\x80\x04\x95pickle", "not a file of weights"),
        (b"", "not a file of weights"),
    ],
)
def test_what_is_no_file_of_these_weights_is_refused(model, tmp_path, weights, reason):
    with pytest.raises(ModelError, match=reason):
        load_pipeline(written(tmp_path / "case", json.loads(model["config.json"]), weights), "cpu")


def test_settings_that_ask_for_gigabytes_are_refused_before_they_get_them(model, tmp_path):
    config = json.loads(model["config.json"])
    config["config"] |= {"width": 512, "networks": "published", "size": 512}
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(ModelError, match="does not fit the settings"):
        load_pipeline(written(tmp_path / "case", config, model["model.safetensors"]), "cpu")
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000  # KiB


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"extra": 1}, "an entry 'extra' that means nothing"),
        ({"files": {"../weights": {}}}, "an entry '../weights' that means nothing"),
        ({"train": [1]}, "a table as 'train'"),
    ],
)
def test_entries_that_mean_nothing_are_refused(model, tmp_path, changes, reason):
    config = json.loads(model["config.json"]) | changes
    with pytest.raises(ModelError, match=reason):
        load_pipeline(written(tmp_path / "case", config, model["model.safetensors"]), "cpu")


@pytest.mark.parametrize("train", [{"step": "x"}, {"changes": 3}, {"changes": [[1]]}])
def test_facts_that_are_none_are_refused(model, tmp_path, train):
    config = json.loads(model["config.json"]) | {"train": train}
    with pytest.raises(ModelError, match="does not hold what it should"):
        facts_of(written(tmp_path / "case", config, model["model.safetensors"]))


@pytest.mark.parametrize("scores", [{"add-glasses": 3}, {"add-glasses": {"numbers": {}}}])
def test_scores_that_are_none_are_refused(tmp_path, scores):
    (tmp_path / "eval.json").write_text(json.dumps(scores))
    with pytest.raises(ModelError, match="does not hold what it should"):
        measured(tmp_path)


def test_numbers_that_are_not_finite_are_refused(tmp_path):
    method = get_method("mask_transfer")
    pipeline = method.pipeline_type()(method.config(**SMALL))
    with torch.no_grad():
        next(pipeline.parameters())[0] = float("nan")
    pipeline.save_pretrained(tmp_path)
    with pytest.raises(ModelError, match="not finite"):
        load_pipeline(tmp_path, "cpu")

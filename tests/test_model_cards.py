"""What is published: every model in `model_cards/` loads, works, and says what was measured."""

import json
from pathlib import Path

import pytest
import torch

from analogies_hub.evaluation.models import edit_of
from analogies_hub.evaluation.tasks import parse_task
from analogies_hub.hub.card import HEADLINES, refreshed
from analogies_hub.hub.collection import with_overview
from analogies_hub.registry import MODEL_CARDS, load_pipeline, model_names

LARGEST, ALL = 12_000_000, 60_000_000  # bytes of one file of weights, and of all


@pytest.fixture(params=model_names())
def card(request):
    return MODEL_CARDS / request.param


def test_a_model_loads_by_its_name_and_edits(card):
    pipeline = load_pipeline(card.name, "cpu")
    edit, size = edit_of(pipeline, parse_task(f"add-{pipeline.attributes[0]}")), pipeline.config.size
    result = edit(*torch.rand(2, 1, 3, size, size))
    assert (result[0] if isinstance(result, tuple) else result).shape == (1, 3, size, size)


def test_a_card_says_what_was_trained_and_what_it_scores(card):
    text = (card / "README.md").read_text(encoding="utf-8")
    about = json.loads((card / "config.json").read_text())["train"]
    assert f"{about['step']:,} steps" in text
    assert refreshed(text, card) == text, "analogies models refresh makes generated parts anew"
    for name, task in json.loads((card / "eval.json").read_text()).items():
        assert f"| {name} | model |" in text and f"images/{name}.png" in text
        assert set(HEADLINES) <= set(task["numbers"])
        assert task["edits"] >= 900


def test_the_collection_lists_every_model_with_its_numbers():
    text = (MODEL_CARDS / "README.md").read_text(encoding="utf-8")
    assert with_overview(text, MODEL_CARDS) == text
    assert all(f"[{name}]({name})" in text for name in model_names())


def test_the_weights_stay_small():
    sizes = [path.stat().st_size for path in Path(MODEL_CARDS).glob("*/*.safetensors")]
    assert all(size <= LARGEST for size in sizes) and sum(sizes) <= ALL

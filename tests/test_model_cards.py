"""What is published: every model in `model_cards/` loads, works, and says what was measured."""

import json
from pathlib import Path

import pytest
import torch

from analogies_hub.evaluation.cards import HEADLINES
from analogies_hub.evaluation.models import edit_of
from analogies_hub.evaluation.tasks import parse_task
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
    assert text.startswith("---\n") and "license: mit" in text and "library_name: analogies-hub" in text
    about = json.loads((card / "config.json").read_text())["train"]
    assert f"{about['step']:,} steps" in text
    table = (card / "table.md").read_text(encoding="utf-8")
    assert table in text, "the card's table is not the one that was measured"
    tasks = json.loads((card / "eval.json").read_text())
    for name, task in tasks.items():
        assert f"| {name} |" in table and (card / "images" / f"{name}.png").is_file()
        assert set(HEADLINES) <= set(task["numbers"])
        assert task["edits"] >= 900


def test_the_weights_stay_small():
    sizes = [path.stat().st_size for path in Path(MODEL_CARDS).glob("*/*.safetensors")]
    assert all(size <= LARGEST for size in sizes) and sum(sizes) <= ALL

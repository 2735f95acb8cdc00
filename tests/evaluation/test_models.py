"""Trained models as edits: what each task asks of them, the paper's table, and what a card needs."""

import json
from types import SimpleNamespace

import pytest
import torch

from analogies_hub.errors import UsageError
from analogies_hub.evaluation.cards import card_table, evaluate_model, tasks_of, write_card
from analogies_hub.evaluation.features import load_feature_net
from analogies_hub.evaluation.judges import load_judges
from analogies_hub.evaluation.models import edit_of
from analogies_hub.evaluation.table_scores import cells, score_table
from analogies_hub.evaluation.tables import TABLES
from analogies_hub.evaluation.tasks import parse_task
from analogies_hub.hub.card import HEADLINES, scores_of


class Guide:
    """A model that gives the guide back."""

    method = "stub"
    device = torch.device("cpu")
    config = SimpleNamespace(size=64)

    def __init__(self, attributes):
        self.attributes = attributes

    def operations(self):
        return {"translate": None}

    def fingerprint(self):
        return "stub-" + "-".join(self.attributes)

    def translate(self, content, guide, to, off):
        self.asked = to, off
        return guide


@pytest.fixture(scope="module")
def judges():
    return load_judges("avataaars")


@pytest.mark.parametrize(
    ("task", "asked"),
    [
        ("add-glasses", ("glasses", "none")),
        ("remove-smile", ("none", "smile")),
        ("smile-to-glasses", ("glasses", "smile")),
        ("facial_hair-to-glasses", ("glasses", "none")),  # it has no code for facial hair
    ],
)
def test_a_task_says_what_is_taken_and_what_goes(task, asked):
    model = Guide(("glasses", "smile"))
    edit_of(model, parse_task(task))(torch.zeros(1, 3, 8, 8), torch.ones(1, 3, 8, 8))
    assert model.asked == asked


def test_what_a_model_does_not_know_is_refused():
    with pytest.raises(UsageError, match="cannot do add-smile: this model knows only glasses"):
        edit_of(Guide(("glasses",)), parse_task("add-smile"))
    with pytest.raises(UsageError, match="none of the attributes"):
        tasks_of(Guide(("hats",)))


def test_the_tasks_of_a_model_are_those_about_its_own_attributes():
    assert tasks_of(Guide(("glasses", "smile"))) == [
        "add-glasses",
        "add-smile",
        "remove-glasses",
        "remove-smile",
        "glasses-to-smile",
        "smile-to-glasses",
    ]
    assert tasks_of(Guide(("smile",))) == ["add-smile", "remove-smile", "glasses-to-smile", "facial_hair-to-smile"]


def test_a_table_has_a_line_for_each_model_and_control(judges, tmp_path):
    table = TABLES[0]
    models = {"both": Guide(("glasses", "smile")), "one": Guide(("glasses",))}
    found = score_table(table, models, tmp_path, 20, judges)
    assert {task for task, name in found if name == "one"} == {"smile-to-glasses", "facial_hair-to-glasses"}
    rows = {(number, system): values for number, system, *values in cells(table, found)}
    place = table.tasks.index("smile-to-glasses")
    assert rows["class", "both"][place] == rows["class", "copy guide"][place]
    assert rows["l1", "oracle"][place].startswith("0.00 ")
    assert rows["class", "both"][table.tasks.index("smile-to-facial_hair")] == "-"
    with pytest.raises(UsageError, match="none of the models"):
        score_table(table, {"hats": Guide(("hats",))}, tmp_path, 20, judges)


def test_a_table_by_method_joins_models_of_one_task_each(judges, tmp_path):
    table, nets = TABLES[1], [load_feature_net("avatars-attributes")]
    models = {"a": Guide(("glasses",)), "b": Guide(("smile",))}
    found = score_table(table, models, tmp_path, 20, judges, nets)
    rows = {(number, system): values for number, system, *values in cells(table, found)}
    assert [value == "-" for value in rows["class", "stub"]] == [False, True, False]
    assert {"copy input", "oracle", "real faces"} <= {
        system for number, system in rows if number == "fid[avatars-attributes]"
    }
    with pytest.raises(UsageError, match="two models of stub do remove-glasses"):
        score_table(table, models | {"c": Guide(("glasses",))}, tmp_path, 20, judges, nets)


def test_a_card_holds_every_number_and_picture(judges, tmp_path):
    found = evaluate_model(Guide(("glasses",)), tmp_path / "results", 20, judges, tasks=["add-glasses"])
    write_card(found, tmp_path / "results", tmp_path / "card")
    numbers = json.loads((tmp_path / "card" / "eval.json").read_text())["add-glasses"]["numbers"]
    assert set(HEADLINES) <= set(numbers)
    assert numbers["class"]["model"] == numbers["class"]["copy guide"]
    assert numbers["edit_gain"]["oracle"][0] == 1
    assert {"add-glasses.png", "content.png", "guide.png"} == {
        path.name for path in (tmp_path / "card" / "images").iterdir()
    }
    assert len(card_table(found)) == 1 + 3 and len(scores_of(tmp_path / "card").splitlines()) == 2 + 3

"""`analogies train`, `translate`, `interpolate` and `eval` on a model that trains in a second."""

import json
from dataclasses import replace

import numpy as np
import pytest
from safetensors.torch import load_file

from analogies_hub.cli.train import open_split
from analogies_hub.images import open_image, read_metadata
from analogies_hub.registry import get_method

OWN = ["--data", "glasses", "smile", "--domains", "specs", "grin"]


@pytest.fixture(scope="module")
def trained(tmp_path_factory, analogies, draw_noise, small):
    """A folder with 40 odd-sized pictures a domain, two pictures to edit, and a run trained on them."""
    folder, random = tmp_path_factory.mktemp("own"), np.random.default_rng(0)
    for name in ("glasses", "smile"):
        for number in range(40):
            draw_noise(folder / name / f"{number}.jpg", *random.integers(33, 90, 2))
    for name in ("anna", "ben"):
        draw_noise(folder / f"{name}.png", 50, 70)
    words = ["--data", "glasses", "smile", "--domains", "glasses", "smile", *small, "steps=5", "-o", "run"]
    done = analogies("train", "didd", *words, "--save-every", 2, cwd=folder)
    assert done.returncode == 0, done.stderr
    assert "run/best" in done.stdout and "step 5 of 5" in done.stderr
    assert "folder glasses: 40 pictures are few to begin with nothing; try --start didd-avatars-glasses-smile\n" in (
        done.stderr
    )
    return folder


def test_sets_of_few_pictures_are_varied_all_alike_and_in_training_alone(trained):
    config, data = get_method("didd").config(domains=("glasses", "smile")), [f"{trained}/glasses", f"{trained}/smile"]
    few = len(open_split(data, config, "train", 40, 0, hidden=True)[0])
    for limit, varied in ((few, False), (few + 1, True)):
        sources = open_split(data, replace(config, few=limit), "train", 40, 0, hidden=True)
        assert [source.vary for source in sources] == [varied] * 2
    assert not any(source.vary or source.flip for source in open_split(data, config, "validation", 40, 0, hidden=True))
    assert get_method("didd").preset("reference")["few"] == 0


def test_a_run_leaves_models_metrics_samples_and_checkpoints(trained):
    run = trained / "run"
    rows = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    assert [row["step"] for row in rows if "validation" in row] == [2, 4, 5]
    assert open_image(run / "samples" / "step_00000005.png").width == 8 * 32
    about = json.loads((run / "last" / "config.json").read_text())["train"]
    assert about["step"] == 5 and about["domains"] == ["glasses", "smile"]


def test_a_training_may_start_from_a_trained_model_for_domains_of_other_names(trained, analogies):
    still = ["--set", "steps=1", "lr=0"]  # what it ends with is what it started from
    done = analogies("train", "didd", *OWN, "--start", "run", *still, "-o", "more", cwd=trained)
    assert done.returncode == 0 and "few" not in done.stderr, done.stderr
    old, new = (load_file(trained / run / "best" / "model.safetensors") for run in ("run", "more"))
    for name, value in new.items():
        old_name = name.replace(".specs.", ".glasses.").replace(".grin.", ".smile.")
        assert value.equal(old[old_name]) or "usual" in name
    record = json.loads((trained / "more" / "best" / "config.json").read_text())
    assert record["config"]["width"] == 16 and record["train"]["start"] == "run"


def test_translate_writes_a_picture_that_says_what_made_it(trained, analogies):
    done = analogies(
        "translate", "anna.png", "ben.png", "--model", "run", "--to", "glasses", "-o", "out.png", cwd=trained
    )
    assert done.returncode == 0, done.stderr
    assert open_image(trained / "out.png").size == (32, 32)
    note = read_metadata(trained / "out.png")
    assert (note["operation"], note["to"], note["off"]) == ("translate", "glasses", "all")
    done = analogies("translate", "glasses", "ben.png", "--model", "run", "-q", "-o", ".", cwd=trained)
    assert done.returncode == 0 and len(list(trained.glob("*__didd.png"))) == 40


def test_interpolate_writes_a_row_or_a_grid(trained, analogies):
    words = ["interpolate", "anna.png", "anna.png", "ben.png", "--model", "run", "--steps", 3]
    assert analogies(*words, "--across", "glasses", "-o", "row.png", cwd=trained).returncode == 0
    assert analogies(*words, "--down-ends", "ben.png", "anna.png", "-o", "grid.png", cwd=trained).returncode == 0
    assert open_image(trained / "row.png").size == (96, 32)
    assert open_image(trained / "grid.png").size == (96, 96)


def test_codes_travel_between_commands(trained, analogies):
    done = analogies("run", "run", "encode", "image=anna.png", "-o", "anna.safetensors", cwd=trained)
    assert done.returncode == 0, done.stderr
    assert load_file(trained / "anna.safetensors").keys() == {"(own)", "common", "detail", "glasses", "smile"}
    assert analogies("run", "run", "decode", "code=anna.safetensors", "-o", "anna2.png", cwd=trained).returncode == 0


@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        (["translate", "anna.png", "ben.png", "--model", "run", "--to", "glases"], 2, "did you mean 'glasses'"),
        (["translate", "anna.png", "ben.png", "--model", "nowhere"], 2, "neither a folder, a model nor a method"),
        (["translate", "anna.png", "ben.png", "--model", "didd"], 2, "needs trained weights"),
        (["translate", "gone.png", "ben.png", "--model", "run"], 3, "does not exist"),
        (["translate", "anna.png", "ben.png", "--model", "pair"], 2, "has no 'to'"),
        (["train", "didd", "--data", "glasses", "smile", "--domains", "a", "b", "--set", "widht=3"], 2, "width"),
        (["train", "didd", "--data", "glasses", "--domains", "a", "b", "c"], 2, "1 folders for 3 domains"),
        (["train", "didd", "--domains", "a", "b"], 2, "needs --data and --domains"),
        (["train", "content_transfer", *OWN, "--start", "run"], 2, "is of the method didd"),
        (["train", "didd", *OWN, "--start", "run", "--preset", "gpu"], 2, "leave out --preset gpu"),
        (["train", "didd", *OWN, "--start", "run", "--set", "width=24"], 3, "'run' have other sizes"),
        (["train", "pair", "--data", "glasses", "smile", "--domains", "a", "b"], 2, "needs no training"),
    ],
)
def test_a_mistake_gets_one_sentence_and_the_right_code(trained, words, code, sentence, monkeypatch):
    from typer.testing import CliRunner

    from analogies_hub.cli import app

    monkeypatch.chdir(trained)
    done = CliRunner().invoke(app, words)
    assert done.exit_code == code
    assert sentence in done.stderr and len(done.stderr.strip().splitlines()) == 1

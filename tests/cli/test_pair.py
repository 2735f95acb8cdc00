"""The command line, run as a user runs it: in a process of its own."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest
import torch
from PIL import Image
from typer.testing import CliRunner

from analogies_hub.cli import app
from analogies_hub.images import open_image, read_metadata, save_image


@pytest.fixture
def folder(tmp_path, content, guide, monkeypatch):
    """A working folder with two small pictures in it."""
    save_image(content[0], tmp_path / "a.png")
    save_image(guide, tmp_path / "b.png")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def files(folder):
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


HEAVY = {"torch", "numpy", "PIL", "huggingface_hub", "safetensors", "torchvision"}


@pytest.mark.parametrize(
    "words",
    [
        ["--help"],
        ["pair", "--help"],
        ["data", "avatars", "-h"],
        ["eval", "edits", "-h"],
        ["--version"],
        ["methods"],
        ["pair", "-", "-"],
    ],
)
def test_help_lists_and_mistakes_load_nothing_heavy(words):
    script = f"""
import sys
from analogies_hub.cli import app
try:
    app({words!r})
except SystemExit:
    pass
print(*sys.modules, file=sys.stderr)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout or "stdin" in done.stderr
    assert not HEAVY & set(done.stderr.split())


def test_pair_writes_the_analogy_and_what_made_it(folder, analogies):
    done = analogies("pair", "a.png", "b.png", "-o", "out.png", "--seed", 3, "--structure", 0.7)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "Wrote out.png\n" and done.stderr == ""
    assert open_image("out.png").size == (64, 48)
    note = read_metadata("out.png")
    assert (note["model"], note["operation"], note["seed"], note["structure"]) == ("pair", "translate", 3, 0.7)


def test_the_same_seed_gives_the_same_bytes(folder, analogies):
    for name in ("one.png", "two.png"):
        analogies("pair", "a.png", "b.png", "-o", name, "--seed", 5, check=True)
    assert (folder / "one.png").read_bytes() == (folder / "two.png").read_bytes()


def test_every_knob_of_translate_is_an_option_of_pair(analogies):
    from analogies_hub.registry import get_method

    shown = analogies("pair", "--help", env=os.environ | {"COLUMNS": "200"}).stdout
    for item in get_method("pair").pipeline_type().operations()["translate"].inputs:
        assert item.name in ("content", "guide") or f"--{item.name}" in shown


def test_both_writes_two_pictures(folder, analogies):
    done = analogies("pair", "a.png", "b.png", "-o", "out.png", "--both", "--json")
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert [line["output"] for line in lines] == ["out_forward.png", "out_backward.png"]
    assert {"model", "seed", "device", "ms", "input"} <= set(lines[0])
    assert {"out_forward.png", "out_backward.png"} <= set(files(folder))


def test_a_folder_and_a_glob_go_through_one_by_one(folder, analogies):
    (folder / "in").mkdir()
    save_image(torch.rand(1, 3, 20, 20), "in/1.png")
    (folder / "in" / "2.png").write_text("text")
    save_image(torch.rand(1, 3, 20, 20), "in/3.jpg")
    done = analogies("pair", "in", "b.png", "-o", "new/out/")  # made, since it ends in /
    assert done.returncode == 1
    assert "in/2.png" in done.stderr and "not a picture" in done.stderr and len(done.stderr.splitlines()) == 1
    assert files(folder / "new" / "out") == ["1__pair.png", "3__pair.png"]
    assert analogies("pair", "in/*.jpg", "b.png", "-o", "new/out", "--overwrite").returncode == 0
    (folder / "in" / "2.png").rename(folder / "in" / "1.jpg")
    done = analogies("pair", "in", "b.png", "-o", "new/out", "--overwrite")
    assert done.returncode == 2 and "both be written" in done.stderr


def test_pipes_carry_a_picture_in_and_out(folder, analogies):
    done = analogies("pair", "-", "b.png", "-o", "-", text=False, input=(folder / "a.png").read_bytes())
    assert done.returncode == 0 and done.stderr == b""
    assert open_image(done.stdout).size == (64, 48)


def test_run_reaches_every_operation(folder, analogies):
    done = analogies("run", "pair", "sample", "image=b.png", "guide=a.png", "count=2", "seed=1", "-o", "s.png")
    assert done.returncode == 0, done.stderr
    assert {f"s_{kind}_{n}.png" for kind in ("images", "analogies") for n in (1, 2)} <= set(files(folder))
    kept = (folder / "s_images_1.png").read_bytes()
    done = analogies("run", "pair", "sample", "image=b.png", "guide=a.png", "count=2", "seed=2", "-o", "s.png")
    assert "s_images_1_new.png" in done.stdout and (folder / "s_images_1.png").read_bytes() == kept
    done = analogies("run", "pair", "retarget", "image=b.png", "width=96", "-o", "wide.jpg")
    assert open_image("wide.jpg").size == (96, 48)


def test_info_shows_inputs_with_ranges_for_a_method_and_a_folder(folder, analogies):
    from analogies_hub.registry import load_pipeline

    load_pipeline("pair", "cpu").save_pretrained(folder / "saved")
    for source in ("pair", "saved"):
        facts = json.loads(analogies("info", source, "--json").stdout)
        (knob,) = [i for i in facts["operations"]["translate"]["inputs"] if i["name"] == "structure"]
        assert (knob["from"], knob["to"], knob["default"]) == (0, 1, 0.5)
    assert "translate" in analogies("info", "pair").stdout


def test_every_kind_of_value_can_be_given_in_words():
    from analogies_hub.cli.run import parsers
    from analogies_hub.kinds import KINDS

    assert set(parsers()) == set(KINDS)


MISTAKES = [
    (["pair", "a.png", "missing.png", "-o", "x.png"], 3, "does not exist"),
    (["pair", "missing.png", "b.png", "-o", "x.png"], 3, "does not exist"),
    (["pair", "a.png", "text.png", "-o", "x.png"], 3, "not a picture"),
    (["pair", "cut.png", "b.png", "-o", "x.png"], 3, "damaged"),
    (["pair", "a.png", ".", "-o", "x.png"], 3, "is a folder"),
    (["pair", "tiny.png", "b.png", "-o", "x.png"], 3, "1 x 1 pixels"),
    (["pair", "a.png", "strip.png", "-o", "x.png"], 3, "long and thin"),
    (["pair", "a.png", "b.png", "-o", "none/x.png"], 2, "does not exist"),
    (["pair", "a.png", "b.png", "-o", "x.txt"], 2, "must end in"),
    (["pair", "a.png", "b.png", "-o", "b.png"], 2, "exists"),
    (["pair", "a.png", "b.png", "-o", "x.png", "--structure", "2"], 2, "'structure' must be"),
    (["pair", "a.png", "b.png", "-o", "x.png", "--seed", "-1"], 2, "'seed' must be"),
    (["pair", "a.png", "b.png", "-o", "x.png", "--follow", "line"], 2, "did you mean 'lines'"),
    (["pair", "a.png", "b.png", "-o", "x.png", "--size", "8"], 3, "at least 16"),
    (["pair", "a.png", "b.png", "-o", "x.png", "--size", "x"], 2, "--size"),
    (["pair", "a.png", "b.png", "-o", "x.png", "--device", "tpu9"], 2, "device"),
    (["pair", "*.tga", "b.png", "-o", "x.png"], 2, "nothing matches"),
    (["pair", "a.png", "b.png", "--both", "-o", "-"], 2, "one picture"),
    (["run", "pear", "translate"], 2, "did you mean 'pair'"),
    (["run", "pair", "translat"], 2, "did you mean 'translate'"),
    (["run", "pair", "translate", "content=a.png"], 2, "needs guide="),
    (["run", "pair", "translate", "contents=a.png"], 2, "did you mean 'content'"),
    (["run", "pair", "translate", "a.png"], 2, "must be name=value"),
    (["run", "pair", "translate", "content=a.png", "guide=b.png", "seed=many"], 2, "must be a number"),
    (["info", "pears"], 2, "did you mean 'pair'"),
    (["bench", "pair", "a.png", "missing.png", "--size", "32"], 1, "does not exist"),
]


@pytest.mark.slow
@pytest.mark.parametrize(("words", "code", "reason"), MISTAKES, ids=lambda value: str(value)[:60])
def test_a_mistake_gets_one_sentence_and_its_exit_code(folder, words, code, reason):
    Image.new("RGB", (1, 1)).save("tiny.png")
    Image.new("RGB", (1, 2000)).save("strip.png")
    (folder / "text.png").write_text("not a picture")
    (folder / "cut.png").write_bytes((folder / "a.png").read_bytes()[:200])
    before = {name: (folder / name).read_bytes() for name in files(folder)}
    done = CliRunner().invoke(app, words)  # in this process: a new one takes seconds
    assert done.exit_code == code, done.output
    assert isinstance(done.exception, SystemExit)  # no traceback
    assert reason in done.stderr and "Traceback" not in done.stderr
    assert done.stdout == ""
    assert {name: (folder / name).read_bytes() for name in files(folder)} == before


def test_errors_are_json_where_results_are(folder, analogies):
    done = analogies("pair", "a.png", "missing.png", "-o", "x.png", "--json")
    assert done.returncode == 3
    report = json.loads(done.stdout)
    assert report["code"] == 3 and "missing.png" in report["error"]


def test_ctrl_c_in_the_middle_leaves_nothing_behind(folder, command):
    save_image(torch.rand(1, 3, 700, 700), "large.png")
    before = files(folder)
    process = subprocess.Popen(
        [*command, "pair", "large.png", "large.png", "-o", "x.png", "--size", "2048"],
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    time.sleep(4)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "stopped" in errors and "Traceback" not in errors
    assert files(folder) == before


def test_bench_reports_both_engines_in_one_run(folder, analogies):
    rows = json.loads(analogies("bench", "pair", "a.png", "b.png", "--size", 48, "--size", 64, "--json").stdout)
    assert [(row["engine"], row["size"]) for row in rows] == [
        ("patch", 48),
        ("brute", 48),
        ("patch", 64),
        ("brute", 64),
    ]
    assert all(row["cpu_seconds"] > 0 and row["peak_mb"] > 50 and row["coherence"] > 0 for row in rows)

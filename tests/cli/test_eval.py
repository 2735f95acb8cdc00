"""`analogies eval`, run as a user runs it, on an edit whose worth is known."""

import json
import shutil

import pytest
from typer.testing import CliRunner

from analogies_hub.cli import app
from analogies_hub.images import open_image

EDITS = """
def half_guide(contents, guides):
    return (contents + guides) / 2

def nothing(contents, guides):
    return contents
"""
STOPS = """
calls = 0

def edit(contents, guides):
    global calls
    calls += 1
    if calls == 2:
        raise MemoryError("full")
    return contents
"""


@pytest.fixture(scope="module")
def scored(tmp_path_factory, analogies):
    """A folder in which two edits were scored, and what the first command printed."""
    folder = tmp_path_factory.mktemp("eval")
    (folder / "edits.py").write_text(EDITS)
    (folder / "broken.py").write_text("def edit(:")
    words = ["--task", "add-glasses", "--n", 40, "-q"]
    done = analogies("eval", "edits", "edits:half_guide", *words, "-o", "half", cwd=folder)
    assert done.returncode == 0, done.stderr
    assert analogies("eval", "edits", "edits:nothing", *words, "-o", "nothing", cwd=folder).returncode == 0
    return folder, done.stdout


def numbers(file):
    """The records of a results file: value, low and high by system and metric."""
    records = [json.loads(line) for line in file.read_text().splitlines()]
    return {(r["system"], r["metric"]): (r["value"], r["low"], r["high"]) for r in records}


def test_the_report_holds_every_number_with_its_interval_beside_the_controls(scored):
    folder, printed = scored
    found = numbers(folder / "half" / "results.jsonl")
    assert {system for system, _ in found} == {
        "edits:half_guide",
        "copy input",
        "copy guide",
        "oracle",
        "real faces",
    }
    for (system, metric), (value, low, high) in found.items():
        if value is None:
            assert metric == "guide_at_1" or "real" in system
        else:
            assert low <= value + 1e-9 and value <= high + 1e-9, (system, metric)
    assert found["oracle", "edit_gain"][0] == 1 and found["copy input", "edit_gain"][0] == 0
    assert found["oracle", "content[avatars-attributes]"][0] == 0
    assert found["real faces", "content[avatars-attributes]"][0] == pytest.approx(1)
    assert found["real faces", "style[avatars-attributes]"][0] == pytest.approx(1)
    assert found["real faces", "fid[avatars-attributes]"][0] < found["copy input", "fid[avatars-attributes]"][0] / 5
    text = (folder / "half" / "results.md").read_text()
    for line in ("| Edit gain ↑", "| L1 ↓ (grey levels) * |", "| FID[avatars-attributes] ↓"):
        assert line in text
    assert "40 edits of 40 avataaars faces (test people, 64 px, seed 0" in text
    assert "FID[avatars-attributes]" in printed and "results.md" in printed
    assert open_image(folder / "half" / "examples.png").size == (3 * 266 + 16, 4 * 66 + 18)


def test_scoring_again_gives_the_same_bytes_and_makes_nothing_again(scored, analogies):
    folder, _ = scored
    copy = folder / "copy"
    shutil.copytree(folder / "half", copy)
    before = {file.name: file.stat().st_mtime_ns for file in (copy / "outputs").iterdir()}
    done = analogies("eval", "edits", copy, "--json")
    assert done.returncode == 0, done.stderr
    assert done.stdout == (copy / "results.jsonl").read_text()
    assert (copy / "rows.jsonl").read_bytes() == (folder / "half" / "rows.jsonl").read_bytes()
    assert (copy / "results.jsonl").read_text().replace('"copy"', '"edits:half_guide"') == (
        folder / "half" / "results.jsonl"
    ).read_text()
    assert (copy / "examples.png").read_bytes() == (folder / "half" / "examples.png").read_bytes()
    assert {file.name: file.stat().st_mtime_ns for file in (copy / "outputs").iterdir()} == before


def test_two_edits_are_compared_over_the_same_contents(scored, analogies):
    folder, _ = scored
    done = analogies("eval", "compare", folder / "half", folder / "nothing", "--json")
    assert done.returncode == 0, done.stderr
    found = {record["metric"]: record for record in map(json.loads, done.stdout.splitlines())}
    assert found["leak"]["value"] > 10 and found["leak"]["p_holm"] < 0.01 and found["leak"]["low"] > 0
    assert found["class"]["value"] > 0.5 and found["class"]["p"] < 1e-6
    assert all(record["p"] <= record["p_holm"] for record in found.values())


def run(*words):
    """The command in this process, which has loaded what takes seconds to load."""
    return CliRunner().invoke(app, ["eval", *map(str, words)])


def test_an_edit_that_stops_goes_on_where_it_was(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "stopping.py").write_text(STOPS)
    words = ["edits", "stopping:edit", "--task", "add-smile", "--n", 22, "-o", "out", "-q"]
    first = run(*words)
    assert first.exit_code == 1 and "full" in first.stderr
    assert len(list((tmp_path / "out" / "outputs").iterdir())) == 20 and not (tmp_path / "out" / "rows.jsonl").exists()
    assert run(*words).exit_code == 0
    assert numbers(tmp_path / "out" / "results.jsonl")["stopping:edit", "edit_gain"][0] == 0


def test_pictures_go_out_and_come_back_from_any_tool(tmp_path):
    assert run("inputs", "remove-glasses", "-o", tmp_path, "--n", 4, "--size", 48).exit_code == 0
    missing = run("edits", tmp_path)
    assert missing.exit_code == 3 and "00000.png' does not exist" in missing.stderr
    for file in (tmp_path / "contents").iterdir():
        shutil.copy(file, tmp_path / "outputs" / file.name)
    assert run("edits", tmp_path, "--seed", 3, "--task", "remove-glasses").exit_code == 2
    (tmp_path / "benchmark.json").unlink()
    words = ["edits", tmp_path, "--task", "remove-glasses", "--size", 48]
    assert run(*words).exit_code == 3 and not (tmp_path / "benchmark.json").exists()  # there are not 1,000
    assert run(*words, "--n", 4).exit_code == 0
    assert run(*words, "--n", 5).exit_code == 3  # what is asked for wins over the folder's own count
    done = run("edits", tmp_path, "--json")
    assert done.exit_code == 0, done.output
    assert numbers(tmp_path / "results.jsonl")[tmp_path.name, "leak"][0] == 0


@pytest.mark.parametrize(
    ("words", "code", "reason"),
    [
        (["edits", "nowhere"], 2, "analogies eval inputs TASK"),
        (["edits", "edits:half_guide"], 2, "add --task"),
        (["edits", "edits:nope", "--task", "add-glasses"], 2, "no function 'nope'"),
        (["edits", "nope:edit", "--task", "add-glasses"], 2, "cannot be imported"),
        (["edits", "./edits:half_guide", "--task", "add-glasses"], 2, "cannot be imported"),
        (["edits", "broken:edit", "--task", "add-glasses"], 2, "cannot be imported (SyntaxError"),
        (["edits", "edits:nothing", "--task", "add-glasses", "-o", "edits.py"], 2, "is a file, expected a folder"),
        (["inputs", "add-glasses", "-o", "edits.py/new"], 2, "edits.py"),
        (["edits", "half", "--seed", "3"], 2, "add --task"),
        (["edits", "edits:half_guide", "--task", "add-glases"], 2, "did you mean 'add-glasses'"),
        (["edits", "half", "--net", "efflite"], 2, "did you mean 'efflite0'"),
        (["edits", "half", "--task", "add-smile"], 2, "another run (task 'add-glasses', now 'add-smile')"),
        (["compare", "half", "nowhere"], 2, "was not scored"),
        (["inputs", "add-smile", "-o", "new", "--split", "judges"], 2, "test or validation people"),
    ],
)
def test_a_mistake_gets_one_sentence_and_its_exit_code(words, code, reason, scored, monkeypatch):
    monkeypatch.chdir(scored[0])
    done = run(*words)
    assert done.exit_code == code, done.output
    assert reason in done.stderr and done.stderr.count("\n") == 1 and done.stdout == ""

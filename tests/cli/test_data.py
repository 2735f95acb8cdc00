"""`analogies data`, run as a user runs it."""

import json

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from analogies_hub.cli import app
from analogies_hub.images import open_image, read_metadata


def test_avatars_are_counted_shown_and_the_same_again(analogies, tmp_path):
    words = ["data", "avatars", "--count", 12, "--size", 48, "--domain", "none", "--domain", "glasses+smile", "--json"]
    sheet = tmp_path / "sheet.png"
    first = analogies(*words, "-o", sheet)
    assert first.returncode == 0 and first.stderr == ""
    sources = [json.loads(line) for line in first.stdout.splitlines()]
    assert [source["name"] for source in sources] == [
        "avatars avataaars none train",
        "avatars avataaars glasses+smile train",
    ]
    assert all(source["images"] == 12 and source["width"] == source["height"] == 48 for source in sources)
    assert open_image(sheet).size == (12 * 50 + 2, 2 * 50 + 2)
    assert read_metadata(sheet)["rows"] == [source["name"] for source in sources]
    again = analogies(*words, "-o", sheet)
    assert again.returncode == 2 and "add --overwrite" in json.loads(again.stdout)["error"]
    assert analogies(*words, "-o", sheet, "--overwrite").stdout == first.stdout


def picture(path, value=90):
    """A small picture that is not flat."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.full((24, 20, 3), value, np.uint8)
    pixels[:8] = 0
    Image.fromarray(pixels).save(path)


def test_every_other_kind_of_data_reaches_its_sheet(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("trainA", "trainB"):
        picture(tmp_path / "pair" / name / "a.png")
    (tmp_path / "pair" / "trainA" / "broken.png").write_bytes(b"no picture")
    faces = tmp_path / "celeba"
    for number in range(2):
        (faces / "img_align_celeba").mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (178, 218), (number * 90,) * 3).save(faces / "img_align_celeba" / f"{number}.jpg")
    (faces / "list_attr_celeba.txt").write_text("2\nEyeglasses Male\n0.jpg 1 -1\n1.jpg -1 -1\n")
    (faces / "list_eval_partition.txt").write_text("0.jpg 0\n1.jpg 0\n")
    for words, lines in (
        (["folders", "pair", "--size", "16"], ["folder trainA: 1 images of 16x16 px", "folder trainB: 1"]),
        (["celeba", "celeba"], ["celeba glasses train: 1 images of 64x64 px", "celeba no-glasses train: 1"]),
        (["digits", "--domain", "mnist", "--split", "test"], ["mnist-5k test: 1,000 images of 32x32 px"]),
        (["maps", "--style", "relief", "--split", "test"], ["world map relief test: 208 images of 64x64 px"]),
    ):
        done = CliRunner().invoke(app, ["data", *words, "-o", f"{words[0]}.png"])
        assert done.exit_code == 0, done.output
        assert all(line in done.stdout for line in lines), done.output
        assert open_image(f"{words[0]}.png").size[0] > 16
    assert (
        "1 skipped, the first: pair/trainA/broken.png"
        in CliRunner()
        .invoke(app, ["data", "folders", "pair", "--size", "16", "-o", "folders.png", "--overwrite"])
        .stdout
    )


@pytest.mark.parametrize(
    ("words", "code", "reason"),
    [
        (["avatars", "--domain", "glases"], 2, "did you mean 'glasses'"),
        (["avatars", "-o", "sheet.txt"], 2, "must end in .png"),
        (["folders", "nowhere"], 2, "the folder 'nowhere/trainA' does not exist"),
        (["folders", "here", "here", "--bad", "refuse"], 3, "broken.png"),
        (["folders", "here", "here", "--bad", "maybe"], 2, "'bad' must be one of skip, refuse"),
        (["celeba", "here"], 2, "list_attr_celeba.txt' cannot be read"),
        (["digits", "--folder", "here"], 2, "download=True"),
        (["maps", "--style", "moon"], 2, "expected satellite"),
    ],
)
def test_a_mistake_gets_one_sentence_and_leaves_no_sheet(words, code, reason, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "here").mkdir()
    (tmp_path / "here" / "broken.png").write_bytes(b"no picture")
    done = CliRunner().invoke(app, ["data", *words])
    assert done.exit_code == code, done.output
    assert reason in done.stderr and done.stderr.count("\n") == 1
    assert not list(tmp_path.glob("*.png"))

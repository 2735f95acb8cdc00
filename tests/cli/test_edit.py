"""`analogies edit` on a model that trains in a second."""

import numpy as np
import pytest
from PIL import Image

from analogies_hub.examples import FOLDER
from analogies_hub.images import open_image
from analogies_hub.registry import MODEL_CARDS

GLASSES = "mask_transfer-avatars-glasses"


@pytest.fixture(scope="module")
def trained(tmp_path_factory, analogies, draw_noise, small):
    """A folder with a run, two photos of odd sizes, one of them in 16 bits, and a guide."""
    folder = tmp_path_factory.mktemp("edit")
    for name in ("glasses", "plain"):
        for number in range(8):
            draw_noise(folder / name / f"{number}.png", 40, 40)
    draw_noise(folder / "photos" / "anna.png", 91, 133)
    draw_noise(folder / "guide.png", 50, 70)
    deep = np.random.default_rng(0).integers(0, 65536, (77, 45), dtype=np.uint16)
    Image.fromarray(deep).save(folder / "photos" / "deep.png")
    words = ["--data", "glasses", "plain", "--domains", "glasses", "none", *small, "steps=3", "-o", "run"]
    done = analogies("train", "mask_transfer", *words, cwd=folder)
    assert done.returncode == 0, done.stderr
    return folder


def test_a_folder_is_edited_with_masks_and_nothing_else_changes(trained, analogies):
    words = ["edit", "photos", "--guide", "guide.png", "--model", "run/last", "--save-mask", "-o", "out/"]
    done = analogies(*words, "--threshold", 0.05, "--box", "5,5,30,30", cwd=trained)
    assert done.returncode == 0, done.stderr
    for name in ("anna", "deep"):
        photo = np.asarray(open_image(trained / "photos" / f"{name}.png"))
        result, mask = (
            np.asarray(open_image(trained / "out" / f"{name}__mask_transfer{kind}.png")) for kind in ("", "_mask")
        )
        assert result.shape == photo.shape == mask.shape
        assert (result == photo)[mask == 0].all() and not mask[40:].any()


def test_removal_needs_no_guide(trained, analogies):
    done = analogies("edit", "photos/anna.png", "--remove", "--model", "run/last", "-o", "bare.png", cwd=trained)
    assert done.returncode == 0, done.stderr
    assert open_image(trained / "bare.png").size == (133, 91)


def test_a_note_says_which_of_many_pictures_it_is_about(analogies, tmp_path):
    faces = [FOLDER / f"faces/{name}.png" for name in ("plain-1", "glasses-2", "plain-3")]
    done = analogies("edit", *faces, "--remove", "--model", GLASSES, "-o", f"{tmp_path}/", "--threads", 1)
    notes = [f"Note: {face}: in 'content' the model finds no glasses; try another picture" for face in faces[::2]]
    assert done.returncode == 0 and done.stderr.splitlines() == notes


def test_how_the_mask_ends_can_be_told(analogies, tmp_path):
    def covered(name, *words):
        faces = MODEL_CARDS / GLASSES / "images"
        files = [faces / "content.png", "--guide", faces / "guide.png", "-o", tmp_path / f"{name}.png"]
        done = analogies("edit", *files, "--model", GLASSES, "--save-mask", *words)
        assert done.returncode == 0, done.stderr
        return np.asarray(open_image(tmp_path / f"{name}_mask.png")).mean()

    hard = covered("hard", "--style", "hard")
    assert 0 < covered("soft") < hard < covered("wide", "--style", "hard", "--grow", 0.1)
    assert covered("other", "--remove", "--style", "hard", "--feather", 0.1) > 0


@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        (["photos/anna.png"], 2, "nothing to do"),
        (["photos/anna.png", "--remove", "--box", "1,2,3"], 2, "left,top,width,height"),
        (["photos/anna.png", "--remove", "--box", "0,0,200,20"], 3, "reaches beyond the picture of 133 x 91"),
        (["photos/anna.png", "--remove", "--style", "blurred"], 2, "soft"),
        (["photos/gone.png", "--remove"], 3, "does not exist"),
        (["photos/anna.png", "--guide", "gone.png"], 3, "does not exist"),
    ],
)
def test_one_sentence_says_what_is_wrong(trained, analogies, words, code, sentence):
    done = analogies("edit", *words, "--model", "run/last", "-o", "never.png", cwd=trained)
    assert (done.returncode, len(done.stderr.strip().splitlines())) == (code, 1), done.stderr
    assert sentence in done.stderr and not (trained / "never.png").exists()

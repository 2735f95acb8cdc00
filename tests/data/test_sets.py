"""Image sets by the words of a command line."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

from analogies_hub.data.avatars import draw, person
from analogies_hub.data.sets import open_sets
from analogies_hub.errors import UsageError


def fill(folder, count, colour, size=(48, 40)):
    """A folder of pictures of about one colour."""
    folder.mkdir(parents=True)
    for number in range(count):
        Image.new("RGB", size, (*colour, number % 256)[:3]).save(folder / f"{number:03d}.png")
    return folder


def test_avatars_of_a_domain_lack_what_only_others_have_and_vary_in_the_rest():
    glasses, smile = open_sets(["avatars"], ["glasses", "smile"], 32, count=8)
    expected = person("any+glasses-smile", "train", 3)
    assert expected.shows("glasses") and not expected.shows("smile")
    assert np.array_equal(glasses.pixels[3], draw(expected, size=32))
    assert not np.array_equal(glasses.pixels, smile.pixels)
    nothing, both = open_sets(["avatars"], ["none", "glasses+smile"], 32, split="validation", count=4)
    assert np.array_equal(nothing.pixels[1], draw(person("any-glasses-smile", "validation", 1), size=32))
    assert np.array_equal(both.pixels[1], draw(person("any+glasses+smile", "validation", 1), size=32))
    by_many, _ = open_sets(["faces"], ["glasses", "smile"], 32, count=8)
    assert np.array_equal(by_many.pixels[3], draw(expected, "mixed", 32))


def test_a_folder_a_domain_or_one_with_train_a_and_b(tmp_path):
    a, b = fill(tmp_path / "trainA", 5, (200, 0, 0)), fill(tmp_path / "trainB", 7, (0, 0, 200))
    for data in ([a, b], [tmp_path]):
        first, second = open_sets([str(each) for each in data], ["red", "blue"], 32)
        assert (len(first), len(second)) == (5, 7)
        assert first.batch(0, 2)[:, 0].mean() > 0.7 > second.batch(0, 2)[:, 0].mean()


def test_of_a_large_folder_every_twentieth_picture_is_held_out(tmp_path):
    folders = [str(fill(tmp_path / name, 100, (9, 9, 9))) for name in "ab"]
    train, held = (open_sets(folders, ["a", "b"], 32, split=split)[0] for split in ("train", "validation"))
    assert (len(train), len(held)) == (95, 5)


def test_a_count_of_folders_that_does_not_match_is_said(tmp_path):
    with pytest.raises(UsageError, match="1 folders for 3 domains"):
        open_sets([str(tmp_path)], ["a", "b", "c"], 32)
    with pytest.raises(UsageError, match="no avatar domain"):
        open_sets(["avatars"], ["glasses", "hat"], 32, count=2)


def test_rows_of_a_batch_are_those_of_the_whole_batch(tmp_path):
    source = replace(
        open_sets([str(fill(tmp_path / "a", 9, (1, 2, 3))), str(tmp_path / "a")], ["a", "b"], 32)[0], flip=True
    )
    whole = source.batch(step=5, count=4)
    parts = [source.batch(5, 4, slice(rank * 2, rank * 2 + 2)) for rank in range(2)]
    assert torch.equal(torch.cat(parts), whole)

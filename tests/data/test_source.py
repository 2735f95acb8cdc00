"""Batches are functions of seed and step alone, and every epoch shows everything once."""

import math

import numpy as np
import pytest
import torch

from analogies_hub.data.source import ImageSource, contact_sheet, moved
from analogies_hub.errors import UsageError


def numbered(count, height=6, width=8):
    """Images whose every pixel holds the image's number, but for a white left edge."""
    pixels = np.tile(np.arange(count, dtype=np.uint8)[:, None, None, None], (1, height, width, 3))
    pixels[:, :, 0] = 255
    return pixels


def numbers(batch):
    """The numbers that images hold, read in the middle."""
    return (batch[:, 0, 3, 3] * 255).round().int().tolist()


def test_an_epoch_shows_each_image_once_in_an_order_of_its_own():
    source = ImageSource(numbered(7), seed=3)
    shown = [number for step in range(14) for number in numbers(source.batch(step, 3))]
    epochs = [shown[start : start + 7] for start in range(0, 42, 7)]
    assert all(sorted(epoch) == list(range(7)) for epoch in epochs)
    assert len(set(map(tuple, epochs))) > 3


def test_a_batch_depends_on_seed_and_step_alone():
    pixels = np.random.default_rng(0).integers(0, 256, (9, 8, 8, 3), np.uint8)

    def make(seed):
        return ImageSource(pixels, seed=seed, flip=True, vary=True, crop=5)

    late_first = make(1)
    late = late_first.batch(11, 4)
    assert torch.equal(make(1).batch(11, 4), late)
    late_first.batch(0, 4)
    assert torch.equal(late_first.batch(11, 4), late)
    assert not torch.equal(make(2).batch(11, 4), late)


def test_two_domains_of_one_seed_meet_in_ever_new_pairs():
    a, b = (ImageSource(numbered(20), name=name, flip=True) for name in "ab")
    met = {
        pair for step in range(40) for pair in zip(numbers(a.batch(step, 10)), numbers(b.batch(step, 10)), strict=True)
    }
    assert len(met) > 200


def test_half_of_the_images_are_mirrored_and_windows_reach_every_corner():
    source = ImageSource(numbered(50), flip=True)
    white_left = source.batch(0, 50)[:, 0, 0, 0] == 1
    white_right = source.batch(0, 50)[:, 0, 0, -1] == 1
    assert torch.all(white_left ^ white_right) and 10 < white_right.sum() < 40
    pixels = np.zeros((1, 4, 4, 3), np.uint8)
    pixels[0, ..., 0] = np.arange(16).reshape(4, 4)
    window = ImageSource(pixels, crop=3)
    corners = {round(float(window.batch(step, 1)[0, 0, 0, 0] * 255)) for step in range(60)}
    assert corners == {0, 1, 4, 5} and window.size == (3, 3)


def test_varied_images_are_moved_within_bounds_another_way_each_epoch():
    dot, flat = np.zeros((1, 40, 40, 3), np.uint8), np.full((1, 40, 40, 3), 200, np.uint8)
    dot[0, 19:21, 19:21] = 255
    shown = ImageSource(dot, vary=True).batch(0, 50)[:, 0]  # 50 epochs of one image
    down, right = ((shown.sum(across) * torch.arange(40.0)).sum(1) / shown.sum((1, 2)) - 19.5 for across in (2, 1))
    for moves in (down, right):
        assert 2.0 < moves.abs().max() <= 0.06 * 40 * 1.1 and len(moves.unique()) > 40
    assert ImageSource(flat, vary=True).batch(0, 50).std() < 1e-6  # no empty corners
    assert torch.equal(ImageSource(dot, vary=True).take([0]), ImageSource(dot).take([0]))


def test_an_amount_says_where_to_and_how_far():
    image = torch.zeros(3, 40, 40)
    image[:, 8:12, 18:22] = 1  # above the middle
    for amounts, (row, column) in (
        ((0, 0, 0, 0), (9.5, 19.5)),
        ((1, 0, 0, 0), (9.5, 19.5 + 2.4)),
        ((0, -1, 0, 0), (9.5 - 2.4, 19.5)),
        ((0, 0, 1, 0), (19.5 - 10 * math.cos(math.radians(8)), 19.5 + 10 * math.sin(math.radians(8)))),
        ((0, 0, 0, 1), (19.5 - 11, 19.5)),
    ):
        seen = moved(image, *amounts)[0]
        found = [(seen.sum(across) * torch.arange(40.0)).sum() / seen.sum() for across in (1, 0)]
        assert found == pytest.approx([row, column], abs=0.15), amounts


def test_one_image_fills_a_batch_and_fewer_images_than_a_batch_repeat():
    assert numbers(ImageSource(numbered(1)).batch(5, 3)) == [0, 0, 0]
    assert sorted(numbers(ImageSource(numbered(2)).batch(0, 4))) == [0, 0, 1, 1]


@pytest.mark.parametrize(
    "pixels, options, message",
    [
        (np.zeros((0, 4, 4, 3), np.uint8), {"skipped": {"a.png": "it is broken"}}, "a.png .it is broken"),
        (np.zeros((2, 4, 4, 3), np.float32), {}, "must be uint8"),
        (np.zeros((2, 4, 4, 3), np.uint8), {"crop": 5}, "does not fit"),
    ],
)
def test_what_cannot_be_a_source_is_refused(pixels, options, message):
    with pytest.raises(UsageError, match=message):
        ImageSource(pixels, **options)


def test_a_sheet_has_a_row_a_source():
    sheet = contact_sheet([ImageSource(numbered(9)), ImageSource(numbered(2, 12, 16))], count=4)
    assert sheet.shape == (1, 3, 2 * (12 + 2) + 2, 4 * (16 + 2) + 2)

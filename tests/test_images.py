"""Reading and saving: every kind of picture file, good and bad."""

import io

import numpy as np
import pytest
import torch
from PIL import Image, ImageCms

from analogies_hub import images
from analogies_hub.errors import ImageError, UsageError
from analogies_hub.images import open_image, read_metadata, save_image, to_pil, to_tensor


def stored(image, encoding="PNG", **options):
    """The bytes of an image file."""
    file = io.BytesIO()
    image.save(file, encoding, **options)
    return file.getvalue()


def first_pixel(data):
    return open_image(data).getpixel((0, 0))


def test_transparency_lies_over_white():
    assert first_pixel(stored(Image.new("RGBA", (2, 2), (255, 0, 0, 0)))) == (255, 255, 255)
    assert first_pixel(stored(Image.new("LA", (2, 2), (0, 128)))) == (127, 127, 127)


def test_a_palette_with_a_transparent_colour_lies_over_white():
    image = Image.new("P", (2, 2), 0)
    image.putpalette([10, 20, 30, 200, 100, 50])
    image.putpixel((1, 1), 1)
    picture = open_image(stored(image, transparency=0))
    assert picture.getpixel((0, 0)) == (255, 255, 255)
    assert picture.getpixel((1, 1)) == (200, 100, 50)


def test_sixteen_bits_keep_their_range():
    assert first_pixel(stored(Image.fromarray(np.full((2, 2), 32896, np.uint16)))) == (128, 128, 128)
    assert first_pixel(stored(Image.fromarray(np.full((2, 2), 300, np.uint16)))) == (1, 1, 1)


def test_float_tiffs_of_unit_range_and_of_byte_range():
    assert first_pixel(stored(Image.fromarray(np.full((2, 2), 0.5, np.float32)), "TIFF")) == (128, 128, 128)
    assert first_pixel(stored(Image.fromarray(np.full((2, 2), 200.0, np.float32)), "TIFF")) == (200, 200, 200)


def test_grey_and_one_bit_become_rgb():
    assert first_pixel(stored(Image.new("L", (2, 2), 77))) == (77, 77, 77)
    assert first_pixel(stored(Image.new("1", (2, 2), 1))) == (255, 255, 255)


def test_cmyk_becomes_rgb():
    assert first_pixel(stored(Image.new("CMYK", (2, 2), (0, 255, 255, 0)), "TIFF")) == (255, 0, 0)


def test_an_embedded_profile_is_honoured_and_a_broken_one_ignored():
    image = Image.new("RGB", (2, 2), (10, 200, 30))
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    assert np.abs(np.subtract(first_pixel(stored(image, icc_profile=srgb)), (10, 200, 30))).max() <= 1
    assert first_pixel(stored(image, icc_profile=b"no profile")) == (10, 200, 30)


def test_exif_turns_the_picture():
    image = Image.new("RGB", (4, 2), "blue")
    image.putpixel((0, 0), (255, 0, 0))
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned clockwise
    turned = open_image(stored(image, exif=exif))
    assert turned.size == (2, 4)
    assert turned.getpixel((1, 0)) == (255, 0, 0)


def test_an_animation_gives_its_first_frame():
    frames = [Image.new("RGB", (4, 4), colour) for colour in ("red", "blue")]
    data = stored(frames[0], "GIF", save_all=True, append_images=frames[1:])
    assert first_pixel(data) == (255, 0, 0)


def test_max_side_shrinks_and_never_enlarges():
    photo = stored(Image.new("RGB", (400, 200), "red"), "JPEG")
    assert open_image(photo, max_side=100).size == (100, 50)
    assert open_image(photo, max_side=1000).size == (400, 200)


def test_a_caller_s_own_image_is_left_as_it_was():
    image = Image.open(io.BytesIO(stored(Image.new("RGB", (1600, 800), "red"), "JPEG")))
    assert open_image(image, max_side=100).size == (100, 50)
    assert image.size == (1600, 800)


def test_a_decompression_bomb_is_refused_by_its_header(monkeypatch):
    monkeypatch.setattr(images, "MAX_PIXELS", 100)
    with pytest.raises(ImageError, match="20 x 20 pixels"):
        open_image(stored(Image.new("RGB", (20, 20))))


BAD = {
    "missing.png": (None, "does not exist"),
    "text.png": (b"hello, I am text", "not a picture"),
    "empty.jpg": (b"", "not a picture"),
    "cut.png": (stored(Image.effect_noise((64, 64), 50))[:900], "damaged"),
    "cut.jpg": (stored(Image.effect_noise((64, 64), 50), "JPEG")[:500], "damaged"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_file_gets_a_sentence_with_its_name(tmp_path, name):
    data, reason = BAD[name]
    if data is not None:
        (tmp_path / name).write_bytes(data)
    with pytest.raises(ImageError, match=reason) as caught:
        open_image(tmp_path / name)
    assert name in str(caught.value)


def test_a_folder_is_not_a_picture(tmp_path):
    with pytest.raises(ImageError, match="is a folder"):
        open_image(tmp_path)


def test_tensors_are_checked():
    good = torch.rand(1, 3, 4, 4)
    assert torch.equal(to_tensor(good), good)
    for bad, reason in [
        (good[0], r"did you forget image\[None\]"),
        (good[:, :1], "must be"),
        (good * 255, r"must lie in \[0, 1\]"),
        (good / 0, "NaN"),
        ((good * 255).byte(), "floats"),
    ]:
        with pytest.raises(ImageError, match=reason):
            to_tensor(bad)


@pytest.mark.parametrize("name", ["out.png", "out.jpg", "out.webp"])
def test_a_saved_picture_says_what_made_it(tmp_path, name):
    save_image(torch.full((1, 3, 8, 8), 0.5), tmp_path / name, {"model": "pair", "seed": 7})
    assert read_metadata(tmp_path / name) == {"model": "pair", "seed": 7}
    assert np.abs(np.array(open_image(tmp_path / name)).astype(int) - 128).max() <= 1


def test_a_png_keeps_every_level():
    image = (torch.arange(192).view(1, 3, 8, 8) / 255).float()
    file = io.BytesIO()
    save_image(image, file)
    torch.testing.assert_close(to_tensor(file.getvalue()), image)


def test_masks_save_as_grey():
    assert to_pil(torch.ones(2, 1, 4, 4))[1].mode == "L"


def test_a_save_that_fails_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch):
    target = tmp_path / "out.png"
    target.write_bytes(b"old")

    def fail(*args, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr(Image.Image, "save", fail)
    with pytest.raises(KeyboardInterrupt):
        save_image(torch.rand(1, 3, 4, 4), target)
    assert target.read_bytes() == b"old"
    assert [path.name for path in tmp_path.iterdir()] == ["out.png"]


def test_targets_that_cannot_be_written_are_usage_errors(tmp_path):
    picture = torch.rand(1, 3, 4, 4)
    for target, reason in [("none/out.png", "does not exist"), ("out.txt", "must end in"), ("", "is a folder")]:
        with pytest.raises(UsageError, match=reason):
            save_image(picture, tmp_path / target)

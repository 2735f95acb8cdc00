"""Drawn faces: the same everywhere, disjoint people, and truths that differ only where they should."""

import hashlib
import os
import subprocess
import sys

import numpy as np
import pytest

from analogies_hub.data.avatars import (
    ARTISTS,
    ATTRIBUTES,
    SPLITS,
    STYLES,
    Face,
    avatars,
    counterfactual,
    draw,
    drawing,
    person,
)
from analogies_hub.errors import UsageError


@pytest.mark.parametrize("style", STYLES)
def test_another_process_draws_the_same_bytes(style):
    script = f"""
import hashlib
import os
from analogies_hub.data.avatars import draw, person
print(hashlib.sha256(b"".join(draw(person("any", "test", n), {style!r}, 48).tobytes() for n in range(5))).hexdigest())
"""
    said = {subprocess.run([sys.executable, "-c", script], capture_output=True, text=True).stdout for _ in range(2)}
    assert len(said) == 1 and len(said.pop()) == 65


@pytest.mark.parametrize(
    ("style", "digest"),
    [
        ("avataaars", "aafb7a2dbfb2131670693f6f2a3e9435679f1eb30f9b550c23a429c2fe0827c5"),
        ("open-peeps", "be37796a5694282f9a44be7346f47290e990ec8c2fec43b21609310afb5bb599"),
        ("doodles", "c6ba81976844e8ad5098520790f8ba2708ba54d52e6b291e4616b63db26eda87"),
    ],
)
def test_faces_are_those_of_version_1_on_every_machine(style, digest):
    """The SVG text, which no processor changes. Where this fails on purpose, raise `VERSION`."""
    faces = [person("any", "test", number) for number in range(20)]
    text = "".join(STYLES[style](face, 64) for face in faces)
    assert hashlib.sha256(text.encode()).hexdigest() == digest


def test_drawing_loads_no_torch():
    draws = "from analogies_hub.data.avatars import draw, person; draw(person('any', 'test', 0))"
    script = f"import sys; {draws}; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert "dicebear" in done.stdout and "torch" not in done.stdout.split()


@pytest.mark.parametrize("style", STYLES)
def test_an_attribute_changes_its_own_place_and_nothing_else(style):
    rows = {"glasses": slice(0, 96), "smile": slice(48, 128), "facial_hair": slice(32, 128)}
    for number in range(20):
        plain, guide = person("none", "test", number), person("glasses+smile+facial_hair", "test", number)
        for attribute in ATTRIBUTES:
            image, mask = counterfactual(plain, plain.taking(guide, attribute), style, 128)
            share = mask.mean()
            assert 0.003 < share < 0.4, (number, attribute, share)
            if style == "avataaars":  # frontal: we know where things are
                assert mask[rows[attribute]].sum() > 0.97 * mask.sum(), (number, attribute)
            back, _ = counterfactual(plain.taking(guide, attribute), plain, style, 128)
            assert np.array_equal(back, draw(plain, style, 128)) and not np.array_equal(back, image)


def test_a_guides_glasses_are_the_guides_on_anyone():
    anna, ben = Face("anna"), Face("ben", glasses="ben")
    worn = anna.taking(ben, "glasses")
    assert worn == Face("anna", glasses="ben") and worn.without("glasses") == anna
    sketches = [drawing.sketch(face, ARTISTS["avataaars"]) for face in (worn, ben)]
    assert len({sketch.variants["accessories"] for sketch in sketches}) == 1
    assert sketches[0].colours["accessories"] == sketches[1].colours["accessories"]
    assert sketches[0].colours["skin"] != sketches[1].colours["skin"]


def test_faces_are_all_different_and_splits_and_domains_share_nobody():
    faces = [draw(person("any", "train", number), size=32).tobytes() for number in range(500)]
    assert len(set(faces)) == 500
    people = [person(d, s, n).identity for d in ("any", "glasses", "any-glasses") for s in SPLITS for n in range(100)]
    assert len(set(people)) == len(people)


@pytest.mark.parametrize(
    "domain, always, never",
    [
        ("none", [], ATTRIBUTES),
        ("glasses", ["glasses"], ["smile", "facial_hair"]),
        ("glasses+smile", ["glasses", "smile"], ["facial_hair"]),
        ("any+glasses-smile", ["glasses"], ["smile"]),
    ],
)
def test_a_domain_keeps_its_rule_and_lets_the_rest_vary(domain, always, never):
    faces = [person(domain, "train", number) for number in range(200)]
    for name in ATTRIBUTES:
        share = np.mean([face.shows(name) for face in faces])
        assert share == 1 if name in always else share == 0 if name in never else 0.35 < share < 0.65


def test_a_source_holds_the_faces_it_says_and_a_longer_one_begins_with_them():
    short, long = (avatars("glasses", "test", count, size=32) for count in (3, 6))
    assert np.array_equal(short.pixels, long.pixels[:3])
    assert np.array_equal(short.pixels[2], draw(person("glasses", "test", 2), size=32))


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: avatars("glases"), "did you mean 'glasses'"),
        (lambda: avatars("any+glasses-glasses"), "both wants and refuses"),
        (lambda: avatars(""), "is no avatar domain"),
        (lambda: avatars("-glasses"), "write none, glasses.smile, or any-glasses"),
        (lambda: avatars("none+glasses"), "is no avatar domain"),
        (lambda: avatars("glasses", split="tset"), "did you mean 'test'"),
        (lambda: avatars("glasses", style="avatars"), "did you mean 'avataaars'"),
    ],
)
def test_a_typo_is_answered_with_the_nearest_name(call, message):
    with pytest.raises(UsageError, match=message):
        call()


def test_without_skia_resvg_draws_nearly_the_same_and_says_so(monkeypatch):
    face = person("glasses+smile+facial_hair", "test", 1)
    pytest.importorskip("skia", reason="skia-python cannot be loaded", exc_type=ImportError)
    exact = draw(face, size=64, rasterizer="skia").astype(int)
    monkeypatch.setitem(sys.modules, "skia", None)
    monkeypatch.setenv(drawing.CHOICE, "")
    drawing.choose_rasterizer.cache_clear()
    try:
        with pytest.warns(UserWarning, match="resvg draws instead"):
            other = draw(face, size=64)
    finally:
        drawing.choose_rasterizer.cache_clear()
    assert abs(exact - other).mean() < 2
    assert os.environ[drawing.CHOICE] == "resvg"  # what processes that draw inherit

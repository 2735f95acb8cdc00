"""Drawn pixels are whole or absent: crashes, two builders, stale keys, damaged files."""

import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from analogies_hub.data import cache
from analogies_hub.data.cache import cached_pixels
from analogies_hub.errors import UsageError


@pytest.fixture
def place(tmp_path, monkeypatch):
    """An empty cache."""
    monkeypatch.setattr(cache, "cache_folder", lambda: tmp_path)
    return tmp_path


def grey(items):
    """An image a number; there is none of number 5."""
    return ["five is bad" if item == 5 else np.full((2, 3, 3), item % 256, np.uint8) for item in items]


def signed(items):
    """An image a number, with the process that drew it in its second and third pixel."""
    images = np.stack([np.full((2, 3, 3), item % 256, np.uint8) for item in items])
    images[:, 0, 1:] = np.frombuffer(os.getpid().to_bytes(4, "big") + b"\0\0", np.uint8).reshape(2, 3)
    return list(images)


def build(draw=grey, **key):
    return cached_pixels("test", key, range(8), (2, 3), draw)


def test_items_keep_their_order_and_bad_ones_are_named(place):
    pixels, skipped = build()
    assert pixels[:, 0, 0, 0].tolist() == [0, 1, 2, 3, 4, 6, 7] and pixels.shape[1:] == (2, 3, 3)
    assert skipped == {5: "five is bad"} and isinstance(pixels, np.memmap)
    with pytest.raises(ValueError, match="read-only"):
        pixels[0] = 1


def test_it_is_drawn_once_for_each_key(place):
    calls = []
    draw = lambda items: calls.append(len(items)) or grey(items)
    build(draw, size=1)
    build(draw, size=1)
    assert calls == [8]
    build(draw, size=2)
    assert calls == [8, 8]


def test_a_crash_half_way_leaves_nothing_and_the_next_one_builds(place):
    def crash(done, total):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        cached_pixels("test", {}, range(600), (2, 3), grey, on_step=crash)
    assert [path for path in place.iterdir() if path.suffix != ".lock"] == []
    assert len(cached_pixels("test", {}, range(600), (2, 3), grey)[0]) == 599


def test_what_a_killed_builder_left_is_cleared_away(place):
    build()
    (folder,) = (path for path in place.iterdir() if path.is_dir())
    folder.rename(place / f".{folder.name}.x7.part")
    (place / ".other-set.x8.part").mkdir()
    assert len(build()[0]) == 7
    assert sorted(path.name for path in place.glob(".*.part")) == [".other-set.x8.part"]


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="looks for processes in /proc")
def test_processes_that_draw_end_with_a_killed_builder(tmp_path):
    script = f"""
import os, time, numpy as np
from pathlib import Path
from analogies_hub.data import cache
cache.cache_folder = lambda: Path({str(tmp_path)!r})
def draw(items):
    Path({str(tmp_path)!r}, f"pid-{{os.getpid()}}").touch()
    time.sleep(0.5)
    return [np.zeros((64, 64, 3), np.uint8) for item in items]  # more than a pipe holds
cache.cached_pixels("test", {{}}, range(20_000), (64, 64), draw)
"""
    builder = subprocess.Popen([sys.executable, "-c", script])
    wait_until(lambda: len(list(tmp_path.glob("pid-*"))) >= 1)
    builder.kill()
    builder.wait()
    pids = [path.name.removeprefix("pid-") for path in tmp_path.glob("pid-*")]
    wait_until(lambda: not any(alive(pid) for pid in pids))


def wait_until(done, seconds=30):
    """Look every tenth of a second; fail if it is not so in time."""
    end = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < end
        time.sleep(0.1)


def alive(pid):
    """Whether a process runs; what nobody has reaped does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_many_items_come_from_several_processes_in_order(place):
    seen = []
    pixels, _ = cached_pixels("test", {}, range(1000), (2, 3), signed, on_step=lambda *step: seen.append(step))
    assert pixels[:, 0, 0, 0].tolist() == [item % 256 for item in range(1000)]
    makers = {int.from_bytes(image[0, 1:].tobytes()[:4], "big") for image in pixels}
    assert os.getpid() not in makers
    assert seen[-1] == (1000, 1000) and len(seen) == 4


def test_of_two_builders_at_once_one_draws_and_both_get_it(tmp_path):
    script = f"""
import time, numpy as np
from pathlib import Path
from analogies_hub.data import cache
cache.cache_folder = lambda: Path({str(tmp_path)!r})
def draw(items):
    time.sleep(1)
    print("drew")
    return [np.full((2, 3, 3), item % 256, np.uint8) for item in items]
print(cache.cached_pixels("test", {{}}, range(4), (2, 3), draw)[0].sum())
"""
    both = [subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) for _ in range(2)]
    said = [process.communicate(timeout=60)[0].split() for process in both]
    assert sorted(map(len, said)) == [1, 2] and all(words[-1] == str(6 * 18) for words in said)


def test_a_damaged_file_is_named(place):
    build()
    (file,) = place.glob("*/images.npy")
    file.write_bytes(file.read_bytes()[:200])
    with pytest.raises(UsageError, match="damaged; delete it"):
        build()

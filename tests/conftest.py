"""Small pictures whose contents are known, and one thread, which is faster on tiny tensors."""

import atexit
import os
import shutil
import subprocess
import sys
import tempfile

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ["HF_ASSETS_CACHE"] = tempfile.mkdtemp(prefix="analogies-test-")  # drawn pixels, of this run alone
atexit.register(shutil.rmtree, os.environ["HF_ASSETS_CACHE"], ignore_errors=True)

import pytest
import torch

torch.set_num_threads(1)


def draw_dots(places, size=(48, 64), radius=5, ground=(0.1, 0.5, 0.1), colour=(0.9, 0.2, 0.1), seed=0):
    """Discs at (row, column) places on a faintly rough ground: (1, 3, H, W) in [0, 1]."""
    rows, columns = torch.meshgrid(torch.arange(size[0]), torch.arange(size[1]), indexing="ij")
    inside = torch.zeros(size)
    for row, column in places:
        inside = torch.maximum(inside, (((rows - row) ** 2 + (columns - column) ** 2) < radius**2).float())
    rough = 0.04 * torch.rand(size, generator=torch.Generator().manual_seed(seed))
    image = [low * (1 - inside) + high * inside + rough for low, high in zip(ground, colour, strict=True)]
    return torch.stack(image)[None].clamp(0, 1), inside


@pytest.fixture
def dots():
    """The function that draws discs at known places."""
    return draw_dots


@pytest.fixture
def content():
    """Bright discs on black at four places, and the map of where they are."""
    return draw_dots([(10, 12), (12, 50), (34, 30), (38, 54)], ground=(0, 0, 0), colour=(1, 1, 1))


@pytest.fixture
def guide():
    """Red discs on green at other places."""
    return draw_dots([(8, 30), (24, 8), (30, 44), (40, 20), (10, 56)], seed=1)[0]


@pytest.fixture(scope="session")
def command():
    """The `analogies` command as a user starts it: in a process of its own."""
    return [sys.executable, "-c", "from analogies_hub.cli import app; app(prog_name='analogies')"]


@pytest.fixture(scope="session")
def analogies(command):
    """The function that runs the command to its end; text unless told otherwise."""

    def run(*words, **options):
        words = [*command, *map(str, words)]
        return subprocess.run(words, capture_output=True, timeout=300, **{"text": True} | options)

    return run

"""What command line tests train: networks that take a second, on pictures of noise."""

import zlib

import numpy as np
import pytest
from PIL import Image


@pytest.fixture(scope="session")
def small():
    """Words that make a method's networks small."""
    return ["--set", "size=32", "width=16", "common=4", "separate=4", "width_critic=8", "batch=2"]


@pytest.fixture(scope="session")
def draw_noise():
    """The function that writes a picture of noise, another for each file name."""

    def write(path, height, width):
        path.parent.mkdir(exist_ok=True)
        random = np.random.default_rng(zlib.crc32(f"{path.parent.name}/{path.name}".encode()))
        Image.fromarray(random.integers(0, 256, (height, width, 3), dtype=np.uint8)).save(path)

    return write

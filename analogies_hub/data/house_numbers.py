"""House numbers drawn from fonts, in the manner of SVHN: digits on walls, with cut-off neighbours.

Drawing happens in worker processes, so nothing here imports torch before it needs it.
"""

import hashlib
import math
from collections.abc import Sequence
from functools import lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont, __version__, features

from ..errors import UsageError
from .cache import Drawn, Progress, cached_pixels
from .packages import fingerprint, package_folder

if TYPE_CHECKING:
    from .source import ImageSource

T = TypeVar("T")
DRAWING = 1  # of the drawn house numbers; raise it with every change of their pixels
COUNTS = {"train": 10_000, "validation": 1_000, "test": 2_000}
FONTS = {  # family: the package that ships it, and its files there
    "Caladea": ("font_caladea", "files/*.ttf"),
    "DejaVu Sans": ("matplotlib", "mpl-data/fonts/ttf/DejaVuSans[.-]*ttf"),
    "DejaVu Sans Mono": ("matplotlib", "mpl-data/fonts/ttf/DejaVuSansMono*.ttf"),
    "DejaVu Serif": ("matplotlib", "mpl-data/fonts/ttf/DejaVuSerif[.-]*ttf"),
    "Fredoka One": ("font_fredoka_one", "files/*.ttf"),
    "Hanken Grotesk": ("font_hanken_grotesk", "files/*.otf"),
    "Lato": ("font_lato", "files/*.ttf"),
    "Roboto": ("font_roboto", "files/*.ttf"),
    "Source Sans Pro": ("font_source_sans_pro", "files/*.ttf"),
    "Source Serif Pro": ("font_source_serif_pro", "files/*.ttf"),
}
HELD_OUT = ("Caladea", "DejaVu Sans Mono", "Lato")  # families that only the test split shows
FAINT = ("Thin", "ExtraLight")  # strokes that vanish at 32 px
PHOTOS = ("china.jpg", "flower.jpg")  # scikit-learn's, texture of the walls

SIDE = 96  # px, what is drawn before it is shrunk
EM = 112  # px, font size of the digits before they are placed


def house_numbers(
    split: str, size: int, seed: int, on_step: Progress | None = None, count: int | None = None
) -> "ImageSource":
    """Digits on walls, drawn from fonts; image i depends on (seed, split, i) alone, and shows i % 10."""
    from .source import ImageSource

    count = count or COUNTS[split]
    files = [*sum(font_families(split).values(), ()), *photo_files()]
    key = {"drawing": DRAWING, "split": split, "seed": seed, "files": fingerprint(tuple(files))}
    key |= {"pillow": __version__, "freetype": features.version("freetype2")}
    draw = partial(draw_numbers, split=split, size=size, seed=seed)
    pixels, _ = cached_pixels("house-numbers", key, range(count), (size, size), draw, on_step)
    return ImageSource(pixels, f"drawn house numbers {split}", np.arange(count) % 10, seed=seed)


def draw_numbers(items: Sequence[int], split: str, size: int, seed: int) -> Drawn:
    """House numbers by item number, each uint8 (size, size, 3)."""
    families, photos = list(font_families(split).values()), open_photos()
    images: Drawn = []
    for item in items:
        name = hashlib.sha256(f"{seed}/{split}/{item}".encode()).digest()
        rng = np.random.Generator(np.random.PCG64(int.from_bytes(name[:16], "big")))
        images.append(draw_number(rng, item % 10, pick(rng, pick(rng, families)), photos, size))
    return images


def draw_number(
    rng: np.random.Generator, digit: int, font: Path, photos: tuple[Image.Image, ...], size: int
) -> np.ndarray:
    """One digit between its neighbours on a wall, uint8 (size, size, 3).

    Only `rng.random()` is called: its values are the same in every version of numpy.
    """
    light = between(rng, 25, 230)
    contrast = 30 + 150 * rng.random() ** 1.4
    darker = light - contrast > 8 and (light + contrast > 247 or rng.random() < 0.5)
    ink_light = max(light - contrast, 8) if darker else min(light + contrast, 247)
    rough = min(40 * rng.random(), 0.4 * abs(ink_light - light))  # grey levels, so that the digit stays legible
    wall = draw_wall(rng, light, rough, pick(rng, photos))
    mask = draw_row(rng, digit, font)
    if rng.random() < 0.4:
        wall *= 1 - between(rng, 0.2, 0.7) * drop_shadow(rng, mask)[..., None]
    shade = between(rng, -25, 25) * np.linspace(-1, 1, SIDE)[:, None, None]  # metal and enamel shine
    ink = colour(rng, ink_light, 60) + shade
    cover = (np.asarray(mask, float) / 255 * between(rng, 0.8, 1))[..., None]
    image = Image.fromarray((wall + (ink - wall) * cover).clip(0, 255).astype(np.uint8))
    image = image.filter(ImageFilter.GaussianBlur(between(rng, 0.3, 1) ** 2 * 5))
    small = np.asarray(image.resize((size, size), Image.Resampling.BOX), float)
    noise = (rng.random((3, size, size, 3)).sum(0) * 2 - 3) * 7 * rng.random() ** 2  # nearly normal
    return (small + noise).round().clip(0, 255).astype(np.uint8)


def draw_wall(rng: np.random.Generator, light: float, rough: float, photo: Image.Image) -> np.ndarray:
    """A wall around a lightness, lit from one side: float (SIDE, SIDE, 3) in 0 to 255.

    `rough` is the deviation of the photo's texture, in grey levels.
    """
    angle, strength = between(rng, 0, 2 * math.pi), between(rng, 0, 30)
    x = np.linspace(-1, 1, SIDE)[None, :, None]
    y = x.reshape(-1, 1, 1)
    wall = colour(rng, light, 90) + strength * (math.cos(angle) * x + math.sin(angle) * y)
    side = between(rng, 16, min(photo.size) / 2)
    left, top = (rng.random() * (length - side) for length in photo.size)
    crop = photo.resize((SIDE, SIDE), Image.Resampling.BILINEAR, (left, top, left + side, top + side))
    texture = np.asarray(crop if rng.random() < 0.4 else crop.convert("L").convert("RGB"), float)
    texture = texture - texture.mean((0, 1))
    wall = wall + texture * rough / (texture.std() + 4)
    if rng.random() < 0.25:  # siding, or the edge of a plate
        period, start = between(rng, 0.25, 1.2) * SIDE, rng.random() * SIDE
        across = np.arange(SIDE) if rng.random() < 0.8 else np.arange(SIDE)[:, None]
        wall = wall - between(rng, 8, 45) * ((across.T.reshape(SIDE, -1) + start) % period < 4)[..., None]
    return wall.clip(0, 255)


def draw_row(rng: np.random.Generator, digit: int, path: Path) -> Image.Image:
    """The digit in the middle of a turned, slanted and stretched number: grey (SIDE, SIDE)."""
    font = open_font(path)
    strip = Image.new("L", (4 * EM, 2 * EM))
    pen = ImageDraw.Draw(strip)
    left, top, right, bottom = font.getbbox(str(digit), anchor="ls")
    origin, baseline, gap = 1.5 * EM, 1.5 * EM, between(rng, 0, 0.12) * EM
    pen.text((origin, baseline), str(digit), 255, font, "ls")
    if rng.random() < 0.6:
        pen.text((origin - gap, baseline), pick(rng, "0123456789"), 255, font, "rs")
    if rng.random() < 0.6:
        pen.text((origin + font.getlength(str(digit)) + gap, baseline), pick(rng, "0123456789"), 255, font, "ls")
    scale = between(rng, 0.58, 1) * SIDE / (bottom - top)
    turn = math.radians(between(rng, -8, 8))
    across, slant = scale * between(rng, 0.8, 1.2), between(rng, -0.15, 0.15)
    forward = np.array([[math.cos(turn), -math.sin(turn)], [math.sin(turn), math.cos(turn)]])
    back = np.linalg.inv(forward @ np.array([[across, slant * scale], [0, scale]]))
    middle = np.array([origin + (left + right) / 2, baseline + (top + bottom) / 2])
    shift = middle - back @ (SIDE / 2 + np.array([between(rng, -7, 7), between(rng, -6, 6)]))
    data = (*back[0], shift[0], *back[1], shift[1])
    return strip.transform((SIDE, SIDE), Image.Transform.AFFINE, data, Image.Resampling.BICUBIC)


def drop_shadow(rng: np.random.Generator, mask: Image.Image) -> np.ndarray:
    """The mask moved and softened: float (SIDE, SIDE) in [0, 1]."""
    move = (1, 0, between(rng, -7, 7), 0, 1, between(rng, -7, 2))
    moved = mask.transform(mask.size, Image.Transform.AFFINE, move, Image.Resampling.BILINEAR)
    return np.asarray(moved.filter(ImageFilter.GaussianBlur(between(rng, 0.5, 3))), float) / 255


def colour(rng: np.random.Generator, light: float, tint: float) -> np.ndarray:
    """A colour (3,) of a grey level: mostly greyish, else warm or cold, off by up to about `tint`."""
    warmth, other = between(rng, -1, 1), 0.4 * (2 * rng.random(3) - 1)
    hue = warmth * np.array([1, 0, -1]) + other - other.mean()
    return light + hue * tint * rng.random() ** 2


def between(rng: np.random.Generator, low: float, high: float) -> float:
    """A number from [low, high)."""
    return low + (high - low) * float(rng.random())


def pick(rng: np.random.Generator, items: Sequence[T]) -> T:
    """One of the items."""
    return items[int(rng.random() * len(items))]


@lru_cache(maxsize=128)
def open_font(path: Path) -> ImageFont.FreeTypeFont:
    """A font at `EM` px, laid out by Pillow itself, which every build of it can."""
    return ImageFont.truetype(str(path), EM, layout_engine=ImageFont.Layout.BASIC)


@lru_cache(maxsize=1)
def open_photos() -> tuple[Image.Image, ...]:
    """The photos that give walls their texture, RGB."""
    return tuple(Image.open(path).convert("RGB") for path in photo_files())


def photo_files() -> list[Path]:
    """Where scikit-learn keeps its two photos."""
    return [package_folder("sklearn", "digits") / "datasets" / "images" / name for name in PHOTOS]


def font_families(split: str) -> dict[str, tuple[Path, ...]]:
    """Family to font files of a split: `HELD_OUT` for test, the others for train and validation."""
    return {family: font_files(family) for family in FONTS if (family in HELD_OUT) == (split == "test")}


@lru_cache(maxsize=16)
def font_files(family: str) -> tuple[Path, ...]:
    """A family's files without its faintest weights, by name."""
    package, pattern = FONTS[family]
    paths = sorted(package_folder(package, "digits").glob(pattern))
    files = tuple(path for path in paths if not any(weight in path.name for weight in FAINT))
    if not files:
        raise UsageError(f'the package {package} holds no fonts; reinstall it: pip install "analogies-hub[digits]"')
    return files

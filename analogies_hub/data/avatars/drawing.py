"""From a face to pixels: DiceBear makes the SVG, Skia (or else resvg) fills it."""

import io
import json
import os
import re
import warnings
from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache, partial
from importlib import metadata
from importlib.util import find_spec
from typing import Any

import numpy as np

from ...config import nearest_name
from ...errors import UsageError
from ..packages import package_folder
from .doodles import doodle
from .faces import Dice, Face
from .styles import ANY, ARTISTS, AvatarStyle, Sketch, sketch

VERSION = "1"  # of what faces look like: raise it when a choice above the drawing packages changes pixels
CHOICE = "ANALOGIES_RASTERIZER"
TOLERANCE = 8  # grey levels; a pixel that differs by more has changed
COLOURFUL = replace(  # glasses and beards of any colours
    ARTISTS["avataaars"],
    parts={name: replace(part, paint=ANY) for name, part in ARTISTS["avataaars"].parts.items()},
)
EXTRA = 'pip install "analogies-hub[avatars]"'


def draw(face: Face, style: str = "avataaars", size: int = 64, rasterizer: str | None = None) -> np.ndarray:
    """A face as uint8 (size, size, 3).

    Args:
        style: one of `STYLES`.
        size: side in pixels.
        rasterizer: `skia` or `resvg`; by default what `choose_rasterizer` says.

    Raises:
        UsageError: if there is no such style, or the drawing packages are missing.
    """
    return RASTERIZERS[rasterizer or choose_rasterizer()](get_style(style)(face, size), size)


def counterfactual(
    face: Face, changed: Face, style: str = "avataaars", size: int = 64
) -> tuple[np.ndarray, np.ndarray]:
    """The exact picture of a changed face, and where it differs from the face as it was.

    Returns:
        uint8 (size, size, 3), and bool (size, size): True where a channel differs by more
        than 8 grey levels.
    """
    before, after = (draw(each, style, size) for each in (face, changed))
    return after, change_mask(before, after)


def change_mask(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """Where two uint8 images (..., H, W, 3) differ by more than 8 grey levels in a channel: bool (..., H, W)."""
    return (np.maximum(before, after) - np.minimum(before, after)).max(-1) > TOLERANCE


@lru_cache(maxsize=1)
def choose_rasterizer() -> str:
    """Skia where it can be loaded; resvg, about five times slower, where it cannot, with a warning.

    The environment variable `ANALOGIES_RASTERIZER` decides where it is set.

    Raises:
        UsageError: if neither is there, or the variable names another.
    """
    if asked := os.environ.get(CHOICE):
        if asked not in RASTERIZERS:
            raise UsageError(f"{CHOICE} must be {' or '.join(RASTERIZERS)}, got '{asked}'")
        return asked
    try:
        import skia  # noqa: F401

        return "skia"
    except ImportError as error:  # its system libraries (libEGL, libGL) may be missing
        reason = str(error)
    if find_spec("resvg_py") is None:
        raise UsageError(f"drawing avatars needs skia-python or resvg-py ({reason}); {EXTRA}")
    warnings.warn(f"skia-python cannot be loaded ({reason}); resvg draws instead, more slowly", stacklevel=2)
    os.environ[CHOICE] = "resvg"  # so that the processes which draw need not say it again
    return "resvg"


def drawing_version(rasterizer: str) -> dict[str, str]:
    """Names and versions of everything that shapes the pixels, for a cache's key.

    Raises:
        UsageError: if a package is missing.
    """
    packages = ["dicebear-core", "dicebear-styles", {"skia": "skia-python", "resvg": "resvg-py"}[rasterizer]]
    try:
        return {"faces": VERSION} | {package: metadata.version(package) for package in packages}
    except metadata.PackageNotFoundError as error:
        raise UsageError(f"drawing avatars needs {error.name}; {EXTRA}") from None


def get_style(name: str) -> Callable[[Face, int], str]:
    """What draws a face in a style as an SVG document of so many pixels.

    Raises:
        UsageError: if there is no style of that name.
    """
    if name not in STYLES:
        raise UsageError(f"'{name}' is no avatar style; {nearest_name(name, list(STYLES))}")
    return STYLES[name]


def by_artist(style: AvatarStyle, face: Face, size: int) -> str:
    """A face in a DiceBear style."""
    return to_svg(sketch(face, style), size)


def mixed(face: Face, size: int) -> str:
    """A third of all people as avataaars, a third in glasses and beards of any colours, a third as doodles.

    Whoever learns from them takes more for a face, and for glasses. The same glasses look different on
    somebody of another hand, so no true results can be drawn in this style.
    """
    hands: list[Callable[[Face, int], str]] = [STYLES["avataaars"], partial(by_artist, COLOURFUL), doodle]
    return Dice(f"{face.identity}/hand").pick(hands)(face, size)


@lru_cache(maxsize=4)
def load_style(name: str) -> Any:
    """DiceBear's definition of a style."""
    package_folder("dicebear", "avatars")
    definition = package_folder("dicebear_styles", "avatars") / f"{name}.json"
    from dicebear import Style

    return Style(json.loads(definition.read_text(encoding="utf-8")))


@lru_cache(maxsize=1)
def resolver_type() -> type:
    """DiceBear's resolver with every choice made beforehand.

    Sizes and places of single parts are no public options, and options cost 90 % of the
    time in validation; these accessors are what the renderer calls.
    """
    from dicebear.options import Options
    from dicebear.resolver import Resolver

    still = {"rotate": 0.0, "translateX": 0.0, "translateY": 0.0, "scale": 1.0}

    class Decided(Resolver):
        def __init__(self, drawn: Sketch) -> None:
            super().__init__(load_style(drawn.style), Options({}))
            self.drawn = drawn

        def variant(self, name: str) -> str | None:
            return self.drawn.variants.get(name)

        def color(self, name: str) -> list[str]:
            return self.drawn.colours.get(name, [])

        def color_fill(self, name: str) -> str:
            return "linear"  # of one colour it is a plain fill

        def color_angle(self, name: str) -> float:
            return self.drawn.gradient

        def rotate(self) -> float:
            return self.drawn.rotation

        def component_transform(self, name: str) -> dict[str, float]:
            return self.drawn.transforms.get(name, still)

    return Decided


def to_svg(drawn: Sketch, size: int) -> str:
    """The face's square as an SVG document of size x size pixels."""
    style = load_style(drawn.style)
    from dicebear.renderer import Renderer

    svg = Renderer(style, resolver_type()(drawn)).render()
    x, y, side = drawn.view
    frame = f'viewBox="{x:.4f} {y:.4f} {side:.4f} {side:.4f}" width="{size}" height="{size}"'
    svg = re.sub(r'viewBox="[^"]*"', f'xmlns:xlink="http://www.w3.org/1999/xlink" {frame}', svg, count=1)
    return svg.replace(' href="#', ' xlink:href="#')  # Skia follows no other form


def with_skia(svg: str, size: int) -> np.ndarray:
    """An SVG document filled by Skia on the CPU: uint8 (size, size, 3)."""
    import skia

    document = skia.SVGDOM.MakeFromStream(skia.MemoryStream.MakeCopy(svg.encode()))  # a copy: it outlives the bytes
    surface = skia.Surface(size, size)
    document.setContainerSize(skia.Size(size, size))
    document.render(surface.getCanvas())
    return np.ascontiguousarray(surface.toarray(colorType=skia.kRGBA_8888_ColorType)[..., :3])


def with_resvg(svg: str, size: int) -> np.ndarray:
    """An SVG document filled by resvg: uint8 (size, size, 3)."""
    import resvg_py
    from PIL import Image

    png = resvg_py.svg_to_bytes(svg_string=svg, width=size, height=size, skip_system_fonts=True)
    with Image.open(io.BytesIO(bytes(png))) as image:
        return np.asarray(image.convert("RGB"))


RASTERIZERS = {"skia": with_skia, "resvg": with_resvg}
STYLES: dict[str, Callable[[Face, int], str]] = {
    **{name: partial(by_artist, style) for name, style in ARTISTS.items()},
    "doodles": doodle,
    "mixed": mixed,
}

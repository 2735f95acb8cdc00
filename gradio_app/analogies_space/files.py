"""Pictures in and out of the page: uploads as they came, results as PNG that say what made them."""

import secrets
from pathlib import Path
from typing import Any

from gradio.components import Component
from PIL import Image, ImageOps

from analogies_hub.codes import Code
from analogies_hub.errors import AnalogyError, ImageError
from analogies_hub.images import open_image, save_image

from .limits import MAX_PIXELS

OVERLAY_SIDE = 1024  # px of pictures that are only looked at


def read_picture(name: str, path: str) -> Image.Image:
    """An upload as an upright picture.

    Raises:
        ImageError: if it is none, or too large; the message has no path of this machine in it.
    """
    try:
        return open_image(Path(path).read_bytes(), max_pixels=MAX_PIXELS)
    except ImageError as error:
        raise ImageError(f"{name}: {error}") from None


def read_code(path: str) -> Code:
    """An upload as a code.

    Raises:
        AnalogyError: if it is none; the message has no path of this machine in it.
    """
    try:
        return Code.load(path)
    except AnalogyError as error:
        raise type(error)(str(error).replace(path, Path(path).name)) from None


def new_file(component: Component, name: str) -> Path:
    """A file that a component of the page may show, and that is deleted in time.

    Gradio deletes what is in `temp_files` of the page's components. What a component saves itself in a session
    whose components were updated, if only by `gr.skip`, it forgets.
    """
    folder = Path(component.GRADIO_CACHE) / secrets.token_hex(16)
    folder.mkdir(parents=True)
    component.temp_files.add(str(folder / name))
    return folder / name


def keep_picture(component: Component, stem: str, image: Any, record: dict[str, Any]) -> str:
    """A tensor (1, 3 or 1, H, W) or PIL image as a PNG that says what made it."""
    path = new_file(component, f"{stem}.png")
    save_image(image, path, record)
    return str(path)


def keep_code(component: Component, stem: str, code: Code) -> str:
    """A code as a file that `Code.load` reads."""
    path = new_file(component, f"{stem}.safetensors")
    code.save(path)
    return str(path)


def to_look_at(image: Image.Image) -> Image.Image:
    """A picture small enough to be only looked at."""
    return ImageOps.contain(image, (OVERLAY_SIDE, OVERLAY_SIDE)) if max(image.size) > OVERLAY_SIDE else image


def halves(left: str, right: str, side: int = 160) -> Image.Image:
    """The middle of two pictures beside one another, as a square."""
    both = Image.new("RGB", (side, side))
    for number, path in enumerate((left, right)):
        both.paste(ImageOps.fit(open_image(path), (side // 2, side)), (number * side // 2, 0))
    return both

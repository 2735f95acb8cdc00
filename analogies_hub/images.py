"""Reading and writing pictures. Nothing else in the package opens or saves an image file.

Outside a pipeline a picture is a path, bytes, a PIL image, or a float tensor (B, 3, H, W)
in [0, 1]; this module turns each into the others.
"""

import io
import json
import os
import tempfile
import warnings
from collections.abc import Iterator, Mapping, Sized
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import numpy as np
import torch
from PIL import Image, ImageCms, ImageOps, UnidentifiedImageError
from torch import Tensor

from .errors import ImageError, UsageError

MAX_PIXELS = 100_000_000  # checked on the header, before a decompression bomb can unfold
READABLE = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff", ".gif")
WRITABLE = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG", ".webp": "WEBP"}

Picture = str | Path | bytes | Image.Image | Tensor


def open_image(
    source: str | Path | bytes | Image.Image, max_side: int | None = None, max_pixels: int | None = None
) -> Image.Image:
    """Any picture as an upright 8-bit sRGB image.

    Turns it by its EXIF tag, lays transparency over white, scales 16-bit and float values
    to 8 bits, converts CMYK, grey, palettes and embedded colour profiles, and takes the
    first frame of an animation.

    Args:
        source: path, the bytes of a file, or a PIL image.
        max_side: shrink to this long side, in pixels.
        max_pixels: refuse a picture of more; by default of more than `MAX_PIXELS`.

    Raises:
        ImageError: if it is missing, a folder, not a picture, damaged, or too large.
    """
    name = f"'{source}'" if isinstance(source, (str, Path)) else "the picture"
    max_pixels = MAX_PIXELS if max_pixels is None else max_pixels
    try:
        with warnings.catch_warnings():  # Pillow warns of bombs at a lower count than ours
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            image = decode(source, name, max_side, max_pixels)
        return shrink(to_rgb(ImageOps.exif_transpose(image)), max_side)
    except FileNotFoundError:
        raise ImageError(f"{name} does not exist; check the path") from None
    except IsADirectoryError:
        raise ImageError(f"{name} is a folder, expected one picture file") from None
    except PermissionError:
        raise ImageError(f"{name} may not be read; check its permissions") from None
    except UnidentifiedImageError:
        raise ImageError(f"{name} is not a picture that can be read; expected {', '.join(READABLE)}") from None
    except Image.DecompressionBombError:
        raise ImageError(f"{name} has too many pixels, at most {max_pixels:,} are read; make it smaller") from None
    except (OSError, SyntaxError, ValueError, EOFError) as error:  # what Pillow raises on damaged data
        raise ImageError(f"{name} is damaged or cut short ({error}); save it again") from None


def decode(source: str | Path | bytes | Image.Image, name: str, max_side: int | None, max_pixels: int) -> Image.Image:
    """The first frame in its own mode; a JPEG is unpacked no larger than needed."""
    if isinstance(source, Image.Image):
        image = source
    else:
        image = Image.open(io.BytesIO(source) if isinstance(source, bytes) else source)
    width, height = image.size
    if width * height > max_pixels:  # known from the header, nothing is unpacked yet
        raise ImageError(f"{name} has {width} x {height} pixels, at most {max_pixels:,} are read; make it smaller")
    if max_side and image is not source:  # it changes the image, which may be the caller's
        image.draft(None, (2 * max_side, 2 * max_side))  # twice, so that `shrink` still filters
    image.load()
    return image


def to_rgb(image: Image.Image) -> Image.Image:
    """An image of any mode as 8-bit sRGB, transparency over white."""
    if image.mode.startswith("I") or image.mode == "F":
        image = to_grey8(image)
    if image.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in image.info:
        image = image.convert("RGBA")
        white = Image.new("RGBA", image.size, "white")
        return Image.alpha_composite(white, image).convert("RGB")
    return to_srgb(image)


def to_grey8(image: Image.Image) -> Image.Image:
    """A 16-bit, 32-bit or float grey image scaled to 8 bits."""
    values = np.nan_to_num(np.asarray(image, dtype=np.float32)).clip(0)
    white = 65535.0 if image.mode.startswith("I") else 1.0
    if values.max(initial=0) > white:  # float TIFFs hold [0, 1], [0, 255] or any unit of a sensor
        white = max(255.0, float(values.max()))
    return Image.fromarray((values / white * 255 + 0.5).astype(np.uint8))


def to_srgb(image: Image.Image) -> Image.Image:
    """RGB by the embedded colour profile where there is a usable one, else by Pillow's rule."""
    profile = image.info.get("icc_profile")
    if profile and image.mode in ("RGB", "CMYK", "L"):
        try:
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            converted = ImageCms.profileToProfile(image, source, ImageCms.createProfile("sRGB"), outputMode="RGB")
            return converted if converted is not None else image
        except (ImageCms.PyCMSError, OSError):
            pass  # a broken profile says nothing about the pixels
    return image.convert("RGB")


def shrink(image: Image.Image, max_side: int | None) -> Image.Image:
    """An RGB image with its long side at most `max_side` pixels, filtered against aliasing."""
    if not max_side or max(image.size) <= max_side:
        return image
    scale = max_side / max(image.size)
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    return image.resize(size, Image.Resampling.LANCZOS, reducing_gap=3.0)


def to_tensor(picture: Picture, max_side: int | None = None, name: str = "image") -> Tensor:
    """Any picture as a float tensor (B, 3, H, W) in [0, 1] on the CPU or where it was.

    Args:
        picture: path, bytes, PIL image, or float tensor (B, 3, H, W) in [0, 1].
        max_side: files and PIL images are first shrunk to this long side, in pixels.
        name: what an error calls the picture.

    Raises:
        ImageError: if it is not a picture, or a tensor of another shape, type or range.
    """
    if isinstance(picture, Tensor):
        return check_tensor(picture, name)
    if not isinstance(picture, (str, Path, bytes, Image.Image)):
        raise ImageError(f"'{name}' must be a path, bytes, a PIL image or a tensor, got {type(picture).__name__}")
    pixels = np.array(open_image(picture, max_side))
    return torch.from_numpy(pixels).permute(2, 0, 1)[None].float().div_(255)  # in place: photos are large


def common_count(batches: Mapping[str, Sized]) -> int:
    """How many pictures the largest batch holds, where each of the others holds as many, or one for all.

    Args:
        batches: by the names that errors call them; without any it is one.

    Raises:
        ImageError: if one holds another number.
    """
    count = max((len(batch) for batch in batches.values()), default=1)
    for name, batch in batches.items():
        if len(batch) not in (1, count):
            raise ImageError(f"'{name}' holds {len(batch)} pictures, expected 1 or {count} as the other does")
    return count


def check_tensor(image: Tensor, name: str) -> Tensor:
    """The tensor itself, or an `ImageError` that says what is wrong with it."""
    if image.ndim != 4 or image.shape[1] != 3:
        hint = "; did you forget image[None]?" if image.ndim == 3 else ""
        raise ImageError(f"'{name}' must be (B, 3, H, W), got {tuple(image.shape)}{hint}")
    if not image.is_floating_point():
        raise ImageError(f"'{name}' must hold floats in [0, 1], got {image.dtype}; divide by 255")
    if image.numel() == 0 or not bool(torch.isfinite(image).all()):
        raise ImageError(f"'{name}' is empty or holds NaN or infinity")
    low, high = (float(end) for end in image.detach().aminmax())
    if low < -1e-4 or high > 1 + 1e-4:
        raise ImageError(f"'{name}' must lie in [0, 1], got {low:.3g} to {high:.3g}")
    return image.float() if low >= 0 and high <= 1 else image.float().clamp(0, 1)


def to_pil(images: Tensor) -> list[Image.Image]:
    """Float images (B, 3 or 1, H, W) in [0, 1] as a list of B PIL images, RGB or grey."""
    pixels = (images.detach().clamp(0, 1) * 255).round().byte().cpu()
    return [Image.fromarray(array[0] if len(array) == 1 else array.transpose(1, 2, 0)) for array in pixels.numpy()]


def save_image(image: Image.Image | Tensor, target: str | Path | BinaryIO, metadata: dict | None = None) -> None:
    """Write one picture whole or not at all.

    Args:
        image: PIL image, or tensor (1, 3 or 1, H, W) in [0, 1].
        target: file ending in .png, .jpg, .jpeg or .webp, or a binary stream (gets PNG).
        metadata: what made it (model, seed...), kept as JSON in the PNG's text chunk
            `analogies_hub`, elsewhere in the EXIF description.

    Raises:
        UsageError: if the ending is unknown or the folder is missing or closed to writing.
    """
    if isinstance(image, Tensor):
        if len(image) != 1:
            raise UsageError(f"save_image writes one picture, got a batch of {len(image)}; save each")
        (image,) = to_pil(image)
    note = json.dumps(metadata or {}, sort_keys=True)
    if isinstance(target, (str, Path)):
        encoding = WRITABLE[check_writable(Path(target)).suffix.lower()]
        with atomic_write(Path(target)) as file:
            image.save(file, encoding, **encoder_options(encoding, note))
    else:
        image.save(target, "PNG", **encoder_options("PNG", note))


def encoder_options(encoding: str, note: str) -> dict:
    """Pillow's save options for a format name, with the note in its place."""
    if encoding == "PNG":
        from PIL.PngImagePlugin import PngInfo

        text = PngInfo()
        text.add_text("analogies_hub", note)
        return {"pnginfo": text}
    exif = Image.Exif()
    exif[0x010E] = note  # ImageDescription
    return {"exif": exif, "quality": 95}


def read_metadata(path: str | Path) -> dict:
    """What `save_image` noted in a file; empty where it noted nothing."""
    with Image.open(path) as image:
        note = image.info.get("analogies_hub") or image.getexif().get(0x010E)
    try:
        return json.loads(note or "{}")
    except ValueError:
        return {}


def check_writable(path: Path, suffixes: tuple[str, ...] = tuple(WRITABLE)) -> Path:
    """The path, or a `UsageError` before any work is done for a file that cannot be written."""
    if path.is_dir():
        raise UsageError(f"'{path}' is a folder, expected the name of a file in it")
    if path.suffix.lower() not in suffixes:
        raise UsageError(f"'{path}' must end in {', '.join(suffixes)}")
    if not path.parent.is_dir():
        raise UsageError(f"the folder '{path.parent}' does not exist; create it or choose another output")
    if not os.access(path.parent, os.W_OK):
        raise UsageError(f"the folder '{path.parent}' is read-only; choose another output")
    return path


def make_folder(folder: Path) -> None:
    """Make a folder and those above it, or raise `UsageError`."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"the folder '{folder}' cannot be made ({error.strerror}); choose another") from None


@contextmanager
def atomic_write(path: Path) -> Iterator[BinaryIO]:
    """A binary file that takes its name only when the block ends well."""
    try:
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)
    except OSError as error:
        raise UsageError(f"'{path}' cannot be written ({error.strerror}); choose another output") from None
    partial = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
        partial.chmod(0o666 & ~current_umask())
        partial.replace(path)
    except OSError as error:
        raise UsageError(f"'{path}' could not be written ({error.strerror})") from None
    finally:
        partial.unlink(missing_ok=True)


def current_umask() -> int:
    """The process's file mode mask; reading it means setting it twice."""
    mask = os.umask(0)
    os.umask(mask)
    return mask

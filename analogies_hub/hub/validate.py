"""What must be true of a model's folder before anyone else is shown it."""

import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from ..errors import AnalogyError
from ..saved import CONFIG_FILE, LIBRARY, WEIGHTS_FILE, read_record
from .card import CARD_FILE, EVAL_FILE, SEGMENT_FILE, front_matter, refreshed

FILES = {CARD_FILE, CONFIG_FILE, WEIGHTS_FILE, EVAL_FILE, SEGMENT_FILE, "LICENSE"}
PICTURES = ("images", (".png", ".jpg", ".webp"))
LICENCES = ("mit", "apache-2.0", "bsd-3-clause", "cc0-1.0", "cc-by-4.0", "cc-by-sa-4.0", "cc-by-nc-4.0", "other")
TAG = "image-to-image"
HEADINGS = (
    "Use",
    "Model",
    "Data",
    "Training",
    "Evaluation",
    "What fails",
    "Use it for",
    "Ethics",
    "Sources",
    "Citation",
)
UNFINISHED = ("[More Information Needed]", "TODO", "FIXME", "lorem ipsum")
BLOCK_SECONDS = 300


def problems(folder: Path, load: Callable[[Path], object]) -> list[str]:
    """Everything that is wrong with a folder, a sentence each; none if it may be published.

    Args:
        load: reads it as a pipeline, strictly.
    """
    found = [*stray_files(folder)]
    try:
        load(folder)
    except AnalogyError as error:
        return [*found, str(error)]
    card = folder / CARD_FILE
    if not card.is_file():
        return [*found, f"there is no {CARD_FILE}, the model's card"]
    text = card.read_text(encoding="utf-8")
    try:
        found += [*of_metadata(text, folder), *of_text(text, folder)]
        return found or [*of_code(text, folder)]  # which takes seconds
    except AnalogyError as error:
        return [*found, str(error)]


def stray_files(folder: Path) -> Iterator[str]:
    """Files that are no part of a model; a pickle above all."""
    for path in sorted(folder.rglob("*")):
        inside = path.relative_to(folder).as_posix()
        if path.is_symlink() or (path.is_file() and not belongs(inside)):
            yield f"'{inside}' is no part of a model; take it out"


def belongs(name: str) -> bool:
    """Whether a file of this name, relative to its folder, can be part of a model."""
    folder, endings = PICTURES
    return name in FILES or (name.startswith(f"{folder}/") and name.count("/") == 1 and name.endswith(endings))


def of_metadata(text: str, folder: Path) -> Iterator[str]:
    """What the front matter lacks."""
    data, record = front_matter(text), read_record(folder)
    if data.get("license") not in LICENCES:
        yield f"license must be one of {', '.join(LICENCES)}, got {data.get('license')!r}"
    if data.get("license") == "other" and not {"license_name", "license_link"} <= data.keys():
        yield "license 'other' needs license_name and license_link"
    for key, wanted in {"library_name": LIBRARY, "pipeline_tag": TAG}.items():
        if data.get(key) != wanted:
            yield f"{key} must be '{wanted}', got {data.get(key)!r}"
    if record["method"] not in (data.get("tags") or []):
        yield f"tags must name the method '{record['method']}'"
    if text != refreshed(text, folder):
        yield "generated parts of the card are not what was measured; make them anew: analogies models refresh"


def of_text(text: str, folder: Path) -> Iterator[str]:
    """Headings, pictures and links that are missing."""
    headings = re.findall(r"^## (.+)$", text, re.MULTILINE)
    yield from (f"the card has no heading '## {heading}'" for heading in HEADINGS if heading not in headings)
    yield from (f"the card is not finished: '{words}'" for words in UNFINISHED if words in text)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if target.startswith(("https://", "#")):
            continue
        if target.startswith("..") or not (folder / target).is_file():
            yield f"the card's link '{target}' leads nowhere on the Hub"
    if (folder / PICTURES[0]).is_dir() and not re.search(r"!\[[^\]]+\]\(images/", text):
        yield "the card shows none of the pictures in images/, with words for who cannot see it"


def of_code(text: str, folder: Path) -> Iterator[str]:
    """The card's Python block must run as a reader would run it, with the pictures of images/ at hand."""
    blocks = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    if not blocks:
        yield "the card has no ```python block that shows how the model is used"
    with tempfile.TemporaryDirectory() as place:
        for picture in (folder / PICTURES[0]).glob("*"):
            shutil.copy(picture, place)
        for code in blocks:
            here = re.sub(r"load_pipeline\([^)]*\)", f"load_pipeline({str(folder.resolve())!r})", code)
            try:
                words = [sys.executable, "-c", here]
                done = subprocess.run(words, cwd=place, capture_output=True, text=True, timeout=BLOCK_SECONDS)
            except subprocess.TimeoutExpired:
                yield f"the card's Python block did not end within {BLOCK_SECONDS} s"
                continue
            if done.returncode:
                yield f"the card's Python block fails: {done.stderr.strip().splitlines()[-1]}"

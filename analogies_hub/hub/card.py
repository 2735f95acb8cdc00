"""A model's card: prose by hand, and what was measured filled in from config.json, eval.json and segment.json."""

import json
import math
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ..errors import ModelError
from ..numbers import formatted, markdown
from ..saved import CONFIG_FILE, LIBRARY, WEIGHTS_FILE, read_record, shapes_in

CARD_FILE, EVAL_FILE, SEGMENT_FILE = "README.md", "eval.json", "segment.json"
MODEL, COPIES = "model", ("copy input", "copy guide")  # systems in eval.json
HEADLINES = ("success", "class", "keep", "edit_gain", "sim_rel", "identity_at_1", "guide_at_1", "l1", "leak")
INDEXED = ("class", "keep", "edit_gain", "sim_rel", "l1")  # what the Hub shows beside a card
FRONT = re.compile(r"\A---\n(.*?)\n---\n", re.DOTALL)
PART = re.compile(r"<!-- (\w+) -->\n.*?<!-- end -->", re.DOTALL)


def refreshed(text: str, folder: Path) -> str:
    """A card's text with everything that is generated made anew.

    Between `<!-- facts -->` and `<!-- end -->` stands what config.json says, likewise `scores`
    (eval.json) and `masks` (segment.json); the front matter gets a model-index.

    Raises:
        ModelError: if a part is of an unknown name, or its file is missing.
    """
    makers = {"facts": facts_of, "scores": scores_of, "masks": masks_of}

    def made(found: re.Match) -> str:
        name = found[1]
        if name not in makers:
            raise ModelError(f"the card has a generated part '{name}'; known: {', '.join(makers)}")
        return f"<!-- {name} -->\n{makers[name](folder)}<!-- end -->"

    return indexed(PART.sub(made, text), folder)


def front_matter(text: str) -> dict[str, Any]:
    """The metadata at the top of a card.

    Raises:
        ModelError: if there is none, or it is not a table.
    """
    import yaml

    found = FRONT.match(text)
    try:
        data = yaml.safe_load(found[1]) if found else None
    except yaml.YAMLError as error:
        raise ModelError(f"the card's front matter is not YAML ({str(error).splitlines()[0]})") from None
    if not isinstance(data, dict):
        raise ModelError("the card must begin with front matter: a table between two lines of ---")
    return data


def indexed(text: str, folder: Path) -> str:
    """The text with a model-index of what eval.json says; without that file, with none."""
    import yaml

    data = {key: value for key, value in front_matter(text).items() if key != "model-index"}
    if (folder / EVAL_FILE).exists():
        with understood(folder / EVAL_FILE):
            data["model-index"] = model_index(folder.name, read_json(folder / EVAL_FILE))
    front = yaml.safe_dump(data, sort_keys=False, allow_unicode=True, width=120)
    return FRONT.sub(lambda _: f"---\n{front}---\n", text, count=1)


def model_index(name: str, found: dict[str, Any]) -> list[dict[str, Any]]:
    """The numbers of a model in the Hub's own form, one result a task."""
    results = [
        {
            "task": {"type": "image-to-image", "name": task},
            "dataset": {
                "type": "avatars",
                "name": f"{scored['edits']:,} drawn faces of {scored['settings']['split']} people",
            },
            "metrics": [
                {"type": metric, "name": metric, "value": scored["numbers"][metric][MODEL][0]}
                for metric in INDEXED
                if scored["numbers"].get(metric, {}).get(MODEL, [None])[0] is not None
            ],
        }
        for task, scored in found.items()
    ]
    return [{"name": name, "results": results}]


def facts_of(folder: Path) -> str:
    """What config.json and the weights' header say, as a table."""
    record = read_record(folder)
    with understood(folder / CONFIG_FILE):
        return markdown(facts(record, folder))


def facts(record: dict[str, Any], folder: Path) -> list[list[str]]:
    """Cells: a name and what it is, in each line."""
    config, train = record["config"], record.get("train", {})
    rows = [["", ""], ["method", record["method"]]]
    rows += [[name, words(config[name])] for name in ("domains", "size", "networks") if name in config]
    if (path := folder / WEIGHTS_FILE).exists():
        count = sum(math.prod(shape.sizes) for shape in shapes_in(path).values())
        rows.append(["weights", f"{count:,} numbers, {path.stat().st_size:,} bytes"])
    rows += [[name, words(train[name])] for name in ("data", "preset", "seed") if name in train]
    if "start" in train:
        rows.append(["started from", train["start"]])
    if "step" in train:
        rows.append(["trained for", f"{train['step']:,} steps"])
    if "changes" in train:
        changes = (f"step {step:,}: {name} {was} to {now}" for step, name, was, now in train["changes"])
        rows.append(["changed on the way", "; ".join(changes)])
    rows.append(["made with", f"{LIBRARY} {record.get('library_version')}"])
    return rows


def scores_of(folder: Path) -> str:
    """The table of eval.json."""
    return markdown(measured(folder))


def measured(folder: Path) -> list[list[str]]:
    """The cells of eval.json.

    Raises:
        ModelError: if it is missing, or not what an evaluation writes.
    """
    with understood(folder / EVAL_FILE):
        return scores(read_json(folder / EVAL_FILE))


def scores(found: dict[str, Any]) -> list[list[str]]:
    """Cells: a heading, and for each task the model's headline numbers and those of copies.

    Args:
        found: by task, metric and system [value, low, high], as eval.json holds it.
    """
    rows = [["task", "", *HEADLINES]]
    for task, scored in found.items():
        for system in (MODEL, *COPIES):
            numbers = [scored["numbers"][metric] for metric in HEADLINES]
            rows.append([task, system, *(formatted(each["unit"], known(each[system])) for each in numbers)])
    return rows


def known(values: list[float | None]) -> list[float]:
    """JSON's null is a number that there is none of."""
    return [math.nan if value is None else value for value in values]


def masks_of(folder: Path) -> str:
    """The table of segment.json."""
    with understood(folder / SEGMENT_FILE):
        return markdown(masks(read_json(folder / SEGMENT_FILE)))


def masks(found: dict[str, Any]) -> list[list[str]]:
    """Cells: a heading, and a line for each map of where an attribute is, as segment.json holds them."""
    rows = [["map", "threshold", "IoU", "IoU at 0.5", "IoU of all pixels", "average precision"]]
    for name, each in found.items():
        shares = [formatted("", each[key]) for key in ("iou", "iou_half")]
        rows.append(
            [name, f"{each['threshold']:.2f}", *shares, f"{each['pooled']:.3f}", formatted("", each["precision"])]
        )
    return rows


@contextmanager
def understood(path: Path) -> Iterator[None]:
    """Raise `ModelError` where a stranger's file holds something else than it should."""
    try:
        yield
    except (AttributeError, IndexError, KeyError, TypeError, ValueError):
        raise ModelError(f"'{path}' does not hold what it should; make it again, or fetch it again") from None


def read_json(path: Path) -> dict[str, Any]:
    """A table of numbers.

    Raises:
        ModelError: if it is missing or none.
    """
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise ModelError(f"'{path}' is missing or not JSON; measure the model again: analogies eval model") from None
    if not isinstance(found, dict):
        raise ModelError(f"'{path}' must hold a table, got {type(found).__name__}")
    return found


def words(value: Any) -> str:
    """A setting as a reader writes it."""
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)

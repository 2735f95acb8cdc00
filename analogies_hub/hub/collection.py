"""All models of a checkout on one page, with what each scores."""

from pathlib import Path

from ..numbers import markdown
from ..saved import CONFIG_FILE, read_record
from .card import EVAL_FILE, MODEL, PART, read_json, words

SHOWN = {"class": 100, "keep": 100, "edit_gain": 1}  # and what numbers are multiplied with


def overview(folder: Path, linked: bool = True) -> str:
    """A table of the models in a folder: what each does, and its mean score over the tasks it was measured at.

    Args:
        linked: whether a model's name leads to its folder.
    """
    rows = [["model", "method", "domains", "px", "tasks", "Class %", "Keep %", "Edit gain"]]
    for config in sorted(folder.glob(f"*/{CONFIG_FILE}")):
        card = config.parent
        record = read_record(card)
        settings = record["config"]
        tasks = read_json(card / EVAL_FILE)
        means = [mean([task["numbers"][name][MODEL][0] for task in tasks.values()], by) for name, by in SHOWN.items()]
        told = [words(settings.get(name, "")) for name in ("domains", "size")]
        rows.append(
            [f"[{card.name}]({card.name})" if linked else card.name, record["method"], *told, str(len(tasks)), *means]
        )
    return markdown(rows)


def mean(values: list[float | None], by: float) -> str:
    """The mean of what was measured, as a table shows it."""
    numbers = [value * by for value in values if value is not None]
    return f"{sum(numbers) / len(numbers):.{1 if by > 1 else 2}f}" if numbers else "-"


def with_overview(text: str, folder: Path) -> str:
    """The collection's page with its table, between `<!-- models -->` and `<!-- end -->`, made anew."""
    return PART.sub(lambda found: f"<!-- models -->\n{overview(folder)}<!-- end -->", text)

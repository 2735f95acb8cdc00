"""Numbers with intervals, and tables of them, as people read them."""

import math
from collections.abc import Sequence


def formatted(unit: str, value: Sequence[float]) -> str:
    """A number as a table shows it, with its 95 % interval.

    Args:
        unit: `%` for a share, empty for a score, else what it is measured in.
        value: the number, the low and the high end.

    >>> formatted("%", (0.934, 0.917, 0.948))
    '93.4 (91.7 to 94.8)'
    """
    if math.isnan(value[0]):
        return "-"
    factor, most = (100, 1) if unit == "%" else (1, 2 if unit else 3)
    whole = len(str(int(max(map(abs, value)))))  # digits before the point
    best, low, high = (f"{factor * each:.{max(0, min(most, 4 - whole))}f}" for each in value)
    return f"{best} ({low} to {high})"


def markdown(cells: list[list[str]]) -> str:
    """Cells as a Markdown table: a heading, then lines."""
    head, *body = cells
    lines = [head, ["---"] * len(head), *body]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"

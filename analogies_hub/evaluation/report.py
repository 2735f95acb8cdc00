"""What an evaluation leaves behind: JSON lines, a Markdown table, and a sheet of examples."""

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image, ImageDraw
from torch import Tensor

from .. import __version__
from ..data.source import to_float
from ..errors import UsageError
from ..filters import resize
from ..images import atomic_write, save_image, to_pil
from ..numbers import formatted, markdown
from .counterfactual import Rows
from .edits import NOTE, describe, numbered, read, read_note
from .features import NETS
from .judges import JUDGES, read_scores
from .metrics import EDIT, METRICS, Line, Metric, net_metrics
from .scores import CONTROLS, REAL, Evaluation
from .statistics import Difference, Interval, holm, mcnemar, paired_ratio
from .tasks import BLOCK

EXAMPLES = 4  # best, median and worst: so many of each


def records(evaluation: Evaluation, label: str) -> list[dict[str, Any]]:
    """Every number, one record each, with all that is needed to know what it is of."""
    judges = {name: read_scores()[name]["sha256"][:12] for name in JUDGES}
    nets = {reference.net.name: reference.net.sha256 for reference in evaluation.references}
    common = describe(evaluation.benchmark) | evaluation.settings | {"version": __version__, "judges": judges}
    return [
        {"system": label if system == EDIT else system, "metric": line.name}
        | {end: finite(value) for end, value in interval._asdict().items()}
        | {"n": len(evaluation.rows[system]["content"]), "unit": line.unit, "better": line.better}
        | {"sha256": nets.get(line.net)}
        | common
        for line in evaluation.lines
        for system, interval in line.values.items()
    ]


def finite(value: float) -> float | None:
    """JSON has no NaN."""
    return None if math.isnan(value) else float(value)


def table(evaluation: Evaluation, label: str) -> list[list[str]]:
    """Cells: a heading, then a line a number, its column a system. A star marks where copying wins."""
    systems = [system for system in (EDIT, *CONTROLS, REAL) if system in evaluation.rows]
    head = ["metric", *(label if system == EDIT else system for system in systems)]
    nothing = Interval(math.nan, math.nan, math.nan)
    body = [
        [title(line), *(formatted(line.unit, line.values.get(system, nothing)) for system in systems)]
        for line in evaluation.lines
    ]
    return [head, *body]


def title(line: Line) -> str:
    """What the table calls a number: which way is better, its unit, and whether copying wins."""
    arrow = {1: " ↑", -1: " ↓", 0: ""}[line.better]
    return line.title + arrow + (f" ({line.unit})" if line.unit else "") + (" *" if line.copying_wins else "")


def caption(evaluation: Evaluation) -> str:
    """What was measured on what, in a few sentences."""
    benchmark, rows = evaluation.benchmark, evaluation.rows[EDIT]
    left_out = f", {evaluation.skipped} that change too little left out" if evaluation.skipped else ""
    text = (
        f"{benchmark.task.name}, {len(rows['edit'])} edits of {benchmark.count} {benchmark.style} faces "
        f"({benchmark.split} people, {benchmark.size} px, seed {benchmark.seed}, other attributes "
        f"{'vary' if benchmark.task.others == 'any' else 'absent'}){left_out}. In brackets 95 % intervals over "
        "contents; * where copying the input or the guide scores at least as well: such a number is no merit."
    )
    nets = [f"{reference.net.name} (sha256 {reference.net.sha256[:12]})" for reference in evaluation.references]
    if nets:
        text += (
            f" In square brackets the feature net: {', '.join(nets)}; never compare across nets. The oracle and the "
            f"column '{REAL}' (other people) are the floor of FID and KID at this count, which are biased by it; "
            "Content is 0 for the truth and 1 for another face; Style is 1 for real faces."
        )
    return text


def write_report(evaluation: Evaluation, folder: Path, label: str) -> list[Path]:
    """Write rows.jsonl (a line an edit), results.jsonl (a line a number), results.md and examples.png."""
    rows = evaluation.rows[EDIT]
    scores = [name for name, values in rows.items() if values.ndim == 1]  # no features
    lines = [{name: finite(rows[name][at]) for name in scores} for at in range(len(rows["edit"]))]
    files = {
        "rows.jsonl": "".join(json.dumps(line) + "\n" for line in lines),
        "results.jsonl": "".join(json.dumps(record) + "\n" for record in records(evaluation, label)),
        "results.md": f"{caption(evaluation)}\n\n{markdown(table(evaluation, label))}",
    }
    for name, content in files.items():
        with atomic_write(folder / name) as stream:
            stream.write(content.encode())
    save_image(examples(evaluation, folder), folder / "examples.png")
    return [folder / name for name in (*files, "examples.png")]


def examples(evaluation: Evaluation, folder: Path) -> Image.Image:
    """Best, median and worst edits by their distance to the truth: content, guide, truth and result of four each."""
    rows = evaluation.rows[EDIT]
    order = np.argsort(rows["l1"], kind="stable")
    count = min(EXAMPLES, len(order))
    middle = (len(order) - count) // 2
    groups = order[:count], order[middle : middle + count], order[len(order) - count :]
    columns = [
        labelled(torch.cat([four(evaluation, folder, int(rows["edit"][at])) for at in group]), name)
        for group, name in zip(groups, ("best", "median", "worst"), strict=True)
    ]
    sheet = Image.new("RGB", (sum(column.width + 8 for column in columns) - 8, columns[0].height), "white")
    for place, column in enumerate(columns):
        sheet.paste(column, (place * (column.width + 8), 0))
    return sheet


def labelled(images: Tensor, name: str) -> Image.Image:
    """Rows of four images (N, 3, H, W), at least 64 px wide so that the line above them fits."""
    from torchvision.utils import make_grid

    side = max(64, images.shape[-1])
    (grid,) = to_pil(make_grid(resize(images, (side, side)), nrow=4, padding=2, pad_value=1.0)[None])
    sheet = Image.new("RGB", (grid.width, grid.height + 16), "white")
    sheet.paste(grid, (0, 16))
    ImageDraw.Draw(sheet).text((2, 2), f"{name} (content, guide, truth, result)", "black")
    return sheet


def four(evaluation: Evaluation, folder: Path, edit: int) -> Tensor:
    """One edit's content, guide, truth and result: (4, 3, H, W) in [0, 1]."""
    benchmark = evaluation.benchmark
    start = edit // benchmark.guides // BLOCK * BLOCK
    within = edit - start * benchmark.guides
    person, guide = benchmark.pairs(start)[within]
    contents, guides = benchmark.faces(start)
    faces = [contents[person], guides[guide], benchmark.task.truth(contents[person], guides[guide])]
    result = read(numbered(folder, "outputs", edit), benchmark.size)
    return to_float(np.concatenate([benchmark.draw(faces), result[None]]))


def read_rows(folder: Path) -> Rows:
    """The scores of each edit in a scored folder.

    Raises:
        UsageError: if it was not scored, or its rows are damaged.
    """
    file = folder / "rows.jsonl"
    if not file.is_file() or not (folder / NOTE).is_file():
        raise UsageError(f"'{folder}' was not scored; score it with: analogies eval edits {folder}")
    try:
        lines = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
        rows = {name: np.array([line[name] for line in lines], dtype=float) for name in lines[0]}
        for metric in METRICS:
            metric.parts(rows)
    except (ValueError, KeyError, IndexError, TypeError):
        raise UsageError(
            f"'{file}' is damaged or of another version; score the folder again: analogies eval edits {folder}"
        ) from None
    return rows


def compare(first: Path, second: Path) -> tuple[list[list[str]], list[dict[str, Any]]]:
    """How two edits of the same benchmark differ, metric by metric, over the same contents.

    Returns:
        Cells of a table, and the same as records: difference, 95 % interval, two-sided p
        (exact McNemar for shares of contents, else from resampling contents) and p after
        Holm's correction over the table.

    Raises:
        UsageError: if a folder was not scored, or they are of different benchmarks.
    """
    rows = read_rows(first), read_rows(second)
    if made_of(first) != made_of(second) or not np.array_equal(rows[0]["edit"], rows[1]["edit"]):
        raise UsageError(
            f"'{first}' and '{second}' are results of different benchmarks or judges, which cannot be compared; "
            "score both again by the same"
        )
    both = rows[0].keys() & rows[1].keys()
    metrics = [*METRICS, *(metric for net in NETS for metric in net_metrics(net) if metric.name in both)]
    tested = [(metric, difference(metric, *rows)) for metric in metrics if applies(metric, rows[0])]
    adjusted = holm([p for _, (_, p) in tested])
    found = [
        {"metric": metric.name} | gap._asdict() | {"p": p, "p_holm": corrected}
        for (metric, (gap, p)), corrected in zip(tested, adjusted, strict=True)
    ]
    body = [
        [metric.title, formatted(metric.unit, gap), f"{p:.4f}", f"{corrected:.4f}"]
        for (metric, (gap, p)), corrected in zip(tested, adjusted, strict=True)
    ]
    return [["metric", f"{first.name} minus {second.name}", "p", "p (Holm)"], *body], found


def made_of(folder: Path) -> tuple[dict[str, Any], Any]:
    """The benchmark of a scored folder, and the judges that scored it."""
    note = {name: value for name, value in read_note(folder).items() if name != "edit"}
    with (folder / "results.jsonl").open(encoding="utf-8") as file:
        return note, json.loads(file.readline())["judges"]


def applies(metric: Metric, rows: Rows) -> bool:
    """Whether a metric has a value in these rows, and one whose difference has a meaning."""
    if metric.scale is not None:
        return False
    return not bool(np.isnan(metric.parts(rows)[0]).all())


def difference(metric: Metric, first: Rows, second: Rows) -> Difference:
    """First minus second of a metric over the same edits."""
    (above, below), (other, _) = metric.parts(first), metric.parts(second)
    gap, p = paired_ratio(above, other, below, first["content"])
    if metric.binary and len(np.unique(first["content"])) == len(above):
        p = mcnemar(above, other)
    return Difference(gap, p)

"""What an evaluation leaves behind: JSON lines, a Markdown table, and a sheet of examples."""

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from .. import __version__
from ..images import atomic_write, save_image
from .counterfactual import to_float
from .edits import describe, read_results
from .features import FeatureNet
from .judges import JUDGES, read_scores
from .scores import CONTROLS, EDIT, METRICS, Evaluation, Metric, copying_wins, distances
from .statistics import Interval

EXAMPLES = 4  # best, median and worst: so many of each


def results(evaluation: Evaluation, label: str, nets: list[FeatureNet]) -> list[dict[str, Any]]:
    """Every number, one record each, with all that is needed to know what it is of."""
    judges = {name: read_scores()[name]["sha256"][:12] for name in JUDGES}
    common = describe(evaluation.benchmark) | {"version": __version__, "judges": judges}
    records = []
    for system, rows in evaluation.rows.items():
        name = label if system == EDIT else system
        for metric in METRICS:
            value = metric.value(rows)
            number = {"value": value.value, "low": value.low, "high": value.high}
            shape = {"n": len(rows["edit"]), "unit": metric.unit, "better": metric.better}
            records.append({"system": name, "metric": metric.name} | number | shape | common)
    records += [
        {"system": label if row == EDIT else row, "metric": f"{metric}[{net.name}]", "value": value}
        | {"n": len(evaluation.benchmark), "better": -1, "net": net.name, "sha256": net.sha256}
        | common
        for net in nets
        for row, values in distance_rows(evaluation, net).items()
        for metric, value in values.items()
    ]
    return [{key: clean(value) for key, value in record.items()} for record in records]


def clean(value: Any) -> Any:
    """JSON has no NaN."""
    return None if isinstance(value, float) and math.isnan(value) else value


def distance_rows(evaluation: Evaluation, net: FeatureNet) -> dict[str, dict[str, float]]:
    """FID and KID of every system, and of other real faces, which is the least they can be at this count."""
    features = evaluation.features[net.name]
    rows = {system: distances(features, system) for system in evaluation.rows}
    return rows | {"floor (real, real)": distances(features, "real again")}


def formatted(metric: Metric, value: Interval, bounds: bool = True) -> str:
    """A number as a table shows it, with its 95 % interval."""
    if math.isnan(value.value):
        return "-"
    factor, digits = (100, 1) if metric.unit == "%" else (1, 2 if metric.unit else 3)
    best, low, high = (f"{factor * each:.{digits}f}" for each in value)
    return f"{best} ({low} to {high})" if bounds else best


def table(evaluation: Evaluation, label: str, metrics: tuple[Metric, ...] = METRICS) -> list[list[str]]:
    """Cells: a heading, then a row a metric, its column a system. A star marks where copying wins."""
    head = ["metric", label, *CONTROLS]
    body = []
    for metric in metrics:
        unit = f" ({metric.unit})" if metric.unit else ""
        star = " *" if copying_wins(evaluation, metric) else ""
        cells = [formatted(metric, metric.value(evaluation.rows[system])) for system in (EDIT, *CONTROLS)]
        body.append([metric.title + unit + star, *cells])
    return [head, *body]


def distance_table(evaluation: Evaluation, label: str, net: FeatureNet) -> list[list[str]]:
    """Cells: a heading, then FID and KID of each system for one net, and their floor."""
    rows = {label if name == EDIT else name: values for name, values in distance_rows(evaluation, net).items()}
    body = [
        [f"{metric.upper()}[{net.name}]", *(f"{values[metric]:.2f}" for values in rows.values())]
        for metric in ("fid", "kid")
    ]
    return [["metric", *rows], *body]


def markdown(cells: list[list[str]]) -> str:
    """Cells as a Markdown table."""
    head, *body = cells
    lines = [head, ["---"] * len(head), *body]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def caption(evaluation: Evaluation) -> str:
    """What was measured on what, in two sentences."""
    benchmark, rows = evaluation.benchmark, evaluation.rows[EDIT]
    left_out = f", {evaluation.skipped} that change too little left out" if evaluation.skipped else ""
    return (
        f"{benchmark.task.name}, {len(rows['edit'])} edits of {benchmark.count} {benchmark.style} faces "
        f"({benchmark.split} people, {benchmark.size} px, seed {benchmark.seed}, other attributes "
        f"{'vary' if benchmark.task.others == 'any' else 'absent'}){left_out}. In brackets 95 % intervals over "
        "contents; * where copying the input or the guide scores at least as well: such a number is no merit."
    )


def write_report(evaluation: Evaluation, folder: Path, label: str, nets: list[FeatureNet]) -> list[Path]:
    """Write rows.jsonl (a line an edit), results.jsonl (a line a number), results.md and examples.png."""
    rows = evaluation.rows[EDIT]
    lines = [{name: clean(float(rows[name][at])) for name in rows} for at in range(len(rows["edit"]))]
    tables = [table(evaluation, label), *(distance_table(evaluation, label, net) for net in nets)]
    text = f"{caption(evaluation)}\n\n" + "\n".join(map(markdown, tables))
    files = {
        "rows.jsonl": "".join(json.dumps(line) + "\n" for line in lines),
        "results.jsonl": "".join(json.dumps(line) + "\n" for line in results(evaluation, label, nets)),
        "results.md": text,
    }
    for name, content in files.items():
        with atomic_write(folder / name) as stream:
            stream.write(content.encode())
    save_image(examples(evaluation, folder), folder / "examples.png")
    return [folder / name for name in (*files, "examples.png")]


def examples(evaluation: Evaluation, folder: Path) -> Tensor:
    """Best, median and worst edits by their distance to the truth, four of each in three columns of the sheet.

    Each shows content, guide, truth and result; (1, 3, H, W) in [0, 1].
    """
    from torchvision.utils import make_grid

    rows = evaluation.rows[EDIT]
    order = np.argsort(rows["l1"], kind="stable")
    count = min(EXAMPLES, len(order))
    middle = (len(order) - count) // 2
    groups = order[:count], order[middle : middle + count], order[len(order) - count :]
    lines = [[four(evaluation, folder, int(rows["edit"][at])) for at in group] for group in groups]
    columns = [make_grid(torch.cat(group), nrow=4, padding=2, pad_value=1.0) for group in lines]
    return torch.cat([torch.nn.functional.pad(column, (0, 8, 0, 0), value=1.0) for column in columns], 2)[None]


def four(evaluation: Evaluation, folder: Path, edit: int) -> Tensor:
    """One edit's content, guide, truth and result: (4, 3, H, W) in [0, 1]."""
    from .tasks import BLOCK

    benchmark = evaluation.benchmark
    start = edit // benchmark.guides // BLOCK * BLOCK
    within = edit - start * benchmark.guides
    person, guide = benchmark.pairs(start)[within]
    contents, guides = benchmark.faces(start)
    faces = [contents[person], guides[guide], benchmark.task.truth(contents[person], guides[guide])]
    result = read_results(folder, benchmark, start)[0][within]
    return to_float(np.concatenate([benchmark.draw(faces), result[None]]))

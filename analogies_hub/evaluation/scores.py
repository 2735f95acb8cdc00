"""From rows, one an edit, to numbers with intervals; and the rows that every table must show."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from ..data.avatars import person
from ..data.cache import Progress
from .counterfactual import Rows, line_up, score, to_float
from .distribution import fid, kid
from .edits import read_results
from .features import FeatureNet
from .judges import Judges
from .statistics import Interval, bootstrap_ratio, wilson
from .tasks import Benchmark, Block

CONTROLS: dict[str, Callable[[Block, np.ndarray, np.ndarray], np.ndarray]] = {
    "copy input": lambda block, people, guides: block.contents[people],
    "copy guide": lambda block, people, guides: block.guides[guides],
    "oracle": lambda block, people, guides: block.truths[people, guides],
}
EDIT = "edit"


@dataclass(frozen=True)
class Metric:
    """One number of the table: a ratio of two sums over edits.

    Attributes:
        parts: numerator and denominator of each edit, from the rows of one system; the
            denominator does not depend on the system.
        better: 1 if higher is better, -1 if lower is.
        binary: whether each edit is right or wrong.
        scale: what makes the printed number of the ratio; rising or falling throughout.
    """

    name: str
    title: str
    better: int
    unit: str
    parts: Callable[[Rows], tuple[np.ndarray, np.ndarray]]
    binary: bool = False
    scale: Callable[[float], float] | None = None

    def value(self, rows: Rows) -> Interval:
        """The number with its 95 % interval: Wilson's for a share of contents, else by resampling contents."""
        above, below = self.parts(rows)
        if np.isnan(above).all():
            return Interval(np.nan, np.nan, np.nan)
        if self.binary and len(np.unique(rows["content"])) == len(above):
            return wilson(int(above.sum()), len(above))
        ratio = bootstrap_ratio(above, below, rows["content"])
        if self.scale is None:
            return ratio
        value, *ends = map(self.scale, ratio)
        return Interval(value, min(ends), max(ends))


@dataclass(frozen=True)
class Evaluation:
    """All that was measured.

    Attributes:
        rows: by system (the edit and the controls), the scores of each edit.
        features: by feature net and set (systems, `real` and `real again`), float64 (N, D).
        skipped: edits that change too little to be judged.
    """

    benchmark: Benchmark
    rows: dict[str, Rows]
    features: dict[str, dict[str, Tensor]]
    skipped: int


def mean(name: str) -> Callable[[Rows], tuple[np.ndarray, np.ndarray]]:
    """The parts of a score's mean."""
    return lambda rows: (rows[name], np.ones(len(rows[name])))


def edit_gain(rows: Rows) -> tuple[np.ndarray, np.ndarray]:
    """The parts of 1 - sum |y - t| / sum |x - t|, the sums over M."""
    return rows["gain_all"] - rows["gain_left"], rows["gain_all"]


def relative_likeness(rows: Rows) -> tuple[np.ndarray, np.ndarray]:
    """The parts of Sim_rel: of the truth's likeness to the content, above other people's, what the result keeps."""
    return rows["sim"] - rows["sim_other"], rows["sim_truth"] - rows["sim_other"]


def decibel(error: float) -> float:
    """Peak signal to noise of a mean squared error of values in [0, 1]; at most 99 dB."""
    return float(-10 * np.log10(max(error, 10**-9.9)))


METRICS = (
    Metric("class", "Class", 1, "%", mean("class"), binary=True),
    Metric("keep", "Keep", 1, "%", mean("keep")),
    Metric("joint", "Joint", 1, "%", mean("joint"), binary=True),
    Metric("edit_gain", "Edit gain", 1, "", edit_gain),
    Metric("l1", "L1", -1, "grey levels", mean("l1")),
    Metric("leak", "Leak", -1, "grey levels", mean("leak")),
    Metric("sim_rel", "Sim_rel", 1, "", relative_likeness),
    Metric("identity_at_1", "Identity@1", 1, "%", mean("identity_at_1"), binary=True),
    Metric("guide_at_1", "Guide@1", 1, "%", mean("guide_at_1"), binary=True),
    Metric("psnr", "PSNR", 1, "dB", mean("mse"), scale=decibel),
    Metric("ssim", "SSIM", 1, "", mean("ssim")),
    Metric("l1_mask", "L1 in M", -1, "grey levels", mean("l1_mask")),
    Metric("sim", "Sim", 1, "", mean("sim")),
    Metric("mask_iou", "Mask IoU", 1, "", mean("mask_iou")),
    Metric("mask_ap", "Mask AP", 1, "", mean("mask_ap")),
    Metric("class_second", "Class (second judge)", 1, "%", mean("class_second"), binary=True),
    Metric("joint_second", "Joint (second judge)", 1, "%", mean("joint_second"), binary=True),
)


def evaluate(
    folder: Path,
    benchmark: Benchmark,
    judges: Judges,
    nets: list[FeatureNet] | None = None,
    on_step: Progress | None = None,
) -> Evaluation:
    """Score the results in a folder, and the controls beside them.

    Args:
        folder: where `outputs/00000.png`... (and maybe `masks/`) are; see `write_inputs`.
        nets: whose features FID and KID are taken of; None for neither.
        on_step: told how many edits are scored, of how many.

    Raises:
        ImageError: if a result is missing, broken or of another size.
    """
    systems = (EDIT, *CONTROLS)
    rows: dict[str, list[Rows]] = {system: [] for system in systems}
    features: dict[str, dict[str, list[Tensor]]] = {net.name: {} for net in nets or []}
    for start, block in zip(benchmark.starts(), benchmark.blocks(), strict=True):
        for system, (results, masks) in outcomes(folder, benchmark, start, block).items():
            found = score(line_up(block, benchmark.pairs(start), results, masks), benchmark.task, judges)
            rows[system].append(place(found, benchmark, start))
            look(nets or [], features, system, results)
        if on_step:
            on_step(min(start + len(block.contents), benchmark.count), benchmark.count)
    for name, faces in real_faces(benchmark):
        look(nets or [], features, name, faces)
    merged = {system: joined(parts) for system, parts in rows.items()}
    pooled = {net: {name: torch.cat(parts) for name, parts in sets.items()} for net, sets in features.items()}
    return Evaluation(benchmark, merged, pooled, len(benchmark) - len(merged[EDIT]["edit"]))


def joined(parts: list[Rows]) -> Rows:
    """The rows of several blocks as one."""
    return {key: np.concatenate([part[key] for part in parts]) for key in parts[0]}


def outcomes(
    folder: Path, benchmark: Benchmark, start: int, block: Block
) -> dict[str, tuple[np.ndarray, np.ndarray | None]]:
    """A block's results and masks by system: the edit's and the controls'."""
    people, guides = np.array(benchmark.pairs(start)).T
    controls = {name: (control(block, people, guides), None) for name, control in CONTROLS.items()}
    return {EDIT: read_results(folder, benchmark, start)} | controls


def place(rows: Rows, benchmark: Benchmark, start: int) -> Rows:
    """A block's rows with the edit's number in the whole, and its content's."""
    edits = rows["edit"] + start * benchmark.guides
    return rows | {"edit": edits, "content": edits // benchmark.guides}


def look(nets: list[FeatureNet], features: dict[str, dict[str, list[Tensor]]], name: str, pixels: np.ndarray) -> None:
    """Add the features of uint8 (N, H, W, 3) to those of a set."""
    for net in nets:
        features[net.name].setdefault(name, []).append(net.pooled(to_float(pixels)))


def real_faces(benchmark: Benchmark) -> Iterator[tuple[str, np.ndarray]]:
    """Faces of the target domain and of nobody in the benchmark, as many as edits, twice."""
    for name, first in (("real", 20_000_000), ("real again", 30_000_000)):
        for start in range(0, len(benchmark), 250):
            numbers = range(start, min(start + 250, len(benchmark)))
            rule = benchmark.task.guide_domain
            yield name, benchmark.draw([person(rule, benchmark.split, first + n, benchmark.seed) for n in numbers])


def distances(features: dict[str, Tensor], system: str) -> dict[str, float]:
    """FID and KID (times 1000) of a system's results to real faces of the target domain, for one net."""
    return {"fid": fid(features[system], features["real"]), "kid": 1000 * kid(features[system], features["real"])}


def copying_wins(evaluation: Evaluation, metric: Metric) -> bool:
    """Whether a copy is at least as good as the edit: the metric then says nothing for it."""
    edit, *copies = (metric.value(evaluation.rows[name]).value for name in (EDIT, "copy input", "copy guide"))
    return any(metric.better * copy >= metric.better * edit for copy in copies)

"""From rows, one an edit, to numbers with intervals; and the systems that every table must show."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property, partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..data.avatars import Face, cached_faces, person
from ..data.cache import Progress
from ..errors import UsageError
from .appearance import Reference, appearance_scores, refer
from .counterfactual import SMALLEST, Rows, joined, score, set_up, to_float
from .distribution import fid, kid
from .edits import read_results
from .features import FeatureNet
from .judges import Judges
from .statistics import Interval, bootstrap_ratio, distance_interval, wilson
from .tasks import BLOCK, Benchmark, Block

EDIT = "edit"
CONTROLS: dict[str, Callable[[Block, np.ndarray, np.ndarray], np.ndarray]] = {
    "copy input": lambda block, people, guides: block.contents[people],
    "copy guide": lambda block, people, guides: block.guides[guides],
    "oracle": lambda block, people, guides: block.truths[people, guides],
}
REAL = "real faces"  # of the target domain and of other people: the floor of distances, the ceiling of likeness


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
    Metric("success", "Success", 1, "%", mean("success"), binary=True),
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
    Metric("mask_area", "Mask area / true area", 0, "", mean("mask_area")),
    Metric("class_second", "Class (second judge)", 1, "%", mean("class_second"), binary=True),
    Metric("joint_second", "Joint (second judge)", 1, "%", mean("joint_second"), binary=True),
)


def net_metrics(name: str) -> tuple[Metric, ...]:
    """The metrics that a feature net adds; see `appearance.appearance_scores`."""
    return (
        Metric(f"content[{name}]", f"Content[{name}]", -1, "", mean(f"content[{name}]")),
        Metric(f"style[{name}]", f"Style[{name}]", -1, "", mean(f"style[{name}]")),
        Metric(f"pdist[{name}]", f"pdist[{name}]", -1, "", mean(f"pdist[{name}]")),
    )


@dataclass(frozen=True)
class Line:
    """One number of every system that has it."""

    name: str
    title: str
    better: int
    unit: str
    values: dict[str, Interval]

    @property
    def net(self) -> str:
        """The feature net in the name's brackets; empty if there is none."""
        return self.name.partition("[")[2].removesuffix("]")

    @property
    def copying_wins(self) -> bool:
        """Whether a copy is at least as good as the edit: the number then says nothing for it."""
        edit, *copies = (self.better * self.values[name].value for name in (EDIT, "copy input", "copy guide"))
        return self.better != 0 and any(copy >= edit for copy in copies)


@dataclass(frozen=True)
class Evaluation:
    """All that was measured.

    Attributes:
        rows: by system, the scores of each edit; of real faces only those of feature nets.
        references: the feature nets, with the real faces that they compare to.
        skipped: edits that change too little to be judged.
        settings: what else the numbers depend on, ready for JSON.
    """

    benchmark: Benchmark
    rows: dict[str, Rows]
    references: list[Reference]
    skipped: int
    settings: dict[str, Any]

    @cached_property
    def lines(self) -> list[Line]:
        """Every number with its interval: the direct ones, then those of each feature net."""
        judged = {system: rows for system, rows in self.rows.items() if system != REAL}
        lines = [measure(metric, judged) for metric in METRICS]
        for reference in self.references:
            lines += self.distances(reference)
            lines += [measure(metric, self.rows) for metric in net_metrics(reference.net.name)]
        return lines

    def distances(self, reference: Reference) -> list[Line]:
        """FID and KID of every system to the real faces of a reference."""
        net = reference.net.name
        features = {system: torch.from_numpy(rows[f"features[{net}]"]) for system, rows in self.rows.items()}
        lines = []
        for name, title, distance in (("fid", "FID", fid), ("kid_x1000", "KID x1000", kid_x1000)):
            values = {
                system: distance_interval(distance, seen, reference.features, self.rows[system]["content"])
                for system, seen in features.items()
            }
            lines.append(Line(f"{name}[{net}]", f"{title}[{net}]", -1, "", values))
        return lines


def measure(metric: Metric, rows: dict[str, Rows]) -> Line:
    """A metric of several systems."""
    values = {system: metric.value(each) for system, each in rows.items()}
    return Line(metric.name, metric.title, metric.better, metric.unit, values)


def kid_x1000(first: Tensor, second: Tensor) -> float:
    """KID in the unit in which papers print it."""
    return 1000 * kid(first, second)


def evaluate(
    folder: Path,
    benchmark: Benchmark,
    judges: Judges,
    nets: list[FeatureNet] | None = None,
    mask_threshold: float = 0.5,
    on_step: Progress | None = None,
) -> Evaluation:
    """Score the results in a folder, and the controls beside them.

    Args:
        folder: where `outputs/00000.png`... (and maybe `masks/`) are; see `write_inputs`.
        nets: what FID, KID, content and style are measured in; None for nothing.
        mask_threshold: above which a mask counts as edited; choose it on validation people.
        on_step: told how many contents are scored, of how many.

    Raises:
        ImageError: if a result is missing, broken or of another size.
        UsageError: if no edit of the benchmark changes enough to be judged, or the extra
            `eval` is not installed.
    """
    from joblib import Parallel, delayed

    require_torchmetrics()
    real, others = (real_faces(benchmark, first) if nets else torch.empty(0) for first in (20_000_000, 30_000_000))
    references = [refer(net, real, others) for net in nets or []]
    starts = benchmark.starts()
    alone = judges.device.type != "cpu" or len(starts) <= 2  # other processes take seconds to start
    bare = [replace(reference, features=torch.empty(0)) for reference in references]  # less to send
    work = partial(score_block, folder, benchmark, judges, bare, mask_threshold)
    jobs = 1 if alone else torch.get_num_threads()
    parts: list[dict[str, Rows]] = []
    scored = Parallel(n_jobs=jobs, return_as="generator")(delayed(work)(start) for start in starts)
    for start, part in zip(starts, scored, strict=True):
        parts += part
        if on_step:
            on_step(min(start + BLOCK, benchmark.count), benchmark.count)
    if not parts:
        raise UsageError(f"every edit changes fewer than {SMALLEST} pixels; use more contents or larger pictures")
    rows = {system: joined([part[system] for part in parts]) for system in parts[0]}
    for reference in references:
        rows.setdefault(REAL, {"content": np.arange(len(others))})
        rows[REAL] |= appearance_scores(reference, {REAL: others}, real)[REAL]
    settings: dict[str, Any] = {"mask_threshold": mask_threshold if any((folder / "masks").glob("*.png")) else None}
    settings |= {"device": str(judges.device), "torch": str(torch.__version__)}
    return Evaluation(benchmark, rows, references, len(benchmark) - len(rows[EDIT]["edit"]), settings)


def require_torchmetrics() -> None:
    """Raise `UsageError` if scores cannot be computed, before an edit has run for hours."""
    if find_spec("torchmetrics") is None:
        raise UsageError('scores need torchmetrics; install it: pip install "analogies-hub[eval]"')


def score_block(
    folder: Path, benchmark: Benchmark, judges: Judges, references: list[Reference], threshold: float, start: int
) -> list[dict[str, Rows]]:
    """The rows of one block by system, some edits at a time; those that cannot be judged are left out."""
    block, pairs = benchmark.block(start), benchmark.pairs(start)
    results = outcomes(folder, benchmark, start, block)
    parts = []
    for first in range(0, len(pairs), BLOCK):
        some = slice(first, first + BLOCK)
        scene = set_up(block, pairs[some], benchmark.task, judges)
        if not len(scene.edit):
            continue
        rows = {
            name: place(
                score(scene, pixels[some], judges, masks if masks is None else masks[some], threshold),
                benchmark,
                start * benchmark.guides + first,
            )
            for name, (pixels, masks) in results.items()
        }
        images = {name: to_float(pixels[some][scene.edit]) for name, (pixels, _) in results.items()}
        for reference in references:
            for name, found in appearance_scores(reference, images, scene.truth).items():
                rows[name] |= found
        parts.append(rows)
    return parts


def outcomes(
    folder: Path, benchmark: Benchmark, start: int, block: Block
) -> dict[str, tuple[np.ndarray, np.ndarray | None]]:
    """A block's results and masks by system: the edit's and the controls'."""
    people, guides = np.array(benchmark.pairs(start)).T
    controls = {name: (control(block, people, guides), None) for name, control in CONTROLS.items()}
    return {EDIT: read_results(folder, benchmark, start)} | controls


def place(rows: Rows, benchmark: Benchmark, first: int) -> Rows:
    """Rows with the edit's number in the whole, of which theirs begin at `first`, and its content's."""
    edits = rows["edit"] + first
    return rows | {"edit": edits, "content": edits // benchmark.guides}


def real_faces(benchmark: Benchmark, first: int) -> Tensor:
    """Faces of the target domain and of nobody in the benchmark, as many as edits: (N, 3, H, W) in [0, 1]."""
    rule, split, seed = benchmark.task.guide_domain, benchmark.split, benchmark.seed
    key = {"domain": rule, "split": split, "seed": seed, "first": first}
    who = partial(numbered_person, rule, split, seed, first)
    look = benchmark.size, benchmark.style
    return to_float(np.array(cached_faces(f"real-{rule}-{split}", key, who, len(benchmark), look)))


def numbered_person(domain: str, split: str, seed: int, first: int, number: int) -> Face:
    """A person so many after the first; a function that processes which draw can import."""
    return person(domain, split, first + number, seed)

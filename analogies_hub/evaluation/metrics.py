"""What the table's numbers are made of: ratios of sums over the rows of edits, with intervals."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from .counterfactual import Rows
from .statistics import Interval, bootstrap_ratio, wilson

EDIT = "edit"
COPIES = ("copy input", "copy guide")


@dataclass(frozen=True)
class Metric:
    """One number of the table: a ratio of two sums over edits.

    Attributes:
        parts: numerator and denominator of each edit, from the rows of one system; the
            denominator does not depend on the system.
        better: 1 if higher is better, -1 if lower is.
        binary: whether each edit is right or wrong.
        scale: what makes the printed number of the ratio; rising or falling throughout.
        net: the feature net it is measured in, if any.
    """

    name: str
    title: str
    better: int
    unit: str
    parts: Callable[[Rows], tuple[np.ndarray, np.ndarray]]
    binary: bool = False
    scale: Callable[[float], float] | None = None
    net: str = ""

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
    return tuple(
        Metric(f"{short}[{name}]", f"{title}[{name}]", -1, "", mean(f"{short}[{name}]"), net=name)
        for short, title in (("content", "Content"), ("style", "Style"), ("pdist", "pdist"))
    )


@dataclass(frozen=True)
class Line:
    """One number of every system that has it, and the feature net that it is measured in, if any."""

    name: str
    title: str
    better: int
    unit: str
    values: dict[str, Interval]
    net: str = ""

    @property
    def copying_wins(self) -> bool:
        """Whether a copy is at least as good as the edit: the number then says nothing for it."""
        edit, *copies = (self.better * self.values[name].value for name in (EDIT, *COPIES))
        return self.better != 0 and any(copy >= edit for copy in copies)


def measure(metric: Metric, rows: dict[str, Rows]) -> Line:
    """A metric of several systems."""
    values = {system: metric.value(each) for system, each in rows.items()}
    return Line(metric.name, metric.title, metric.better, metric.unit, values, metric.net)

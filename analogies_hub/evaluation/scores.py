"""An edit's results, the controls beside them, and everything that is measured of both."""

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
from ..data.parallel import in_parallel
from ..data.source import to_float
from ..errors import UsageError
from .appearance import Reference, appearance_scores, refer
from .counterfactual import SMALLEST, Rows, joined, score, set_up
from .distribution import fid, kid
from .edits import has_masks, read_results
from .features import FeatureNet
from .judges import Judges
from .metrics import EDIT, METRICS, Line, measure, net_metrics
from .statistics import distance_interval
from .tasks import BLOCK, Benchmark, Block

CONTROLS: dict[str, Callable[[Block, np.ndarray, np.ndarray], np.ndarray]] = {
    "copy input": lambda block, people, guides: block.contents[people],
    "copy guide": lambda block, people, guides: block.guides[guides],
    "oracle": lambda block, people, guides: block.truths[people, guides],
}
REAL = "real faces"  # of the target domain and of other people: the floor of distances, the ceiling of likeness


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
            lines.append(Line(f"{name}[{net}]", f"{title}[{net}]", -1, "", values, net))
        return lines


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
    require_torchmetrics()
    real, others = (real_faces(benchmark, first) if nets else torch.empty(0) for first in (20_000_000, 30_000_000))
    references = [refer(net, real, others) for net in nets or []]
    bare = [replace(reference, features=torch.empty(0)) for reference in references]  # less to send
    work = partial(score_block, folder, benchmark, judges, bare, mask_threshold)
    parts = by_blocks(work, benchmark, judges.device, on_step)
    if not parts:
        raise UsageError(f"every edit changes fewer than {SMALLEST} pixels; use more contents or larger pictures")
    rows = {system: joined([part[system] for part in parts]) for system in parts[0]}
    for reference in references:
        rows.setdefault(REAL, {"content": np.arange(len(others))})
        rows[REAL] |= appearance_scores(reference, {REAL: others}, real)[REAL]
    settings: dict[str, Any] = {"device": str(judges.device), "torch": str(torch.__version__)}
    settings["mask_threshold"] = mask_threshold if has_masks(folder) else None
    return Evaluation(benchmark, rows, references, len(benchmark) - len(rows[EDIT]["edit"]), settings)


def by_blocks(
    work: Callable[[int], list[dict[str, Rows]]], benchmark: Benchmark, device: torch.device, on_step: Progress | None
) -> list[dict[str, Rows]]:
    """What `work` gives for every block of contents, by its first content."""
    starts = benchmark.starts()
    alone = device.type != "cpu" or len(starts) <= 2  # other processes take seconds to start
    parts: list[dict[str, Rows]] = []
    for start, part in zip(starts, in_parallel(work, starts, 1 if alone else torch.get_num_threads()), strict=True):
        parts += part
        if on_step:
            on_step(min(start + BLOCK, benchmark.count), benchmark.count)
    return parts


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
    return to_float(cached_faces(f"real-{rule}-{split}", key, who, len(benchmark), look))


def numbered_person(domain: str, split: str, seed: int, first: int, number: int) -> Face:
    """A person so many after the first; a function that processes which draw can import."""
    return person(domain, split, first + number, seed)

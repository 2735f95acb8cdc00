"""Speed, memory and scores of the `pair` engines, measured in one run on one machine.

Seconds on a shared machine mean little; what counts is the ratio of engines in the same run
and how cost grows with the number of pixels.
"""

import json
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from .timing import apart, peak_memory

EVERY_LEVEL = 4096  # an exact search up to this side is brute force at every level
ENGINES: dict[str, dict[str, int]] = {"patch": {}, "brute": {"exact_side": EVERY_LEVEL}}


@dataclass(frozen=True)
class Row:
    """One engine at one size.

    Attributes:
        seconds, cpu_seconds: of the call alone, after a smaller warm-up call.
        peak_mb: the process's largest memory, torch included, in MB of 2**20 bytes.
        us_per_pixel: CPU microseconds for one pixel of the result.
        coherence, completeness, self_similarity, edges: see `evaluation.pair.PairScores`.
    """

    engine: str
    size: int
    seconds: float
    cpu_seconds: float
    us_per_pixel: float
    peak_mb: int
    coherence: float
    completeness: float
    self_similarity: float
    edges: float


def bench_pair(
    content: Path, guide: Path, sizes: list[int], brute_up_to: int, device: str, threads: int | None
) -> "list[Row]":
    """A row for each size and engine, each measured in a process of its own.

    Args:
        content, guide: the pair of pictures.
        sizes: long sides of the results, in pixels.
        brute_up_to: largest size at which brute force runs too; its cost grows with pixels squared.
        device: as for `load_pipeline`.
        threads: CPU threads, None for torch's choice.

    Raises:
        AnalogyError: if a measurement fails.
    """
    jobs = [(engine, size) for size in sizes for engine in ENGINES if engine == "patch" or size <= brute_up_to]
    rest = str(content), str(guide), device, threads
    rows = [apart(__name__, [*job, *rest], f"{job[0]} at {job[1]} px") for job in jobs]
    return [Row(**row) for row in rows]


def measure(engine: str, size: int, content: str, guide: str, device: str, threads: int | None) -> Row:
    """One row, measured in this process."""
    import torch

    from ..evaluation.pair import score_pair
    from ..images import to_tensor
    from ..methods.pair.config import PairConfig
    from ..methods.pair.pipeline import PairPipeline
    from ..pipeline import pick_device

    if threads:
        torch.set_num_threads(threads)
    pipeline = PairPipeline(PairConfig.from_dict(ENGINES[engine])).to(pick_device(device))
    pipeline.translate(content, guide, size=64)
    wall, cpu = time.perf_counter(), time.process_time()
    result = pipeline.translate(content, guide, size=size).cpu()
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    pixels = result.shape[-1] * result.shape[-2]
    scores = score_pair(result, to_tensor(content), to_tensor(guide))
    return Row(engine, size, wall, cpu, 1e6 * cpu / pixels, peak_memory(), *scores)


if __name__ == "__main__":
    sys.stdout.write(json.dumps(asdict(measure(*json.loads(sys.argv[1])))))

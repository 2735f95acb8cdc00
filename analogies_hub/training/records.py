"""What a run leaves to look at: metrics.jsonl, a TensorBoard log, and grids of samples."""

import json
import warnings
from pathlib import Path
from typing import Any

from torch import Tensor

from ..images import atomic_write, save_image

METRICS_FILE = "metrics.jsonl"


class Records:
    """Writes a run's records; those past the step it starts from are taken back first."""

    def __init__(self, run: Path, step: int) -> None:
        self.run = run
        self.rewind(step)
        self.board = tensorboard(run, step)

    def rewind(self, step: int) -> None:
        """Drop the metrics of steps that will be done again."""
        path = self.run / METRICS_FILE
        if not path.exists():
            return
        kept = [line for line in path.read_text(encoding="utf-8").splitlines() if is_before(line, step)]
        with atomic_write(path) as file:
            file.write("".join(f"{line}\n" for line in kept).encode())

    def write(self, step: int, values: dict[str, float]) -> None:
        """Numbers by name after some steps."""
        row = {"step": step} | {name: float(f"{value:.6g}") for name, value in values.items()}
        with (self.run / METRICS_FILE).open("a", encoding="utf-8") as file:
            file.write(json.dumps(row) + "\n")
        if self.board:
            for name, value in values.items():
                self.board.add_scalar(name, value, step)

    def show(self, step: int, grid: Tensor) -> None:
        """A grid of samples (1, 3, H, W) in [0, 1] after some steps."""
        folder = self.run / "samples"
        folder.mkdir(exist_ok=True)
        save_image(grid, folder / f"step_{step:08d}.png", {"step": step})
        if self.board:
            self.board.add_image("samples", grid[0], step)

    def close(self) -> None:
        """Nothing more will come."""
        if self.board:
            self.board.close()


def is_before(line: str, step: int) -> bool:
    """Whether a line of metrics is whole and not past a step."""
    try:
        return json.loads(line)["step"] <= step
    except (ValueError, KeyError, TypeError):
        return False


def tensorboard(run: Path, step: int) -> Any:
    """A TensorBoard writer, or None (and a note) where the package is not installed."""
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        warnings.warn('no TensorBoard log; to have one: pip install "analogies-hub[train]"', stacklevel=2)
        return None
    return SummaryWriter(str(run / "tensorboard"), purge_step=step)

"""A run's checkpoints: whole files, the newest few, read back without unpickling anything but tensors."""

import os
import re
import warnings
from dataclasses import dataclass
from pathlib import Path
from pickle import UnpicklingError
from typing import Any
from zipfile import BadZipFile, ZipFile

import torch

from ..errors import ModelError
from ..images import atomic_write

KEEP = 2  # of which the older one stands by in case the disk spoils the newer
NAME = re.compile(r"step_(\d+)\.pt")


@dataclass(frozen=True)
class Checkpoints:
    """The checkpoints in a folder."""

    folder: Path

    def files(self) -> list[Path]:
        """Oldest first."""
        if not self.folder.is_dir():
            return []
        found = [path for path in self.folder.iterdir() if NAME.fullmatch(path.name)]
        return sorted(found, key=lambda path: int(NAME.fullmatch(path.name)[1]))  # type: ignore[index]

    def save(self, step: int, state: dict[str, Any]) -> None:
        """Write the state after `step` steps, then drop all but the newest few."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with atomic_write(self.folder / f"step_{step:08d}.pt") as file:
            torch.save({"step": step} | state, file)
            file.flush()
            os.fsync(file.fileno())
        for old in self.files()[:-KEEP]:
            old.unlink()
        for left in self.folder.glob(".*.part"):  # of a process that was killed
            left.unlink(missing_ok=True)

    def newest(self) -> dict[str, Any] | None:
        """The newest state that can be read, on the CPU; None where there is no checkpoint.

        Raises:
            ModelError: if there are checkpoints and none can be read.
        """
        files = self.files()
        for path in reversed(files):
            try:
                return read(path)
            except (OSError, EOFError, RuntimeError, ValueError, KeyError, BadZipFile, UnpicklingError) as error:
                reason = str(error).splitlines()[0] if str(error) else type(error).__name__
                warnings.warn(f"the checkpoint '{path}' cannot be read ({reason}); using the one before", stacklevel=2)
        if files:
            raise ModelError(f"no checkpoint in '{self.folder}' can be read; delete the folder to train from the start")
        return None


def read(path: Path) -> dict[str, Any]:
    """A checkpoint, on the CPU, after a look at its checksums.

    Raises:
        ValueError and others: if it is damaged, or no checkpoint of ours.
    """
    with ZipFile(path) as archive:
        if (damaged := archive.testzip()) is not None:
            raise ValueError(f"'{damaged}' in it is damaged")
    state = torch.load(path, map_location="cpu", weights_only=True)
    if not isinstance(state, dict) or "step" not in state:
        raise ValueError("it is no checkpoint of a training")
    return state

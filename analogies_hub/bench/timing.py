"""How a bench runs networks, times them in turns, and counts their arithmetic."""

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple, Self, TypeVar

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode
from torch.utils.module_tracker import ModuleTracker

from ..errors import AnalogyError

Key = TypeVar("Key")
Call = Callable[[], object]


@dataclass(frozen=True)
class Way:
    """How networks are run.

    Attributes:
        precision: fp32, or bf16 under autocast.
        channels_last: memory layout of images and convolutions.
        compiled: by torch.compile.
    """

    precision: str = "fp32"
    channels_last: bool = False
    compiled: bool = False

    @property
    def layout(self) -> torch.memory_format:
        """What torch calls it."""
        return torch.channels_last if self.channels_last else torch.contiguous_format

    def place(self, module: nn.Module, device: torch.device) -> None:
        """Put a module on the device in this layout."""
        module.to(device=device, memory_format=self.layout)  # type: ignore[call-overload]

    def images(self, count: int, size: int, device: torch.device) -> torch.Tensor:
        """Noise (count, 3, size, size) in [0, 1) on the device in this layout."""
        return torch.rand(count, 3, size, size).to(device, memory_format=self.layout)

    def within(self, call: Call, device: torch.device) -> Call:
        """The call, in half precision where it was asked for."""

        def run() -> object:
            with torch.autocast(device.type, torch.bfloat16, enabled=self.precision == "bf16"):
                return call()

        return run


class Taken(NamedTuple):
    """What a call takes.

    Attributes:
        seconds: on the clock.
        cost: what ratios are made of: on a CPU its seconds of all threads, which other work on
            the machine shakes less; elsewhere seconds on the clock.
    """

    seconds: float
    cost: float


def timed(calls: dict[Key, Call], rounds: int, times: int, device: torch.device) -> dict[Key, Taken]:
    """What each call takes, as medians.

    They take turns, so that a machine that is busy for a while slows all alike.

    Args:
        rounds: how often each has its turn.
        times: how often it is called in a turn.
    """
    taken: dict[Key, list[Taken]] = {key: [] for key in calls}
    for _ in range(rounds):
        for key, call in calls.items():
            wait(device)
            for _ in range(times):
                taken[key].append(taken_by(call, device))
    return {key: Taken(*map(statistics.median, zip(*values, strict=True))) for key, values in taken.items()}


def taken_by(call: Call, device: torch.device) -> Taken:
    """What one call takes, from an idle device to an idle device."""
    clock, processor = time.perf_counter(), time.process_time()
    call()
    wait(device)
    seconds, cpu_seconds = time.perf_counter() - clock, time.process_time() - processor
    return Taken(seconds, cpu_seconds if device.type == "cpu" else seconds)


def wait(device: torch.device) -> None:
    """Until the device has done all it was told."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    elif device.type == "mps":
        torch.mps.synchronize()


class NoTracker(ModuleTracker):
    """Tells no module from another; the usual one hooks weights, which `torch.autograd.grad` refuses."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        pass


def gmacs(call: Call) -> float:
    """Billions of multiply-adds of one call, in convolutions and matrix products, forward and backward."""
    counter = FlopCounterMode(display=False)
    counter.mod_tracker = NoTracker()
    with counter:
        call()
    return counter.get_total_flops() / 2e9


def apart(module: str, job: list[Any], what: str) -> Any:
    """What a module's main part prints for a job, from a fresh process so that its peak memory is its own.

    Args:
        module: prints JSON when run with a job in JSON as its only word.
        what: is measured, for the message.

    Raises:
        AnalogyError: if it fails.
    """
    done = subprocess.run([sys.executable, "-m", module, json.dumps(job)], capture_output=True, text=True, check=False)
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise AnalogyError(f"measuring {what} failed: {reason}")
    return json.loads(done.stdout)


def peak_memory() -> int:
    """This process's largest memory so far in MB of 2**20 bytes; 0 where the system cannot tell."""
    try:
        import resource
    except ImportError:  # Windows
        return 0
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit // 2**20

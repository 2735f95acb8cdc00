"""One process or several that train together: who is who, and means over all of them."""

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
import torch.distributed as dist
from torch import Tensor
from torch.distributed.nn.functional import all_reduce


@dataclass(frozen=True)
class Ranks:
    """This process's number among `world`; 0 of 1 where `torchrun` started none."""

    rank: int = 0
    world: int = 1

    @property
    def first(self) -> bool:
        """Whether this process writes files and talks to the user."""
        return self.rank == 0

    def rows(self, count: int) -> slice:
        """Which rows of a step's `count * world` are this process's."""
        return slice(self.rank * count, (self.rank + 1) * count)

    def average(self, tensors: Iterable[Tensor]) -> None:
        """Replace tensors by their means over the processes."""
        if self.world == 1:
            return
        tensors = list(tensors)
        flat = torch.cat([tensor.flatten() for tensor in tensors])
        dist.all_reduce(flat)
        flat /= self.world
        for tensor, mean in zip(tensors, flat.split([tensor.numel() for tensor in tensors]), strict=True):
            tensor.copy_(mean.view_as(tensor))

    def gather(self, rows: Tensor) -> Tensor:
        """The rows of every process, in the order of processes; no gradient comes back."""
        rows = rows.detach()
        if self.world == 1:
            return rows
        parts = [torch.empty_like(rows) for _ in range(self.world)]
        dist.all_gather(parts, rows.contiguous())
        return torch.cat(parts)

    def total(self, tensor: Tensor) -> Tensor:
        """The sum of a tensor over the processes, through which gradients come back to all of them."""
        return tensor if self.world == 1 else all_reduce(tensor)

    def any(self, flag: bool) -> bool:
        """Whether any process says so."""
        if self.world == 1:
            return flag
        votes = torch.tensor(float(flag), device=self.device())
        dist.all_reduce(votes)
        return bool(votes > 0)

    def wait(self) -> None:
        """Until every process is here."""
        if self.world > 1:
            dist.barrier()

    @staticmethod
    def device() -> torch.device:
        """Where tensors that travel between processes lie."""
        return torch.device("cuda" if dist.get_backend() == "nccl" else "cpu")


@contextmanager
def joined(device: torch.device) -> Iterator[tuple[Ranks, torch.device]]:
    """The processes that `torchrun` started, and this one's device; alone without it."""
    if "TORCHELASTIC_RUN_ID" not in os.environ:
        yield Ranks(), device
        return
    if device.type == "cuda":
        device = torch.device("cuda", int(os.environ["LOCAL_RANK"]))
        torch.cuda.set_device(device)
    dist.init_process_group("nccl" if device.type == "cuda" else "gloo")
    try:
        yield Ranks(dist.get_rank(), dist.get_world_size()), device
    finally:
        dist.destroy_process_group()

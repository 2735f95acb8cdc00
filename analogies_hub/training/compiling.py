"""Fusing networks by torch.compile."""

from collections.abc import Iterator

import torch
from torch import nn

from ..pipeline import Pipeline

COMPILED = 256  # networks and shapes; beyond torch's own limit of 8, of all together, some would not be fused


def compile_networks(owner: nn.Module) -> None:
    """Let torch.compile fuse each network of a pipeline or trainer, for each shape that it is called with."""
    torch._dynamo.config.cache_size_limit = COMPILED
    for network in networks(owner):
        network.compile(dynamic=False)


def networks(owner: nn.Module) -> Iterator[nn.Module]:
    """What a trainer, a pipeline or a table of networks consists of."""
    for child in owner.children():
        if isinstance(child, Pipeline | nn.ModuleDict):
            yield from networks(child)
        else:
            yield child

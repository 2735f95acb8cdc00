"""What a method brings to the engine: a pipeline, critics, and one training step."""

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from ..pipeline import Pipeline
from .ranks import Ranks

CLIP = 5.0  # as in the published code of the papers
Losses = dict[str, Tensor]


class Trainer(nn.Module):
    """A pipeline, the networks that only training needs, and how one step changes them.

    A subclass builds its critics in `__init__` and calls `optimize` once for each group of
    networks that is updated together. Everything it keeps between steps is in its
    `state_dict` and its optimizers, so the engine can save and restore it by name.

    Attributes:
        stages: how many steps each stage has; most methods have one.
        ranks: the processes that train together; set by the engine.
        rows: this process's pictures of each source in a step; set by the engine.
        newest_is_best: whether the newest model is exported as the best, whatever its validation score.
    """

    newest_is_best: ClassVar[bool] = False

    def __init__(self, pipeline: Pipeline, stages: Sequence[int]) -> None:
        super().__init__()
        self.pipeline = pipeline
        self.stages = tuple(stages)
        self.optimizers: dict[str, torch.optim.Optimizer] = {}
        self.clips: dict[str, float] = {}
        self.ranks = Ranks()
        self.rows = 1

    @property
    def steps(self) -> int:
        """Of all stages together."""
        return sum(self.stages)

    def optimize(
        self, name: str, *networks: nn.Module, lr: float, betas: tuple[float, float], clip: float = CLIP
    ) -> None:
        """Train some networks together, by Adam, under a name for `update`.

        Args:
            clip: largest norm of their gradients in one update.
        """
        self.clips[name] = clip
        parameters = [parameter for network in networks for parameter in network.parameters()]
        self.optimizers[name] = torch.optim.Adam([{"params": parameters, "initial_lr": lr}], lr=lr, betas=betas)

    def begin_stage(self, stage: int) -> None:
        """Whatever has to change when a stage starts, also when a run is resumed within it."""

    def rate(self, step: int) -> float:
        """What the step sizes of all optimizers are multiplied by at a step."""
        return 1.0

    def training_step(self, step: int, *images: Tensor) -> Losses:
        """Update everything once.

        Args:
            step: its number in the whole run, from 0.
            images: of each source this process's share, (B, 3, H, W) in [-1, 1].

        Returns:
            Scalars by name, weighted where they are part of an objective.
        """
        raise NotImplementedError

    def validation_score(self, *images: Tensor) -> Tensor:
        """How good the pipeline is on images it does not train on, a scalar; lower is better.

        Args:
            images: of each source (B, 3, H, W) in [-1, 1].
        """
        raise NotImplementedError

    def samples(self, *images: Tensor) -> Tensor:
        """A grid of results to look at: (1, 3, H, W) in [0, 1].

        Args:
            images: of each source (B, 3, H, W) in [-1, 1].
        """
        raise NotImplementedError

    def update(self, name: str, loss: Tensor) -> None:
        """One step down the loss for the networks of an optimizer: mean over processes, clip, step."""
        optimizer = self.optimizers[name]
        parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
        optimizer.zero_grad(set_to_none=True)
        with torch.autocast(loss.device.type, enabled=False):
            loss.backward(inputs=parameters)  # and no other network's weights
        moved = [parameter for parameter in parameters if parameter.grad is not None]
        self.ranks.average(parameter.grad for parameter in moved if parameter.grad is not None)
        nn.utils.clip_grad_norm_(moved, self.clips[name])
        optimizer.step()

    def randn(self, count: int, *shape: int) -> Tensor:
        """Normal noise (count, ...) for pictures of one source after another, whatever the number of processes."""
        return self.noise(torch.randn, count, *shape)

    def rand(self, count: int, *shape: int) -> Tensor:
        """As `randn`, uniform in [0, 1)."""
        return self.noise(torch.rand, count, *shape)

    def noise(self, draw: Callable[..., Tensor], count: int, *shape: int) -> Tensor:
        """This process's rows of the noise that one process would draw for all pictures."""
        everyone = draw(count // self.rows, self.rows * self.ranks.world, *shape)
        return everyone[:, self.ranks.rows(self.rows)].flatten(0, 1).to(self.pipeline.device)

    def state(self) -> dict[str, Any]:
        """Everything that a later step depends on."""
        return {
            "networks": self.state_dict(),
            "optimizers": {name: optimizer.state_dict() for name, optimizer in self.optimizers.items()},
        }

    def restore(self, state: dict[str, Any]) -> None:
        """The inverse of `state`."""
        self.load_state_dict(state["networks"])
        for name, optimizer in self.optimizers.items():
            ours = optimizer.state_dict()["param_groups"]  # step sizes... may have been changed since
            optimizer.load_state_dict(state["optimizers"][name] | {"param_groups": ours})

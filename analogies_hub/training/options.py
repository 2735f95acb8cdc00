"""What a training is told, and what it tells at its end. Imports no torch."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Options:
    """How to train, as far as it does not change what is learned.

    Attributes:
        run: folder of checkpoints, metrics, samples, and of the exported pipelines `best` and `last`.
        batch: images of each source a step, over all processes.
        seed: of batches and noise.
        resume: go on from the newest checkpoint; without it a run that exists is refused.
            Settings may differ from then on, except those that decide which images come;
            each change is said, and noted in the exported pipelines.
        save_every, log_every: in steps; each checkpoint is validated, with a grid of samples.
        ema: how much of the averaged weights each step keeps; 0 exports the weights themselves.
        device: auto, cpu, cuda, cuda:N or mps.
        precision: `fp32`, or `bf16` for matrix products and convolutions.
        compile: let torch.compile fuse the networks; takes a minute or two at the start.
        channels_last: memory layout of images and convolutions.
        about: noted in the exported pipelines' config.json.
    """

    run: Path
    batch: int
    seed: int = 0
    resume: bool = False
    save_every: int = 500
    log_every: int = 50
    ema: float = 0.999
    device: str = "auto"
    precision: str = "fp32"
    compile: bool = False
    channels_last: bool = True
    about: dict[str, Any] | None = None


@dataclass(frozen=True)
class Outcome:
    """How a run ended.

    Attributes:
        step: steps done, of `steps`.
        score: the best validation score, at step `best`.
    """

    step: int
    steps: int
    score: float
    best: int

    @property
    def finished(self) -> bool:
        """Whether every step is done; otherwise it was asked to stop and can be resumed."""
        return self.step == self.steps

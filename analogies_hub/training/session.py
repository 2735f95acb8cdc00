"""One call of `fit`: where a run stands, and every step from there."""

import copy
import math
import threading
import warnings
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor

from ..data.source import ImageSource
from ..errors import AnalogyError, UsageError
from .checkpoints import Checkpoints
from .compiling import compile_networks
from .options import Options, Outcome
from .ranks import Ranks
from .records import Records
from .trainer import Trainer

AHEAD = 3  # batches that wait ready
VALIDATED = 64  # images of each source
FIXED = ("batch", "domains", "images", "seed", "size")  # settings that a resumed run must keep
SPREAD = 0x9E3779B1  # between the first steps of two seeds, so that their noise does not meet
SHOWN = 8  # images of each source in a grid of samples

OnLog = Callable[[int, int, dict[str, float]], None]  # (done, total, losses by name)


class Session:
    """One call of `fit`: where the run stands, and what it needs to go on."""

    def __init__(
        self,
        trainer: Trainer,
        sources: Sequence[ImageSource],
        validation: Sequence[ImageSource],
        options: Options,
        ranks: Ranks,
        device: torch.device,
    ) -> None:
        self.trainer, self.options, self.ranks, self.device = trainer, options, ranks, device
        self.sources, self.validation = sources, validation
        self.checkpoints = Checkpoints(options.run / "checkpoints")
        self.format = torch.channels_last if options.channels_last else torch.contiguous_format
        trainer.to(device=device, memory_format=self.format)  # type: ignore[call-overload]
        trainer.ranks, trainer.rows = ranks, options.batch // ranks.world
        self.averaged = copy.deepcopy(trainer.pipeline).eval().requires_grad_(False)
        self.step, self.score, self.best = 0, math.inf, 0
        self.best_weights = self.averaged.state_dict()
        self.changes: list[list[Any]] = []  # of settings within the run: step, name, before, after
        self.restore()
        if options.compile:
            compile_networks(trainer)
        self.records = Records(options.run, self.step) if ranks.first else None
        self.ahead: dict[int, Future] = {}
        self.reader = ThreadPoolExecutor(1, thread_name_prefix="batches")
        self.sums: dict[str, Tensor] = {}
        self.logged = self.step

    def restore(self) -> None:
        """Take up the newest checkpoint if the run is to be resumed."""
        state = self.checkpoints.newest()
        if state is None:
            return
        if not self.options.resume:
            raise UsageError(
                f"'{self.options.run}' holds a run at step {state['step']}; add --resume, or choose another folder"
            )
        if state["step"] > self.trainer.steps:
            raise UsageError(
                f"'{self.options.run}' is at step {state['step']} already, {self.trainer.steps} were asked for; "
                "set steps higher"
            )
        self.note_changes(state)
        try:
            self.trainer.restore(state)
            self.averaged.load_state_dict(state["averaged"])
        except (KeyError, RuntimeError, ValueError) as error:
            reason = str(error).splitlines()[-1].strip()
            raise UsageError(
                f"'{self.options.run}' holds another kind of model ({reason}); resume with its settings, "
                "or choose another folder"
            ) from None
        self.step, self.score, self.best = state["step"], state["score"], state["best"]
        self.best_weights = state["best_weights"]

    def note_changes(self, state: dict[str, Any]) -> None:
        """Say and remember which settings differ from those of a checkpoint.

        Raises:
            UsageError: if it is of other images, or of another order of them.
        """
        theirs, ours = state["settings"], self.settings()
        self.changes = state["changes"]
        for name in sorted(ours.keys() | theirs.keys()):
            before, now = theirs.get(name), ours.get(name)
            if before == now:
                continue
            if name in FIXED:
                raise UsageError(
                    f"'{self.options.run}' was trained with {name} {before!r}, now {now!r}; "
                    "resume with the same, or choose another folder"
                )
            warnings.warn(f"from step {state['step']} on {name} is {now!r}, it was {before!r}", stacklevel=2)
            self.changes = [*self.changes, [state["step"], name, before, now]]

    def settings(self) -> dict[str, Any]:
        """What the weights depend on beside the step, ready for JSON."""
        values = {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in self.trainer.pipeline.config.to_dict().items()
        }
        images = [len(source) for source in self.sources]
        return values | {"seed": self.options.seed, "batch": self.options.batch, "images": images}

    def train(self, stopping: threading.Event, on_log: OnLog | None) -> Outcome:
        """Every stage from where the run stands."""
        end = 0
        for stage, length in enumerate(self.trainer.stages):
            end += length
            if self.step >= end:
                continue
            self.trainer.begin_stage(stage)
            while self.step < end:
                self.advance()
                if self.step % self.options.log_every == 0 or self.step == self.trainer.steps:
                    self.log(on_log)
                stop = self.ranks.any(stopping.is_set())
                if stop or self.step == self.trainer.steps or self.step % self.options.save_every == 0:
                    self.checkpoint()
                if stop and self.step < self.trainer.steps:
                    return self.outcome()
        if self.ranks.first:
            self.export("last", self.step)
            self.averaged.load_state_dict(self.best_weights)
            self.export("best", self.best)  # again: a process may have been killed while it wrote
        self.ranks.wait()
        return self.outcome()

    def outcome(self) -> Outcome:
        """Where the run stands."""
        return Outcome(self.step, self.trainer.steps, self.score, self.best)

    def advance(self) -> None:
        """One step: its batch, its noise, its losses, its average of weights."""
        images = self.batch(self.step)
        torch.manual_seed((self.options.seed * SPREAD + self.step) % 2**32)  # a CPU's generator takes 32 bits
        rate = self.trainer.rate(self.step)
        for optimizer in self.trainer.optimizers.values():
            for group in optimizer.param_groups:
                group["lr"] = group["initial_lr"] * rate
        self.trainer.train()
        with self.precision():
            losses = self.trainer.training_step(self.step, *images)
        self.step += 1
        self.average()
        for name, loss in losses.items():
            self.sums[name] = self.sums.get(name, torch.zeros((), device=self.device)) + loss.detach()

    def precision(self) -> torch.autocast:
        """Half precision where it was asked for."""
        return torch.autocast(self.device.type, torch.bfloat16, enabled=self.options.precision == "bf16")

    def average(self) -> None:
        """Move the exported weights towards the present ones, faster while there are few."""
        keep = min(self.options.ema, self.step / (self.step + 9)) if self.options.ema else 0.0
        pairs = zip(self.averaged.state_dict().values(), self.trainer.pipeline.state_dict().values(), strict=True)
        with torch.no_grad():
            for mean, value in pairs:
                mean.lerp_(value, 1 - keep) if mean.is_floating_point() else mean.copy_(value)

    def batch(self, step: int) -> list[Tensor]:
        """This process's share of a step's images, read ahead by a thread."""
        for later in range(step, min(step + AHEAD, self.trainer.steps)):
            if later not in self.ahead:
                self.ahead[later] = self.reader.submit(self.read, later)
        return [self.to_device(images) for images in self.ahead.pop(step).result()]

    def read(self, step: int) -> list[Tensor]:
        """The images of a step in [-1, 1], on the CPU."""
        rows = self.ranks.rows(self.options.batch // self.ranks.world)
        return [source.batch(step, self.options.batch, rows) * 2 - 1 for source in self.sources]

    def to_device(self, images: Tensor) -> Tensor:
        """Images where the networks are, and laid out as they are."""
        return images.to(self.device, memory_format=self.format, non_blocking=True)

    def log(self, on_log: OnLog | None) -> None:
        """Write and tell the mean losses since the last time."""
        means = self.means()
        if self.records:
            self.records.write(self.step, means)
        if on_log and self.ranks.first:
            on_log(self.step, self.trainer.steps, means)

    def means(self) -> dict[str, float]:
        """Each loss's mean since the last log; the one place that waits for the device.

        Raises:
            AnalogyError: if one is not a finite number.
        """
        count = max(1, self.step - self.logged)
        self.ranks.average(self.sums.values())
        means = {name: float(total) / count for name, total in self.sums.items()}
        self.sums, self.logged = {}, self.step
        self.refuse_broken({f"the loss '{name}' is": math.isfinite(value) for name, value in means.items()})
        return means

    def refuse_broken(self, sound: dict[str, bool]) -> None:
        """Raise `AnalogyError`, and say which checkpoint is left, if something is no longer a finite number."""
        if broken := [what for what, is_sound in sound.items() if not is_sound]:
            files = self.checkpoints.files()
            kept = f"'{files[-1]}' is kept" if files else "there was no checkpoint yet"
            raise AnalogyError(f"{broken[0]} no longer a number at step {self.step}; {kept}; resume with a lower lr")

    def checkpoint(self) -> None:
        """Validate, export the pipeline if it is the best so far, and save everything."""
        weights = all(bool(value.isfinite().all()) for value in self.trainer.state_dict().values())
        losses = {f"the loss '{name}' is": bool(total.isfinite()) for name, total in self.sums.items()}
        self.refuse_broken(losses | {"a weight is": weights})
        score = self.validate()
        if self.ranks.first:
            self.records.write(self.step, {"validation": score})  # type: ignore[union-attr]
            self.sample()
            if score < self.score or self.trainer.newest_is_best:
                self.score, self.best = score, self.step
                self.best_weights = {name: value.clone() for name, value in self.averaged.state_dict().items()}
                self.export("best", self.step)
            state = self.trainer.state() | {"averaged": self.averaged.state_dict()}
            state |= {"best_weights": self.best_weights}
            state |= {"settings": self.settings(), "changes": self.changes, "score": self.score, "best": self.best}
            self.checkpoints.save(self.step, state)
        self.ranks.wait()

    @torch.no_grad()
    def validate(self) -> float:
        """The score of the averaged weights on the same images each time."""
        with self.exported():
            return float(self.trainer.validation_score(*self.some(VALIDATED)))

    @torch.no_grad()
    def sample(self) -> None:
        """Write a grid of samples of the averaged weights."""
        with self.exported():
            self.records.show(self.step, self.trainer.samples(*self.some(SHOWN)).cpu())  # type: ignore[union-attr]

    def some(self, count: int) -> list[Tensor]:
        """The first images of each validation source, equally many, in [-1, 1]."""
        numbers = range(min(count, *map(len, self.validation)))
        return [self.to_device(source.take(numbers) * 2 - 1) for source in self.validation]

    @contextmanager
    def exported(self) -> Iterator[None]:
        """The trainer with the averaged pipeline in place, in evaluation mode, its random state its own."""
        trained = self.trainer.pipeline
        self.trainer.pipeline = self.averaged
        self.trainer.eval()
        try:
            yield
        finally:
            self.trainer.pipeline = trained

    def export(self, name: str, step: int) -> None:
        """Save the averaged pipeline, as it was at a step, under the run's folder."""
        folder = self.options.run / name
        for left in folder.glob(".*.part"):  # of a process that was killed
            left.unlink(missing_ok=True)
        about = (self.options.about or {}) | {"seed": self.options.seed, "step": step}
        about |= {"changes": self.changes} if self.changes else {}
        self.averaged.save_pretrained(folder, about)

    def close(self) -> None:
        """Let go of the reading thread and the logs."""
        self.reader.shutdown(wait=True, cancel_futures=True)
        if self.records:
            self.records.close()

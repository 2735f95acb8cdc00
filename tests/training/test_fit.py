"""The engine: a run that was stopped in any way and resumed is the run that never stopped."""

import json
import os
import random
import signal
import subprocess
import time
from dataclasses import dataclass

import numpy as np
import pytest
import torch
from filelock import FileLock
from torch import nn

from analogies_hub.config import Config, setting
from analogies_hub.data.source import ImageSource
from analogies_hub.errors import AnalogyError, UsageError
from analogies_hub.pipeline import Pipeline
from analogies_hub.registry import METHODS, get_method
from analogies_hub.training import Options, Trainer, fit

STEPS, KILLS = 36, 10
pytestmark = pytest.mark.filterwarnings("ignore:from step .* on steps is")
TRAINED = [name for name in METHODS if get_method(name).trainer]


@dataclass(frozen=True)
class NumbersConfig(Config):
    """Of a trainer whose every step can be worked out by hand."""

    steps: int = setting(6, "training steps", 1)
    lr: float = setting(1.0, "how far a step goes", 0.0)


class Numbers(Pipeline):
    """Two numbers, from 0 on."""

    method = "numbers"
    config_type = NumbersConfig

    def __init__(self, config):
        super().__init__(config)
        self.values = nn.Parameter(torch.zeros(2))


class NumbersTrainer(Trainer):
    """Makes both larger by `lr` a step: Adam without memory goes by the sign alone."""

    def __init__(self, pipeline):
        super().__init__(pipeline, [pipeline.config.steps])
        self.optimize("pipeline", pipeline, lr=pipeline.config.lr, betas=(0.0, 0.0))

    def training_step(self, step, *images):
        losses = {"size": self.size(step)}
        self.update("pipeline", losses["size"])
        return losses

    def size(self, step):
        return (1000 - self.pipeline.values).mean()

    def validation_score(self, *images):
        return (self.pipeline.values - 2).abs().mean()

    def samples(self, *images):
        return torch.zeros(1, 3, 8, 8)


def noise(name="noise", count=5, size=32):
    """Images that show nothing."""
    return ImageSource(np.random.default_rng(0).integers(0, 256, (count, size, size, 3), np.uint8), name=name)


def train(run, trainer=NumbersTrainer, settings=(), on_log=None, **options):
    """Train two numbers, exported as they are unless told otherwise."""
    options = {"batch": 1, "device": "cpu", "save_every": 2, "log_every": 1, "ema": 0.0} | options
    built = trainer(Numbers(NumbersConfig(**dict(settings))))
    return fit(built, [noise()], Options(run, **options), on_log=on_log)


def smoke(run, name, on_log=None, **options):
    """Train a method's smallest pipeline."""
    method = get_method(name)
    torch.manual_seed(0)
    trainer = method.trainer(method.pipeline_type()(method.config(**method.smoke)))
    config = trainer.pipeline.config
    options = {"batch": config.batch, "device": "cpu", "save_every": 1, "log_every": 1} | options
    return fit(trainer, [noise(domain) for domain in config.domains], Options(run, **options), on_log=on_log)


def at(step, happens):
    """An `on_log` that does something after a step."""
    return lambda done, total, losses: happens() if done == step else None


def stop():
    """What Ctrl-C does."""
    os.kill(os.getpid(), signal.SIGINT)


def crash():
    """What no run expects."""
    raise ZeroDivisionError


def values(folder):
    """The numbers that a run exported, which are equal."""
    first, second = Numbers.from_pretrained(folder).values.tolist()
    assert first == second
    return first


def newest(run):
    """The step of a run's newest checkpoint; 0 where there is none."""
    return max((int(path.stem[5:]) for path in (run / "checkpoints").glob("step_*.pt")), default=0)


def half_written(run):
    """The checkpoints that are being written, or never were to the end."""
    return set((run / "checkpoints").glob(".*.part"))


def wait_until(done, seconds=300):
    """Look every few milliseconds; fail if it is not so in time."""
    end = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < end
        time.sleep(0.002)


def metrics(run):
    """The rows of a run's metrics."""
    return [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]


def assert_same_models(run, other):
    """Two runs left the same bytes."""
    for name in ("last", "best"):
        first, second = ((each / name / "model.safetensors").read_bytes() for each in (run, other))
        assert first == second, name


@pytest.fixture(scope="module")
def unbroken(ended, words, tmp_path_factory):
    """A run of `analogies train` that nobody disturbed."""
    run = tmp_path_factory.mktemp("runs") / "unbroken"
    assert ended(*words, f"steps={STEPS}", "--output", run) == 0
    return run


@pytest.mark.slow
def test_a_run_that_is_killed_ten_times_ends_as_one_that_is_not(unbroken, forked, ended, words, tmp_path):
    run, chance = tmp_path / "killed", random.Random(0)
    words = [*words, f"steps={STEPS}", "--resume", "--output", run]
    for kill in range(KILLS):
        step, parts = newest(run), half_written(run)
        process = forked(*words)
        if kill % 2:  # in the middle of writing a checkpoint
            wait_until(lambda parts=parts: half_written(run) - parts)
        else:
            wait_until(lambda step=step: newest(run) > step)
            time.sleep(chance.uniform(0, 0.1))  # in a step, or anywhere in a checkpoint
        process.kill()
        process.join()
        assert process.exitcode == -signal.SIGKILL, "it was too fast for the test"
    assert ended(*words) == 0
    assert_same_models(run, unbroken)
    rows, wanted = ([(row["step"], "validation" in row) for row in metrics(each)] for each in (run, unbroken))
    assert rows == wanted
    assert not half_written(run)


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_polite_stop_saves_and_a_resumed_run_ends_as_if_it_had_not_been(
    number, command, unbroken, ended, words, tmp_path
):
    words = [*words, f"steps={STEPS}", "--output", tmp_path]
    process = subprocess.Popen([*command, *map(str, words)], stderr=subprocess.PIPE, text=True)
    wait_until(lambda: newest(tmp_path))
    process.send_signal(number)
    said = process.communicate(timeout=300)[1]
    assert process.returncode == 130
    assert said == f"Stopped at step {newest(tmp_path)} of {STEPS}; repeat the command with --resume\n"
    assert ended(*words) == 2, "without --resume"
    assert ended(*words, "--resume") == 0
    assert_same_models(tmp_path, unbroken)


@pytest.mark.parametrize("method", TRAINED)
def test_a_method_resumes_to_the_bit(method, tmp_path):
    assert smoke(tmp_path / "unbroken", method).finished
    with pytest.raises(ZeroDivisionError):
        smoke(tmp_path / "crashed", method, at(2, crash))
    assert smoke(tmp_path / "crashed", method, resume=True).finished
    assert_same_models(tmp_path / "crashed", tmp_path / "unbroken")
    assert metrics(tmp_path / "crashed") == metrics(tmp_path / "unbroken")


def test_no_step_has_two_rows_of_metrics_after_a_crash(tmp_path):
    with pytest.raises(ZeroDivisionError):
        train(tmp_path, on_log=at(5, crash))
    with (tmp_path / "metrics.jsonl").open("a") as file:
        file.write('{"step": 5, "si')  # a row that was cut short
    train(tmp_path, resume=True)
    assert [row["step"] for row in metrics(tmp_path) if "size" in row] == [1, 2, 3, 4, 5, 6]
    assert [row["step"] for row in metrics(tmp_path) if "validation" in row] == [2, 4, 6]


def test_the_best_weights_and_the_last_are_exported_also_of_a_longer_run(tmp_path):
    outcome = train(tmp_path, settings={"steps": 3}, save_every=1)
    assert (outcome.step, outcome.best, outcome.score) == (3, 2, 0.0)
    outcome = train(tmp_path, settings={"steps": 5}, save_every=1, resume=True)
    assert (outcome.step, outcome.best, outcome.score) == (5, 2, 0.0) and outcome.finished
    assert (values(tmp_path / "best"), values(tmp_path / "last")) == (2.0, 5.0)


def test_a_trainer_may_say_that_its_newest_model_is_the_best(tmp_path, monkeypatch):
    monkeypatch.setattr("analogies_hub.training.Trainer.newest_is_best", True)
    outcome = train(tmp_path, settings={"steps": 3}, save_every=1)
    assert (outcome.best, values(tmp_path / "best")) == (3, 3.0)


def test_averaged_weights_are_exported_and_survive_a_stop(tmp_path):
    train(tmp_path, ema=0.1, settings={"steps": 3}, on_log=at(1, stop))
    train(tmp_path, ema=0.1, settings={"steps": 3}, resume=True)
    wanted = 0.1 * (0.1 * (0.1 * 0 + 0.9 * 1) + 0.9 * 2) + 0.9 * 3
    assert values(tmp_path / "last") == pytest.approx(wanted, rel=1e-5)


@pytest.mark.parametrize(
    ("loss", "clipped"),
    [
        (lambda values: 30 * values[0] + 40 * values[1], (3.0, 4.0)),
        (lambda values: 0.3 * values[0] + 0.4 * values[1], (0.3, 0.4)),
        (lambda values: 0.5 * values.sum(), (0.5, 0.5)),
    ],
)
def test_gradients_longer_than_five_are_shortened(loss, clipped):
    trainer = NumbersTrainer(Numbers(NumbersConfig()))
    trainer.update("pipeline", loss(trainer.pipeline.values))
    torch.testing.assert_close(trainer.pipeline.values.grad, torch.tensor(clipped))


class Noisy(NumbersTrainer):
    """Tells what noise it drew."""

    def training_step(self, step, *images):
        return super().training_step(step, *images) | {"noise": torch.rand(())}


def test_noise_depends_on_the_seed_and_the_step(tmp_path):
    for seed in (0, 1):
        train(tmp_path / str(seed), Noisy, seed=seed)
    drawn = [row["noise"] for seed in "01" for row in metrics(tmp_path / seed) if "noise" in row]
    assert len(set(drawn)) == 12


class BreaksDown(NumbersTrainer):
    """Its loss is no number from the fourth step on."""

    def size(self, step):
        return super().size(step) * (np.nan if step >= 3 else 1.0)


@pytest.mark.parametrize("log_every", [1, 50])
def test_a_loss_that_is_no_number_ends_the_run_and_the_checkpoint_before_it_is_kept(log_every, tmp_path):
    with pytest.raises(AnalogyError, match=r"the loss 'size' .* at step 4; '.*step_00000002.pt' is kept"):
        train(tmp_path, BreaksDown, log_every=log_every)
    (kept,) = (tmp_path / "checkpoints").iterdir()
    state = torch.load(kept, weights_only=True)
    assert state["step"] == 2 and state["networks"]["pipeline.values"].tolist() == [2.0, 2.0]
    assert values(tmp_path / "best") == 2.0


def test_what_would_spoil_a_run_is_refused(tmp_path):
    train(tmp_path)
    with pytest.raises(UsageError, match="holds a run at step 6; add --resume"):
        train(tmp_path)
    with pytest.raises(UsageError, match="with seed 0, now 1; resume with the same"):
        train(tmp_path, seed=1, resume=True)
    with FileLock(tmp_path / ".lock"), pytest.raises(UsageError, match="is being trained by another process"):
        train(tmp_path, resume=True)
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match="cannot be used"):
        train(tmp_path / "file")
    assert newest(tmp_path) == 6 and values(tmp_path / "last") == 6.0


def test_a_setting_that_is_changed_is_said_used_and_noted(tmp_path):
    train(tmp_path, settings={"steps": 3})
    with pytest.warns(UserWarning, match=r"from step 3 on lr is 0.5, it was 1.0"):
        train(tmp_path, settings={"steps": 5, "lr": 0.5}, resume=True)
    assert values(tmp_path / "last") == 3 + 2 * 0.5
    about = json.loads((tmp_path / "last" / "config.json").read_text())["train"]
    assert about["changes"] == [[3, "lr", 1.0, 0.5], [3, "steps", 3, 5]]


def test_optimizers_keep_their_settings_and_take_the_memory_of_a_checkpoint():
    saved, trainer = (NumbersTrainer(Numbers(NumbersConfig(lr=lr))) for lr in (1.0, 0.5))
    saved.update("pipeline", saved.size(0))
    trainer.optimize("pipeline", trainer.pipeline, lr=0.5, betas=(0.5, 0.9))
    trainer.restore(saved.state())
    (group,) = trainer.optimizers["pipeline"].param_groups
    assert (group["initial_lr"], group["betas"]) == (0.5, (0.5, 0.9))
    assert trainer.optimizers["pipeline"].state[trainer.pipeline.values]["step"] == 1


def test_another_batch_is_refused(tmp_path):
    train(tmp_path)
    with pytest.raises(UsageError, match="with batch 1, now 2"):
        train(tmp_path, settings={"steps": 8}, resume=True, batch=2)


def test_fewer_steps_than_are_done_are_refused(tmp_path):
    train(tmp_path)
    with pytest.raises(UsageError, match="at step 6 already"):
        train(tmp_path, settings={"steps": 3}, resume=True)


def test_a_stop_in_the_last_step_comes_too_late_to_matter(tmp_path):
    class Stopped(NumbersTrainer):
        def training_step(self, step, *images):
            if step == 5:
                stop()
            return super().training_step(step, *images)

    assert train(tmp_path, Stopped).finished
    assert values(tmp_path / "last") == 6.0


def test_an_export_that_was_cut_short_is_made_good(tmp_path):
    train(tmp_path, settings={"steps": 2})
    (tmp_path / "best" / "model.safetensors").write_bytes(b"half")
    (tmp_path / "best" / ".model.safetensors.x7.part").write_bytes(b"half")
    train(tmp_path, settings={"steps": 2}, resume=True)
    assert values(tmp_path / "best") == 2.0
    assert not list(tmp_path.rglob("*.part"))

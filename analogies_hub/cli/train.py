"""`analogies train`: any method that is trained, on drawn faces or the user's own pictures."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperCommand

from ..errors import UsageError
from . import common

if TYPE_CHECKING:
    from ..data.source import ImageSource
    from ..pipeline import Pipeline
    from ..registry import Method
    from ..training import OnLog, Options, Outcome, Trainer

SECONDS = 30  # between lines of progress where stderr is no terminal


class ManyWords(TyperCommand):
    """A command whose `--data`, `--domains` and `--set` take all words up to the next option."""

    many = ("--data", "--domains", "--set")

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """`--data a b` as `--data a --data b`."""
        spread: list[str] = []
        option = None
        for word in args:
            if word.startswith("-"):
                option = word if word in self.many else None
                spread += [] if option else [word]
            else:
                spread += [option, word] if option else [word]
        return super().parse_args(ctx, spread)


DataOption = Annotated[
    list[str] | None,
    typer.Option(help="avatars, faces, digits, maps, CelebA's folder, one with trainA/ trainB/, or a folder a domain"),
]
DomainsOption = Annotated[
    list[str] | None, typer.Option(help="What each set shows: glasses smile; or glasses none glasses+smile ...")
]
PresetOption = Annotated[str, typer.Option(help="default, reference (as published), gpu")]
StartOption = Annotated[str | None, typer.Option(help="Begin with a trained model's weights and settings")]
SettingsOption = Annotated[list[str] | None, typer.Option("--set", help="setting=value ...; see `analogies info`")]
RunOption = Annotated[Path | None, typer.Option("--output", "-o", help="Folder of the run; default: runs/...")]
ResumeOption = Annotated[bool, typer.Option("--resume", help="Go on where the run stopped; repeat its options")]
CompileOption = Annotated[bool, typer.Option("--compile", help="Fuse the networks; slow to start")]


@common.friendly
def train(
    method: Annotated[str, typer.Argument(help="One of those that `analogies methods` lists")],
    data: DataOption = None,
    domains: DomainsOption = None,
    run: RunOption = None,
    preset: PresetOption = "default",
    start: StartOption = None,
    settings: SettingsOption = None,
    resume: ResumeOption = False,
    count: Annotated[int, typer.Option(min=1, help="Drawn faces a domain")] = 10_000,
    seed: Annotated[int, typer.Option(min=0, help="Another number, another training")] = 0,
    save_every: Annotated[int, typer.Option(min=1, help="Steps from checkpoint to checkpoint")] = 500,
    precision: Annotated[str, typer.Option(help="fp32 or bf16")] = "fp32",
    fuse: CompileOption = False,
    device: common.DeviceOption = "auto",
    threads: common.ThreadsOption = None,
    as_json: common.JsonOption = False,
    quiet: common.QuietOption = False,
) -> None:
    """Train a method. Ctrl-C stops cleanly; --resume goes on.

    Example: analogies train didd --data avatars --domains glasses smile
    """
    chosen = trained_method(method)
    begun = load_start(start, chosen, preset)
    config = asked(chosen, chosen.preset(preset) if begun is None else begun.config.to_dict(), data, domains, settings)
    common.use_threads(threads)
    trainer = new_trainer(chosen, config, seed, begun)
    run, hidden = run or Path("runs") / "-".join([method, *config.domains]), quiet or as_json
    about = ({"preset": preset} if begun is None else {"start": begun.origin}) | {"data": data, "domains": domains}
    options = options_of(
        config, precision, about, run=run, seed=seed, resume=resume, save_every=save_every, device=device, compile=fuse
    )
    sources = tuple(open_split(data or [], config, split, count, seed, hidden) for split in ("train", "validation"))
    if begun is None and preset == "default" and not (resume or hidden):
        note_few(sources[0], config, method)
    report(run_training(trainer, sources, options, hidden), run, as_json)


def trained_method(name: str) -> "Method":
    """A method by name.

    Raises:
        UsageError: if it is unknown, or needs no training.
    """
    from ..registry import get_method

    method = get_method(name)
    if method.trainer is None:
        raise UsageError(f"'{name}' needs no training; run it as it is")
    return method


def load_start(start: str | None, method: "Method", preset: str) -> "Pipeline | None":
    """The model that a training begins with, if any.

    Raises:
        UsageError, ModelError, HubError: if there is none, it is of another method, or a preset is asked for, too.
    """
    from ..registry import load_pipeline

    if start is None:
        return None
    if preset != "default":
        raise UsageError(f"--start takes the settings of '{start}'; leave out --preset {preset} and use --set")
    begun = load_pipeline(start, device="cpu")
    if begun.method != method.name:
        raise UsageError(f"'{start}' is of the method {begun.method}, expected one of {method.name}; choose another")
    return begun


def asked(
    method: "Method",
    usual: dict[str, Any],
    data: list[str] | None,
    domains: list[str] | None,
    settings: list[str] | None,
) -> Any:
    """The config: usual settings, and those asked for.

    Raises:
        UsageError: if data or domains are missing.
        ModelError: if a setting or a domain is impossible.
    """
    if not data or not domains:
        raise UsageError("training needs --data and --domains, as in: --data avatars --domains glasses smile")
    given = {"domains": tuple(domains)} | method.config.parse(settings or [])
    return method.config(**usual | given)


def new_trainer(method: "Method", config: Any, seed: int, begun: "Pipeline | None") -> "Trainer":
    """A method's trainer, of first weights by a seed or of those of the model that it begins with.

    Raises:
        ModelError: if that model's networks are of other sizes.
    """
    import torch

    torch.manual_seed(seed)
    pipeline = method.pipeline_type()(config)
    if begun is not None:
        pipeline.take_weights(begun)
    assert method.trainer is not None
    return method.trainer(pipeline)


def options_of(config: Any, precision: str, about: dict[str, Any], **rest: Any) -> "Options":
    """The engine's options, with the batch and averaging of a config.

    Raises:
        UsageError: if there is no such precision.
    """
    from ..training import Options

    if precision not in ("fp32", "bf16"):
        raise UsageError(f"'precision' must be fp32 or bf16, got '{precision}'")
    return Options(batch=config.batch, ema=config.ema, precision=precision, about=about, **rest)


def open_split(data: list[str], config: Any, split: str, count: int, seed: int, hidden: bool) -> "list[ImageSource]":
    """The sources of a split, in training varied where the config says so."""
    from dataclasses import replace

    from ..data.sets import TRAIN, open_sets

    faces = count if split == TRAIN else min(count, 200)
    with common.progress("Reading the images", hidden) as on_step:
        sources = open_sets(data, config.domains, config.size, split, faces, seed, on_step)
    for source in sources:
        if source.skipped and split == TRAIN:
            typer.echo(f"Note: {source.name}: {source.describe_skipped()}", err=True)
    if split != TRAIN:
        return sources
    vary = min(map(len, sources)) < config.few  # all sets alike, or it would tell which is which
    return [replace(source, flip=config.flip, vary=vary) for source in sources]


def note_few(sources: "list[ImageSource]", config: Any, method: str) -> None:
    """Say what helps where a set has few pictures: models with as many attributes, if there are any."""
    from ..registry import MODEL_CARDS, model_names
    from ..saved import read_record

    few, names = min(sources, key=len), [name for name in model_names() if name.startswith(f"{method}-")]
    begun = {name: type(config).from_dict(read_record(MODEL_CARDS / name)["config"]) for name in names}
    trained = [name for name, other in begun.items() if len(other.attributes) == len(config.attributes)]
    if len(few) < config.few and trained:
        known = f"{few.name}: {len(few)} pictures are few to begin with nothing"
        typer.echo(f"Note: {known}; try --start {' or '.join(trained)}", err=True)


def run_training(trainer: "Trainer", sources: "tuple[list[ImageSource], ...]", options: Any, hidden: bool) -> "Outcome":
    """Fit the trainer, under a bar with losses and the time left."""
    from ..training import fit

    with progress(hidden) as on_log:
        return fit(trainer, sources[0], options, sources[1], on_log)


@contextmanager
def progress(hidden: bool) -> "Iterator[OnLog | None]":
    """Losses and the time left: a bar on a terminal, else a line now and then."""
    import sys

    if hidden:
        yield None
    elif sys.stderr.isatty():
        with bar() as on_log:
            yield on_log
    else:
        yield lines()


@contextmanager
def bar() -> "Iterator[OnLog]":
    """A bar on the terminal."""
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    columns = (BarColumn(20), MofNCompleteColumn(), TimeElapsedColumn(), "left", TimeRemainingColumn())
    with Progress(*columns, TextColumn("{task.description}"), console=Console(stderr=True)) as shown:
        task = shown.add_task("starting")

        def on_log(done: int, total: int, losses: dict[str, float]) -> None:
            shown.update(task, completed=done, total=total, description=describe(losses))

        yield on_log


def lines() -> "OnLog":
    """A line on stderr every half minute."""
    start = told = time.monotonic()
    first: int | None = None

    def on_log(done: int, total: int, losses: dict[str, float]) -> None:
        nonlocal start, told, first
        now = time.monotonic()
        if first is None:
            first, start = done, now  # compiling and reading the first batches are over
        elif now - told < SECONDS and done < total:
            return
        told = now
        left = f", {(now - start) / (done - first) * (total - done) / 60:.0f} min left" if done > first else ""
        typer.echo(f"step {done:,} of {total:,}{left}: {describe(losses)}", err=True)

    return on_log


def describe(losses: dict[str, float]) -> str:
    """Losses in a few words."""
    return " ".join(f"{name} {value:.3g}" for name, value in losses.items())


def report(outcome: "Outcome", run: Path, as_json: bool) -> None:
    """Where the model is, or how to go on.

    Raises:
        typer.Exit: with the code of an interruption, if the run was stopped.
    """
    record = {"run": str(run), "step": outcome.step, "steps": outcome.steps, "best": outcome.best}
    if as_json:
        typer.echo(json.dumps(record | {"score": outcome.score, "model": str(run / "best")}))
    elif outcome.finished:
        typer.echo(
            f"Trained {outcome.step:,} steps; the model is {run / 'best'} (best at step {outcome.best:,}), "
            f"the last one {run / 'last'}"
        )
    else:
        typer.echo(f"Stopped at step {outcome.step:,} of {outcome.steps:,}; repeat the command with --resume", err=True)
    if not outcome.finished:
        raise typer.Exit(common.INTERRUPTED)

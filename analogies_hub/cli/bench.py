"""`analogies bench`: speed, memory and scores on this machine."""

import json
import sys
from dataclasses import asdict, fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .common import DeviceOption, JsonOption, ThreadsOption, friendly, use_threads

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from _typeshed import DataclassInstance

    from ..bench.didd_report import Report
    from ..bench.timing import Way

TRAINING = ["loop, preset", "px", "images", "run as", "steps/s", "x", "images/s", "x", "GMAC", "GFLOP/s", "of conv."]
OPERATIONS = ["preset", "px", "run as", "operation", "ms", "x", "images/s", "x"]

bench_app = typer.Typer(help="Measure speed, memory and scores on this machine.", no_args_is_help=True)


@bench_app.callback()
def bench() -> None:
    """Measure speed, memory and scores on this machine."""


@bench_app.command("pair")
@friendly
def bench_pair_command(
    content: Annotated[Path, typer.Argument(help="The picture whose arrangement is kept")],
    guide: Annotated[Path, typer.Argument(help="The picture whose look is taken")],
    size: Annotated[list[int] | None, typer.Option(help="Long side in pixels; repeat for more")] = None,
    brute_up_to: Annotated[int, typer.Option(help="Largest size at which exact search runs too")] = 256,
    device: DeviceOption = "auto",
    threads: ThreadsOption = None,
    as_json: JsonOption = False,
) -> None:
    """The patch engine against exact search at every level, in one run."""
    from ..bench.pair import bench_pair

    rows = bench_pair(content, guide, size or [128, 256, 512, 1024], brute_up_to, device, threads)
    if as_json:
        typer.echo(json.dumps([asdict(row) for row in rows]))
        return
    print_rows("", rows, "{:.2f}".format)
    brute = {row.size: row.cpu_seconds for row in rows if row.engine == "brute"}
    for row in rows:
        if row.engine == "patch" and row.size in brute:
            typer.echo(f"{row.size} px: patch is {brute[row.size] / row.cpu_seconds:.1f} times as fast as brute force")


@bench_app.command("didd")
@friendly
def bench_didd_command(
    precision: Annotated[list[str] | None, typer.Option(help="Of ours: fp32 or bf16; repeat for both")] = None,
    compiled: Annotated[bool, typer.Option("--compile", help="Ours fused, too; takes many minutes on a CPU")] = False,
    variants: Annotated[bool, typer.Option("--variants", help="Ours in the other memory layout, too")] = False,
    batch: Annotated[int, typer.Option(min=1, help="Images of each domain at 128 px, and of a call")] = 32,
    steps: Annotated[int, typer.Option(min=1, help="Measured steps of each training")] = 3,
    repeats: Annotated[int, typer.Option(min=1, help="Calls of each operation on one image")] = 50,
    device: DeviceOption = "auto",
    threads: ThreadsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Training and operations against the published loop and networks, in one run; some minutes on 2 cores."""
    from ..bench.didd import bench_didd
    from ..bench.didd_report import Plan

    use_threads(threads)
    precisions = tuple(dict.fromkeys(precision or ["fp32"]))
    report = bench_didd(Plan(device, precisions, compiled, variants, batch, steps, repeats))
    if as_json:
        typer.echo(json.dumps(asdict(report)))
    else:
        show_report(report)


@bench_app.command("mask_transfer")
@friendly
def bench_mask_transfer_command(
    batch: Annotated[int, typer.Option(min=1, help="Images of each set a step at 128 px")] = 32,
    steps: Annotated[int, typer.Option(min=1, help="Measured steps of each training")] = 3,
    repeats: Annotated[int, typer.Option(min=1, help="Calls of each edit")] = 5,
    device: DeviceOption = "auto",
    threads: ThreadsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Training against the published networks and losses, and edits of a small and a 12-megapixel photo."""
    from ..bench.mask_transfer import bench_mask_transfer

    use_threads(threads)
    training, operations = bench_mask_transfer(batch, steps, repeats, device, threads)
    if as_json:
        typer.echo(json.dumps({"training": [*map(asdict, training)], "operations": [*map(asdict, operations)]}))
        return
    for title, rows in (("Training", training), ("Edits by the default networks at 64 px", operations)):
        print_rows(title, rows, short)


def show_report(report: "Report") -> None:
    """Trainings, operations and their ratios to what was published, as tables."""
    trainings = [
        [f"{row.case.loop}, {row.case.preset}", str(row.case.size), str(row.images), words(row.case.way)]
        + [short(value) for value in (row.steps_per_second, row.steps_ratio, row.images_per_second, row.images_ratio)]
        + [short(row.gmacs), short(row.gflops), f"{row.convolution_ratio:.0%}"]
        for row in report.training
    ]
    print_table("Training: each step, and how near to a plain convolution", TRAINING, trainings)
    for plain in report.convolution:
        shape = f"({plain.images}, {plain.channels}, {plain.size}, {plain.size})"
        typer.echo(f"A 3x3 convolution of {shape} and its gradients, {plain.precision}: {short(plain.gflops)} GFLOP/s")
    operations = [
        [row.preset, str(row.size), words(row.way), row.operation]
        + [short(value) for value in (row.milliseconds, row.latency_ratio, row.images_per_second, row.images_ratio)]
        for row in report.inference
    ]
    print_table("Operations: one image, and batches of " + str(report.inference[0].batch), OPERATIONS, operations)
    typer.echo(
        f"{report.device}, {report.threads} CPU threads, torch {report.torch_version}; "
        "x: times as fast as the published loop and networks in this run, on a CPU by its own seconds"
    )


def words(way: "Way") -> str:
    """How networks are run, in words."""
    return " ".join([way.precision, "nhwc" if way.channels_last else "nchw", *(["compiled"] if way.compiled else [])])


def short(value: float) -> str:
    """A positive number in three digits or a few more."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def print_rows(title: str, rows: "Sequence[DataclassInstance]", written: "Callable[[float], str]") -> None:
    """Records under the names of their fields, floats as `written` has them."""
    lines = [
        [written(value) if isinstance(value, float) else str(value) for value in asdict(row).values()] for row in rows
    ]
    print_table(title, [field.name.replace("_", " ") for field in fields(rows[0])], lines)


def print_table(title: str, headings: list[str], lines: list[list[str]]) -> None:
    """Lines under headings on stdout, as wide as they need where stdout is no terminal."""
    from rich.console import Console
    from rich.table import Table

    table = Table(*headings, title=title or None, title_justify="left")
    for line in lines:
        table.add_row(*line)
    Console(width=None if sys.stdout.isatty() else 120).print(table)

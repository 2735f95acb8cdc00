"""`analogies bench`: speed, memory and scores on this machine."""

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from .common import DeviceOption, JsonOption, ThreadsOption, friendly

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
    from ..bench import bench_pair

    rows = bench_pair(content, guide, size or [128, 256, 512, 1024], brute_up_to, device, threads)
    if as_json:
        typer.echo(json.dumps([asdict(row) for row in rows]))
        return
    from rich.console import Console
    from rich.table import Table

    table = Table(*(name.replace("_", " ") for name in asdict(rows[0])))
    for row in rows:
        table.add_row(*(f"{value:.2f}" if isinstance(value, float) else str(value) for value in asdict(row).values()))
    Console(width=None if sys.stdout.isatty() else 120).print(table)
    brute = {row.size: row.cpu_seconds for row in rows if row.engine == "brute"}
    for row in rows:
        if row.engine == "patch" and row.size in brute:
            typer.echo(f"{row.size} px: patch is {brute[row.size] / row.cpu_seconds:.1f} times as fast as brute force")

"""`analogies bench`: speed, memory and scores on this machine."""

import json
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

    rows = [
        asdict(row) for row in bench_pair(content, guide, size or [128, 256, 512, 1024], brute_up_to, device, threads)
    ]
    if as_json:
        typer.echo(json.dumps(rows))
        return
    from rich.console import Console
    from rich.table import Table

    table = Table(*rows[0])
    for row in rows:
        table.add_row(*(f"{value:.2f}" if isinstance(value, float) else str(value) for value in row.values()))
    Console().print(table)

"""`analogies eval table1` and its like: the papers' tables on drawn faces."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..errors import UsageError
from ..evaluation.tables import Table
from .common import DeviceOption, JsonOption, Load, QuietOption, ThreadsOption, friendly, loading, progress, use_threads
from .evaluate import CountOption, NetOption, SplitOption
from .scoring import print_table

if TYPE_CHECKING:
    from ..data.cache import Progress
    from ..evaluation.table_scores import Found


def table_command(table: Table) -> Callable[..., None]:
    """The command of a table."""
    which = f"Trained models; default: all of {' and '.join(table.methods)} in model_cards/"

    def command(
        load: Load,
        models: Annotated[list[str] | None, typer.Argument(help=which)] = None,
        folder: Annotated[Path, typer.Option("--output", "-o", help="Folder for results")] = Path(table.name),
        n: CountOption = 1000,
        net: NetOption = None,
        split: SplitOption = "test",
        device: DeviceOption = "auto",
        threads: ThreadsOption = None,
        as_json: JsonOption = False,
        quiet: QuietOption = False,
    ) -> None:
        from ..evaluation.report import records
        from ..evaluation.table_scores import cells

        use_threads(threads)
        with progress("Scoring", quiet or as_json) as on_step:
            found = filled(table, models or published(table), folder, n, net, split, device, load, on_step)
        if not as_json:
            print_table(cells(table, found))
            return
        for (task, system), evaluation in found.items():
            for record in records(evaluation, system):
                typer.echo(json.dumps(record | {"task": task}))

    command.__doc__ = table.about
    return friendly(loading(command))


def published(table: Table) -> list[str]:
    """The models in `model_cards/` that a table compares.

    Raises:
        UsageError: if there are none.
    """
    from ..registry import model_names

    beginnings = tuple(f"{method}-avatars" for method in table.methods)
    names = [name for name in model_names() if name.startswith(beginnings)]
    if not names:
        raise UsageError(
            f"there is no model in model_cards/; name trained models, as in: analogies eval {table.name} runs/x"
        )
    return names


def filled(
    table: Table,
    models: list[str],
    folder: Path,
    n: int,
    net: list[str] | None,
    split: str,
    device: str,
    load: Load,
    on_step: "Progress | None",
) -> "Found":
    """The table's scores of some models; nets are those asked for, or one if the table needs any."""
    from ..evaluation.features import load_feature_net
    from ..evaluation.judges import load_judges
    from ..evaluation.table_scores import score_table
    from ..pipeline import pick_device

    pipelines = {Path(name).name: load(name, device) for name in models}
    where = pick_device(device)
    wanted = net or (["avatars-attributes"] if table.needs_nets else [])
    nets = [load_feature_net(name, where) for name in wanted]
    told = (lambda what, done, total: on_step(done, total)) if on_step else None
    return score_table(table, pipelines, folder, n, load_judges("avataaars", where), nets, split, told)

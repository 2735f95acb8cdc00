"""`analogies eval table1` and its like: the papers' tables on drawn faces."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from ..errors import UsageError
from ..evaluation.tables import Table
from .common import DeviceOption, JsonOption, QuietOption, ThreadsOption, friendly, progress, use_threads
from .evaluate import CountOption, NetOption, SplitOption
from .scoring import print_table


def table_command(table: Table) -> Callable[..., None]:
    """The command of a table."""

    def command(
        models: Annotated[
            list[str] | None,
            typer.Argument(help=f"Trained models; default: all of {' and '.join(table.methods)} in model_cards/"),
        ] = None,
        folder: Annotated[Path, typer.Option("--output", "-o", help="Folder for results and reports")] = Path(
            table.name
        ),
        n: CountOption = 1000,
        net: NetOption = None,
        split: SplitOption = "test",
        device: DeviceOption = "auto",
        threads: ThreadsOption = None,
        as_json: JsonOption = False,
        quiet: QuietOption = False,
    ) -> None:
        from ..evaluation.features import load_feature_net
        from ..evaluation.judges import load_judges
        from ..evaluation.report import records
        from ..evaluation.table_scores import cells, score_table
        from ..pipeline import pick_device
        from ..registry import load_pipeline, model_names

        use_threads(threads)
        beginnings = tuple(f"{method}-avatars" for method in table.methods)
        names = models or [name for name in model_names() if name.startswith(beginnings)]
        if not names:
            raise UsageError(
                f"there is no model in model_cards/; name trained models, as in: analogies eval {table.name} runs/x"
            )
        pipelines = {Path(name).name: load_pipeline(name, device) for name in names}
        wanted = net or (["avatars-attributes"] if table.needs_nets else [])
        nets = [load_feature_net(name, pick_device(device)) for name in wanted]
        judges = load_judges("avataaars", pick_device(device))
        with progress("Scoring", quiet or as_json) as on_step:
            told = (lambda what, done, total: on_step(done, total)) if on_step else None
            found = score_table(table, pipelines, folder, n, judges, nets, split, told)
        if not as_json:
            print_table(cells(table, found))
            return
        for (task, system), evaluation in found.items():
            for record in records(evaluation, system):
                typer.echo(json.dumps(record | {"task": task}))

    command.__doc__ = table.about
    return friendly(command)

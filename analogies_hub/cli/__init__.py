"""The `analogies` command. Importing this module loads typer and nothing heavier."""

from typing import Annotated

import typer

from .. import __version__
from ..evaluation.tables import TABLES
from .bench import bench_app
from .comfy import comfy_app
from .convert import convert
from .data import data_app
from .demo import PASSED_ON, demo
from .edit import edit
from .evaluate import eval_app
from .info import info, methods
from .models import models_app
from .pair import pair
from .publish import publish
from .run import run
from .segment import segment_command
from .tables import table_command
from .train import ManyWords, train
from .translate import interpolate, translate

app = typer.Typer(
    name="analogies",
    help="Visual analogies: one picture's look in another's structure.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command()(pair)
app.command()(translate)
app.command()(interpolate)
app.command()(edit)
app.command()(convert)
app.command()(run)
app.command(cls=ManyWords)(train)
app.command(context_settings=PASSED_ON)(demo)
app.command()(publish)
app.command()(methods)
app.command()(info)
for table in TABLES:
    eval_app.command(table.name)(table_command(table))
eval_app.command("segment")(segment_command)
app.add_typer(models_app, name="models")
app.add_typer(data_app, name="data")
app.add_typer(eval_app, name="eval")
app.add_typer(bench_app, name="bench")
app.add_typer(comfy_app, name="comfy")


def show_version(wanted: bool) -> None:
    """Print the version and stop."""
    if wanted:
        typer.echo(__version__)
        raise typer.Exit


@app.callback()
def main(
    version: Annotated[
        bool, typer.Option("--version", callback=show_version, is_eager=True, help="Print the version")
    ] = False,
) -> None:
    """Visual analogies: one picture's look in another's structure."""

"""`analogies models`: what models there are, here and on the Hub."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..errors import ModelError, UsageError
from .common import JsonOption, OfflineOption, RevisionOption, friendly

if TYPE_CHECKING:
    from ..hub.cache import Cached

models_app = typer.Typer(no_args_is_help=True)
SourceArgument = Annotated[str, typer.Argument(help="A model's folder or name, or OWNER/NAME[@REVISION] on the Hub")]


@models_app.callback()
def models() -> None:
    """Find, fetch and check trained models."""


@models_app.command("list")
@friendly
def list_command(as_json: JsonOption = False) -> None:
    """List the models that need no OWNER: those of this checkout, published ones, and those fetched before."""
    from ..hub.address import pins
    from ..hub.cache import cached
    from ..registry import MODEL_CARDS, model_names
    from ..saved import read_record

    rows = [
        {"name": name, "where": "checkout", "method": read_record(MODEL_CARDS / name)["method"]}
        for name in model_names()
    ]
    rows += [{"name": name, "where": str(address)} for name, address in pins().items()]
    rows += [{"name": each.address.repo, "where": f"cache, {each.address}", "method": each.method} for each in cached()]
    for row in rows:
        typer.echo(json.dumps(row) if as_json else f"{row['name']} ({row.get('method', 'published')}; {row['where']})")
    if not rows:
        typer.echo("no models here; give OWNER/NAME of one on the Hub, or train one: analogies train", err=True)


@models_app.command("info")
@friendly
def info_command(
    source: SourceArgument, revision: RevisionOption = None, offline: OfflineOption = False, as_json: JsonOption = False
) -> None:
    """Show what a model is, how it was trained and what it scores."""
    from ..hub.card import EVAL_FILE, facts_of, measured, read_json
    from ..registry import find_model
    from ..saved import read_record
    from .scoring import print_table

    folder, origin = find_model(source, revision, offline)
    has_scores = (folder / EVAL_FILE).exists()
    if as_json:
        scores = read_json(folder / EVAL_FILE) if has_scores else {}
        typer.echo(json.dumps({"model": origin} | read_record(folder) | {"eval": scores}))
        return
    typer.echo(f"{origin}\n{facts_of(folder)}")
    if has_scores:
        print_table(measured(folder))


@models_app.command("pull")
@friendly
def pull_command(
    source: SourceArgument, revision: RevisionOption = None, offline: OfflineOption = False, as_json: JsonOption = False
) -> None:
    """Fetch a model from the Hub, check it, and tell where it is; from then on it loads without the network."""
    from ..registry import find_model

    folder, origin = find_model(source, revision, offline)
    typer.echo(json.dumps({"model": origin, "folder": str(folder)}) if as_json else f"{origin} is in {folder}")


@models_app.command("verify")
@friendly
def verify_command(
    sources: Annotated[
        list[str] | None, typer.Argument(help="Models; default: all that `analogies models list` has")
    ] = None,
    revision: RevisionOption = None,
    offline: OfflineOption = False,
    as_json: JsonOption = False,
) -> None:
    """Check weights against their sha256, and that they load; 3 if one does not."""
    from ..hub.cache import cached
    from ..registry import load_pipeline, model_names

    failed = 0
    for source in sources or [*model_names(), *(f"{each.address.repo}@{each.address.revision}" for each in cached())]:
        row: dict[str, Any] = {"model": source}
        try:
            row |= {"ok": True, "weights": load_pipeline(source, "cpu", revision, offline).fingerprint()}
        except ModelError as error:
            row |= {"ok": False, "error": str(error)}
            failed += 1
        words = f"whole: {row['weights']}" if row["ok"] else f"BROKEN: {row['error']}"
        typer.echo(json.dumps(row) if as_json else f"{source} is {words}")
    if failed:
        raise typer.Exit(ModelError.exit_code)


@models_app.command("cache")
@friendly
def cache_command(
    remove: Annotated[
        list[str] | None, typer.Option(help="Delete what was fetched of OWNER/NAME, or all of it; repeat")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Show what was fetched from the Hub, or delete it."""
    from ..hub.cache import cached
    from ..hub.cache import remove as delete

    found = cached()
    if remove:
        chosen = [each for each in found if {each.address.repo, "all"} & set(remove)]
        if not chosen:
            raise UsageError(f"nothing was fetched of {', '.join(remove)}; see analogies models cache")
        typer.echo(f"Freed {delete(chosen):,} bytes")
        return
    for each in found:
        row = {
            "model": each.address.repo,
            "commit": each.address.revision,
            "bytes": each.size,
            "folder": str(each.folder),
        }
        typer.echo(json.dumps(row) if as_json else cached_line(each))


def cached_line(found: "Cached") -> str:
    """A snapshot in one line."""
    return f"{found.address} ({found.method}, {found.size:,} bytes): {found.folder}"


@models_app.command("refresh")
@friendly
def refresh_command(
    folders: Annotated[
        list[Path] | None, typer.Argument(help="Folders of models with a card; default: model_cards/, and its own page")
    ] = None,
) -> None:
    """Make the generated parts of cards anew from config.json, eval.json and segment.json."""
    from ..hub.card import CARD_FILE, refreshed
    from ..hub.collection import with_overview
    from ..images import atomic_write
    from ..registry import MODEL_CARDS, model_names

    makers = dict.fromkeys(folders or [MODEL_CARDS / name for name in model_names()], refreshed)
    makers |= {} if folders else {MODEL_CARDS: with_overview}
    for folder, make in makers.items():
        card = folder / CARD_FILE
        if not card.is_file():
            raise UsageError(f"'{folder}' has no {CARD_FILE}; publish --dry-run writes a first one")
        text = make(card.read_text(encoding="utf-8"), folder)
        with atomic_write(card) as stream:
            stream.write(text.encode())
        typer.echo(f"Wrote {card}")

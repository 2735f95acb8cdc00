"""`analogies publish`: a model's folder to the Hub."""

import json
from typing import TYPE_CHECKING, Annotated

import typer

from .common import JsonOption, friendly

if TYPE_CHECKING:
    from ..hub.publish import Entry


@friendly
def publish(
    source: Annotated[str, typer.Argument(help="A model's folder, a training run, or a name in model_cards/")],
    to: Annotated[str, typer.Option("--to", help="OWNER/NAME on the Hub; made if it does not exist")],
    private: Annotated[bool, typer.Option("--private", help="Only you see it, if it is made now")] = False,
    tag: Annotated[str | None, typer.Option(help="A name for this state, such as v1.0")] = None,
    pin: Annotated[bool, typer.Option("--pin", help="Let this checkout find it by its short name from now on")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Check everything, show what would go, send nothing")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Check a model and its card, and publish them in one commit; what is there already is not sent again.

    Checking runs the card's Python block: publish only what is your own.

    Example: analogies publish mask_transfer-avatars-glasses --to me/glasses --dry-run
    """
    from ..errors import UsageError
    from ..hub import publish as hub
    from ..hub.address import Address, keep_pin
    from ..hub.card import CARD_FILE
    from ..hub.draft import write_draft
    from ..registry import load_pipeline, model_folder

    Address.parse(to)
    if (folder := model_folder(source)) is None:
        raise UsageError(f"there is no model '{source}' on this machine; give a folder, or a name in model_cards/")
    if write_draft(folder, to):
        typer.echo(f"Wrote a first card, {folder / CARD_FILE}; say there what the model is for", err=True)
    hub.check(folder, lambda path: load_pipeline(path, "cpu"))
    show(hub.manifest(folder), as_json)
    if dry_run:
        typer.echo(f"Would go to {to}; nothing was sent", err=True)
        return
    found = hub.publish(folder, to, private, tag)
    if pin:
        keep_pin(folder.name, found.address)
    said = {"model": to, "commit": found.address.revision, "changed": found.changed}
    state = "is now" if found.changed else "was already"
    typer.echo(json.dumps(said) if as_json else f"{to} {state} this model, at {found.address.revision}")


def show(entries: "list[Entry]", as_json: bool) -> None:
    """Name the files that would go, with size and the beginning of their sha256."""
    for entry in entries:
        typer.echo(json.dumps(entry._asdict()) if as_json else f"{entry.sha256[:12]} {entry.size:>12,} {entry.name}")

"""Visual analogies in the browser: `python app.py`, or `analogies demo`."""

import os
import signal
from typing import Annotated

import typer

os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")  # nothing phones home
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")


def main(
    model: Annotated[
        list[str] | None, typer.Option(help="A model's folder or name; repeat. Default: all at hand")
    ] = None,
    port: Annotated[int | None, typer.Option(help="Default: the first free one from 7860")] = None,
    host: Annotated[str | None, typer.Option(help="0.0.0.0 lets others in. Default: 127.0.0.1")] = None,
    browser: Annotated[bool, typer.Option("--open", help="Open the page in a browser")] = False,
    mcp: Annotated[bool, typer.Option("--mcp", help="Offer the operations to agents too; needs gradio[mcp]")] = False,
) -> None:
    """Serve the page until Ctrl-C."""
    from analogies_space.site import build, launch

    from analogies_hub.errors import AnalogyError

    signal.signal(signal.SIGTERM, signal.default_int_handler)  # a polite kill ends as Ctrl-C does
    try:
        launch(build(model), server_port=port, server_name=host, inbrowser=browser, mcp_server=mcp or None)
    except (AnalogyError, OSError) as error:  # OSError: the port is taken
        typer.echo(f"Error: {error}", err=True)
        raise typer.Exit(getattr(error, "exit_code", 1)) from None


if __name__ == "__main__":
    typer.run(main)

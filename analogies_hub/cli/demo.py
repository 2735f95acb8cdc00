"""`analogies demo`: the web page on this machine."""

import importlib.util
import signal
import subprocess
import sys
from contextlib import suppress

import typer

from ..errors import UsageError
from ..parts import part
from .common import friendly

PASSED_ON = {"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []}


@friendly
def demo(context: typer.Context) -> None:
    """Serve the web page until Ctrl-C; `analogies demo --help` names its options."""
    if importlib.util.find_spec("gradio") is None:
        raise UsageError("the web page needs gradio, which is not installed; pip install 'analogies-hub[gradio]'")
    words = [sys.executable, str(part("gradio_app", "app.py") / "app.py"), *context.args]
    with subprocess.Popen(words, start_new_session=True) as server:
        try:
            server.wait()
        except KeyboardInterrupt:  # the usual end; once is enough for the page to delete what visitors made
            with suppress(ValueError):  # Windows has told it already
                server.send_signal(signal.SIGINT)
    raise typer.Exit(server.returncode)

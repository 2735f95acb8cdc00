"""`analogies demo`: the web page on this machine."""

import importlib.util
import os
import subprocess
import sys

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
        except KeyboardInterrupt:  # the usual end; told once, the page deletes what visitors made
            if os.name == "posix":  # Windows has told it already
                server.terminate()
    raise typer.Exit(server.returncode)

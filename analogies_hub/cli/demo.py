"""`analogies demo`: the web page on this machine."""

import importlib.util
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
    with subprocess.Popen([sys.executable, str(part("gradio_app", "app.py") / "app.py"), *context.args]) as server:
        try:
            code = server.wait()
        except KeyboardInterrupt:  # of a terminal the page has got it too; of a polite kill it has not
            server.terminate()
            raise
    raise typer.Exit(code)

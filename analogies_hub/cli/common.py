"""What the commands share: options, error reports, and the pictures that a name stands for."""

import functools
import glob
import inspect
import json
import os
import signal
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..errors import AnalogyError, ImageError, UsageError

if TYPE_CHECKING:
    from ..operations import OnStep
    from ..pipeline import Pipeline

STREAM = "-"
INTERRUPTED = 130

Load = Callable[..., "Pipeline"]

DeviceOption = Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:N or mps")]
ThreadsOption = Annotated[int | None, typer.Option(min=1, help="CPU threads; default: one a core")]
JsonOption = Annotated[bool, typer.Option("--json", help="One JSON object a result on stdout, errors too")]
QuietOption = Annotated[bool, typer.Option("--quiet", "-q", help="No progress on stderr")]
ModelOption = Annotated[
    str | None, typer.Option("--model", help="Folder of a trained model, the name of a published one, or OWNER/NAME")
]
HubOption = Annotated[
    str | None, typer.Option("--from-hub", help="The same, always from the Hub: OWNER/NAME[@REVISION]")
]
RevisionOption = Annotated[str | None, typer.Option(help="Branch, tag or commit of a model on the Hub")]
OfflineOption = Annotated[bool, typer.Option("--offline", help="Ask nobody; what was fetched before still loads")]
OverwriteOption = Annotated[bool, typer.Option(help="Replace files that exist")]
OutputOption = Annotated[
    str | None,
    typer.Option("--output", "-o", help="Picture file to write, a folder for several, - for PNG on stdout"),
]


def friendly(command: Callable) -> Callable:
    """Report a command's errors in one sentence on stderr, and end with the right exit code.

    `ANALOGIES_DEBUG=1` lets tracebacks through.
    """

    @functools.wraps(command)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, signal.default_int_handler)  # a polite kill cleans up as Ctrl-C does
        name_notes()
        try:
            return command(*args, **kwargs)
        except typer.Exit:  # a RuntimeError, already reported
            raise
        except AnalogyError as error:
            report_error(str(error), error.exit_code, kwargs.get("as_json", False))
            raise typer.Exit(error.exit_code) from error
        except KeyboardInterrupt:
            report_error("stopped; nothing was left half-written", INTERRUPTED, kwargs.get("as_json", False))
            raise typer.Exit(INTERRUPTED) from None
        except (MemoryError, OSError, RuntimeError) as error:
            if os.environ.get("ANALOGIES_DEBUG"):
                raise
            reason = f"{type(error).__name__}: {error}".splitlines()[0]
            report_error(f"{reason}; set ANALOGIES_DEBUG=1 for the whole report", 1, kwargs.get("as_json", False))
            raise typer.Exit(1) from error

    return wrapped


def name_notes(source: str = "") -> None:
    """Show what the library notes from now on in one line, of many pictures with the name of the one at hand."""
    about = f"{source}: " if source else ""
    warnings.formatwarning = lambda message, *place: f"Note: {about}{message}\n"


def loading(command: Callable) -> Callable:
    """Give a command --revision and --offline, and hand it `load` (source, device), which obeys them."""
    options = {"revision": (RevisionOption, None), "offline": (OfflineOption, False)}
    signature = inspect.signature(command)
    own = [each for name, each in signature.parameters.items() if name != "load"]
    added = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=kind)
        for name, (kind, default) in options.items()
    ]

    @functools.wraps(command)
    def wrapped(*args: Any, revision: str | None = None, offline: bool = False, **kwargs: Any) -> Any:
        return command(*args, load=functools.partial(load, revision=revision, offline=offline), **kwargs)

    wrapped.__signature__ = signature.replace(parameters=[*own, *added])  # type: ignore[attr-defined]
    wrapped.__annotations__ = {each.name: each.annotation for each in [*own, *added]}  # typer looks at both
    return wrapped


def load(
    source: str | None, device: str, from_hub: str | None = None, revision: str | None = None, offline: bool = False
) -> "Pipeline":
    """The pipeline that a command works with; one of the Hub is named on stderr.

    Args:
        source, device, revision, offline: as for `load_pipeline`.
        from_hub: in place of the source, a name on the Hub.

    Raises:
        UsageError: if not exactly one of source and from_hub is given.
    """
    if (source is None) == (from_hub is None):
        raise UsageError("which model? give either --model or --from-hub OWNER/NAME")
    from ..hub.address import Address
    from ..registry import load_pipeline

    chosen = Address.parse(from_hub, revision) if from_hub is not None else source
    pipeline = load_pipeline(chosen, device, revision, offline)  # type: ignore[arg-type]
    if "@" in pipeline.origin:
        typer.echo(f"Using {pipeline.origin}", err=True)
    return pipeline


def report_error(message: str, code: int, as_json: bool) -> None:
    """One error, as a JSON line on stdout or a sentence on stderr."""
    if as_json:
        typer.echo(json.dumps({"error": message, "code": code}))
    else:
        typer.echo(f"Error: {message}", err=True)


def expand(pattern: str) -> list[str]:
    """The picture files that a path, a folder or a glob names, sorted.

    Raises:
        UsageError: if there is none.
    """
    from ..images import READABLE

    path = Path(pattern)
    if pattern == STREAM or path.is_file():
        return [pattern]
    if path.is_dir():
        found = [str(file) for file in sorted(path.iterdir()) if file.suffix.lower() in READABLE]
        if not found:
            raise UsageError(f"the folder '{pattern}' holds no picture; expected {', '.join(READABLE)}")
        return found
    if glob.has_magic(pattern):
        found = sorted(glob.glob(pattern, recursive=True))
        if not found:
            raise UsageError(f"nothing matches '{pattern}'")
        return found
    raise ImageError(f"'{pattern}' does not exist; check the path")


def read_picture(name: str) -> "str | bytes":
    """What an operation takes for a picture's name: the path, or the bytes of stdin for `-`."""
    return sys.stdin.buffer.read() if name == STREAM else name


def use_threads(threads: int | None) -> None:
    """Limit torch to a number of CPU threads; None leaves its own choice."""
    if threads:
        import torch

        torch.set_num_threads(threads)


@contextmanager
def progress(title: str, hidden: bool) -> Iterator["OnStep | None"]:
    """A bar on stderr as an `on_step`; None where stderr is no terminal."""
    if hidden or not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(title)

        def on_step(done: int, total: int, preview: Any = None) -> None:
            bar.update(task, completed=done, total=total)

        yield on_step

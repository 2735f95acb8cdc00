"""The loop that trains every method. It knows no network and no loss."""

import signal
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from ..data.source import ImageSource
from ..errors import UsageError
from ..pipeline import pick_device
from .options import Options, Outcome
from .ranks import Ranks, joined
from .session import OnLog, Session
from .trainer import Trainer


def fit(
    trainer: Trainer,
    sources: Sequence[ImageSource],
    options: Options,
    validation: Sequence[ImageSource] | None = None,
    on_log: OnLog | None = None,
) -> Outcome:
    """Train until every step is done, or until Ctrl-C or SIGTERM, which checkpoint and return.

    Batches and noise depend on the seed and the step alone, so a run that was killed and
    resumed ends with the very weights of an unbroken one (on a CPU). Under `torchrun` every
    process takes its rows of each batch.

    Args:
        sources: one an image of `training_step`.
        validation: the same, of images that are not trained on; by default the sources themselves.
        on_log: told every `log_every` steps the mean of each loss since the last time.

    Raises:
        UsageError: if the run exists, or is in use, or the batch cannot be divided.
        AnalogyError: if a loss is no longer a number; the checkpoint before it is kept.
    """
    with ExitStack() as stack:
        ranks, device = stack.enter_context(joined(pick_device(options.device)))
        if options.batch % ranks.world:
            raise UsageError(f"a batch of {options.batch} cannot be divided among {ranks.world} processes")
        stack.enter_context(locked(options.run, ranks))
        session = Session(trainer, sources, validation or sources, options, ranks, device)
        stack.callback(session.close)
        stopping = stack.enter_context(stop_signals())
        return session.train(stopping, on_log)


@contextmanager
def locked(run: Path, ranks: Ranks) -> Iterator[None]:
    """The run's folder, made where it is missing, and kept from other trainings."""
    from filelock import FileLock, Timeout

    if not ranks.first:
        yield
        return
    try:
        run.mkdir(parents=True, exist_ok=True)
        with FileLock(run / ".lock", blocking=False):
            yield
    except Timeout:
        raise UsageError(f"'{run}' is being trained by another process; choose another folder") from None
    except OSError as error:
        raise UsageError(f"the folder '{run}' cannot be used ({error.strerror or error}); choose another") from None


@contextmanager
def stop_signals() -> Iterator[threading.Event]:
    """An event that Ctrl-C or SIGTERM sets; a second one stops at once."""
    stopping = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield stopping
        return

    def ask(number: int, frame: Any) -> None:
        if stopping.is_set():
            raise KeyboardInterrupt
        stopping.set()

    before = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stopping
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)

"""Operations in threads of their own, told of as they go on, and stopped when nobody waits for them any more."""

import queue
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from typing import Any, NamedTuple

from analogies_hub.errors import Note

BEAT = 0.2  # seconds from one news to the next, and until a stop is noticed
PREVIEWS = 0.5  # seconds from one preview to the next


class Stopped(Exception):
    """Nobody waits for the result."""


class News(NamedTuple):
    """How far a job is.

    Attributes:
        share: of the work, 0 to 1; None while that is not known.
        preview: a picture (1, 3, H, W) of it, if there is a new one.
    """

    seconds: float
    share: float | None = None
    preview: Any = None


class Done(NamedTuple):
    """What a job gave, and what is to be said of it."""

    seconds: float
    value: Any
    notes: list[str]


class Job:
    """One call in a thread. Its methods are called there, all but the constructor."""

    def __init__(self, work: Callable[..., Any]) -> None:
        self.work, self.stop = work, threading.Event()
        self.inbox: queue.SimpleQueue[News | Done | BaseException] = queue.SimpleQueue()
        self.start, self.shown = time.monotonic(), -PREVIEWS
        threading.Thread(target=self.run, daemon=True).start()

    def run(self) -> None:
        """Do the work, and hand over what came of it."""
        NOTES.set(told := [])
        try:
            value = self.work(self.on_step)
            self.inbox.put(Done(self.seconds, value, list(dict.fromkeys(told))))
        except BaseException as error:
            self.inbox.put(error)

    def on_step(self, done: int, total: int, preview: Any = None) -> None:
        """As operations report; ends a job that was stopped."""
        if self.stop.is_set():
            raise Stopped
        if preview is not None and self.seconds - self.shown < PREVIEWS:
            preview = None
        elif preview is not None:
            self.shown = self.seconds
        self.inbox.put(News(self.seconds, done / total, preview))

    @property
    def seconds(self) -> float:
        """Since the start."""
        return time.monotonic() - self.start


def followed(work: Callable[..., Any]) -> Iterator[News | Done]:
    """Runs `work(on_step)`, with news at least every `BEAT` seconds, and what came of it last.

    Closing the iterator stops the work at its next step.

    Raises:
        Exception: what the work raised.
    """
    job = Job(work)
    try:
        while True:
            news = latest(job)
            if isinstance(news, BaseException):
                raise news
            yield news
            if isinstance(news, Done):
                return
    finally:
        job.stop.set()  # and nothing that takes time: Gradio may close it on its event loop


def latest(job: Job) -> News | Done | BaseException:
    """The newest of a job after a beat, or as soon as it has ended; the last preview is not lost."""
    news: News | Done | BaseException = News(job.seconds)
    end, preview = time.monotonic() + BEAT, None
    while isinstance(news, News) and (left := end - time.monotonic()) > 0:
        try:
            news = job.inbox.get(timeout=left)
        except queue.Empty:
            break
        if isinstance(news, News) and news.preview is not None:
            preview = news.preview
    return news._replace(preview=preview) if isinstance(news, News) else news


NOTES: ContextVar[list[str] | None] = ContextVar("notes", default=None)


def hear_notes() -> None:
    """Let the library's notes reach the job of the thread that they come from; other warnings go where they went."""
    others = warnings.showwarning

    def show(message: Any, category: type[Warning], *place: Any, **more: Any) -> None:
        notes = NOTES.get()
        if notes is not None and issubclass(category, Note):
            notes.append(str(message))
        else:
            others(message, category, *place, **more)

    warnings.simplefilter("always", Note)
    warnings.showwarning = show

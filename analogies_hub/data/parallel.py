"""Work on all cores in other processes. Imports no torch: what draws and reads needs none."""

import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")
WATCH = 1.0  # seconds between looks at the parent


def in_parallel(work: Callable[[T], R], items: Iterable[T], jobs: int = -1) -> Iterator[R]:
    """What `work` gives for each item, in order; processes end with the one that started them.

    Args:
        work: a function that other processes can import.
        jobs: how many processes; 1 works in this one, -1 on every core.
    """
    from joblib import Parallel, delayed

    parent = os.getpid()
    yield from Parallel(n_jobs=jobs, return_as="generator")(delayed(watched)(work, item, parent) for item in items)


def watched(work: Callable[[T], R], item: T, parent: int) -> R:
    """`work(item)` in a process that does not outlive its parent."""
    if os.getpid() != parent:
        end_with(parent)
    return work(item)


@lru_cache(maxsize=1)
def end_with(parent: int) -> None:
    """End this process soon after its parent was killed, which tells nobody: it would wait on a pipe for ever."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(WATCH)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()

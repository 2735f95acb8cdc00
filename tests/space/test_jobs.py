"""Jobs: their news, their end, and how they are stopped."""

import threading
import time
import warnings

import pytest

pytest.importorskip("gradio", reason="the web page needs gradio")

from analogies_space.jobs import Done, Stopped, followed, hear_notes

from analogies_hub.errors import Note, UsageError


def test_a_job_tells_how_far_it_is_and_ends_with_its_value():
    def work(on_step):
        for step in range(6):
            time.sleep(0.1)
            on_step(step + 1, 6, f"picture {step + 1}")
        return "value"

    *news, done = list(followed(work))
    assert isinstance(done, Done) and done.value == "value"
    shares = [each.share for each in news if each.share is not None]
    assert shares == sorted(shares) and 0 < shares[0] < 1
    assert news[0].preview == "picture 1"


def test_what_a_job_raises_reaches_who_follows_it():
    def work(on_step):
        raise UsageError("no such thing")

    with pytest.raises(UsageError, match="no such thing"):
        list(followed(work))


def test_a_job_that_nobody_follows_any_more_stops_at_its_next_step():
    stopped = threading.Event()

    def work(on_step):
        try:
            while True:
                time.sleep(0.01)
                on_step(1, 2)
        except Stopped:
            stopped.set()
            raise

    following = followed(work)
    next(following)
    following.close()
    assert stopped.wait(5)


def test_notes_reach_the_job_that_they_are_of_and_no_other():
    hear_notes()
    both = threading.Barrier(2, timeout=10)

    def work(name):
        def noting(on_step):
            both.wait()
            warnings.warn(f"of {name}", Note, stacklevel=1)
            warnings.warn(f"of {name}", Note, stacklevel=1)
            both.wait()

        return noting

    def follow(name, notes):
        notes[name] = list(followed(work(name)))[-1].notes

    notes = {}
    threads = [threading.Thread(target=follow, args=(name, notes)) for name in "ab"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert notes == {"a": ["of a"], "b": ["of b"]}

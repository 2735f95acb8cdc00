"""What one visitor may ask for, so that the machine stays there for the others."""

from dataclasses import replace

from analogies_hub.kinds import Kind, Number

MAX_FILE = "16mb"  # of an upload
MAX_PIXELS = 4096 * 4096  # of a picture
MAX_CALLERS = 32  # who wait; the next is told that the queue is full
MAX_SESSIONS = 64  # whose components' states are kept; nothing of ours is in them, and Gradio keeps 10,000
KEPT_FOR, CLEANED_EVERY = 3600, 600  # seconds: what is older than the first is deleted every so often
HIGHEST = {"size": 768, "width": 768, "height": 768, "count": 8, "steps": 9}


def limited(name: str, kind: Kind) -> Kind:
    """An input's kind with the range that is open to visitors."""
    if isinstance(kind, Number) and name in HIGHEST:
        return replace(kind, high=min(kind.high, HIGHEST[name]))
    return kind

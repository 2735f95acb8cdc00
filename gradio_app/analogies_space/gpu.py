"""On ZeroGPU, where a GPU is lent a call at a time, what each call is wrapped in; elsewhere nothing."""

from collections.abc import Callable

try:
    from spaces import GPU as on_gpu
except ImportError:

    def on_gpu(call: Callable) -> Callable:
        """The call as it is."""
        return call


__all__ = ["on_gpu"]

"""The part of ComfyUI 0.3.64's node interface that the pack uses, as strict as that release: run without a host."""

from abc import ABC, abstractmethod

from . import io, ui

__all__ = ["ComfyExtension", "io", "ui"]


class ComfyExtension(ABC):
    async def on_load(self):
        raise AssertionError("0.3.64 does not call on_load; the pack must not need it")

    @abstractmethod
    async def get_node_list(self): ...

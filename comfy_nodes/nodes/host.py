"""What the pack takes from ComfyUI. Nothing else in it imports the host, so this file alone follows its changes."""

import dataclasses
import logging
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import comfy.model_management as management
import folder_paths
import torch
from comfy.model_patcher import ModelPatcher
from comfy.utils import ProgressBar
from comfy_api.latest import ComfyExtension, io, ui
from comfy_execution.graph_utils import ExecutionBlocker
from torch import Tensor, nn

if TYPE_CHECKING:
    from analogies_hub.pipeline import Pipeline

__all__ = ["ExecutionBlocker", "folder_paths", "io", "ui"]  # handed on; the rest is defined here

KNOWN = {field.name for field in dataclasses.fields(io.Schema)}  # older hosts know fewer
LOG = logging.getLogger("analogies")
PREVIEW_SIDE, PREVIEW_SECONDS = 512, 1.0


class Pack(ComfyExtension):
    """A list of nodes, as the host asks for it."""

    def __init__(self, nodes: list[type[io.ComfyNode]]) -> None:
        self.nodes = nodes

    async def get_node_list(self) -> list[type[io.ComfyNode]]:
        """The nodes."""
        return self.nodes


def schema(**fields: Any) -> io.Schema:
    """A node's schema, without the fields that this host does not know."""
    return io.Schema(**{name: value for name, value in fields.items() if name in KNOWN})


class Holder(nn.Module):
    """A pipeline in a module that the host may write on: it sets `device` on what it manages."""

    def __init__(self, pipeline: "Pipeline") -> None:
        super().__init__()
        self.pipeline = pipeline


def held(pipeline: "Pipeline") -> ModelPatcher:
    """A pipeline in the host's care: counted, loaded and unloaded with its other models."""
    return ModelPatcher(Holder(pipeline), management.get_torch_device(), management.unet_offload_device())


def ready(model: ModelPatcher) -> "Pipeline":
    """The pipeline of a model, on the device where the host computes."""
    management.load_models_gpu([model])
    return model.model.pipeline.to(model.load_device)


@contextmanager
def ordinary_tensors() -> Iterator[None]:
    """The host runs nodes in inference mode, whose tensors can never be trained on, nor tell that they changed."""
    with torch.inference_mode(False):
        yield


def result_device() -> torch.device:
    """Where results wait for the next node."""
    return management.intermediate_device()


class Bar:
    """The host's progress bar over some jobs of equal length; each call is an `OnStep`, and a chance to cancel."""

    def __init__(self, jobs: int) -> None:
        self.bar = ProgressBar(jobs)
        self.jobs, self.finished, self.steps, self.shown_at = jobs, 0, 1, 0.0

    def __call__(self, done: int, total: int, preview: Tensor | None = None) -> None:
        """Show step `done` of `total` of the job at hand, and at most once a second a picture of it."""
        management.throw_exception_if_processing_interrupted()
        self.steps, image = total, None
        if preview is not None and time.monotonic() - self.shown_at >= PREVIEW_SECONDS:
            from analogies_hub.images import to_pil

            self.shown_at = time.monotonic()
            image = ("JPEG", to_pil(preview[:1])[0], PREVIEW_SIDE)
        self.bar.update_absolute(self.finished * total + done, self.jobs * total, image)

    def next(self) -> None:
        """A job is finished."""
        self.finished += 1
        self(0, self.steps)


class FileNode(io.ComfyNode):
    """A node with one input, the name of something on disk: checked before anything runs, run again when it changes."""

    @classmethod
    def files(cls, name: str) -> list[Path]:
        """The files that a name stands for.

        Raises:
            AnalogyError: if they are not there, or not what the node takes.
        """
        raise NotImplementedError

    @classmethod
    def validate_inputs(cls, **inputs: str | None) -> bool | str:
        """True, or the sentence that says what is wrong; what comes by a link is not known yet."""
        from analogies_hub.errors import AnalogyError

        try:
            for name in inputs.values():
                if name is not None:
                    cls.files(name)
        except AnalogyError as error:
            return str(error)
        return True

    @classmethod
    def fingerprint_inputs(cls, **inputs: str | None) -> str:
        """Changes when a file does."""
        return marks(*(file for name in inputs.values() if name is not None for file in cls.files(name)))


def marks(*files: Path) -> str:
    """What changes when one of some files does."""
    return repr([(str(file), file.stat().st_mtime_ns, file.stat().st_size) for file in files])


def path_in(folder: str | Path, name: str) -> Path | None:
    """A file or folder by its name below another; None if it is not there, or not below it. Links are followed."""
    path = Path(os.path.normpath(Path(folder) / name))
    return path if path.is_relative_to(folder) and path.exists() else None

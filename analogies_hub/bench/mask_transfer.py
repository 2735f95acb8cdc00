"""Speed of `mask_transfer`: training against the published networks and losses, and edits of photos.

Seconds on a shared machine mean little; what counts are the ratios within one run.
"""

import json
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from typing import cast

import torch

from ..methods.mask_transfer import METHOD, build_trainer
from ..methods.mask_transfer.config import MaskTransferConfig
from ..methods.mask_transfer.pipeline import MaskTransferPipeline
from ..pipeline import pick_device
from .timing import Call, Way, apart, peak_memory, timed
from .untrained import untrained

REFERENCE, DEFAULT = "reference", "default"
MODELS = ((REFERENCE, 128), (DEFAULT, 128), (DEFAULT, 64))  # preset and side in pixels
PHOTOS = {"64 px": (64, 64), "12 megapixels": (3000, 4000)}  # height and width
DOMAINS = ("glasses", "none")
OPERATIONS = ("transfer", "remove", "replace", "mask")


@dataclass(frozen=True)
class Training:
    """How fast a training is, without the reading of images and the averaging of weights.

    Attributes:
        images: a step, of both sets.
        images_ratio: images a second over those of the published networks, by `timing.Taken.cost`.
    """

    preset: str
    size: int
    images: int
    steps_per_second: float
    images_per_second: float
    images_ratio: float


@dataclass(frozen=True)
class EditTime:
    """How long an edit takes that a user calls with a photo in memory, by networks of the default preset.

    Attributes:
        peak_mb: the process's largest memory, torch included, in MB of 2**20 bytes.
    """

    operation: str
    photo: str
    milliseconds: float
    peak_mb: int


def bench_mask_transfer(
    batch: int, steps: int, repeats: int, device: str, threads: int | None
) -> tuple[list[Training], list[EditTime]]:
    """Trainings, and each edit of a small and a large photo.

    Args:
        batch: images of each set a step at 128 px.
        steps: measured of each training.
        repeats: of each edit.
        device: as for `load_pipeline`.
        threads: CPU threads, None for torch's choice.

    Raises:
        AnalogyError: if a measurement fails.
    """
    jobs = [(operation, photo) for photo in PHOTOS for operation in OPERATIONS]
    # Before the trainings: Linux counts a parent's largest memory as its child's.
    rows = [apart(__name__, [*job, repeats, device, threads], " of ".join(job)) for job in jobs]
    return bench_training(batch, steps, pick_device(device)), [EditTime(**row) for row in rows]


def bench_training(batch: int, steps: int, device: torch.device) -> list[Training]:
    """The published networks and losses, and ours, in turns."""
    counts = {model: batch if model[1] == 128 else MaskTransferConfig(domains=DOMAINS).batch for model in MODELS}
    calls = {model: training_call(*model, count, device) for model, count in counts.items()}
    taken = timed(calls, steps, 1, device)
    first = taken[MODELS[0]].cost / counts[MODELS[0]]
    return [
        Training(
            *model,
            images=2 * count,
            steps_per_second=1 / taken[model].seconds,
            images_per_second=2 * count / taken[model].seconds,
            images_ratio=first / (taken[model].cost / count),
        )
        for model, count in counts.items()
    ]


def build(preset: str, size: int) -> MaskTransferPipeline:
    """A pipeline that has learned nothing, and paints all over every picture."""
    return cast(MaskTransferPipeline, untrained(METHOD, preset, size, domains=DOMAINS, threshold=0.0))


def training_call(preset: str, size: int, count: int, device: torch.device) -> Call:
    """One step of a training, warmed up."""
    trainer, way = build_trainer(build(preset, size)), Way(channels_last=True)
    way.place(trainer.train(), device)
    step = partial(trainer.training_step, 0, *(way.images(count, size, device) * 2 - 1 for _ in DOMAINS))
    step()
    return step


def measure(operation: str, photo: str, repeats: int, device: str, threads: int | None) -> EditTime:
    """One edit, measured in this process."""
    if threads:
        torch.set_num_threads(threads)
    pipeline = build(DEFAULT, 64).to(pick_device(device)).eval()
    guide, content = torch.rand(1, 3, 64, 64), torch.rand(1, 3, *PHOTOS[photo])
    inputs = (content, guide) if operation in ("transfer", "replace") else (content,)
    edit: Callable[..., object] = getattr(pipeline, operation)
    edit(*(picture[..., :64, :64] for picture in inputs))
    taken = timed({operation: partial(edit, *inputs)}, 1, repeats, pipeline.device)
    return EditTime(operation, photo, 1000 * taken[operation].seconds, peak_memory())


if __name__ == "__main__":
    sys.stdout.write(json.dumps(asdict(measure(*json.loads(sys.argv[1])))))

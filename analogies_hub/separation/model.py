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
# By how much of [-1, 1] pictures must differ for details to be let go: a share of the largest difference,
# since thin frames differ less than dark lenses; and at least this much, since less is not seen.
CHANGE, SEEN = 0.15, 0.02


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
        parts = self.common_parts(images)
        return parts | self.separate_parts(images, parts[COMMON], self.attributes)

    def common_parts(self, images: Tensor) -> Parts:
        """(B, 3, size, size) in [-1, 1] -> what is not an attribute's: the common code, and details."""
        parts = {COMMON: self.encoder_common(images)}
        return parts if self.encoder_detail is None else parts | {DETAIL: self.encoder_detail(images)}

    def separate_parts(self, images: Tensor, common: Tensor, names: Sequence[str]) -> Parts:
        """Pictures (B, 3, size, size) in [-1, 1] and their common codes -> codes of the named attributes, or zeros."""
        parts: Parts = {}
        for name, glimpse in self.glimpses(images, common, names).items():
            code, presence = self.encoder_separate[name](glimpse)
            parts[name] = code * (presence > 0)[:, None, None, None] if self.tells_presence else code
        return parts

    @torch.no_grad()
    def glimpses(self, images: Tensor, common: Tensor, names: Sequence[str]) -> dict[str, Tensor]:
        """What separate encoders see of pictures (B, 3, size, size): what the common code does not tell, by attribute.

        That is how they differ from the sketch without attributes, where the attribute would
        be: so a separate code cannot carry what is elsewhere, and has no need to carry skin.
        The published separate encoders see everything.
        """
        if self.encoder_detail is None:
            return dict.fromkeys(names, images)
        bare, *places = self.bare_and_places(common, names)
        side = images.shape[-2:]
        rest = images - F.interpolate(bare, side, mode="bilinear")
        return {name: rest * F.interpolate(place, side) for name, place in zip(names, places, strict=True)}

    def plain(self, common: Tensor) -> Tensor:
        """The code (B, D, 1, 1) of an attribute of which nothing is known but that it is there."""
        code = common.new_zeros(len(common), self.config.separate, 1, 1)
        code[:, 0] = 1
        return code

    def places(self, common: Tensor, names: Sequence[str]) -> list[Tensor]:
        """Where attributes would be in pictures, told by common codes alone.

        Args:
            common: (B, C, h, w) of compact networks.
            names: attributes.

        Returns:
            For each name (B, 1, size / 4, size / 4): 1 where sketches with and without the
            attribute differ, and beside that.
        """
        return self.bare_and_places(common, names)[1:]

    def bare_and_places(self, common: Tensor, names: Sequence[str]) -> list[Tensor]:
        """The sketch (B, 3, size / 4, size / 4) without attributes, and the `places`."""
        bare = {name: torch.zeros_like(self.plain(common)) for name in self.attributes} | {COMMON: common}
        return self.sketch_and_masks(bare, [{name: self.plain(common)} for name in names])

    @torch.no_grad()
    def sketch_and_masks(self, parts: Parts, others: Sequence[Parts]) -> list[Tensor]:
        """The sketch of parts, and where it differs from those with other parts, masks as of `places`.

        Args:
            parts: codes by name.
            others: parts that replace them, some at a time; all are sketched in one batch, which is faster.
        """
        versions = [parts | other for other in ({}, *others)]
        names = (COMMON, *self.attributes)
        together = {name: torch.cat([version[name] for version in versions]) for name in names}
        sketch, *after = self.sketched(together).chunk(len(versions))
        return [sketch, *(mask_of(other - sketch) for other in after)]

    def sketched(self, parts: Parts) -> Tensor:
        """Codes by name -> what compact networks know without details: images (B, 3, size / 4, size / 4) in [-1, 1]."""
        return self.decoder.sketch(parts[COMMON], [parts[name] for name in self.attributes])  # type: ignore[operator]

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
        """Parts with some replaced, and without the details of the places of what is replaced."""
        if DETAIL not in parts:
            return parts | changes
        names = [name for name in changes if name != COMMON]
        places = dict(zip(names, self.places(parts[COMMON], names), strict=True))
        if COMMON in changes:
            places[COMMON] = self.sketch_and_masks(parts, [{COMMON: changes[COMMON]}])[1]
        known = parts[DETAIL]
        for name, place in places.items():
            differs = (changes[name] != parts[name]).flatten(1).any(1)  # each picture by itself, whatever is beside it
            known = known * (1 - place * differs[:, None, None, None])
        return parts | changes | {DETAIL: known}

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


def mask_of(difference: Tensor) -> Tensor:
    """Where pictures differ (B, 3, H, W) by enough to be seen, and beside that: (B, 1, H, W) of 0 and 1."""
    size = difference.abs().mean(1, keepdim=True)
    least = (CHANGE * size.amax((2, 3), keepdim=True)).clamp(min=SEEN)
    return F.max_pool2d((size > least).to(size.dtype), 3, stride=1, padding=1)

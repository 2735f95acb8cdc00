"""Pictures to codes and back: what operations and training share."""

from collections.abc import Sequence
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..filters import resize, shape_of
from ..images import Picture, to_tensor
from ..pipeline import Pipeline
from .config import BARE, COMMON, DETAIL, PLACES, SeparationConfig
from .networks import DetailEncoder, compact

# `common` (B, C, h, w), each attribute's code (B, D, 1 or h, 1 or w), and of compact networks
# `detail` (B, N, R / 4, R / 4) with zeros where it is not known. What follows from the common code of
# compact networks is kept beside it, since it is asked for twice: `bare` (B, 3, R / 4, R / 4), a sketch
# without attributes, and `places` (B, attributes, R / 4, R / 4), 1 where one would be, else 0.
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
        return parts | self.separate_parts(images, parts, self.attributes)

    def common_parts(self, images: Tensor) -> Parts:
        """(B, 3, size, size) in [-1, 1] -> what is not an attribute's: common code, details, and what follows."""
        common = self.encoder_common(images)
        if self.encoder_detail is None:
            return {COMMON: common}
        return {COMMON: common, DETAIL: self.encoder_detail(images)} | self.bare_and_places(common)

    def separate_parts(self, images: Tensor, parts: Parts, names: Sequence[str]) -> Parts:
        """Pictures (B, 3, size, size) in [-1, 1] and their common parts -> codes of the named attributes, or zeros."""
        codes: Parts = {}
        for name, glimpse in self.glimpses(images, parts, names).items():
            code, presence = self.encoder_separate[name](glimpse)
            codes[name] = code * (presence > 0)[:, None, None, None] if self.tells_presence else code
        return codes

    def glimpses(self, images: Tensor, parts: Parts, names: Sequence[str]) -> dict[str, Tensor]:
        """What separate encoders see of pictures (B, 3, size, size): what the common code does not tell, by attribute.

        That is how they differ from the sketch without attributes, where the attribute would
        be: so a separate code cannot carry what is elsewhere, and has no need to carry skin.
        The published separate encoders see everything.
        """
        if self.encoder_detail is None:
            return dict.fromkeys(names, images)
        side = images.shape[-2:]
        rest = images - F.interpolate(parts[BARE], side, mode="bilinear")
        places = F.interpolate(parts[PLACES], side).split(1, dim=1)
        return {name: rest * places[self.attributes.index(name)] for name in names}

    def plain(self, common: Tensor) -> Tensor:
        """The code (B, D, 1, 1) of an attribute of which nothing is known but that it is there."""
        code = common.new_zeros(len(common), self.config.separate, 1, 1)
        code[:, 0] = 1
        return code

    def bare_and_places(self, common: Tensor) -> Parts:
        """Common code (B, C, h, w) of compact networks -> the sketch without attributes, and where they would be.

        A place is where sketches with and without the attribute differ, whatever it looks
        like, and beside that.
        """
        absent = {name: torch.zeros_like(self.plain(common)) for name in self.attributes} | {COMMON: common}
        bare, *places = self.sketch_and_masks(absent, [{name: self.plain(common)} for name in self.attributes])
        return {BARE: bare, PLACES: torch.cat(places, dim=1)}

    @torch.no_grad()
    def sketch_and_masks(self, parts: Parts, others: Sequence[Parts]) -> list[Tensor]:
        """The sketch of parts (B, 3, size / 4, size / 4), and where it differs from those with other parts.

        Args:
            parts: codes by name.
            others: parts that replace them, some at a time; all are sketched in one batch, which is faster.

        Returns:
            The sketch, and a mask (B, 1, size / 4, size / 4) of 0 and 1 for each of the others.
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
        told = parts if PLACES in parts else self.bare_and_places(parts[COMMON])  # a user's code has none
        places = dict(zip(self.attributes, told[PLACES].split(1, dim=1), strict=True))
        if COMMON in changes:
            places[COMMON] = self.sketch_and_masks(parts, [{COMMON: changes[COMMON]}])[1]
        known = parts[DETAIL]
        for name, part in changes.items():
            differs = (part != parts[name]).flatten(1).any(1)  # each picture by itself, whatever is beside it
            known = known * (1 - places[name] * differs[:, None, None, None])
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

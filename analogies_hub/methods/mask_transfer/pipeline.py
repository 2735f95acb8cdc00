"""What a user can do with local content: put it on a photo, take it away, show where it is."""

from typing import Annotated, ClassVar, NamedTuple

import torch
from torch import Tensor

from ...errors import ImageError
from ...filters import resize
from ...images import Picture, to_tensor
from ...kinds import BoxKind, Choice, Image, Images, Mask, Number
from ...operations import operation
from ...separation.config import COMMON, DETAIL
from ...separation.model import POSE, Parts, pixels
from ...separation.pipeline import Coder
from .compose import HARD, OTHER_VIEWS, SOFT, Edge, Square, around, composed, cut, enlarged, middle, needed, placed
from .config import MaskTransferConfig
from .networks import published

Threshold = Annotated[
    float | None, Number(0, 1), "below it a mask counts as nothing; default: the model's own, of this operation"
]
Style = Annotated[str, Choice((SOFT, HARD)), "soft blends where the mask is half there, hard cuts"]
Grow = Annotated[float, Number(0, 0.25), "how far the mask is widened, as a share of the square's side"]
Reach = Annotated[float | None, Number(0, 0.25), "as grow of transfer; default: the model's own"]
Feather = Annotated[float, Number(0, 0.25), "how far its edge is blurred, as a share of the square's side"]
Face = Annotated[
    tuple[int, int, int, int] | None, BoxKind(), "the part that the model sees, a face say; default: the middle square"
]
Steps = Annotated[int, Number(2, 64, whole=True), "pictures from one end to the other, ends included"]


class Edited(NamedTuple):
    """A photo after an edit.

    Args:
        image: at the photo's own size; where the mask is 0 it is the photo, to the bit.
        mask: how much of each pixel was painted; of what is taken away, how much at most.
    """

    image: Image
    mask: Mask


class Painted(NamedTuple):
    """As `Edited`, of tensors: (B, 3, H, W) and (B, 1, H, W) in [0, 1]."""

    image: Tensor
    mask: Tensor


class Photo(NamedTuple):
    """A picture as it came, and as the model sees it.

    Args:
        whole: (B, 3, H, W) in [0, 1].
        square: what of it the model sees.
        seen: that, (B, 3, R, R) in [-1, 1].
    """

    whole: Tensor
    square: Square
    seen: Tensor


class MaskTransferPipeline(Coder):
    """Paints an attribute on photos, or the photo without it, only where a mask says so."""

    method: ClassVar[str] = "mask_transfer"
    config_type: ClassVar[type[MaskTransferConfig]] = MaskTransferConfig
    config: MaskTransferConfig
    published = staticmethod(published)

    @operation(title="Transfer onto a photo, through a mask")
    @torch.no_grad()
    def transfer(
        self,
        content: Image,
        guide: Image,
        threshold: Threshold = None,
        style: Style = SOFT,
        grow: Grow = 0.0,
        feather: Feather = 0.0,
        box: Face = None,
    ) -> Edited:
        """Put what the guide wears on the photo, and leave the rest of it untouched.

        Args:
            content: the photo, of any size.
            guide: the picture whose glasses, smile... are taken; its middle square is used.

        Raises:
            ImageError: if the numbers of pictures do not match.
        """
        photo = self.photo("content", content, box)
        code = self.look("guide", guide, len(photo.whole))
        return Edited(*self.added(photo, code, self.edge(threshold, style, grow, feather)))

    @operation(title="Remove from a photo, through a mask")
    @torch.no_grad()
    def remove(
        self,
        content: Image,
        threshold: Threshold = None,
        style: Style = HARD,
        grow: Reach = None,
        feather: Feather = 0.0,
        box: Face = None,
    ) -> Edited:
        """Take away what the photo shows, and leave the rest of it untouched.

        Args:
            content: the photo, of any size.
            grow: what shows an attribute ends in shades, a little beyond the mask.
        """
        photo = self.photo("content", content, box)
        parts = self.parts(photo.seen)
        self.note_missing("content", parts, self.attribute)
        return Edited(*self.removed(photo, parts, self.beyond(threshold, style, grow, feather)))

    @operation(title="Replace on a photo, through a mask")
    @torch.no_grad()
    def replace(
        self,
        content: Image,
        guide: Image,
        threshold: Threshold = None,
        style: Style = SOFT,
        grow: Reach = None,
        feather: Feather = 0.0,
        box: Face = None,
    ) -> Edited:
        """Put what the guide wears in the place of what the photo shows, if it shows any.

        Args:
            content: the photo, of any size.
            guide: the picture whose glasses, smile... are taken; its middle square is used.
            style: of what is put on; what is taken away is cut.
            grow: of what is taken away.

        Raises:
            ImageError: if the numbers of pictures do not match.
        """
        photo = self.photo("content", content, box)
        code = self.look("guide", guide, len(photo.whole))
        bare = self.removed(photo, self.parts(photo.seen), self.beyond(threshold, HARD, grow, feather))
        result = self.added(self.seen(bare.image, photo.square), code, self.edge(threshold, style, 0.0, feather))
        return Edited(result.image, torch.maximum(bare.mask, result.mask))

    @operation
    @torch.no_grad()
    def mask(self, image: Image, box: Face = None) -> Mask:
        """Show how much of each pixel the attribute covers.

        Args:
            image: the photo, of any size.
        """
        photo = self.photo("image", image, box)
        return placed(enlarged(self.own_mask(photo, self.parts(photo.seen)), photo.square.side, 0.0), *photo[1::-1])

    @operation(title="Segment: a mask with hard edges")
    @torch.no_grad()
    def segment(self, image: Image, threshold: Threshold = None, grow: Grow = 0.0, box: Face = None) -> Mask:
        """Cut out the pixels that show the attribute: 1 there, 0 elsewhere.

        Args:
            image: the photo, of any size.
        """
        threshold = self.config.segment_threshold if threshold is None else threshold
        photo, edge = self.photo("image", image, box), Edge(threshold, HARD, grow)
        mask = enlarged(edge.of(self.own_mask(photo, self.parts(photo.seen))), photo.square.side, 0.5)
        return placed((mask > 0).float(), photo.square, photo.whole)

    @operation
    @torch.no_grad()
    def interpolate(self, content: Image, start: Image, end: Image, steps: Steps = 5, box: Face = None) -> Images:
        """Go from one guide's look to another's in equal steps, on one photo.

        Args:
            content: the photo, of any size.
            start, end: the guides at both ends.

        Raises:
            ImageError: if one of the pictures is a batch.
        """
        for name, picture in {"content": content, "start": start, "end": end}.items():
            self.one(name, picture)
        photo, edge = self.photo("content", content, box), self.edge(None)
        first, last = self.look("start", start, 1), self.look("end", end, 1)
        shares = torch.linspace(0, 1, steps).tolist()
        return torch.cat([self.added(photo, self.blend(first, last, share), edge).image for share in shares])

    @property
    def attribute(self) -> str:
        """What the model paints."""
        return self.attributes[0]

    def edge(self, threshold: float | None, style: str = SOFT, grow: float = 0.0, feather: float = 0.0) -> Edge:
        """How masks end, by the model's own threshold if none is given."""
        return Edge(self.config.threshold if threshold is None else threshold, style, grow, feather)

    def beyond(self, threshold: float | None, style: str, grow: float | None, feather: float) -> Edge:
        """As `edge`, of removal: the mask reaches as far as the model's own setting says if nothing is given."""
        return self.edge(threshold, style, self.config.reach if grow is None else grow, feather)

    def photo(self, name: str, picture: Picture, box: tuple[int, int, int, int] | None) -> Photo:
        """A picture, whole and as the model sees it.

        Raises:
            ImageError: if it is not a picture, or the box does not lie within it.
        """
        whole = to_tensor(picture, name=name).to(self.device)
        return self.seen(whole, around(whole, box) if box else middle(whole))

    def seen(self, whole: Tensor, square: Square) -> Photo:
        """A picture (B, 3, H, W) in [0, 1] with the square that the model sees."""
        return Photo(whole, square, resize(cut(whole, square), (self.config.size, self.config.size)) * 2 - 1)

    def look(self, name: str, guide: Picture, count: int) -> Tensor:
        """The guide's separate code (count, D, h, w).

        Raises:
            ImageError: if the guide holds neither one picture nor `count`.
        """
        looks = self.looks(self.prepare(guide, name))
        self.note_missing(name, looks, self.attribute)
        code = looks[self.attribute]
        if len(code) not in (1, count):
            raise ImageError(f"'{name}' holds {len(code)} pictures, expected 1 or {count} as content does")
        return code.expand(count, -1, -1, -1)

    def added(self, photo: Photo, code: Tensor, edge: Edge) -> Painted:
        """The photo with the attribute of a separate code painted over it."""
        patch, mask = self.decoder.painted(self.encoder_common(photo.seen), [code], photo.seen)  # type: ignore[operator]
        mask = enlarged(edge.of(mask), photo.square.side, edge.threshold, crisp=True)
        image = composed(photo.whole, photo.square, pixels(patch), mask)
        return Painted(image, placed(mask, photo.square, photo.whole))

    def removed(self, photo: Photo, parts: Parts, edge: Edge) -> Painted:
        """The photo, whose parts these are, with its own attribute painted away."""
        whole, square, seen = photo
        patch = resize(pixels(self.filled(seen, parts)), (square.side, square.side))
        mask = enlarged(edge.of(self.own_mask(photo, parts)), square.side, edge.threshold)
        image = composed(whole, square, patch, needed(mask, cut(whole, square), patch))
        return Painted(image, placed(mask, square, whole))  # whole, since others fill it in with models of their own

    def filled(self, seen: Tensor, parts: Parts) -> Tensor:
        """Pictures (B, 3, R, R) in [-1, 1], whose parts these are, without the attribute: the mean of several views.

        What a model makes up is another from view to view, like noise. A self-ensemble: Lim et al. 2017
        (arXiv 1707.02921).
        """
        others = self.plain(self.parts(torch.cat([view.of(seen) for view in OTHER_VIEWS]))).chunk(len(OTHER_VIEWS))
        back = [view.back(picture) for view, picture in zip(OTHER_VIEWS, others, strict=True)]
        return torch.stack([self.plain(parts), *back]).mean(0)

    def plain(self, parts: Parts) -> Tensor:
        """The picture (B, 3, R, R) in [-1, 1] without the attribute."""
        if self.encoder_detail is None:
            return self.decoder.ground(parts[COMMON])  # type: ignore[operator]
        layers = self.decoder.placed(parts[POSE], self.decoder.drawn(self.separate(parts)))  # type: ignore[operator]
        return self.decoder.beneath(parts[COMMON], layers, self.anew(parts)[DETAIL])  # type: ignore[operator]

    def own_mask(self, photo: Photo, parts: Parts) -> Tensor:
        """Where a picture shows the attribute itself: (B, 1, R, R) in [0, 1]."""
        return self.decoder.painted(parts[COMMON], self.separate(parts), photo.seen)[1]  # type: ignore[operator]

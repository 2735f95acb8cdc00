"""The compact decoder: a picture of the common code and details, and separate codes' layers over it.

Were attributes drawn from common and separate codes together, the common code of a picture
with glasses would help to draw them, however well an adversary hides that they are there; and
so they would come out faint on a picture without. A layer is drawn from its own code alone,
as if every face were in the same place, and then laid where the common code says that the face
is: four numbers, too few to help with more.
Pixels are single precision throughout, whatever the networks compute in.
"""

import itertools
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..saved import versions
from .networks import CODE_SIDE, DETAIL_BLOCK, NormAct, Residual, conv3, double, halvings, widths_down_to
from .pose import Pose, after, sampled, undone

SEEN = 0.1  # how much of a pixel a layer must cover for the details beneath to be let go
NEAR, FADE = 1, 1  # pixels around a layer that go with it, and over which those beyond fade in
FAINT = -3.0  # logit of how much an untrained layer covers: enough to learn from, too little to hide details
WONT = 0.2  # of its largest mean cover: from there on a layer is wont to be in a place


class CompactDecoder(nn.Module):
    """The picture without attributes, and one layer an attribute over it, in their order."""

    def __init__(self, size: int, width: int, common: int, separate: int, details: int, attributes: int) -> None:
        super().__init__()
        self.ground = Ground(size, width, common, details)
        self.layers = Layers(size, width, separate, attributes)
        self.pose = Pose(common, attributes)
        self.looked: tuple[tuple, Tensor] = ((), torch.empty(0))  # versions of the usual covers, and their windows

    def forward(
        self, common: Tensor, separate: Sequence[Tensor], details: Tensor, pose: Tensor | None = None
    ) -> Tensor:
        """Common (B, C, s, s), each attribute's (B, D, 1, 1), details -> images (B, 3, R, R) in [-1, 1].

        Args:
            details: (B, numbers, R / 4, R / 4), zeros where nothing is known.
            pose: of the common code, if it is known already.
        """
        pose = self.pose(common) if pose is None else pose
        return self.laid(common, self.placed(pose, self.drawn(separate)), details)

    def edited(
        self, common: Tensor, own: Sequence[Tensor], separate: Sequence[Tensor], details: Tensor, pose: Tensor | None
    ) -> Tensor:
        """As `forward`, but pixels stay as they are where a picture is as it was.

        Only attributes that changed are taken off and laid on anew; what networks draw is seen where
        something was taken off. Training does without: there would be nothing left to learn.

        Args:
            own: each attribute's code of the picture itself, as `separate`.
            details: of the whole picture, followed by its pixels, see `with_pixels`.
        """
        pose = self.pose(common) if pose is None else pose
        both = [torch.cat(codes) for codes in zip(own, separate, strict=True)]
        before, after = self.placed(pose.repeat(2, 1, 1), self.drawn(both)).chunk(2)
        learned, pixels = details.tensor_split([self.ground.detail.in_channels], dim=1)
        drawn = self.ground(common, learned * ~(covered(before) | covered(after)))
        changed = torch.stack([(a != b).flatten(1).any(1) for a, b in zip(own, separate, strict=True)], 1)
        taken, laid = only(before, changed), only(after, changed)
        canvas = with_kept(self.layers.over(drawn, only(after, ~changed)), pixels, taken, laid)
        return self.layers.over(canvas, laid)

    def drawn(self, separate: Sequence[Tensor], shown: Sequence[Tensor] | None = None) -> Tensor:
        """Each attribute's code (B, D, 1, 1) -> layers (B, attributes, 5, R, R), not yet placed.

        Args:
            shown: for each attribute the numbers of the pictures that show it; found out if not
                given, for which a GPU has to be waited for.
        """
        shown = [code[:, 0, 0, 0].nonzero()[:, 0] for code in separate] if shown is None else shown
        return self.layers.of(torch.stack([code.flatten(1) for code in separate], 1), shown)

    def placed(self, pose: Tensor, layers: Tensor) -> Tensor:
        """Layers (B, attributes, C, R, R) moved, turned and zoomed to where a pose (B, attributes, 4) says."""
        return sampled(layers, pose, "zeros")

    def glimpses(self, pose: Tensor, images: Tensor, moves: Tensor | None = None) -> Tensor:
        """For each layer the images (B, 3, R, R), moved so that what it shows is where it is drawn, and grey elsewhere.

        Args:
            moves: how much farther, amounts (B, 4).

        Returns:
            (B, attributes, 3, R, R).
        """
        looks = undone(pose.detach())
        looks = looks if moves is None else after(looks, moves[:, None])
        each = images[:, None].expand(-1, pose.shape[1], -1, -1, -1)
        return sampled(each, looks, "border") * self.windows()

    def windows(self) -> Tensor:
        """Where each layer is wont to be, and a little around it: (attributes, 1, R, R), 0 to 1."""
        usual = self.layers.usual_cover
        if (now := versions([usual])) != self.looked[0]:
            with torch.inference_mode(False):
                self.looked = now, windows_of(usual)
        return self.looked[1]

    def laid(self, common: Tensor, layers: Tensor, details: Tensor) -> Tensor:
        """As `forward`, of layers (B, attributes, 5, R, R) that are placed already."""
        return self.layers.over(self.beneath(common, layers, details), layers)

    def beneath(self, common: Tensor, layers: Tensor, details: Tensor) -> Tensor:
        """What layers (B, attributes, 5, R, R) are laid over, (B, 3, R, R).

        Details beneath a layer are those of a picture that shows the attribute, or not worth
        keeping, so they are let go.
        """
        return self.ground(common, details * ~covered(layers))

    def painted(self, common: Tensor, separate: Sequence[Tensor], base: Tensor) -> tuple[Tensor, Tensor]:
        """Where there is one attribute: what its layer lays over a picture, and how much of it that covers.

        Args:
            common: says where.
            base: the picture (B, 3, R, R), which lends its colours.

        Returns:
            (B, 3, R, R) in [-1, 1] and (B, 1, R, R) in [0, 1].
        """
        layers = self.placed(self.pose(common), self.drawn(separate))
        return self.layers.colours(base, layers, 0), layers[:, 0, :1]


def windows_of(usual: Tensor) -> Tensor:
    """Usual covers (attributes, 1, R, R) -> where each is not small, and a little around it: as many, 0 to 1."""
    reach = usual.shape[-1] // 10
    rows = F.max_pool2d(usual, (1, 2 * reach + 1), 1, (0, reach))
    around = F.max_pool2d(rows, (2 * reach + 1, 1), 1, (reach, 0))
    return (around / (WONT * around.amax((1, 2, 3), keepdim=True))).clamp(max=1)


def covered(layers: Tensor) -> Tensor:
    """Layers (B, attributes, 5, R, R) -> details beneath one of them or right beside, (B, 1, R / 4, R / 4) of bool."""
    most = layers[:, :, :1].amax(1)
    return F.max_pool2d(most, DETAIL_BLOCK + 2, DETAIL_BLOCK, padding=1) > SEEN


def only(layers: Tensor, which: Tensor) -> Tensor:
    """Layers (B, attributes, 5, R, R), of which only some (B, attributes) of bool cover anything."""
    return torch.cat([layers[:, :, :1] * which[..., None, None, None], layers[:, :, 1:]], dim=2)


def with_pixels(details: Tensor, images: Tensor) -> Tensor:
    """Details (B, numbers, R / 4, R / 4) of images (B, 3, R, R), followed by what is known of each block's pixels.

    That is 64 numbers: their colours, and for each a 1, which becomes 0 where details are let go.
    """
    known = F.pad(images, (0, 0, 0, 0, 0, 1), value=1.0)
    return torch.cat([details, F.pixel_unshuffle(known, DETAIL_BLOCK)], dim=1)


def with_kept(drawn: Tensor, pixels: Tensor, taken: Tensor, laid: Tensor) -> Tensor:
    """What is drawn (B, 3, R, R), and a picture's own pixels where these are known and its layers did not change.

    They fade towards where something was taken off, so that no seam shows; and beneath what is laid on, as far as
    it covers: the mouth beneath a smile.

    Args:
        pixels: see `with_pixels`, (B, 64, R / 4, R / 4).
        taken, laid: layers (B, attributes, 5, R, R), placed.
    """
    was, covers = (layers[:, :, 0].amax(1, keepdim=True) for layers in (taken, laid))
    gone = (F.max_pool2d(was, 2 * (NEAR + FADE) + 1, 1, NEAR + FADE) > SEEN).float()
    gone = F.avg_pool2d(gone, 2 * FADE + 1, 1, FADE, count_include_pad=False)
    colours, known = F.pixel_shuffle(pixels, DETAIL_BLOCK).float().tensor_split([3], dim=1)
    return torch.lerp(drawn, colours, known * (1 - torch.maximum(gone, covers)))


def own_colour(layers: Tensor) -> Tensor:
    """How much of each pixel layers (B, attributes, 5, R, R) cover with colours that are not borrowed: (B, 1, R, R).

    No gradient reaches how much they cover: to fade would be the cheapest way to own little.
    """
    return (layers[:, :, :1].detach() * (1 - layers[:, :, 1:2])).sum(1)


def excess_cover(layers: Tensor, free: float) -> Tensor:
    """What share layers (B, attributes, 5, R, R) cover beyond what is free, the mean of pictures, summed."""
    return F.relu(layers[:, :, 0].mean((2, 3)) - free).mean(0).sum()


class Layers(nn.Module):
    """Separate codes -> what each attribute looks like, and where.

    There is a network for each attribute; as in `CompactSeparateEncoders` they stand side by side.

    Attributes:
        source: of each cell of the canvas (attributes, s * s), how much it counts in the borrowed colour, as a logit.
        usual_cover: how much the layers cover in the mean (attributes, 1, R, R), as training found it; ones if it
            never did.
    """

    usual_cover: Tensor

    def __init__(self, size: int, width: int, numbers: int, attributes: int) -> None:
        super().__init__()
        widths = widths_down_to(width, halvings(size, CODE_SIDE))
        self.size, self.side = size, size // 2 ** len(widths)
        self.start = nn.Conv2d(attributes * numbers, attributes * widths[0] * self.side**2, 1, groups=attributes)
        body: list[nn.Module] = [Residual(widths[0], attributes)]
        for wide, narrow in itertools.pairwise(widths):
            body += [*double(wide, narrow, attributes), Residual(narrow, attributes)]
        last = conv3(widths[-1], 5 * 2**2, attributes)
        nn.init.constant_(last.bias.view(attributes, 5, -1)[:, 0], FAINT)  # type: ignore[union-attr]
        self.body = nn.Sequential(*body, NormAct(widths[-1], attributes), last, nn.PixelShuffle(2))
        self.source = nn.Parameter(torch.zeros(attributes, self.side**2))
        self.register_buffer("usual_cover", torch.ones(attributes, 1, size, size))

    def forward(self, codes: Tensor) -> Tensor:
        """(B, attributes, D) -> layers (B, attributes, 5, R, R), not yet placed.

        Of each pixel: how much it covers, what share of its colour is borrowed, its own colour. The
        first two are in [0, 1], colours in [-1, 1]. A code of zeros covers nothing.
        """
        there = codes[..., :1, None, None].clamp(0, 1)
        features = self.start(codes.flatten(1)[..., None, None]).view(len(codes), -1, self.side, self.side)
        maps = self.body(features).float().contiguous().unflatten(1, (codes.shape[1], 5))
        cover, share, colour = maps.split((1, 1, 3), dim=2)
        return torch.cat([there * torch.sigmoid(cover), torch.sigmoid(share), torch.tanh(colour)], dim=2)

    def of(self, codes: Tensor, rows: Sequence[Tensor]) -> Tensor:
        """Layers (B, attributes, 5, R, R) of codes (B, attributes, D).

        Args:
            rows: for each attribute, which codes (n,) are not zeros; of the others nothing has to be drawn.
        """
        most = max(map(len, rows))
        if most == len(codes):
            return self(codes)
        layers = codes.new_zeros(*codes.shape[:2], 5, self.size, self.size, dtype=torch.float)
        if most:
            # All networks draw equally many at once: where fewer are asked for, some drawings are thrown away.
            filled = torch.stack([F.pad(numbers, (0, most - len(numbers))) for numbers in rows], 1)
            drawn = self(codes[filled, torch.arange(len(rows), device=codes.device)])
            for place, numbers in enumerate(rows):
                layers[numbers, place] = drawn[: len(numbers), place]
        return layers

    def over(self, canvas: Tensor, layers: Tensor) -> Tensor:
        """The canvas (B, 3, R, R) with layers (B, attributes, 5, R, R), placed already, over it."""
        for place in range(layers.shape[1]):
            canvas = torch.lerp(canvas, self.colours(canvas, layers, place), layers[:, place, :1])
        return canvas

    def colours(self, canvas: Tensor, layers: Tensor, place: int) -> Tensor:
        """What one of the layers (B, attributes, 5, R, R) lays over a canvas (B, 3, R, R), as opaque as can be.

        Borrowed is one colour of the canvas: skin, say, that hides the mouth beneath a smile.
        """
        share, colour = layers[:, place, 1:2], layers[:, place, 2:]
        cells = F.adaptive_avg_pool2d(canvas, self.side).flatten(2)
        borrowed = (cells * self.source[place].softmax(0)).sum(2)[..., None, None]
        return torch.lerp(colour, borrowed.expand_as(colour), share)


class Ground(nn.Module):
    """Common code and details -> the picture without attributes."""

    def __init__(self, size: int, width: int, channels: int, details: int) -> None:
        super().__init__()
        widths = widths_down_to(width, halvings(size, CODE_SIDE))
        coarse: list[nn.Module] = [conv3(channels, widths[0]), Residual(widths[0])]
        for wide, narrow in itertools.pairwise(widths[:-1]):
            coarse += [*double(wide, narrow), Residual(narrow)]
        self.coarse = nn.Sequential(*coarse)
        before, last = widths[-2:]
        self.detail = nn.Conv2d(details, before, 1)
        self.pixels = nn.Sequential(
            nn.Conv2d(details, 3 * DETAIL_BLOCK**2, 1, bias=False), nn.PixelShuffle(DETAIL_BLOCK)
        )
        self.fine = nn.Sequential(
            Residual(before),
            *double(before, last),
            NormAct(last),
            conv3(last, last),
            NormAct(last),
            conv3(last, 3 * 2**2),
            nn.PixelShuffle(2),
        )

    def forward(self, common: Tensor, details: Tensor) -> Tensor:
        """Common (B, C, s, s), details (B, numbers, R / 4, R / 4) -> images (B, 3, R, R) in [-1, 1]."""
        pixels = self.fine(self.coarse(common) + self.detail(details)) + self.pixels(details)
        return torch.tanh(pixels.float())

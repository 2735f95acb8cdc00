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
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..saved import versions
from .networks import CODE_SIDE, DETAIL_BLOCK, Residual, conv3, double, halvings, norm_act, widths_down_to

SEEN = 0.1  # how much of a pixel a layer must cover for the details beneath to be let go
FAINT = -3.0  # logit of how much an untrained layer covers: enough to learn from, too little to hide details
WONT = 0.2  # of its largest mean cover: from there on a layer is wont to be in a place
POINTS, SHARP = 32, 4.0  # of the face, which tell where layers lie, and the size of the logits that tell where they are
FARTHEST = 0.4  # how far layers are moved, turned and zoomed at most, see `similarity`


class CompactDecoder(nn.Module):
    """The picture without attributes, and one layer an attribute over it, in their order."""

    def __init__(self, size: int, width: int, common: int, separate: int, details: int, attributes: int) -> None:
        super().__init__()
        self.ground = Ground(size, width, common, details)
        self.layers = nn.ModuleList(Layer(size, width, separate) for _ in range(attributes))
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

    def drawn(self, separate: Sequence[Tensor], shown: Sequence[Tensor] | None = None) -> list[Tensor]:
        """Each attribute's code (B, D, 1, 1) -> its layer (B, 5, R, R), not yet placed, zeros where it is absent.

        Args:
            shown: for each attribute the numbers of the pictures that show it; found out if not
                given, for which a GPU has to be waited for.
        """
        shown = [code[:, 0, 0, 0].nonzero()[:, 0] for code in separate] if shown is None else shown
        return [layer.of(code, rows) for layer, code, rows in zip(self.layers, separate, shown, strict=True)]  # type: ignore[operator]

    def placed(self, pose: Tensor, drawn: Sequence[Tensor]) -> list[Tensor]:
        """Layers (B, 5, R, R) moved, turned and zoomed to where a pose (B, layers, 4) says that they lie."""
        return list(sampled(torch.stack(list(drawn), 1), pose, "zeros").unbind(1))

    def glimpses(self, pose: Tensor, images: Tensor, moves: Tensor | None = None) -> list[Tensor]:
        """For each layer the images (B, 3, R, R), moved so that what it shows is where it is drawn, and grey elsewhere.

        Args:
            moves: how much farther, amounts (B, 4).
        """
        looks = undone(pose.detach())
        looks = looks if moves is None else after(looks, moves[:, None])
        each = images[:, None].expand(-1, len(self.layers), -1, -1, -1)
        return list((sampled(each, looks, "border") * self.windows()).unbind(1))

    def windows(self) -> Tensor:
        """Where each layer is wont to be, and a little around it: (layers, 1, R, R), 0 to 1."""
        usual = [cast(Layer, layer).usual_cover for layer in self.layers]
        if (now := versions(usual)) != self.looked[0]:
            with torch.inference_mode(False):
                self.looked = now, windows_of(torch.stack(usual))
        return self.looked[1]

    def laid(self, common: Tensor, layers: Sequence[Tensor], details: Tensor) -> Tensor:
        """As `forward`, of layers (B, 5, R, R) that are placed already."""
        return self.over(self.beneath(common, layers, details), layers)

    def beneath(self, common: Tensor, layers: Sequence[Tensor], details: Tensor) -> Tensor:
        """What layers (B, 5, R, R) are laid over, (B, 3, R, R).

        Details beneath a layer are those of a picture that shows the attribute, or not worth
        keeping, so they are let go.
        """
        return self.ground(common, details * ~covered(layers))

    def over(self, canvas: Tensor, layers: Sequence[Tensor]) -> Tensor:
        """A canvas (B, 3, R, R) with layers (B, 5, R, R), placed already, over it."""
        for layer, picture in zip(self.layers, layers, strict=True):
            canvas = layer.over(canvas, picture)  # type: ignore[operator]
        return canvas

    def painted(self, common: Tensor, separate: Sequence[Tensor], base: Tensor) -> tuple[Tensor, Tensor]:
        """Where there is one attribute: what its layer lays over a picture, and how much of it that covers.

        Args:
            common: says where.
            base: the picture (B, 3, R, R), which lends its colours.

        Returns:
            (B, 3, R, R) in [-1, 1] and (B, 1, R, R) in [0, 1].
        """
        (layer,), (drawn,) = self.layers, self.placed(self.pose(common), self.drawn(separate))
        return layer.colours(base, drawn), drawn[:, :1]  # type: ignore[operator]


def windows_of(usual: Tensor) -> Tensor:
    """Usual covers (layers, 1, R, R) -> where each is not small, and a little around it: as many, 0 to 1."""
    reach = usual.shape[-1] // 10
    rows = F.max_pool2d(usual, (1, 2 * reach + 1), 1, (0, reach))
    around = F.max_pool2d(rows, (2 * reach + 1, 1), 1, (reach, 0))
    return (around / (WONT * around.amax((1, 2, 3), keepdim=True))).clamp(max=1)


def covered(layers: Sequence[Tensor]) -> Tensor:
    """Layers (B, 5, R, R) -> which details lie beneath one of them or right beside, (B, 1, R / 4, R / 4) of bool."""
    most = torch.stack([layer[:, :1] for layer in layers]).amax(0)
    return F.max_pool2d(most, DETAIL_BLOCK + 2, DETAIL_BLOCK, padding=1) > SEEN


def own_colour(layers: Sequence[Tensor]) -> Tensor:
    """How much of each pixel layers (B, 5, R, R) cover with colours that are not borrowed: (B, 1, R, R).

    No gradient reaches how much they cover: to fade would be the cheapest way to own little.
    """
    return torch.stack([layer[:, :1].detach() * (1 - layer[:, 1:2]) for layer in layers]).sum(0)


def excess_cover(layers: list[Tensor], free: float) -> Tensor:
    """What share of the pictures layers (B, 5, R, R) cover beyond what is free, the mean of pictures, summed."""
    return torch.stack([F.relu(layer[:, 0].mean((1, 2)) - free).mean() for layer in layers]).sum()


def similarity(amounts: Tensor) -> Tensor:
    """How far to move right and down (in half sides), turn (in radians) and zoom (as a logarithm) -> what to look up.

    Args:
        amounts: (..., 4).

    Returns:
        (..., 2, 3), for `torch.nn.functional.affine_grid`.
    """
    right, down, turn, zoom = amounts.unbind(-1)
    cosine, sine = zoom.exp() * turn.cos(), zoom.exp() * turn.sin()
    rows = torch.stack([cosine, -sine, right]), torch.stack([sine, cosine, down])
    return torch.stack(rows).movedim((0, 1), (-2, -1))


def after(first: Tensor, second: Tensor) -> Tensor:
    """Amounts by which one look finds what two find, each (..., 4): in a picture seen by `first`, look by `second`.

    What `first` turns and zooms gets no gradient for how far that moves `second`: to zoom in
    would make all distances small.
    """
    moved = similarity(first.detach())[..., :2] @ second[..., :2, None]
    return first + torch.cat([moved[..., 0], second[..., 2:].expand_as(moved[..., 0])], dim=-1)


def undone(amounts: Tensor) -> Tensor:
    """Amounts (..., 4) that find what was there before."""
    back = torch.cat([torch.zeros_like(amounts[..., :2]), -amounts[..., 2:]], dim=-1)
    moved = similarity(back)[..., :2] @ amounts[..., :2, None]
    return back - F.pad(moved[..., 0], (0, 2))


def sampled(pictures: Tensor, amounts: Tensor, padding: str) -> Tensor:
    """Pictures (..., C, H, W), looked up elsewhere by amounts (..., 4), see `similarity`."""
    flat, looks = pictures.flatten(0, -4), similarity(amounts).flatten(0, -3)
    grid = F.affine_grid(looks.to(flat.dtype), list(flat.shape), align_corners=False)
    return F.grid_sample(flat, grid, padding_mode=padding, align_corners=False).view(pictures.shape)


class Pose(nn.Module):
    """Where the layers lie in a picture, as far as its common code tells: nothing is moved before training.

    It finds points of the face, each the middle of a map (spatial softmax: Levine et al. 2016,
    arXiv 1504.00702). Layers of neurons for the whole code, which has no set size, fall silent in the
    first steps instead.
    """

    def __init__(self, channels: int, layers: int) -> None:
        super().__init__()
        self.maps = nn.Sequential(nn.GroupNorm(1, channels), conv3(channels, 32), *norm_act(32), conv3(32, POINTS))
        self.amounts = nn.Linear(2 * POINTS, 4 * layers)
        nn.init.zeros_(self.amounts.weight)
        nn.init.zeros_(self.amounts.bias)

    def forward(self, common: Tensor) -> Tensor:
        """(B, C, s, s) -> amounts (B, layers, 4), see `similarity`."""
        amounts = self.amounts(middles(SHARP * self.maps(common).float()))
        return FARTHEST * torch.tanh(amounts).unflatten(1, (-1, 4))


def middles(maps: Tensor) -> Tensor:
    """Logits (B, N, s, s) -> the mean place of each map, -1 to 1 to the right and down, (B, 2 N)."""
    side = maps.shape[-1]
    shares = maps.flatten(2).softmax(2).unflatten(2, (side, side))
    places = (torch.arange(side, device=maps.device) + 0.5) / side * 2 - 1
    return torch.cat([(shares.sum(across) * places).sum(2) for across in (2, 3)], dim=1)


class Layer(nn.Module):
    """A separate code -> what its attribute looks like, and where.

    Attributes:
        source: of each cell of the canvas (s * s,), how much it counts in the borrowed colour, as a logit.
        usual_cover: how much the layer covers in the mean (1, R, R), as training found it; ones if it never did.
    """

    usual_cover: Tensor

    def __init__(self, size: int, width: int, numbers: int) -> None:
        super().__init__()
        widths = widths_down_to(width, halvings(size, CODE_SIDE))
        self.size, self.side = size, size // 2 ** len(widths)
        self.start = nn.Linear(numbers, widths[0] * self.side**2)
        body: list[nn.Module] = [Residual(widths[0])]
        for wide, narrow in itertools.pairwise(widths):
            body += [*double(wide, narrow), Residual(narrow)]
        last = conv3(widths[-1], 5 * 2**2)
        nn.init.constant_(last.bias[: 2**2], FAINT)  # type: ignore[index]
        self.body = nn.Sequential(*body, *norm_act(widths[-1]), last, nn.PixelShuffle(2))
        self.source = nn.Parameter(torch.zeros(self.side**2))
        self.register_buffer("usual_cover", torch.ones(1, size, size))

    def forward(self, code: Tensor) -> Tensor:
        """(B, D, 1, 1) -> (B, 5, R, R): how much it covers, what share of its colour is borrowed, its own colour.

        The first two are in [0, 1], colours in [-1, 1]. A code of zeros covers nothing.
        """
        there = code[:, :1].clamp(0, 1)
        features = self.start(code.flatten(1)).unflatten(1, (-1, self.side, self.side))
        cover, share, colour = self.body(features).float().split((1, 1, 3), dim=1)
        return torch.cat([there * torch.sigmoid(cover), torch.sigmoid(share), torch.tanh(colour)], dim=1)

    def of(self, codes: Tensor, rows: Tensor) -> Tensor:
        """Layers (B, 5, R, R) of codes (B, D, 1, 1): zeros, which cover nothing, but for some rows (n,)."""
        layers = codes.new_zeros(len(codes), 5, self.size, self.size)
        if not len(rows):
            return layers
        drawn = self(codes[rows])
        return layers.to(drawn.dtype).index_copy(0, rows, drawn)

    def over(self, canvas: Tensor, drawn: Tensor) -> Tensor:
        """The canvas (B, 3, R, R) with a layer (B, 5, R, R) over it."""
        return torch.lerp(canvas, self.colours(canvas, drawn), drawn[:, :1])

    def colours(self, canvas: Tensor, drawn: Tensor) -> Tensor:
        """What a layer (B, 5, R, R) lays over a canvas (B, 3, R, R), as opaque as can be: (B, 3, R, R).

        Borrowed is one colour of the canvas: skin, say, that hides the mouth beneath a smile.
        """
        share, colour = drawn[:, 1:2], drawn[:, 2:]
        cells = F.adaptive_avg_pool2d(canvas, self.side).flatten(2)
        borrowed = (cells * self.source.softmax(0)).sum(2)[..., None, None]
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
            *norm_act(last),
            conv3(last, last),
            *norm_act(last),
            conv3(last, 3 * 2**2),
            nn.PixelShuffle(2),
        )

    def forward(self, common: Tensor, details: Tensor) -> Tensor:
        """Common (B, C, s, s), details (B, numbers, R / 4, R / 4) -> images (B, 3, R, R) in [-1, 1]."""
        pixels = self.fine(self.coarse(common) + self.detail(details)) + self.pixels(details)
        return torch.tanh(pixels.float())

"""Where layers lie in a picture: told by its common code, in four numbers that move, turn and zoom."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .networks import NormAct, conv3

POINTS, SHARP = 32, 4.0  # of the face, which tell where layers lie, and the size of the logits that tell where they are
FARTHEST = 0.4  # how far layers are moved, turned and zoomed at most, see `similarity`


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
        self.maps = nn.Sequential(nn.GroupNorm(1, channels), conv3(channels, 32), NormAct(32), conv3(32, POINTS))
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

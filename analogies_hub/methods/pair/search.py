"""Fields of matches: for each patch of the result, which patch of the appearance image.

A field is an integer tensor (H, W) over the result's patches; its values are flat indices
into the appearance image's grid of patches (its `grid`, rows and columns).
"""

import math
from collections.abc import Callable

import torch
from torch import Tensor

PATCH = 7
MARGIN = PATCH // 2
WANDER = 20  # farthest random offer, in pixels of the level
Grid = tuple[int, int]
Pulse = Callable[[], None]  # called every fraction of a second or so; raises to cancel


def unheard() -> None:
    """A `Pulse` that nobody hears."""


def patch_grid(size: tuple[int, int]) -> Grid:
    """Rows and columns of patches in an image of (height, width)."""
    return size[0] - PATCH + 1, size[1] - PATCH + 1


def upsample_field(field: Tensor, grid: Grid, fine: Grid, fine_grid: Grid) -> Tensor:
    """A field carried to a finer level, each match with its offset inside the coarse pixel.

    Args:
        field: (H, W) into `grid`.
        fine, fine_grid: the grids of the result and of the appearance image at the new level.
    """
    row, row_rest, row_scale = source_places(field.shape[0], fine[0], grid[0], fine_grid[0], field.device)
    column, column_rest, column_scale = source_places(field.shape[1], fine[1], grid[1], fine_grid[1], field.device)
    old = field[row][:, column]
    rows = old.div(grid[1], rounding_mode="floor") + row_rest[:, None]
    columns = old % grid[1] + column_rest[None]
    half = PATCH / 2
    rows = ((rows + half) * row_scale - half).round().long().clamp(0, fine_grid[0] - 1)
    columns = ((columns + half) * column_scale - half).round().long().clamp(0, fine_grid[1] - 1)
    return rows * fine_grid[1] + columns


def source_places(old: int, new: int, grid: int, fine_grid: int, device: torch.device) -> tuple[Tensor, Tensor, float]:
    """Along one axis: the nearest coarse place of each fine one, the rest, and the match's scale."""
    half, border = PATCH / 2, PATCH - 1
    exact = (torch.arange(new, device=device) + half) * ((old + border) / (new + border)) - half
    place = exact.round().clamp(0, old - 1)
    return place.long(), exact - place, (fine_grid + border) / (grid + border)


class Refiner:
    """Improves a field by trying the matches of neighbours and random ones around each.

    Source: Barnes et al. 2009 (PatchMatch), with all places updated at once.
    """

    def __init__(self, queries: Tensor, keys: Tensor, grid: Grid, field: Tensor, pulse: Pulse = unheard) -> None:
        """Queries (N, D), keys (M, D) on `grid`, and the field (H, W) to start from."""
        self.queries, self.keys, self.grid, self.field, self.pulse = queries, keys, grid, field, pulse
        self.distance = self.distances(field)

    def distances(self, field: Tensor) -> Tensor:
        """Squared distance of each query to its match: (H, W)."""
        return (self.queries - self.keys[field.flatten()]).square().sum(1).view(field.shape)

    def offer(self, rows: Tensor, columns: Tensor) -> None:
        """Take the offered matches wherever they are nearer."""
        self.pulse()
        field = rows.clamp(0, self.grid[0] - 1) * self.grid[1] + columns.clamp(0, self.grid[1] - 1)
        distance = self.distances(field)
        nearer = distance < self.distance
        self.field = torch.where(nearer, field, self.field)
        self.distance = torch.where(nearer, distance, self.distance)

    def propagate(self) -> None:
        """Offer each place its four neighbours' matches, moved along."""
        for down, right in ((0, 1), (1, 0), (0, -1), (-1, 0)):
            moved = self.field.roll((down, right), (0, 1))
            self.offer(moved.div(self.grid[1], rounding_mode="floor") + down, moved % self.grid[1] + right)

    def wander(self, generator: torch.Generator) -> None:
        """Offer random matches around each present one, nearer and nearer."""
        radius = WANDER
        while radius >= 1:
            shift = torch.randint(-radius, radius + 1, (2, *self.field.shape), generator=generator)
            down, right = shift.to(self.field.device)
            self.offer(self.field.div(self.grid[1], rounding_mode="floor") + down, self.field % self.grid[1] + right)
            radius //= 3


def vote(
    field: Tensor,
    distance: Tensor,
    appearance: Tensor,
    grid: Grid,
    spread: float,
    tolerance: float,
    pulse: Pulse = unheard,
) -> Tensor:
    """The image (1, 3, H, W) on which the matched patches agree best.

    Every pixel is the weighted mean of what the patches that cover it say. A patch counts
    less for pixels far from its centre, and less the worse it matches.

    Args:
        field, distance: matches (h, w) into `grid` and their squared distances.
        appearance: image (1, 3, H', W') whose patches the field names.
        spread: sigma of the weight around a patch's centre, in pixels.
        tolerance: distance, as a share of the mean, at which a patch's weight is halved.
    """
    height, width = field.shape
    pixels = appearance[0].flatten(1).T.contiguous()
    row_length = appearance.shape[-1]
    corner = field.div(grid[1], rounding_mode="floor") * row_length + field % grid[1]
    trust = 1 / (distance / (tolerance * distance.mean() + 1e-8) + 1)
    total = pixels.new_zeros(height + PATCH - 1, width + PATCH - 1, 4)
    for down in range(PATCH):
        pulse()
        for right in range(PATCH):
            off_centre = (down - MARGIN) ** 2 + (right - MARGIN) ** 2
            weight = (trust * math.exp(-off_centre / (2 * spread**2)))[..., None]
            said = pixels[(corner + down * row_length + right).flatten()].view(height, width, 3)
            total[down : down + height, right : right + width] += torch.cat([said * weight, weight], 2)
    return (total[..., :3] / total[..., 3:]).permute(2, 0, 1)[None]

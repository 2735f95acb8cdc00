"""How far two sets of features are apart as distributions. Everything in float64.

FID is too high by about c / n, so compare it only at equal counts, beside its floor (two
halves of the real images at that count); KID has no such bias. Neither may be compared
across feature nets, nor with published tables, whose net is TensorFlow's Inception.
"""

from typing import NamedTuple

import torch
from torch import Tensor

from ..errors import UsageError

ROWS = 1024  # of a kernel matrix at once
NOISE = 1e-12  # what is left of 1 by rounding


class SubsetKid(NamedTuple):
    """KID over random subsets: mean and standard deviation (not its error), and the subsets' size."""

    mean: float
    deviation: float
    size: int


def fid(first: Tensor, second: Tensor) -> float:
    """Frechet distance of two Gaussians that have the sets' means and unbiased covariances.

    |m1 - m2|^2 + tr S1 + tr S2 - 2 tr (S1 S2)^(1/2). The last trace is the sum of the
    singular values of A B^T for any A^T A = S1, B^T B = S2; taken that way no covariance is
    formed nor rooted, which keeps all digits also with fewer samples than features.

    Args:
        first, second: features (N, D) and (M, D).

    Raises:
        UsageError: if they are no such tensors, not finite, or fewer than 2.

    Source: Heusel et al. 2017, eq. 6; Dowson and Landau 1982.
    """
    first, second = check(first, second)
    one, two = root(first), root(second)
    spread = one.square().sum() + two.square().sum()
    shift = (first.mean(0) - second.mean(0)).square().sum()
    value = float(shift + spread - 2 * torch.linalg.svdvals(one @ two.T).sum())
    return value if value > NOISE * float(shift + spread) else 0.0


def root(features: Tensor) -> Tensor:
    """(N, D) -> some R (min(N, D), D) whose R^T R is the unbiased covariance."""
    centred = (features - features.mean(0)) / (len(features) - 1) ** 0.5
    return torch.linalg.qr(centred, mode="r").R if len(centred) > centred.shape[1] else centred


def fid_infinity(first: Tensor, second: Tensor, repeats: int = 4, seed: int = 0) -> float:
    """FID at infinitely many samples: a line through FID against 1/n at 5 sizes n from N/2 to N.

    Unbiased, so it may be below 0. Each size is averaged over random subsets of both sets,
    which spread it about twice as much as FID.

    Args:
        first, second: features (N, D) and (M, D); the smaller count is N in what follows.
        repeats: random subsets a size.
        seed: of the subsets.

    Raises:
        UsageError: as `fid`, or if N < 2 D, where FID is no line in 1/n yet.

    Source: Chong and Forsyth 2020, with equally many of both sets.
    """
    first, second = check(first, second)
    count, width = min(len(first), len(second)), first.shape[1]
    if count < 2 * width:
        raise UsageError(
            f"fid_infinity needs twice as many samples as features, got {count} samples of {width} features; "
            "use kid, or more images"
        )
    generator = torch.Generator().manual_seed(seed)
    inverse = torch.linspace(1 / count, 2 / count, 5, dtype=torch.float64)
    values = []
    for size in (1 / inverse).round().int().tolist():
        draws = [fid(*(pick(each, size, generator) for each in (first, second))) for _ in range(repeats)]
        values.append(sum(draws) / repeats)
    line = torch.stack([torch.ones_like(inverse), inverse], 1)
    return float(torch.linalg.lstsq(line, torch.tensor(values, dtype=torch.float64)[:, None]).solution[0])


def pick(features: Tensor, size: int, generator: torch.Generator) -> Tensor:
    """So many of the samples, none twice."""
    return features[torch.randperm(len(features), generator=generator)[:size]]


def kid(first: Tensor, second: Tensor) -> float:
    """Squared maximum mean discrepancy under the kernel (x.y / D + 1)^3, unbiased; may be below 0.

    All samples once, which has the least variance. Papers print 100 or 1000 times this.

    Args:
        first, second: features (N, D) and (M, D).

    Raises:
        UsageError: if they are no such tensors, not finite, or fewer than 2.

    Source: Binkowski et al. 2018, section 4; Gretton et al. 2012, eq. 3.
    """
    first, second = check(first, second)
    one, two = ((kernel_sum(each, each) - kernel_diagonal(each).sum()) for each in (first, second))
    within = one / (len(first) * (len(first) - 1)) + two / (len(second) * (len(second) - 1))
    return float(within - 2 * kernel_sum(first, second) / (len(first) * len(second)))


def kid_subsets(first: Tensor, second: Tensor, size: int = 100, subsets: int = 100, seed: int = 0) -> SubsetKid:
    """KID as papers print it: mean and spread over random subsets.

    The spread depends on the size and is no confidence interval; `kid` is the better
    estimate, and `statistics.distance_interval` its interval.

    Args:
        first, second: features (N, D) and (M, D).
        size: of a subset; at most N and M are taken.
        subsets: how many; at least 2.
        seed: of the subsets.
    """
    first, second = check(first, second)
    if size < 2 or subsets < 2:
        raise UsageError(f"'size' and 'subsets' must be at least 2, got {size} and {subsets}")
    size = min(size, len(first), len(second))
    generator = torch.Generator().manual_seed(seed)
    values = [kid(*(pick(each, size, generator) for each in (first, second))) for _ in range(subsets)]
    deviation, mean = torch.std_mean(torch.tensor(values, dtype=torch.float64))
    return SubsetKid(float(mean), float(deviation), size)


def kernel(first: Tensor, second: Tensor) -> Tensor:
    """KID's kernel (x.y / D + 1)^3 of every pair: (N, D), (M, D) -> (N, M)."""
    return (first @ second.T / first.shape[1] + 1) ** 3


def kernel_diagonal(features: Tensor) -> Tensor:
    """The kernel of each sample with itself: (N, D) -> (N,)."""
    return (features.square().sum(1) / features.shape[1] + 1) ** 3


def kernel_sum(first: Tensor, second: Tensor) -> Tensor:
    """The kernel's sum over all pairs; the matrix is never whole in memory."""
    return torch.stack([kernel(part, second).sum() for part in first.split(ROWS)]).sum()


def sifid(first: Tensor, second: Tensor) -> Tensor:
    """Frechet distance of textures: of a layer's feature vectors over the places of one image.

    Report median and mean over the pairs: single pairs can lie far out.

    Args:
        first, second: the layer at stride 4 of N images and of N others, (N, C, H, W) and
            (N, C, H', W'): `block2` of `efflite0`, `conv4a` of `tv-inception`.

    Returns:
        A distance a pair: float64 (N,).

    Raises:
        UsageError: if an image has no more places than the layer has channels.

    Source: Shaham et al. 2019 (SinGAN), section 4.2, who take another net.
    """
    places = min(each.shape[2] * each.shape[3] for each in (first, second))
    if places <= first.shape[1]:
        raise UsageError(
            f"sifid needs more places than channels, got {places} places of {first.shape[1]} channels; "
            "use images of 64 px or more"
        )
    pairs = zip(first.flatten(2).mT, second.flatten(2).mT, strict=True)
    return torch.tensor([fid(*pair) for pair in pairs], dtype=torch.float64)


def check(first: Tensor, second: Tensor) -> tuple[Tensor, Tensor]:
    """Both sets as float64, or a `UsageError` that says what is wrong with them."""
    for features in (first, second):
        if features.ndim != 2 or features.shape[1] != first.shape[1]:
            shapes = f"{tuple(first.shape)} and {tuple(second.shape)}"
            raise UsageError(f"features must be (N, D) and (M, D) of one net, got {shapes}")
        if len(features) < 2:
            raise UsageError(f"a distance of distributions needs 2 or more images a set, got {len(features)}")
        if not bool(torch.isfinite(features).all()):
            raise UsageError("features hold NaN or infinity; look for broken images or weights")
    return first.double(), second.double()

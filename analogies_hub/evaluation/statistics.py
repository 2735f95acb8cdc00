"""Intervals and tests for scores. An interval says over what: edits of test inputs, or trainings.

Rows that share an input are not independent: everything here that takes `clusters`
resamples whole inputs. Under some 30 inputs these intervals are too narrow: of 95 % ones,
91 % hold the truth at 20. Distances of sets have an interval of their own.
"""

import math
from collections.abc import Callable, Sequence
from functools import lru_cache
from statistics import NormalDist
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from ..errors import UsageError

DRAWS = 10_000
ROWS = 1000  # draws at once
Values = np.ndarray | Sequence[float]


class Interval(NamedTuple):
    """A number and the ends of its confidence interval."""

    value: float
    low: float
    high: float


class Difference(NamedTuple):
    """A difference with its interval, and the two-sided p of its being 0."""

    interval: Interval
    p: float


def wilson(successes: int, n: int, level: float = 0.95) -> Interval:
    """A share of independent trials with its interval.

    Raises:
        UsageError: if there are no trials, or more successes than trials.

    Source: Wilson 1927.

    >>> [round(end, 3) for end in wilson(62, 64)]
    [0.969, 0.893, 0.991]
    """
    if not 0 <= successes <= n or n < 1:
        raise UsageError(f"a share needs 0 <= successes <= n and n >= 1, got {successes} of {n}")
    z = NormalDist().inv_cdf((1 + check_level(level)) / 2)
    share = successes / n
    centre = (share + z * z / (2 * n)) / (1 + z * z / n)
    reach = z / (1 + z * z / n) * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    # of no successes the lower end is 0, of nothing else the upper is 1, but for rounding
    return Interval(share, 0.0 if successes == 0 else centre - reach, 1.0 if successes == n else centre + reach)


def bootstrap_mean(values: Values, clusters: Values, level: float = 0.95, seed: int = 0) -> Interval:
    """A mean over rows with the interval from resampling clusters.

    Args:
        values: one a row (N,); NaN where the score does not apply to the row.
        clusters: the input each row is of (N,).
        seed: of the resampling.

    Raises:
        UsageError: as `bootstrap_ratio`.
    """
    return bootstrap_ratio(values, np.ones(len(values)), clusters, level, seed)


def bootstrap_ratio(above: Values, below: Values, clusters: Values, level: float = 0.95, seed: int = 0) -> Interval:
    """A ratio of two sums over rows, with the percentile interval from resampling clusters.

    Args:
        above, below: numerator and denominator of each row (N,); rows with NaN in either are left out.
        clusters: the input each row is of (N,).
        seed: of the resampling; equal clusters and seed give equal draws.

    Raises:
        UsageError: if lengths differ, a value is infinite, fewer than 2 clusters have values,
            or the denominators sum to 0.

    Source: Efron and Tibshirani 1993, chapter 13; Field and Welsh 2007 for clusters.
    """
    value, draws = ratio_draws(above, below, clusters, seed)
    return Interval(value, *percentiles(draws, level))


def paired_ratio(
    first: Values, second: Values, below: Values, clusters: Values, level: float = 0.95, seed: int = 0
) -> Difference:
    """First minus second method's ratio of sums over the same rows and denominators.

    Args:
        first, second: each method's numerator of each row (N,); rows with NaN in any are left out.
        below, clusters: of each row (N,), the same for both methods.
        seed: of the resampling.

    Returns:
        The difference with its interval from resampling clusters, and twice the smaller share
        of draws on either side of 0; never 0 itself.

    Raises:
        UsageError: as `bootstrap_ratio`.
    """
    if len(first) != len(second):
        raise UsageError(f"paired rows must be equally many, got {len(first)} and {len(second)}")
    value, draws = ratio_draws(scores_of(first) - scores_of(second), below, clusters, seed)
    tail = min((draws <= 0).sum(), (draws >= 0).sum())
    p = min(1.0, 2 * (int(tail) + 1) / (len(draws) + 1))
    return Difference(Interval(value, *percentiles(draws, level)), p)


def paired_difference(
    first: Values, second: Values, clusters: Values, level: float = 0.95, seed: int = 0
) -> Difference:
    """First minus second method's mean over the same rows, as `paired_ratio`."""
    return paired_ratio(first, second, np.ones(len(first)), clusters, level, seed)


def scores_of(values: Values) -> np.ndarray:
    """Rows as floats, or a `UsageError` if one is infinite."""
    scores = np.asarray(values, dtype=float)
    if np.isinf(scores).any():
        raise UsageError("scores hold infinity; mark rows to which a score does not apply by NaN")
    return scores


def ratio_draws(above: Values, below: Values, clusters: Values, seed: int) -> tuple[float, np.ndarray]:
    """A ratio of sums, and the same of `DRAWS` samples of the clusters."""
    above, below, clusters = scores_of(above), scores_of(below), np.asarray(clusters)
    if not above.shape == below.shape == clusters.shape or above.ndim != 1:
        raise UsageError(f"rows must be equally many, got {above.shape}, {below.shape} and {clusters.shape}")
    applies = ~(np.isnan(above) | np.isnan(below))
    names, place = np.unique(clusters[applies], return_inverse=True)
    if len(names) < 2:
        raise UsageError(f"an interval needs scores of 2 or more inputs, got {len(names)}; evaluate more")
    sums = np.stack([np.bincount(place, each[applies], len(names)) for each in (above, below)], 1)
    if sums[:, 1].sum() == 0:
        raise UsageError("the denominators of a ratio sum to 0; there is nothing to measure against")
    counts = resamples(len(names), seed)
    drawn = np.concatenate([counts[start : start + ROWS] @ sums for start in range(0, DRAWS, ROWS)])
    drawn = drawn[drawn[:, 1] != 0]  # samples of clusters that say nothing
    total, whole = sums.sum(0)
    return float(total / whole), drawn[:, 0] / drawn[:, 1]


@lru_cache(maxsize=2)
def resamples(count: int, seed: int, draws: int = DRAWS) -> np.ndarray:
    """How often each of the clusters is in each sample of as many: (draws, count) whole numbers."""
    generator = np.random.default_rng(seed)
    counts = np.empty((draws, count), dtype=np.uint8)  # of more than 255 none is drawn 256 times: p < 1e-500
    for start in range(0, draws, ROWS):
        rows = min(ROWS, draws - start)
        chosen = generator.integers(count, size=(rows, count)) + count * np.arange(rows)[:, None]
        counts[start : start + rows] = np.bincount(chosen.ravel(), minlength=rows * count).reshape(rows, count)
    counts.flags.writeable = False
    return counts


def percentiles(draws: np.ndarray, level: float) -> tuple[float, float]:
    """The ends of the middle share of the draws."""
    low, high = np.quantile(draws, [(1 - check_level(level)) / 2, (1 + level) / 2])
    return float(low), float(high)


def check_level(level: float) -> float:
    """The level itself, or a `UsageError` if it is none."""
    if not 0 < level < 1:
        raise UsageError(f"'level' must be between 0 and 1, got {level:g}; 0.95 is usual")
    return level


def holm(p_values: Sequence[float]) -> list[float]:
    """p values corrected for their number, in their order: below 0.05 in any is an error in 5 % of tables.

    Source: Holm 1979.

    >>> holm([0.01, 0.04, 0.03])
    [0.03, 0.06, 0.06]
    """
    adjusted, largest = [0.0] * len(p_values), 0.0
    for rank, place in enumerate(np.argsort(p_values, kind="stable").tolist()):
        largest = max(largest, min(1.0, (len(p_values) - rank) * float(p_values[place])))
        adjusted[place] = largest
    return adjusted


def mcnemar(first: Values, second: Values) -> float:
    """Two-sided exact p that two methods are right equally often, from the inputs where just one is.

    Args:
        first, second: whether each method is right on each of the same independent inputs.

    Raises:
        UsageError: if they are not equally many.

    Source: McNemar 1947, with the binomial distribution.

    >>> mcnemar([1, 1, 1, 1, 1, 1, 0], [0, 0, 0, 0, 0, 0, 0])
    0.03125
    """
    one, two = np.asarray(first, dtype=bool), np.asarray(second, dtype=bool)
    if one.shape != two.shape:
        raise UsageError(f"paired answers must be equally many, got {one.shape} and {two.shape}")
    wins, losses = int((one & ~two).sum()), int((two & ~one).sum())
    count = wins + losses
    term = tail = 1
    for place in range(min(wins, losses)):
        term = term * (count - place) // (place + 1)
        tail += term
    return min(1.0, 2 * tail / 2**count)


def seeds_interval(values: Values, level: float = 0.95) -> Interval:
    """The mean over trainings of different seeds, with Student's interval.

    A bootstrap of so few covers too little: 84 instead of 95 % at 5 seeds.

    Raises:
        UsageError: if there are fewer than 2, one is not finite, or SciPy is not installed.
    """
    try:
        from scipy.special import stdtrit  # type: ignore[import-untyped]
    except ImportError:
        raise UsageError(
            "intervals over seeds need SciPy; install it with: pip install 'analogies-hub[eval]'"
        ) from None
    scores = np.asarray(values, dtype=float)
    if scores.ndim != 1 or len(scores) < 2 or not np.isfinite(scores).all():
        raise UsageError(f"an interval over seeds needs 2 or more finite scores, got {scores.tolist()}")
    mean, error = float(scores.mean()), float(scores.std(ddof=1)) / math.sqrt(len(scores))
    reach = float(stdtrit(len(scores) - 1, (1 + check_level(level)) / 2)) * error
    return Interval(mean, mean - reach, mean + reach)


def distance_interval(
    distance: Callable[[Tensor, Tensor], float],
    first: Tensor,
    second: Tensor,
    clusters: Values | None = None,
    level: float = 0.95,
    draws: int = 50,
    seed: int = 0,
) -> Interval:
    """A distance of two sets of images with the normal interval from its spread over random halves of both.

    Halves hold no image twice, as bootstrap samples do, which FID and KID take for likeness.
    The spread of a distance over halves estimates its own. The interval is about what these
    counts give on average: FID's bias at small counts is not in it. Where the sets are alike
    it is up to twice too wide.

    Args:
        distance: of features (N, D) and (M, D), such as `fid` or `kid`.
        first, second: features of the two sets.
        clusters: the input each of the first is of (N,); by default each is of its own.
        draws: halves of each set.
        seed: of the halves.

    Raises:
        UsageError: as the distance, or if a set has fewer than 4 images or clusters.

    Source: the delete-half jackknife of Shao and Wu 1989.
    """
    generator = np.random.default_rng(seed)
    _, place = np.unique(np.arange(len(first)) if clusters is None else np.asarray(clusters), return_inverse=True)
    counts = int(place.max(initial=-1)) + 1, len(second)
    if min(counts) < 4:
        raise UsageError(f"an interval of a distance needs 4 or more images a set, got {counts[0]} and {counts[1]}")
    values = []
    for _ in range(draws):
        one, two = (generator.permutation(count)[: count // 2] for count in counts)
        values.append(distance(first[torch.from_numpy(np.isin(place, one))], second[torch.from_numpy(two)]))
    reach = NormalDist().inv_cdf((1 + check_level(level)) / 2) * float(np.std(values, ddof=1))
    value = distance(first, second)
    return Interval(value, value - reach, value + reach)

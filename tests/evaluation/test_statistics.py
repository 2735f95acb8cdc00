"""Intervals and tests with known answers, against SciPy, and by simulation."""

import math

import numpy as np
import pytest
import torch

from analogies_hub.errors import UsageError
from analogies_hub.evaluation.distribution import fid, kid
from analogies_hub.evaluation.statistics import (
    bootstrap_mean,
    bootstrap_ratio,
    distance_interval,
    holm,
    mcnemar,
    paired_difference,
    paired_ratio,
    seeds_interval,
    wilson,
)

stats = pytest.importorskip("scipy.stats", reason="SciPy is not installed")


@pytest.mark.parametrize(("successes", "n"), [(62, 64), (0, 10), (10, 10), (1, 1), (487, 1000)])
@pytest.mark.parametrize("level", [0.9, 0.95])
def test_wilson_is_scipy_s(successes, n, level):
    expected = stats.binomtest(successes, n).proportion_ci(level, method="wilson")
    assert wilson(successes, n, level) == pytest.approx((successes / n, expected.low, expected.high), abs=1e-12)
    assert 0 <= wilson(successes, n, level).low <= wilson(successes, n, level).high <= 1


@pytest.mark.parametrize(("wins", "losses"), [(6, 0), (5, 0), (12, 30), (7, 7), (0, 0), (150, 90)])
def test_mcnemar_is_the_exact_binomial_test(wins, losses):
    first = [1] * wins + [0] * losses + [1, 0] * 20
    second = [0] * wins + [1] * losses + [1, 0] * 20
    expected = stats.binomtest(wins, wins + losses).pvalue if wins + losses else 1.0
    assert mcnemar(first, second) == pytest.approx(expected, rel=1e-9)
    assert mcnemar(second, first) == mcnemar(first, second)


def test_holm_steps_down_and_never_crosses():
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.9, 0.6]) == [1, 1]
    assert holm([]) == []


def test_the_interval_over_seeds_is_student_s():
    scores = [0.91, 0.88, 0.95, 0.9, 0.86]
    expected = stats.t.interval(0.95, 4, loc=np.mean(scores), scale=stats.sem(scores))
    assert seeds_interval(scores) == pytest.approx((np.mean(scores), *expected), rel=1e-9)
    assert seeds_interval([0, 2]).high == pytest.approx(1 + 12.706, abs=1e-3)


def many_rows(generator, inputs=60, rows=10):
    """Scores of mean 0 in which rows of one input share most of their luck: (values, inputs)."""
    values = generator.normal(size=(inputs, 1)) + 0.5 * generator.normal(size=(inputs, rows))
    return values.ravel(), np.repeat(np.arange(inputs), rows)


def test_clustered_intervals_hold_the_truth_as_often_as_they_say_and_naive_ones_do_not():
    generator = np.random.default_rng(0)
    clustered = naive = 0
    for _ in range(300):
        values, inputs = many_rows(generator)
        interval = bootstrap_mean(values, inputs)
        clustered += interval.low <= 0 <= interval.high
        naive += abs(values.mean()) <= 1.96 * values.std(ddof=1) / math.sqrt(len(values))
    assert 0.91 <= clustered / 300 <= 0.98
    assert naive / 300 < 0.7


def test_differences_of_nothing_are_found_in_one_of_twenty_tables_and_real_ones_always():
    generator = np.random.default_rng(1)
    found = 0
    for _ in range(300):
        values, inputs = many_rows(generator)
        luck = many_rows(generator)[0]
        found += paired_difference(values + luck, values, inputs).p < 0.05
    assert 0.02 <= found / 300 <= 0.09
    gap, p = paired_difference(values + 0.2 + 0.1 * luck, values, inputs)
    assert p < 0.001 and gap.low > 0 and gap.value == pytest.approx(0.2 + 0.1 * luck.mean())
    assert gap.high - gap.low < 0.5 * np.ptp(bootstrap_mean(values, inputs)[1:])  # pairing pays


def test_one_row_an_input_is_the_ordinary_bootstrap():
    values = np.random.default_rng(2).exponential(size=200)
    ours = bootstrap_mean(values, np.arange(200))
    theirs = stats.bootstrap((values,), np.mean, n_resamples=10_000, method="percentile", rng=0).confidence_interval
    assert ours == pytest.approx((values.mean(), theirs.low, theirs.high), abs=0.01)


def test_a_ratio_is_of_sums_and_resamples_both_together():
    below = np.random.default_rng(3).uniform(1, 100, 80)
    assert bootstrap_ratio(0.3 * below, below, np.arange(80)) == pytest.approx((0.3, 0.3, 0.3))
    assert bootstrap_ratio([1, 2, 9], [1, 1, 2], [0, 1, 2]).value == pytest.approx(3)  # not (1 + 2 + 4.5) / 3


def test_draws_are_the_same_again_and_whatever_the_clusters_are_called():
    values, inputs = many_rows(np.random.default_rng(4))
    first = bootstrap_mean(values, inputs)
    assert bootstrap_mean(values, inputs) == first != bootstrap_mean(values, inputs, seed=1)
    assert bootstrap_mean(values, [f"{number:03}" for number in inputs]) == first
    order = np.random.default_rng(0).permutation(len(values))
    assert bootstrap_mean(values[order], inputs[order]) == pytest.approx(first, abs=1e-12)


def test_rows_without_a_score_are_left_out_of_both_sums():
    values, inputs = np.array([1.0, np.nan, 3.0, 5.0]), [0, 0, 1, 2]
    assert bootstrap_mean(values, inputs).value == 3
    assert paired_ratio(values, [0, 0, np.nan, 0], [1, 1, 1, 1], inputs).interval.value == 3


def test_a_method_does_not_differ_from_itself():
    right = np.array([True, False, True, True])
    assert paired_difference(right, right, [0, 1, 2, 3]) == ((0, 0, 0), 1)


def test_many_clusters_give_the_normal_interval():
    values = np.arange(700.0)
    interval = bootstrap_mean(values, np.arange(700))
    error = values.std() / 700**0.5
    assert interval == pytest.approx((349.5, 349.5 - 1.96 * error, 349.5 + 1.96 * error), abs=1)


def features(count, seed, shift=0.0):
    return torch.randn(count, 16, generator=torch.Generator().manual_seed(seed), dtype=torch.float64) + shift


@pytest.mark.parametrize("distance", [fid, kid])
def test_intervals_of_distances_hold_what_these_counts_give_and_are_not_much_wider(distance):
    values, intervals = [], []
    for seed in range(100):
        sets = features(200, seed, 0.7), features(200, seed + 1000)
        values.append(distance(*sets))
        intervals.append(distance_interval(distance, *sets, seed=seed))
    assert 92 <= sum(low <= np.mean(values) <= high for _, low, high in intervals) <= 100
    assert 0.9 < np.mean([high - low for _, low, high in intervals]) / (2 * 1.96 * np.std(values)) < 1.4


def test_an_interval_of_a_distance_resamples_whole_inputs():
    second = features(100, 1)
    single = features(25, 0, 0.5)
    alone = distance_interval(kid, single, second)
    repeated = distance_interval(kid, single.repeat_interleave(4, 0), second, clusters=np.repeat(np.arange(25), 4))
    naive = distance_interval(kid, single.repeat_interleave(4, 0), second)
    assert alone == distance_interval(kid, single, second) != distance_interval(kid, single, second, seed=1)
    width = [interval.high - interval.low for interval in (alone, repeated, naive)]
    assert width[1] == pytest.approx(width[0], rel=0.3) and width[2] < 0.7 * width[1]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: wilson(3, 2), "successes"),
        (lambda: wilson(1, 2, level=95), "between 0 and 1"),
        (lambda: bootstrap_mean([1, 2], [0, 0]), "2 or more inputs"),
        (lambda: bootstrap_mean([1, np.inf], [0, 1]), "infinity"),
        (lambda: paired_difference([np.inf, 1], [np.inf, 1], [0, 1]), "infinity"),
        (lambda: bootstrap_ratio([1, 2], [0, 0], [0, 1]), "sum to 0"),
        (lambda: bootstrap_mean([1, 2, 3], [0, 1]), "equally many"),
        (lambda: paired_difference([1, 2], [1], [0, 1]), "equally many"),
        (lambda: mcnemar([1, 0], [1]), "equally many"),
        (lambda: seeds_interval([1]), "2 or more"),
        (lambda: distance_interval(kid, features(3, 0), features(5, 0)), "4 or more"),
    ],
)
def test_what_has_no_interval_is_refused(call, message):
    with pytest.raises(UsageError, match=message):
        call()

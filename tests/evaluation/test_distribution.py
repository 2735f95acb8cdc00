"""FID, KID and SIFID on features whose distance is known, and against independent formulas."""

import pytest
import torch

from analogies_hub.errors import UsageError
from analogies_hub.evaluation.distribution import fid, fid_infinity, kid, kid_subsets, sifid


def normal(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def white(count, width, seed=0):
    """Samples whose mean is 0 and whose covariance is 1, to the last digits."""
    samples = normal(count, width, seed=seed)
    samples = samples - samples.mean(0)
    factor = torch.linalg.cholesky(samples.T @ samples / (count - 1))
    return torch.linalg.solve_triangular(factor, samples.T, upper=False).T


def mixed(count, width, seed):
    return normal(count, width, seed=seed) @ normal(width, width, seed=9) / width**0.5


def fid_by_eigenvalues(first, second):
    """The textbook way: the square root of one covariance, then eigenvalues of the product."""
    one, two = torch.cov(first.T), torch.cov(second.T)
    values, vectors = torch.linalg.eigh(one)
    half = (vectors * values.clamp(min=0).sqrt()) @ vectors.T
    cross = torch.linalg.eigvalsh(half @ two @ half).clamp(min=0).sqrt().sum()
    return float((first.mean(0) - second.mean(0)).square().sum() + one.trace() + two.trace() - 2 * cross)


def test_fid_of_shifted_white_features_is_the_shift_squared():
    shift = torch.linspace(-1, 2, 12, dtype=torch.float64)
    assert fid(white(80, 12), white(60, 12, seed=1) + shift) == pytest.approx(float(shift.square().sum()), abs=1e-9)


def test_fid_of_stretched_white_features_is_known():
    one, two = torch.linspace(0.1, 4, 12, dtype=torch.float64), torch.linspace(3, 0.2, 12, dtype=torch.float64)
    expected = float((one.sqrt() - two.sqrt()).square().sum())
    assert fid(white(80, 12) * one.sqrt(), white(60, 12, seed=1) * two.sqrt()) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("counts", [(200, 150), (20, 150), (30, 25)])
def test_fid_agrees_with_the_textbook_s_on_both_sides_of_n_equal_d(counts):
    first, second = (mixed(count, 40, seed) for seed, count in enumerate(counts))
    assert fid(first, second + 0.2) == pytest.approx(fid_by_eigenvalues(first, second + 0.2), rel=1e-6)


def test_fid_and_kid_agree_with_torchmetrics():
    reason = "torchmetrics is not installed"
    fids, kids = (pytest.importorskip(f"torchmetrics.image.{name}", reason=reason) for name in ("fid", "kid"))
    first, second = mixed(300, 24, 1), 0.3 + 1.2 * mixed(300, 24, 2)

    class Features(torch.nn.Module):
        num_features = 24

        def forward(self, rows):
            return rows

    distances = (fids.FrechetInceptionDistance(Features(), input_img_size=(24,)).set_dtype(torch.float64),)
    distances += (kids.KernelInceptionDistance(Features(), subsets=1, subset_size=300),)
    for distance in distances:
        distance.update(first, real=True)
        distance.update(second, real=False)
    assert fid(first, second) == pytest.approx(float(distances[0].compute()), rel=1e-5)
    assert kid(first, second) == pytest.approx(float(distances[1].compute()[0]), rel=1e-5)


def test_a_set_has_no_distance_to_itself_in_any_order():
    for count, width in ((300, 20), (20, 300)):
        features = 1e3 + mixed(count, width, 0)
        order = torch.randperm(count, generator=torch.Generator().manual_seed(1))
        assert fid(features, features) == 0
        assert fid(features, features[order]) == 0
        other = mixed(count, width, 1)
        assert fid(features[order], other) == pytest.approx(fid(features, other), rel=1e-12)
        assert fid(other, features) == pytest.approx(fid(features, other), rel=1e-12)
        assert kid(features[order], other) == pytest.approx(kid(features, other), rel=1e-9)


def test_kid_is_the_double_loop_over_distinct_pairs():
    first, second = normal(9, 4).float(), normal(7, 4, seed=1).float() + 1

    def k(x, y):
        return (float(x.double() @ y.double()) / 4 + 1) ** 3

    def within(rows):
        pairs = [k(x, y) for i, x in enumerate(rows) for j, y in enumerate(rows) if i != j]
        return sum(pairs) / len(pairs)

    across = sum(k(x, y) for x in first for y in second) / 63
    assert kid(first, second) == pytest.approx(within(first) + within(second) - 2 * across, rel=1e-12)


def test_kid_in_parts_is_kid_at_once(monkeypatch):
    first, second = normal(50, 8), normal(40, 8, seed=1) + 0.5
    whole = kid(first, second)
    monkeypatch.setattr("analogies_hub.evaluation.distribution.ROWS", 7)
    assert kid(first, second) == pytest.approx(whole, rel=1e-12)


def test_kid_is_unbiased_where_fid_is_not():
    pairs = [(normal(20, 8, seed=seed), normal(20, 8, seed=seed + 1000)) for seed in range(200)]
    values = torch.tensor([kid(*pair) for pair in pairs])
    assert abs(values.mean()) < 3 * values.std() / 200**0.5
    assert min(fid(*pair) for pair in pairs) > 0.5


def test_subsets_of_everything_are_the_point_estimate_and_the_seed_decides():
    first, second = normal(30, 6), normal(30, 6, seed=1) + 0.5
    mean, deviation, size = kid_subsets(first, second, size=1000)
    assert size == 30 and mean == pytest.approx(kid(first, second)) and deviation < 1e-12
    assert kid_subsets(first, second, size=10) == kid_subsets(first, second, size=10)
    assert kid_subsets(first, second, size=10) != kid_subsets(first, second, size=10, seed=1)


def test_fid_infinity_removes_the_bias_of_few_samples():
    shift = 0.3  # the true distance is 24 * 0.09 = 2.16
    runs = [(normal(100, 24, seed=seed), normal(100, 24, seed=seed + 500) + shift) for seed in range(10)]
    plain = torch.tensor([fid(*run) for run in runs])
    straight = torch.tensor([fid_infinity(*run) for run in runs])
    assert plain.mean() > 2.16 + 2
    assert abs(straight.mean() - 2.16) < 0.5 and straight.std() < 5 * plain.std()


def test_sifid_compares_texture_and_not_place():
    texture = normal(3, 5, 12, 12).abs()
    rolled = texture.roll((3, 5), (2, 3))
    rougher = texture * torch.tensor([1.0, 1.5, 2.0])[:, None, None, None]
    assert sifid(texture, rolled).tolist() == [0, 0, 0]
    near, middle, far = sifid(texture, rougher).tolist()
    assert near == 0 and 0 < middle < far
    rows = [image.flatten(1).T for image in (texture[2], rougher[2])]
    assert far == pytest.approx(fid(*rows))


@pytest.mark.parametrize(
    ("distance", "arguments", "message"),
    [
        (fid, (normal(1, 3), normal(5, 3)), "2 or more"),
        (kid, (normal(5, 3), normal(5, 4)), "of one net"),
        (kid, (normal(5, 3), normal(5, 3) / 0), "NaN or infinity"),
        (fid_infinity, (normal(50, 30), normal(60, 30)), "twice as many"),
        (sifid, (normal(1, 9, 3, 3), normal(1, 9, 4, 4)), "more places than channels"),
    ],
)
def test_what_cannot_be_measured_is_refused(distance, arguments, message):
    with pytest.raises(UsageError, match=message):
        distance(*arguments)

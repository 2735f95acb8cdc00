"""Distances in the layers of a net that shows the pixels themselves, where they are known."""

import pytest
import torch

from analogies_hub.errors import UsageError
from analogies_hub.evaluation.features import FeatureNet
from analogies_hub.evaluation.perceptual import content_distance, diversity, mean_grams, pdist, style_distance

GREY = 51 / 255


@pytest.fixture
def net():
    """Two layers: the image, and the image at half its size, doubled."""
    return FeatureNet(
        "plain", "0", lambda x: x.mean((2, 3)), lambda x: {"image": x, "half": 2 * torch.nn.functional.avg_pool2d(x, 2)}
    )


def flat(*colours, size=32):
    """Images (N, 3, 32, 32) of one colour each."""
    return torch.tensor(colours, dtype=torch.float32)[:, :, None, None].expand(-1, -1, size, size)


def pictures(count, seed=0):
    return torch.randint(0, 256, (count, 3, 32, 32), generator=torch.Generator().manual_seed(seed)) / 255


def test_content_distance_is_the_mean_square_in_each_layer(net):
    first, second = flat((0, 0, 0), (1, 0, 0)), flat((GREY, 0, 0), (0, 0, 0))
    distance = content_distance(net, first, second)
    assert distance["image"].tolist() == pytest.approx([GREY**2 / 3, 1 / 3], rel=1e-6)
    assert distance["half"].tolist() == pytest.approx([4 * GREY**2 / 3, 4 / 3], rel=1e-6)


def test_pdist_sees_direction_and_not_strength(net):
    first = flat((1, 0, 0), (1, 0, 0), (0.6, 0.8, 0), (0, 0, 0))
    second = flat((GREY, 0, 0), (0, 1, 0), (0.6, 0.8, 0), (1, 0, 0))
    assert pdist(net, first, second).tolist() == pytest.approx([0, 2, 0, 1], abs=1e-6)


def test_pdist_under_a_mask_is_that_of_what_it_shows(net):
    first, second = flat((1, 0, 0)), flat((1, 0, 0)).clone()
    second[..., 24:] = flat((0, 1, 0))[..., 24:]
    mask = torch.zeros(1, 1, 32, 32)
    mask[..., 16:] = 1  # half of it differs
    assert pdist(net, first, second).item() == pytest.approx(0.5)
    assert pdist(net, first, second, mask).item() == pytest.approx(1)
    assert pdist(net, first, second, 1 - mask).item() == pytest.approx(0, abs=1e-9)
    assert pdist(net, first, second, 0 * mask).isnan()


def test_more_images_than_a_batch_give_the_same(net, monkeypatch):
    first, second, mask = pictures(9), pictures(9, seed=1), pictures(9, seed=2)[:, :1]
    whole = pdist(net, first, second, mask), content_distance(net, first, second), style_distance(net, first, second)
    monkeypatch.setattr("analogies_hub.evaluation.perceptual.BATCH", 4)
    torch.testing.assert_close(pdist(net, first, second, mask), whole[0])
    torch.testing.assert_close(content_distance(net, first, second), whole[1])
    assert style_distance(net, first, second)["half"] == pytest.approx(whole[2]["half"], rel=1e-9)


def gram(maps):
    """Eq. 3 of Johnson et al. 2016, written out."""
    _, channels, height, width = maps.shape
    return torch.einsum("nchw,ndhw->ncd", maps.double(), maps.double()) / (channels * height * width)


@pytest.mark.parametrize("channels", [3, 40])  # fewer and more than places
def test_style_distance_agrees_with_its_definition(channels):
    lift = torch.rand(channels, 3, generator=torch.Generator().manual_seed(2))
    net = FeatureNet(
        "lifted", "0", None, lambda x: {"image": torch.einsum("dc,nchw->ndhw", lift, x[..., ::8, ::8]).relu()}
    )
    results, targets = pictures(5), pictures(4, seed=1) ** 2
    found, wanted = gram(net.maps(results)["image"]), gram(net.maps(targets)["image"]).mean(0)
    torch.testing.assert_close(mean_grams(net, targets)["image"], wanted)
    average = (found.mean(0) - wanted).square().sum()
    single = (found - wanted).square().sum((1, 2)).mean()
    assert style_distance(net, results, targets)["image"] == pytest.approx((float(average), float(single)), rel=1e-9)


def test_the_average_gram_hides_variety_and_the_single_one_does_not(net):
    extremes, alike = flat((1, 0, 0), (0, 1, 0)), flat((1, 0, 0), (0, 1, 0))[[0, 0]]
    same = style_distance(net, extremes, extremes)["image"]
    assert same.average == pytest.approx(0, abs=1e-12) and same.single == pytest.approx(2 / 36)
    assert style_distance(net, alike, alike)["image"] == pytest.approx((0, 0), abs=1e-12)


def test_diversity_is_the_mean_over_pairs(net):
    varied = pictures(3)
    pairs = [pdist(net, varied[a : a + 1], varied[b : b + 1]) for a, b in ((0, 1), (0, 2), (1, 2))]
    found = diversity(net, torch.stack([varied, varied[[0, 0, 0]]]))
    torch.testing.assert_close(found, torch.stack([torch.cat(pairs).mean(), torch.zeros((), dtype=torch.float64)]))


def test_diversity_under_a_mask_sees_nothing_else(net):
    varied = flat((1, 0, 0), (0, 1, 0)).clone()
    varied[..., 16:] = 0.5
    left = torch.zeros(1, 1, 32, 32)
    left[..., :16] = 1
    assert diversity(net, varied[None], left).item() == pytest.approx(2)
    assert diversity(net, varied[None], 1 - left).item() == pytest.approx(0, abs=1e-9)


def test_unequal_pairs_and_single_results_are_refused(net):
    with pytest.raises(UsageError, match="equal shapes"):
        content_distance(net, pictures(2), pictures(3))
    with pytest.raises(UsageError, match="2 or more results"):
        diversity(net, pictures(2)[:, None])

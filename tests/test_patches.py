"""The exact searches, against plain evaluation of their formulas."""

import torch

from analogies_hub.filters import blur, ranks, resize
from analogies_hub.patches import BLOCK, extract, nearest, nearest_bidirectional


def clouds(queries, keys, dimensions=5):
    generator = torch.Generator().manual_seed(0)
    return torch.randn(queries, dimensions, generator=generator), torch.randn(keys, dimensions, generator=generator)


def test_nearest_is_the_plain_minimum_of_all_distances():
    queries, keys = clouds(300, 200)
    plain = torch.cdist(queries, keys).square()
    squares, indices = nearest(queries, keys)
    torch.testing.assert_close(squares, plain.min(1).values, atol=1e-4, rtol=1e-4)
    assert torch.equal(indices, plain.argmin(1))


def test_blocks_do_not_change_the_answer():
    queries, keys = clouds(40, BLOCK // 16)
    assert torch.equal(nearest(queries, keys)[1], torch.cdist(queries, keys).argmin(1))


def test_bidirectional_is_the_formula_of_the_paper():
    queries, keys = clouds(120, 90)
    plain = torch.cdist(queries, keys).square()
    for alpha in (0.01, 1.0):
        score = plain / (alpha + plain.min(0).values)
        assert torch.equal(nearest_bidirectional(queries, keys, alpha), score.argmin(1))


def test_without_normalisation_a_large_alpha_is_the_plain_nearest():
    queries, keys = clouds(120, 90)
    assert torch.equal(nearest_bidirectional(queries, keys, 1e6), nearest(queries, keys)[1])


def test_a_small_alpha_brings_in_keys_that_no_query_is_near_to():
    queries = torch.tensor([[0.0], [0.1], [0.2], [1.0]])
    keys = torch.tensor([[0.0], [0.1], [0.2], [3.0]])
    assert 3 not in nearest_bidirectional(queries, keys, 1e6)
    assert nearest_bidirectional(queries, keys, 1e-3)[3] == 3


def test_patches_are_in_reading_order():
    image = torch.arange(20.0).view(1, 1, 4, 5)
    assert extract(image, 3)[:2, 0].tolist() == [0, 1]
    assert len(extract(image, 3)) == 2 * 3


def test_ranks_share_ties():
    assert ranks(torch.tensor([[3.0, 1.0], [3.0, 2.0]])).tolist() == [[0.875, 0.25], [0.875, 0.5]]


def test_filters_keep_a_constant_and_the_range():
    flat = torch.full((1, 3, 9, 11), 0.3)
    torch.testing.assert_close(blur(flat, 2.0), flat)
    torch.testing.assert_close(resize(flat, (20, 7)), torch.full((1, 3, 20, 7), 0.3))
    step = torch.zeros(1, 1, 8, 8)
    step[..., 4:] = 1
    assert resize(step, (16, 16)).min() >= 0 and resize(step, (16, 16)).max() <= 1

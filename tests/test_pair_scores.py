"""The scores of a pair, on results whose scores are known."""

import pytest
import torch
from scipy.stats import spearmanr

from analogies_hub.evaluation.pair import edge_agreement, patch_distance, rank_correlation, score_pair, self_similarity


@pytest.fixture
def structure(dots):
    return dots([(20, 30), (70, 80), (30, 90), (80, 20)], size=(96, 112), radius=12)[0]


@pytest.fixture
def appearance(dots):
    return dots([(60, 30), (20, 60), (70, 90)], size=(96, 96), radius=8, ground=(0.7, 0.6, 0.2), colour=(0, 0, 0.5))[0]


def test_b_itself_is_perfectly_coherent_and_complete(structure, appearance):
    scores = score_pair(appearance, structure, appearance)
    assert scores.coherence < 0.2 and scores.completeness < 0.2
    assert abs(scores.edges) < 0.3


def test_a_itself_has_all_of_a_s_structure_and_nothing_of_b(structure, appearance):
    scores = score_pair(structure, structure, appearance)
    assert scores.self_similarity == pytest.approx(1, abs=1e-6)
    assert scores.edges == pytest.approx(1, abs=1e-6)
    assert scores.coherence > 40


def test_recolouring_does_not_change_self_similarity(structure):
    assert self_similarity(1 - structure, structure) == pytest.approx(1, abs=1e-4)


def test_noise_has_neither(structure, appearance):
    noise = torch.rand(structure.shape, generator=torch.Generator().manual_seed(1))
    scores = score_pair(noise, structure, appearance)
    assert abs(scores.self_similarity) < 0.15 and abs(scores.edges) < 0.15
    assert scores.coherence > 40


def test_a_shuffled_b_loses_its_arrangement_more_than_its_surface(structure, appearance):
    tiles = appearance.unfold(2, 24, 24).unfold(3, 24, 24).reshape(3, 16, 24, 24)
    order = torch.randperm(16, generator=torch.Generator().manual_seed(0))
    shuffled = tiles[:, order].reshape(3, 4, 4, 24, 24).permute(0, 1, 3, 2, 4).reshape(1, 3, 96, 96)
    assert 1 < patch_distance(shuffled, appearance) < 0.5 * patch_distance(structure, appearance)
    assert abs(edge_agreement(shuffled, appearance)) < 0.5
    assert self_similarity(shuffled, appearance) < 0.5


def test_half_of_b_is_coherent_and_not_complete(appearance):
    image = appearance.clone()
    image[..., 48:] = 0  # black
    flat = torch.full_like(appearance, 0.5)
    assert patch_distance(flat, torch.cat([appearance, flat], 3)) < 20
    assert patch_distance(torch.cat([appearance, flat], 3), flat) > 30


def test_rank_correlation_is_spearman_s_also_with_ties():
    generator = torch.Generator().manual_seed(0)
    first = torch.randint(0, 5, (200,), generator=generator).float()
    second = first + torch.randint(0, 4, (200,), generator=generator)
    assert rank_correlation(first, second) == pytest.approx(spearmanr(first, second).statistic, abs=1e-9)


def test_a_constant_correlates_with_nothing():
    assert rank_correlation(torch.ones(9), torch.arange(9.0)) == 0

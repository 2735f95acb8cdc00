"""What a structural analogy must do, on pictures whose layout is known."""

import math

import pytest
import torch

from analogies_hub.errors import ImageError
from analogies_hub.evaluation.pair import patch_distance
from analogies_hub.filters import resize
from analogies_hub.methods.pair.config import PairConfig
from analogies_hub.methods.pair.engine import level_scales
from analogies_hub.methods.pair.pipeline import PairPipeline
from analogies_hub.methods.pair.search import Refiner, patch_grid, upsample_field, vote


@pytest.fixture(scope="module")
def pipeline():
    return PairPipeline(PairConfig())


def redness(image):
    """Where an image is red rather than green: (H, W)."""
    return (image[0, 0] - image[0, 1]).clamp(min=0)


def correlation(first, second):
    return torch.corrcoef(torch.stack([first.flatten(), second.flatten()]))[0, 1]


def test_the_guide_s_objects_appear_where_content_has_its_own(pipeline, content, guide):
    image, inside = content
    result = pipeline.translate(image, guide)
    assert result.shape == image.shape
    assert correlation(redness(result), inside) > 0.7
    assert correlation(redness(guide), inside) < 0.1  # a copy of the guide would not do
    assert patch_distance(result, guide) < 10


def test_following_nothing_loses_the_arrangement_that_following_keeps(pipeline, content, guide):
    image, inside = content
    kept, lost = (
        correlation(redness(pipeline.translate(image, guide, follow=follow, variation=1.0)), inside)
        for follow in ("both", "none")
    )
    assert kept > lost + 0.3


def test_structure_trades_the_surface_of_the_guide_for_the_arrangement(pipeline, content, guide):
    image, inside = content
    loose, tight = (pipeline.translate(image, guide, structure=value) for value in (0.0, 1.0))
    assert correlation(redness(tight), inside) > correlation(redness(loose), inside)


def test_completeness_brings_in_what_content_has_no_place_for(pipeline, guide):
    empty = 0.2 + 0.02 * torch.rand(1, 3, 48, 64, generator=torch.Generator().manual_seed(3))
    missing = [patch_distance(guide, pipeline.translate(empty, guide, completeness=value)) for value in (0.0, 1.0)]
    assert missing[1] < 0.7 * missing[0]


def test_a_picture_in_its_own_look_stays_itself(pipeline, guide):
    result = pipeline.translate(guide, guide, variation=0.0)
    assert (result - guide).abs().mean() < 0.02


def test_seeds_differ_and_repeat(pipeline, content, guide):
    first, again, other = (
        pipeline.translate(content[0], guide, follow="none", variation=1.0, seed=seed) for seed in (1, 1, 2)
    )
    assert torch.equal(first, again)
    assert (first - other).abs().mean() > 0.01


def test_size_is_the_long_side_in_content_s_proportions(pipeline, content, guide):
    assert pipeline.translate(content[0], guide, size=100).shape == (1, 3, 75, 100)
    large = resize(content[0], (480, 640))
    assert pipeline.translate(large, guide).shape == (1, 3, 384, 512)


def test_batches_pair_up(pipeline, content, guide):
    both = torch.cat([content[0], content[0].flip(3)])
    result = pipeline.translate(both, guide)
    assert torch.equal(result[:1], pipeline.translate(both[:1], guide))
    with pytest.raises(ImageError, match="expected 1 or 3"):
        pipeline.translate(both, guide.expand(3, -1, -1, -1))


def test_both_ways_is_translate_twice(pipeline, content, guide):
    result = pipeline.both_ways(content[0], guide, seed=4)
    assert torch.equal(result.forward, pipeline.translate(content[0], guide, seed=4))
    assert torch.equal(result.backward, pipeline.translate(guide, content[0], seed=4))


def test_samples_differ_from_the_picture_and_their_analogies_follow_them(pipeline, content, guide):
    result = pipeline.sample(guide, content[0], count=2, structure=0.8)
    assert result.images.shape == result.analogies.shape == (2, *guide.shape[1:])
    for image, analogy in zip(result.images, result.analogies, strict=True):
        assert (image - guide[0]).abs().mean() > 0.05
        assert patch_distance(image[None], guide) < 12
        assert correlation(redness(image[None]), analogy.mean(0)) > 0.5
    assert pipeline.sample(guide, count=1).analogies is None


def test_sample_takes_one_picture_and_checks_the_guide_before_it_starts(pipeline, guide):
    with pytest.raises(ImageError, match="batch of 2"):
        pipeline.sample(guide.expand(2, -1, -1, -1))
    steps = []
    with pytest.raises(ImageError, match="1 x 1 pixels"):
        pipeline.sample(guide, torch.rand(1, 3, 1, 1), on_step=lambda *step: steps.append(step))
    assert not steps


def test_retargeting_makes_room_instead_of_stretching(pipeline, guide):
    result = pipeline.retarget(guide, width=128)
    assert result.shape == (1, 3, 48, 128)
    stretched, doubled = resize(guide, (48, 128)), torch.cat([guide, guide], 3)
    assert patch_distance(result, doubled) < 0.75 * patch_distance(stretched, doubled)


def test_pictures_too_small_or_too_thin_are_refused(pipeline, guide):
    for shape, reason in [((1, 1), "1 x 1 pixels"), ((8, 40), "at least 16"), ((20, 2000), "long and thin")]:
        with pytest.raises(ImageError, match=reason):
            pipeline.translate(torch.rand(1, 3, *shape), guide)
        with pytest.raises(ImageError, match=reason):
            pipeline.translate(guide, torch.rand(1, 3, *shape))


def test_pictures_of_one_colour_are_no_trouble(pipeline, guide):
    grey = torch.full((1, 3, 40, 40), 0.5)
    for pair in ((grey, guide), (guide, grey), (grey, grey)):
        assert torch.isfinite(pipeline.translate(*pair)).all()


def test_levels_shrink_evenly_to_the_coarsest():
    sides = [round(128 * scale) for scale in level_scales(128, 32, 0.75)]
    assert sides == [32, 42, 56, 74, 97, 128]
    assert level_scales(20, 32, 0.75) == [1.0]


def test_an_identity_field_stays_one_when_upsampled():
    coarse, fine = patch_grid((16, 20)), patch_grid((32, 40))
    field = torch.arange(math.prod(coarse)).view(coarse)
    assert torch.equal(upsample_field(field, coarse, fine, fine), torch.arange(math.prod(fine)).view(fine))


def test_an_identity_field_votes_for_the_picture_itself(guide):
    grid = patch_grid((48, 64))
    field = torch.arange(math.prod(grid)).view(grid)
    result = vote(field, torch.rand(grid), guide, grid, spread=2.0, tolerance=0.1)
    torch.testing.assert_close(result, guide)


def test_refining_never_worsens_a_match_and_finds_a_shift():
    grid, shift = (30, 30), 4
    keys = torch.rand(900, 8, generator=torch.Generator().manual_seed(0))
    target = ((torch.arange(30)[:, None] + shift).clamp(max=29) * 30 + torch.arange(30)[None]).clamp(max=899)
    field = torch.arange(900).view(30, 30)
    field[0] = target[0]  # one right row, from which the rest can be found
    refiner = Refiner(keys[target.flatten()], keys, grid, field)
    before = refiner.distance.clone()
    generator = torch.Generator().manual_seed(0)
    for _ in range(10):
        refiner.propagate()
        refiner.wander(generator)
        assert (refiner.distance <= before).all()
        before = refiner.distance.clone()
    assert (refiner.field == target).float().mean() > 0.9


def test_no_gradient_is_recorded(pipeline, content, guide):
    assert not pipeline.translate(content[0].clone().requires_grad_(), guide).requires_grad

"""`mask_transfer`: the published numbers, and what a mask must leave alone."""

import itertools
from pathlib import Path

import pytest
import torch
from torch import nn

from analogies_hub.errors import ImageError
from analogies_hub.methods.mask_transfer.compose import OTHER_VIEWS, Edge, Square, around, composed, enlarged, needed
from analogies_hub.registry import get_method, load_pipeline

METHOD = get_method("mask_transfer")
DOMAINS = {"domains": ("glasses", "none")}


def build(**values):
    torch.manual_seed(0)
    return METHOD.pipeline_type()(METHOD.config(**values | DOMAINS))


def count(module):
    return sum(parameter.numel() for parameter in module.parameters())


@pytest.fixture(scope="module")
def published():
    return build(**METHOD.preset("reference"))


@pytest.fixture
def pipeline():
    """One that finds its attribute in every picture, all over it."""
    pipeline = build(**METHOD.smoke).eval()
    pipeline.decoder.layers.body[-2].bias.data[:4] = 2.0
    pipeline.encoder_separate.head.bias.data[0] = 100.0
    return pipeline


def test_the_published_networks_have_the_published_numbers_of_parameters(published):
    decoder = published.decoder
    parts = published.encoder_common, published.encoder_separate["glasses"], decoder.plain, decoder.mask
    assert [count(part) for part in parts] == [6_483_482, 742_379, 6_984_099, 6_984_612]
    assert count(METHOD.trainer(published).code_critic) == 998_401


def test_an_untrained_published_mask_covers_half(published):
    mask = published.eval().mask(torch.rand(1, 3, 128, 128))
    assert mask.mean().item() == pytest.approx(0.54, abs=0.06)


def test_the_published_plain_decoder_learns_nothing_about_separate_codes():
    trainer = METHOD.trainer(build(**METHOD.preset("reference") | {"width": 8}))
    losses = trainer.objective(*(torch.rand(2, 2, 3, 128, 128) * 2 - 1))
    sum(losses.values()).backward()
    gradient = trainer.pipeline.decoder.plain[0].weight.grad
    assert gradient[:-25].any() and not gradient[-25:].any()


def test_both_sets_are_normalised_apart():
    trainer = METHOD.trainer(build(**METHOD.preset("reference") | {"width": 8})).train()
    rich, plain = torch.rand(2, 2, 3, 128, 128)
    apart = trainer.objective(rich, plain)["plain"].item()
    moved = trainer.objective(rich * 0.1 - 0.9, plain)["plain"].item()  # the other set's brightness does not matter
    assert moved == pytest.approx(apart, rel=1e-5)


def test_a_pixel_that_the_mask_leaves_out_stays_to_the_bit():
    photo, square = torch.rand(2, 3, 91, 133), Square(5, 20, 80)
    mask = torch.zeros(2, 1, 8, 8)
    mask[:, :, 2:4, 3:6] = 0.6
    large = enlarged(mask, 80, 0.1)
    result = composed(photo, square, torch.zeros(2, 3, 8, 8), large)
    inside = torch.zeros(2, 1, 91, 133, dtype=torch.bool)
    inside[..., 5:85, 20:100] = large > 0
    assert 0 < inside.float().mean() < 0.2
    assert torch.equal(result[~inside.expand_as(photo)], photo[~inside.expand_as(photo)])
    assert (result < photo)[inside.expand_as(photo)].all()


def test_a_large_mask_has_crisp_edges_where_the_small_ones_were():
    mask = torch.zeros(1, 1, 8, 8)
    mask[..., :3], mask[..., 3] = 0.8, 0.4  # the edge is in the middle of a pixel, and nothing is more than 0.8
    assert torch.equal(enlarged(mask, 8, 0.0, crisp=True), mask)
    row = enlarged(mask, 160, 0.0, crisp=True)[0, 0, 80]
    assert row[:60].min() > 0.79 and row[85:].max() < 0.01
    assert row.diff().abs().max() > 3 * 0.8 / 40  # from 0.8 to 0 in less than a third of two small pixels


def test_what_is_filled_in_is_the_mean_of_views_laid_over_one_another(pipeline, monkeypatch):
    seen = torch.rand(2, 3, 64, 64)
    monkeypatch.setattr(pipeline, "parts", lambda views: views)
    monkeypatch.setattr(pipeline, "plain", lambda views: views + torch.arange(len(views)).view(-1, 1, 1, 1))
    # added are 0 and 1 for the pictures as they are, and 0 to 5 for their three other views
    torch.testing.assert_close(pipeline.filled(seen, seen), seen + torch.tensor([1.5, 2.5]).view(2, 1, 1, 1))
    assert (
        len({shown.sum((0, 1, 2)).numpy().tobytes() for shown in (seen, *(view.of(seen) for view in OTHER_VIEWS))}) == 4
    )


def test_the_photo_stays_where_what_fills_in_is_nearly_the_same():
    photo = torch.full((1, 3, 1, 4), 0.5)
    patch = photo + torch.tensor([0.01, 0.05, 0.1, -0.4]) * torch.tensor([0.0, 1.0, 0.0]).view(3, 1, 1)
    torch.testing.assert_close(
        needed(torch.full((1, 1, 1, 4), 0.8), photo, patch).flatten(), torch.tensor([0.0, 0.4, 0.8, 0.8])
    )


def test_a_box_becomes_a_square_within_the_picture(pipeline):
    photo = torch.rand(1, 3, 100, 60)
    for box, square in {
        (10, 40, 30, 20): (35, 10, 30),
        (40, 0, 10, 20): (0, 35, 20),
        (50, 80, 10, 20): (80, 40, 20),
        (0, 0, 60, 100): (20, 0, 60),
    }.items():
        assert around(photo, box) == square
    with pytest.raises(ImageError, match="beyond the picture of 60 x 100"):
        around(photo, (10, 90, 10, 20))
    edited = pipeline.transfer(photo, photo, box="10,40,30,20")
    assert torch.equal(edited.image[..., :35, :], photo[..., :35, :]) and edited.mask[..., 35:65, 10:40].any()


def test_an_edge_is_cut_widened_and_blurred():
    mask = torch.zeros(1, 1, 40, 40)
    mask[..., 20, 20], mask[..., 5, 5] = 0.5, 0.05
    assert Edge(0.1).of(mask).sum() == 0.5
    assert Edge(0.1, "hard").of(mask).sum() == 1
    assert Edge(0.1, "hard", grow=0.05).of(mask).sum() == 25
    feathered = Edge(0.1, "hard", grow=0.1, feather=0.05).of(mask)
    assert feathered.sum().item() == pytest.approx(81, rel=1e-4) and 0 < feathered[0, 0, 20, 12] < 1


def test_odd_photos_keep_their_size_and_all_that_is_not_painted(pipeline):
    photo = torch.rand(1, 3, 70, 101)
    for edited in (pipeline.transfer(photo, photo), pipeline.remove(photo), pipeline.replace(photo, photo)):
        untouched = (edited.mask == 0).expand_as(photo)
        assert edited.image.shape == photo.shape and edited.mask.shape == (1, 1, 70, 101)
        assert (
            untouched[..., :15].all()
            and edited.mask[..., 20:80].any()
            and torch.equal(edited.image[untouched], photo[untouched])
        )


def test_a_threshold_can_be_given(pipeline):
    photo = torch.rand(1, 3, 40, 40)
    areas = [pipeline.segment(photo, threshold=threshold).mean().item() for threshold in (0.0, 0.03, 1.0)]
    assert areas == sorted(areas, reverse=True) and areas[0] == 1 and areas[-1] == 0


def test_nothing_is_painted_without_the_attribute(pipeline):
    pipeline.encoder_separate.head.bias.data[0] = -100.0
    photo = torch.rand(1, 3, 40, 40)
    with pytest.warns(UserWarning, match="finds no glasses"):
        assert torch.equal(pipeline.remove(photo).image, photo)
    assert not pipeline.mask(photo).any()


def theirs(*widths, transposed=False, width_out=None):
    """A network as the published code builds them, here with narrow layers."""
    layer = nn.ConvTranspose2d if transposed else nn.Conv2d
    layers = []
    for pair in itertools.pairwise(widths):
        layers += [layer(*pair, 4, 2, 1), nn.BatchNorm2d(pair[1]), nn.LeakyReLU(0.2)]
    return nn.Sequential(*layers, *([layer(widths[-1], width_out, 4, 2, 1)] if width_out else [])).eval()


@pytest.fixture
def checkpoint(tmp_path):
    """Networks in the published layout, and the file that they are saved in."""
    torch.manual_seed(0)
    networks = {
        "e1": theirs(3, 4, 8, 16, 32, 487, 487),
        "e2": theirs(3, 4, 8, 16, 16, 16, 25),
        "decoder": theirs(512, 512, 32, 16, 8, 4, transposed=True, width_out=3),
        "mustacher": theirs(512, 512, 32, 16, 8, 4, transposed=True, width_out=4),
    }
    part = {"e1": "full", "e2": "full"}
    states = {
        name: {f"{part.get(name, 'main')}.{key}": value for key, value in network.state_dict().items()}
        for name, network in networks.items()
    }
    torch.save(states | {"iters": 3}, tmp_path / "checkpoint")
    return networks, tmp_path / "checkpoint"


def test_a_published_checkpoint_becomes_a_model_that_paints_the_same(checkpoint, analogies, tmp_path):
    networks, path = checkpoint
    words = ["convert", "mask_transfer", path, "--domain", "glasses", "-o", tmp_path / "model"]
    assert analogies(*words).returncode == 0
    content, guide = torch.rand(2, 1, 3, 128, 128)
    with torch.no_grad():
        code = torch.cat([networks["e1"](content * 2 - 1), networks["e2"](guide * 2 - 1)], 1)
        painted = networks["mustacher"](code)
        mask, patch = painted[:, :1].sigmoid(), painted[:, 1:].tanh()
        expected = (torch.lerp(content * 2 - 1, patch, mask) + 1) / 2
    edited = load_pipeline(tmp_path / "model", "cpu").transfer(content, guide, threshold=0.0)
    torch.testing.assert_close(edited.image, expected, atol=1e-5, rtol=0)
    torch.testing.assert_close(edited.mask, mask)
    again = analogies(*words)
    assert again.returncode == 2 and "holds a model" in again.stderr


def test_a_file_that_is_no_checkpoint_is_refused_and_never_run(analogies, tmp_path):
    class Trap:
        def __reduce__(self):
            return Path.touch, (tmp_path / "sprung",)

    torch.save({"e1": Trap()}, tmp_path / "trap")
    torch.save({"e1": {}}, tmp_path / "other")
    torch.save({"e1": 3}, tmp_path / "number")
    torch.save({"e1": {"flat": 3}, "e2": {}, "decoder": {}, "mustacher": {}}, tmp_path / "flat")
    reasons = {
        "trap": "weights alone",
        "other": "no network 'e2'",
        "number": "no network 'e1'",
        "flat": "lacks its convolutions",
        "none": "check the path",
    }
    for name, why in reasons.items():
        done = analogies("convert", "mask_transfer", tmp_path / name, "--domain", "a", "-o", tmp_path / "out")
        assert done.returncode == 3 and why in done.stderr and done.stderr.count("\n") == 1, done.stderr
    assert not (tmp_path / "sprung").exists() and not (tmp_path / "out").exists()

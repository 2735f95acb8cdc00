"""`didd` and its baseline `content_transfer`: the published numbers, and what codes must do."""

import math
import warnings

import pytest
import torch
import torch.nn.functional as F

from analogies_hub.codes import Code
from analogies_hub.errors import ImageError, ModelError, UsageError
from analogies_hub.registry import get_method
from analogies_hub.separation.config import COMMON
from analogies_hub.separation.layers import Layers, covered, excess_cover, own_colour, with_kept, with_pixels
from analogies_hub.separation.layers_critics import Translations
from analogies_hub.separation.layers_trainer import error_inside
from analogies_hub.separation.model import POSE
from analogies_hub.separation.networks import CompactSeparateEncoders
from analogies_hub.separation.pose import FARTHEST, after, sampled, undone


def build(method="didd", **values):
    method = get_method(method)
    torch.manual_seed(0)
    return method.pipeline_type()(method.config(**method.smoke | values)).eval()


def reference(method, domains):
    method = get_method(method)
    return method.pipeline_type()(method.config(**method.preset("reference") | {"domains": domains}))


def count(module):
    return sum(parameter.numel() for parameter in module.parameters())


@pytest.fixture(scope="module")
def pipeline():
    return build(domains=("glasses", "smile"))


@pytest.fixture(scope="module")
def published():
    return reference("didd", ("glasses", "smile")).eval()


@pytest.fixture
def pictures():
    return torch.rand(2, 3, 2, 3, 32, 32, generator=torch.Generator().manual_seed(1))[0]


def test_the_published_networks_have_the_published_numbers_of_parameters(published):
    assert count(published.encoder_common) == 6_285_749
    assert [count(encoder) for encoder in published.encoder_separate.values()] == [2_992_633] * 2
    assert count(published.decoder) == 6_982_115
    vectors = {name: value for name, value in published.named_buffers() if name.endswith(("._u", "._v"))}
    assert sum(value.numel() for value in vectors.values()) == 16_949 + 2 * 16_937 + 17_344
    trainer = get_method("didd").trainer(published)
    assert count(trainer.code_critic) == 947_201


def test_the_published_baseline_has_the_published_numbers_of_parameters():
    baseline = reference("content_transfer", ("glasses", "none"))
    parts = baseline.encoder_common, baseline.encoder_separate["glasses"], baseline.decoder
    assert [count(part) for part in parts] == [6_480_574, 741_369, 6_982_115]
    assert count(get_method("content_transfer").trainer(baseline).code_critic) == 998_401


def test_the_published_common_encoder_has_no_norm_in_its_second_block(published):
    kinds = [type(layer).__name__.removeprefix("Parametrized") for layer in published.encoder_common]
    assert kinds[:6] == ["Conv2d", "InstanceNorm2d", "LeakyReLU", "Conv2d", "LeakyReLU", "Conv2d"]
    assert kinds.count("InstanceNorm2d") == 5


def test_the_published_translation_is_that_of_the_paper(published):
    b, a = torch.rand(2, 1, 3, 128, 128)
    with torch.no_grad():
        common, look = published.encoder_common(2 * b - 1), published.encoder_separate["glasses"](2 * a - 1)
        assert common.shape == (1, 462, 2, 2) and look.shape == (1, 25, 2, 2)
        expected = published.decoder.body(torch.cat([common, look, torch.zeros(1, 25, 2, 2)], 1))
    torch.testing.assert_close(published.translate(b, a, to="glasses"), (expected + 1) / 2)


def test_the_published_losses_are_means_over_pictures_summed_over_both_domains():
    trainer = get_method("didd").trainer(reference("didd", ("glasses", "smile")).eval())
    a, b = torch.rand(2, 2, 3, 128, 128) * 2 - 1
    losses = trainer.autoencoder_losses(torch.cat([a, b]), trainer.shown((a, b)))
    networks = trainer.pipeline
    with torch.no_grad():
        (sa_a, sa_b), (sb_a, sb_b) = (
            (networks.encoder_separate[name](a), networks.encoder_separate[name](b)) for name in ("glasses", "smile")
        )
        nothing = torch.zeros_like(sa_a)
        drawn_a = networks.decoder(networks.encoder_common(a), [sa_a, nothing])
        drawn_b = networks.decoder(networks.encoder_common(b), [nothing, sb_b])
        tells = torch.cat([trainer.code_critic(networks.encoder_common(x)).sigmoid() for x in (a, b)])
    assert losses["recon"].item() == pytest.approx((F.l1_loss(drawn_a, a) + F.l1_loss(drawn_b, b)).item(), rel=1e-4)
    assert losses["zero"].item() == pytest.approx((sa_b.abs().mean() + sb_a.abs().mean()).item(), rel=1e-4)
    confused = 0.001 * 2 * -(1 - tells).log().mean().item()  # both domains get the second's label, 0
    assert losses["confusion"].item() == pytest.approx(confused, rel=1e-4)


def test_the_critics_updates_move_the_critics_alone():
    trainer = get_method("didd").trainer(build(domains=("glasses", "smile")))
    shown, pictures = torch.eye(2).repeat_interleave(2, 0), torch.rand(4, 3, 32, 32) * 2 - 1
    parts, _ = trainer.seen(pictures, shown, torch.zeros(4, 4))
    before = {name: value.clone() for name, value in trainer.state_dict().items()}
    trainer.code_critic_step(parts["common"], shown)
    trainer.picture_critic_step(pictures, trainer.pipeline.decoded(parts), shown, pictures.flip(0), 1 - shown)
    trainer.fill_critic_step(Translations(pictures, shown, pictures, torch.ones(4, 1, 4, 4), pictures.flip(0)))
    moved = {name.split(".")[0] for name, value in trainer.state_dict().items() if not torch.equal(value, before[name])}
    assert moved == {"code_critic", "picture_critic", "fill_critic"}
    assert all(parameter.grad is None for parameter in trainer.pipeline.parameters())


def test_translations_get_no_credit_for_what_is_hidden_in_them():
    trainer = get_method("didd").trainer(build(domains=("glasses", "smile")))
    own, _ = trainer.seen(torch.rand(4, 3, 32, 32) * 2 - 1, torch.eye(2).repeat_interleave(2, 0), torch.zeros(4, 4))
    mine, given = torch.rand(2, 2, 2, 5, 32, 32)
    translated, undone, _ = trainer.back(own, mine, given, torch.tensor([0, 1]), True)
    translated.retain_grad()
    undone.sum().backward()
    assert translated.grad is None
    assert trainer.pipeline.encoder_common[1].weight.grad.any()


def test_the_fill_critic_sees_translations_only_where_something_was_taken_away():
    trainer = get_method("didd").trainer(build(domains=("glasses", "none", "smile"), keep=0.0))
    pictures, shown = torch.rand(3, 3, 32, 32) * 2 - 1, torch.tensor([[1.0, 0.0], [0.0, 0.0], [0.0, 1.0]])
    layers = torch.zeros(3, 2, 5, 32, 32)
    layers[0, 0, 0, :16, :16] = 1  # the first picture's glasses
    layers[2, 1, 0, :16, 16:] = 1  # the third picture's smile
    own, _ = trainer.seen(pictures, shown, torch.zeros(len(pictures), 4))
    for _ in range(20):  # another picture is translated each time
        made, _ = trainer.translations(1000, pictures, shown, own, layers)
        number = next(number for number in range(3) if made.filled[0, 0, -1, -1] == pictures[number, 0, -1, -1])
        changed = (made.filled[0] != pictures[number]).any(0)
        assert not changed[20:].any() and changed.any() == (made.gone.sum() > 0)
        assert number != 1 or not changed.any()


def test_pictures_that_show_what_no_set_shows_are_not_judged():
    trainer = get_method("didd").trainer(build(domains=("glasses", "smile")))
    should = torch.tensor([[1.0, 0.0], [1.0, 1.0], [0.0, 1.0], [0.0, 0.0]])
    judged = trainer.judged(torch.rand(4, 3, 32, 32), should)
    assert judged.any(1).tolist() == [True, False, True, False]


def test_a_blind_place_is_unknown_to_common_code_and_details_alike():
    trainer = get_method("didd").trainer(build(domains=("glasses", "smile"), blind=0.5))
    trainer.rows = 100
    common, details = trainer.blinded(torch.ones(200, 4, 8, 8), torch.ones(200, 3, 16, 16))
    seen = torch.nn.functional.interpolate(common[:, :1], (16, 16))
    assert torch.equal(details, seen.expand(-1, 3, -1, -1))
    assert (common == 0).flatten(1).any(1).float().mean().item() == pytest.approx(0.5, abs=0.12)
    assert (common[:, 0] == 0).flatten(1).float().mean(1).max() <= 0.3


def test_layers_are_drawn_of_the_pictures_that_show_the_attribute():
    pipeline = build(domains=("none", "glasses", "smile+glasses"))
    trainer = get_method("didd").trainer(pipeline)
    parts, _ = trainer.seen(torch.rand(6, 3, 32, 32) * 2 - 1, trainer.shown([torch.zeros(2, 3)] * 3), torch.zeros(6, 4))
    own = trainer.masked(parts, trainer.shown([torch.zeros(2, 3)] * 3))
    few, all_of_them = trainer.layers(own, 2), pipeline.decoder.drawn(pipeline.separate(own))
    for some, drawn, start in zip(few.unbind(1), all_of_them.unbind(1), (2, 4), strict=True):
        assert not some[:start].any() and not drawn[:start, 0].any()
        torch.testing.assert_close(some[start:], drawn[start:])


def told(network, inputs):
    """What a network says first: codes, or layers."""
    said = network(inputs)
    return said[0] if isinstance(said, tuple) else said


@pytest.mark.parametrize(
    ("network", "inputs"),
    [(CompactSeparateEncoders, (3, 2, 3, 32, 32)), (Layers, (3, 2, 4))],
    ids=["encoders", "layers"],
)
def test_networks_side_by_side_do_what_each_does_alone(network, inputs):
    both, alone = network(32, 16, 4, 2), network(32, 16, 4, 1)
    inputs = torch.rand(inputs) * 2 - 1
    for place in range(2):
        alone.load_state_dict({name: value.chunk(2)[place] for name, value in both.state_dict().items()})
        with torch.no_grad():
            torch.testing.assert_close(told(both, inputs)[:, place], told(alone, inputs[:, place : place + 1])[:, 0])


def test_an_absent_attribute_has_a_code_of_zeros_and_a_present_one_of_mean_square_one(pipeline, pictures):
    finds(pipeline, glasses=-100.0, smile=-100.0)
    off = pipeline.encode(pictures[0]).parts
    assert not off["glasses"].any() and not off["smile"].any()
    finds(pipeline, glasses=100.0, smile=100.0)
    on = pipeline.encode(pictures[0]).parts
    assert on["glasses"].square().mean(1).flatten().tolist() == pytest.approx([1, 1], abs=1e-2)
    finds(pipeline, glasses=0.0, smile=0.0)


def test_translate_is_encode_mix_decode(pipeline, pictures):
    content, guide = pipeline.encode(pictures[0]), pipeline.encode(pictures[1])
    mixed = pipeline.mix(content, guide, to="glasses", off="all")
    assert torch.equal(mixed.parts["glasses"], guide.parts["glasses"])
    assert torch.equal(mixed.parts["common"], content.parts["common"])
    assert not mixed.parts["smile"].any()
    drawn = pipeline.translate(pictures[0], pictures[1], to="glasses")
    assert torch.equal(pipeline.decode(mixed), drawn)
    kept = pipeline.mix(content, guide, to="glasses", off="none")
    assert torch.equal(pipeline.decode(kept), pipeline.add(pictures[0], pictures[1], what="glasses"))
    gone = pipeline.mix(content, guide, to="none", off="smile")
    assert torch.equal(pipeline.decode(gone), pipeline.remove(pictures[0], what="smile"))


def finds(pipeline, **attributes):
    """Let separate encoders find attributes in every picture, or in none, by logits."""
    heads = pipeline.encoder_separate.head.bias.data.view(len(pipeline.attributes), -1)
    for name, logit in attributes.items():
        heads[pipeline.attributes.index(name), 0] = logit


def painted(cover, share=0.0, colour=1.0, rows=slice(0, 4)):
    """A layer (1, 1, 5, 32, 32) with some rows of one colour."""
    layer = torch.zeros(1, 1, 5, 32, 32)
    layer[:, :, 0, rows], layer[:, :, 1], layer[:, :, 2:] = cover, share, colour
    return layer


def test_a_layer_covers_with_its_own_colour_or_a_borrowed_one(pipeline):
    layers, canvas = pipeline.decoder.layers, torch.full((1, 3, 32, 32), -1.0)
    canvas[..., 16:] = 0.5
    for cover, share, expected in ((0.0, 0.0, -1.0), (1.0, 0.0, 1.0), (0.25, 0.0, -0.5), (1.0, 1.0, -0.25)):
        laid = layers.over(canvas, painted(cover, share))  # untrained, it borrows the mean of the canvas
        torch.testing.assert_close(laid[:, :, :4, :16], torch.full((1, 3, 4, 16), expected))
        assert torch.equal(laid[:, :, 4:], canvas[:, :, 4:])


def test_a_price_on_own_colours_is_paid_by_borrowing_not_by_fading():
    layers = painted(0.5, share=0.25).requires_grad_()
    price = own_colour(layers)
    torch.testing.assert_close(price[:, :, :4], torch.full((1, 1, 4, 32), 0.5 * 0.75))
    assert not price[:, :, 4:].any()
    (gradient,) = torch.autograd.grad(price.sum(), layers)
    assert not gradient[:, :, 0].any() and (gradient[:, :, 1, :4] == -0.5).all()


def test_layers_lie_where_the_common_code_says():
    decoder = build(domains=("glasses", "smile")).decoder
    common, drawn = torch.randn(1, 4, 8, 8), torch.cat([painted(1.0), painted(1.0, rows=slice(8, 12))], 1)
    torch.testing.assert_close(decoder.placed(decoder.pose(common), drawn), drawn)  # untrained: where they were drawn
    two_rows_down = torch.atanh(torch.tensor(-2 / 16) / FARTHEST)
    decoder.pose.amounts.bias.data[5] = two_rows_down  # the second layer's
    glasses, smile = decoder.placed(decoder.pose(common), drawn).unbind(1)
    assert glasses[0, 0, :, 16].nonzero().flatten().tolist() == [0, 1, 2, 3]
    torch.testing.assert_close(smile[:, :, 2:], drawn[:, 1, :, :-2])


def test_a_picture_is_moved_turned_and_zoomed_by_one_matrix():
    picture = torch.zeros(1, 1, 32, 32)
    picture[..., 4:8, 20:24] = 1  # its middle is 10 above and 6 right of the picture's
    for amounts, middle in (
        ((0, 0, 0, 0), (6.0, 22.0)),
        ((0.25, 0, 0, 0), (6.0, 18.0)),  # looked up 4 pixels to the right
        ((0, 0, math.pi / 2, 0), (10.0, 6.0)),
        ((0, 0, 0, math.log(2)), (11.0, 19.0)),
    ):
        seen = sampled(picture, torch.tensor([amounts]), "zeros")[0, 0]
        places = (torch.arange(32) + 0.5) * seen / seen.sum(), (torch.arange(32)[:, None] + 0.5) * seen / seen.sum()
        assert [place.sum().item() for place in reversed(places)] == pytest.approx(middle, abs=0.01)


def test_looking_up_twice_is_looking_up_once():
    picture = F.interpolate(torch.eye(4)[None, None], 32, mode="bicubic")  # smooth: the first look is at pixels
    first, second = (torch.tensor([amounts]) for amounts in ((0.1, 0.0, 0.3, 0.1), (0.0, -0.1, 0.2, -0.2)))
    twice = sampled(sampled(picture, first, "border"), second, "border")[..., 8:24, 8:24]
    once, turned_round = (
        sampled(picture, after(*order), "border")[..., 8:24, 8:24] for order in ((first, second), (second, first))
    )
    assert (twice - once).abs().max() < 0.03
    assert (twice - turned_round).abs().max() > 0.1
    torch.testing.assert_close(after(first, undone(first)), torch.zeros(1, 4))


def test_an_encoder_looks_where_its_layer_is_wont_to_be():
    pipeline = build(domains=("glasses", "smile"))
    trainer, images = get_method("didd").trainer(pipeline), torch.ones(2, 3, 32, 32)
    known = pipeline.common_and_pose(images)
    assert torch.equal(pipeline.glimpses(images, known)[:, 1], images)  # untrained: everywhere
    shown, layers = torch.tensor([[1.0, 0.0], [0.0, 1.0]]), torch.zeros(2, 2, 5, 32, 32)
    layers[1, 1, 0, 16:20, 16:20] = 1  # the second picture's smile
    for _ in range(400):
        trainer.watch(layers, shown)
    seen = pipeline.glimpses(images, known)[0, 1, 0]
    assert (seen > 0.9).nonzero().amin(0).tolist() == [13, 13] and (seen > 0.9).nonzero().amax(0).tolist() == [22, 22]
    assert seen[:13].max() < 0.01


def test_the_error_inside_is_the_mean_of_a_small_place_as_of_a_large_one():
    where, drawn = torch.zeros(3, 1, 32, 32), torch.zeros(3, 3, 32, 32)
    where[0, :, :2, :2], where[1, :, :16] = 1, 1  # the third picture shows nothing
    assert error_inside(drawn, drawn + 0.6, where).item() == pytest.approx((0.6 + 0.6 + 0) / 3)
    assert error_inside(drawn, drawn + 0.6 * (1 - where), where).item() == 0


def test_settled_layers_hear_from_critics_how_much_they_cover_and_not_in_which_colours():
    trainer = get_method("didd").trainer(build(domains=("glasses", "smile")))
    own, _ = trainer.seen(torch.rand(4, 3, 32, 32) * 2 - 1, torch.eye(2).repeat_interleave(2, 0), torch.zeros(4, 4))
    mine, given = (layers.requires_grad_() for layers in torch.rand(2, 2, 2, 5, 32, 32))
    for learns in (True, False):
        translated, *_ = trainer.back(own, mine, given, torch.tensor([0, 1]), learns)
        (heard,) = torch.autograd.grad(translated.square().sum(), given, retain_graph=True)
        assert heard[:, 0, 0].any() and heard[:, 0, 1:].any() == learns


@pytest.mark.parametrize(("settings", "ends"), [({"refine": 1.0}, 1.0), ({}, 0.1)])
def test_encoders_come_to_see_faces_where_they_are_only_in_a_run_that_refines(settings, ends):
    settings = {"steps": 1000, "steps_alone": 100} | settings
    schedule = get_method("didd").trainer(build(domains=("glasses", "smile"), **settings)).schedule
    jitter = schedule.config.jitter
    assert (schedule.jitter(100), schedule.jitter(399)) == (0, jitter)
    assert schedule.jitter(999) == pytest.approx(ends * jitter)


def test_covering_is_dear_until_layers_have_settled():
    settings = {"steps": 1200, "settle": 0.4}
    schedule = get_method("didd").trainer(build(domains=("glasses", "smile"), **settings)).schedule
    assert [schedule.price(step) for step in (0, 100, 479, 580, 680, 1199)] == pytest.approx([0, 2, 4, 2.5, 1, 1])


def test_covering_costs_what_is_beyond_the_free_share_of_each_picture():
    half, little, nothing = painted(0.5, rows=slice(None)), painted(0.1, rows=slice(None)), painted(0.0)
    layers = torch.cat([torch.cat([half, little]), torch.cat([nothing, nothing])], 1)
    assert excess_cover(layers, 0.2).item() == pytest.approx((0.3 + 0) / 2)
    assert excess_cover(layers, 0.0).item() == pytest.approx((0.5 + 0.1) / 2)


def test_details_are_let_go_beneath_a_layer_and_right_beside_it():
    nothing, glasses = painted(0.0), painted(1.0, rows=slice(4, 8))
    rows = covered(torch.cat([nothing, glasses], 1))[0, 0]
    assert rows.all(1).tolist() == [True, True, True, False, False, False, False, False]
    assert not covered(torch.cat([nothing, painted(0.05)], 1)).any()


def test_what_the_content_shows_is_taken_off_with_its_details(pictures):
    pipeline = build(domains=("glasses", "smile"))
    finds(pipeline, glasses=100.0, smile=100.0)
    pipeline.decoder.layers.body[-2].bias.data[:4] = 10.0  # glasses cover everything
    common = pipeline.encode(pictures[0]).parts["common"]
    ground = pipeline.decoder.ground(common, torch.zeros(len(common), pipeline.config.detail, 8, 8))
    torch.testing.assert_close(pipeline.remove(pictures[0], what="all"), (ground + 1) / 2)


def test_looks_are_told_by_what_is_unusual_and_cannot_run_away_from_the_usual():
    method = get_method("didd")
    trainer = method.trainer(build(domains=("glasses", "smile")))
    looks = (torch.randn(6, 2, 3) + 5).requires_grad_()
    usual, there = torch.zeros(2, 3), torch.tensor([1.0, 1.0, 1.0, 1.0, 0.0, 0.0])[:, None].expand(-1, 2)
    for _ in range(300):
        told = trainer.centred(looks, usual, there)
    torch.testing.assert_close(usual, looks[:4].mean(0))
    torch.testing.assert_close(told, looks)  # the encoder itself takes off what is usual, in use as in training
    told[:4].sum().backward()
    torch.testing.assert_close(looks.grad, torch.zeros(6, 2, 3))


def test_a_detail_tells_of_its_own_block_alone(pipeline, pictures):
    other = pictures[0].clone()
    other[:, :, 8:12, 4:8] = 0
    differs = (pipeline.encoder_detail(pictures[0]) != pipeline.encoder_detail(other)).any(1)
    assert differs[:, 2, 1].all() and differs.sum() == len(other)


def test_pixels_stay_where_nothing_was_taken_off_and_as_far_as_nothing_new_covers():
    images, drawn = torch.rand(1, 3, 32, 32), torch.zeros(1, 3, 32, 32)
    pixels, nothing = with_pixels(torch.ones(1, 1, 8, 8), images)[:, 1:], painted(0.0)
    assert torch.equal(with_kept(drawn, pixels, nothing, nothing), images)
    half = with_kept(drawn, pixels, nothing, painted(0.5, rows=slice(8, 16))) / images
    torch.testing.assert_close(half[0, 0, :, 0], torch.tensor([1.0] * 8 + [0.5] * 8 + [1.0] * 16))
    taken = with_kept(drawn, pixels, painted(1.0, rows=slice(8, 16)), nothing) / images
    faded = [1.0] * 5 + [2 / 3, 1 / 3, *[0.0] * 10, 1 / 3, 2 / 3] + [1.0] * 13
    torch.testing.assert_close(taken[0, 0, :, 0], torch.tensor(faded))
    assert not with_kept(drawn, 0 * pixels, nothing, nothing).any()  # let go: nothing is known


def test_what_does_not_change_stays_as_it_is_attributes_too(pictures):
    pipeline = build(domains=("glasses", "smile"))
    finds(pipeline, glasses=100.0, smile=100.0)
    pipeline.decoder.layers.body[-2].bias.data[:4] = 10.0  # glasses cover everything
    same = pipeline.mix(pipeline.encode(pictures[0]), pipeline.encode(pictures[1]), to="none")
    torch.testing.assert_close(pipeline.decode(same), pictures[0])
    assert (pipeline.reconstruct(pictures[0]) - pictures[0]).abs().mean() > 0.1  # networks alone, untrained


def test_details_are_withheld_in_rectangles_of_a_share_of_the_pictures():
    trainer = get_method("didd").trainer(build(domains=("glasses", "smile"), drop=0.5))
    trainer.rows = 200
    known = trainer.withheld({"detail": torch.ones(400, 3, 8, 8)})["detail"]
    assert torch.equal(known, known[:, :1].expand(-1, 3, -1, -1))
    gone = known[:, 0] == 0
    assert gone.any((1, 2)).float().mean().item() == pytest.approx(0.5, abs=0.1)
    filled = gone.any(2)[:, :, None] & gone.any(1)[:, None, :]
    assert torch.equal(gone, filled)
    assert 0.05 < gone.all((1, 2)).float().mean() < 0.2  # of the whole picture now and then


def test_an_attribute_that_is_not_found_is_no_silent_nothing(pictures):
    pipeline = build(domains=("glasses", "smile"))
    finds(pipeline, glasses=-100.0, smile=100.0)
    with pytest.warns(UserWarning, match="in 'guide' the model finds no glasses"):
        torch.testing.assert_close(pipeline.add(pictures[0], pictures[1], what="glasses"), pictures[0])
    with pytest.warns(UserWarning, match="in 'content' the model finds no glasses"):
        pipeline.remove(pictures[0], what="glasses")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        pipeline.translate(pictures[0], pictures[1], to="all")


def test_combine_takes_each_attribute_from_its_own_guide(pipeline, pictures):
    content, first, second = pictures[0][:1], pictures[1][:1], pictures[1][1:]
    stepwise = pipeline.mix(pipeline.encode(content), pipeline.encode(first), to="glasses")
    stepwise = pipeline.mix(stepwise, pipeline.encode(second), to="smile")
    together = pipeline.combine(content, [first, second], what="glasses+smile")
    assert torch.equal(pipeline.decode(stepwise), together)
    with pytest.raises(ImageError, match="expected 2"):
        pipeline.combine(content, [first])


def test_interpolation_starts_and_ends_at_its_ends(pipeline, pictures):
    content, start, end = pictures[0][:1], pictures[0][1:], pictures[1][:1]
    grid, frames = pipeline.interpolate(content, start, end, across="glasses", steps=3)
    assert frames.shape == (3, 3, 32, 32) and grid.shape == (1, 3, 32, 96)
    for frame, guide in ((frames[:1], start), (frames[-1:], end)):
        torch.testing.assert_close(frame, pipeline.add(content, guide, what="glasses"), atol=1e-5, rtol=0)
    faces = pipeline.interpolate(content, start, end, across="common", steps=3).frames
    ours = pipeline.encode(content)
    for frame, face in ((faces[:1], start), (faces[-1:], end)):
        torch.testing.assert_close(frame, pipeline.decode(pipeline.mix(pipeline.encode(face), ours)), atol=1e-5, rtol=0)
    square = pipeline.interpolate(content, start, end, "all", start, end, "common", steps=2)
    assert square.frames.shape[0] == 4 and square.grid.shape == (1, 3, 64, 64)
    with pytest.raises(ImageError, match="belong together"):
        pipeline.interpolate(content, start, end, down_start=start)


def test_a_face_that_another_replaces_does_not_say_where_layers_lie(pictures):
    pipeline = build(domains=("glasses", "smile"))
    torch.nn.init.normal_(pipeline.decoder.pose.amounts.weight)  # untrained, all lie in one place
    finds(pipeline, smile=100.0)
    ours, theirs = (pipeline.parts(images * 2 - 1) for images in pictures[:2])
    moved = pipeline.changed(ours, {COMMON: theirs[COMMON]})
    named = {name: moved[name] for name in pipeline.names}
    assert torch.equal(pipeline.draw(moved), pipeline.draw(named))
    assert not torch.equal(pipeline.draw(moved), pipeline.draw(named | {POSE: ours[POSE]}))


def test_codes_of_other_weights_are_refused(pipeline, pictures, tmp_path):
    code = pipeline.encode(pictures[0])
    code.save(tmp_path / "code.safetensors")
    assert torch.equal(pipeline.decode(Code.load(tmp_path / "code.safetensors")), pipeline.decode(code))
    other = build(domains=("glasses", "smile"), width=20)
    with pytest.raises(ModelError, match="made by 'didd-"):
        other.decode(code)
    with pytest.raises(UsageError, match="'glasses'"):
        pipeline.translate(pictures[0], pictures[1], to="glases")


def test_pictures_of_any_shape_come_back_at_the_models_size(pipeline):
    assert pipeline.translate(torch.rand(3, 3, 70, 45), torch.rand(1, 3, 20, 90)).shape == (3, 3, 32, 32)
    with pytest.raises(ImageError, match="expected 1 or 3"):
        pipeline.translate(torch.rand(3, 3, 70, 45), torch.rand(2, 3, 20, 90))


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"domains": ("glasses", "none")}, "at least two attributes"),
        ({"domains": ("glasses", "glasses")}, "named twice"),
        ({"domains": ("glasses", "all")}, "cannot name an attribute"),
        ({"domains": ("a", "b"), "size": 40}, "use 32"),
        ({"domains": ("a", "b"), "networks": "published", "size": 64}, "use 128"),
        ({"domains": ("a", "b", "c"), "networks": "published", "size": 128}, "two domains"),
    ],
)
def test_settings_that_cannot_work_are_refused_in_a_sentence(values, message):
    with pytest.raises(ModelError, match=message):
        get_method("didd").config(**values)


@pytest.mark.parametrize("size", [32, 48, 96, 128, 160])
def test_any_size_in_steps_of_sixteen_works(size):
    pipeline = build(size=size, width=8, domains=("a", "b"))
    assert pipeline.reconstruct(torch.rand(1, 3, size, size)).shape == (1, 3, size, size)
    trainer = get_method("didd").trainer(pipeline.train())
    losses = trainer.training_step(0, *torch.rand(2, 2, 3, size, size))
    assert all(loss.isfinite() for loss in losses.values())

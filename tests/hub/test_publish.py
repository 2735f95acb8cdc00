"""Publishing: exactly the folder, in one commit, once; and nothing that is not fit to be seen."""

import shutil

import pytest
import torch
from huggingface_hub import HfApi

from analogies_hub.errors import HubError, ModelError
from analogies_hub.hub.address import Address
from analogies_hub.hub.card import refreshed
from analogies_hub.hub.draft import write_draft
from analogies_hub.hub.publish import check, publish
from analogies_hub.images import save_image
from analogies_hub.registry import MODEL_CARDS, load_pipeline, model_names

PICTURE = "\n![A picture of noise](images/grid.png)\n\n## Use\n"


@pytest.fixture
def folder(small_model, tmp_path):
    """A model with a card, ready to be published."""
    folder = shutil.copytree(small_model, tmp_path / "glasses")
    write_draft(folder, "ann/glasses")
    (folder / "images").mkdir()
    save_image(torch.rand(1, 3, 32, 32), folder / "images" / "grid.png")
    card = folder / "README.md"
    card.write_text(card.read_text().replace("\n## Use\n", PICTURE))
    return folder


def load(path):
    return load_pipeline(path, "cpu")


def contents(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_folder_is_published_once_and_comes_back(hub, folder):
    check(folder, load)
    first = publish(folder, "ann/glasses", tag="v1.0")
    assert first.changed and contents(folder).items() <= hub.files("ann/glasses").items()
    again = publish(folder, "ann/glasses", tag="v1.0")
    assert not again.changed and again.address == first.address
    fetched = load_pipeline("ann/glasses@v1.0", "cpu")
    image = torch.rand(2, 1, 3, 50, 40)
    for one, other in zip(fetched.transfer(*image), load(folder).transfer(*image), strict=True):
        assert torch.equal(one, other)


def test_what_is_gone_from_the_folder_goes_from_the_hub(hub, folder):
    save_image(torch.rand(1, 3, 8, 8), folder / "images" / "old.png")
    publish(folder, "ann/glasses")
    (folder / "images" / "old.png").unlink()
    assert publish(folder, "ann/glasses").changed
    assert "images/old.png" not in hub.files("ann/glasses")


def test_what_others_keep_there_is_not_lost(hub, folder):
    hub.put("ann/data", {"train.csv": b"1,2"})
    with pytest.raises(HubError, match=r"holds 'train\.csv'"):
        publish(folder, "ann/data")
    assert hub.files("ann/data")["train.csv"] == b"1,2"


def test_a_tag_never_moves(hub, folder):
    publish(folder, "ann/glasses", tag="v1.0")
    (folder / "LICENSE").write_text("Other words\n")
    with pytest.raises(HubError, match="for another state"):
        publish(folder, "ann/glasses", tag="v1.0")


def test_an_upload_that_fails_changes_nothing(hub, folder, monkeypatch):
    publish(folder, "ann/glasses")
    before = HfApi().model_info("ann/glasses").sha
    (folder / "LICENSE").write_text("Other words\n")
    monkeypatch.setenv("HF_TOKEN", hub.read_token)
    with pytest.raises(HubError, match="may not do this"):
        publish(folder, "ann/glasses")
    assert HfApi().model_info("ann/glasses").sha == before


def test_a_pipeline_publishes_itself(hub, small_model):
    found = load(small_model).push_to_hub("ann/mine", private=True)
    assert found.address == Address("ann/mine", found.address.revision, found.address.sha256)
    assert load_pipeline("ann/mine", "cpu").fingerprint() == load(small_model).fingerprint()


def change(name, old, new):
    def make(folder):
        path = folder / name
        path.write_text(path.read_text().replace(old, new))

    return make


DEFECTS = {
    "weights of another config": (change("config.json", '"common": 4', '"common": 8'), "does not fit the settings"),
    "a pickle": (lambda folder: (folder / "optimizer.pt").write_bytes(b"x"), "'optimizer.pt' is no part of a model"),
    "no card": (lambda folder: (folder / "README.md").unlink(), "there is no README.md"),
    "no front matter": (change("README.md", "---\n", ""), "must begin with front matter"),
    "licence": (change("README.md", "license: mit", "license: mine"), "license must be one of"),
    "tag": (change("README.md", "- mask_transfer\n", ""), "tags must name the method"),
    "pipeline_tag": (change("README.md", "image-to-image", "bananas"), "pipeline_tag must be"),
    "heading": (change("README.md", "## Ethics", "## Other"), "no heading '## Ethics'"),
    "unfinished": (change("README.md", "Not looked at.", "TODO"), "not finished: 'TODO'"),
    "old numbers": (change("README.md", "3 steps", "9,000 steps"), "not what was measured"),
    "picture": (change("README.md", "images/grid.png", "images/other.png"), "leads nowhere"),
    "outside": (change("README.md", "Not measured.", "See [there](../README.md)."), "leads nowhere"),
    "code": (change("README.md", "pipeline.operations()", "pipeline.nothing()"), "Python block fails: AttributeError"),
}


@pytest.mark.parametrize("name", DEFECTS)
def test_a_folder_that_is_not_fit_to_be_seen_is_not_published(folder, name):
    defect, reason = DEFECTS[name]
    defect(folder)
    with pytest.raises(ModelError, match=reason):
        check(folder, load)


def test_the_command_shows_what_would_go_and_sends_nothing(hub, folder, analogies, tmp_path):
    environment = hub.environment(tmp_path / "home")
    shown = analogies("publish", folder, "--to", "ann/glasses", "--dry-run", env=environment)
    assert shown.returncode == 0 and "model.safetensors" in shown.stdout, shown.stderr
    assert not [call for call in hub.calls if call[0] != "GET"]
    done = analogies("publish", folder, "--to", "ann/glasses", env=environment)
    assert done.returncode == 0 and "is now this model" in done.stdout, done.stderr
    again = analogies("publish", folder, "--to", "ann/glasses", env=environment)
    assert "was already this model" in again.stdout


@pytest.mark.parametrize("name", model_names())
def test_every_model_here_could_be_published_and_comes_back(hub, name):
    folder = MODEL_CARDS / name
    check(folder, load)
    publish(folder, f"ann/{name}")
    fetched, here = load_pipeline(f"ann/{name}", "cpu"), load(folder)
    assert fetched.fingerprint() == here.fingerprint()
    code = here.encode(torch.rand(1, 3, 64, 64))
    assert torch.equal(fetched.decode(code), here.decode(code))


def test_generated_parts_are_made_anew(folder):
    text = (folder / "README.md").read_text()
    assert "| trained for | 3 steps |" in text and refreshed(text, folder) == text

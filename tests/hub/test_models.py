"""Models of the Hub, from a user's point of view: they load, or one sentence says why not."""

import json
import shutil

import pytest
import torch

from analogies_hub.errors import HubError, ModelError, NetworkError, UsageError
from analogies_hub.hub import address as addresses
from analogies_hub.hub import download
from analogies_hub.hub.address import Address
from analogies_hub.registry import MODEL_CARDS, load_pipeline


def test_a_name_of_the_hub_loads_and_says_where_from(hub, files, small_model):
    commit = hub.put("ann/glasses", files)
    pipeline = load_pipeline("ann/glasses", "cpu")
    assert pipeline.origin == f"ann/glasses@{commit}"
    assert pipeline.fingerprint() == load_pipeline(small_model, "cpu").fingerprint()
    assert type(pipeline).from_pretrained("ann/glasses", commit).fingerprint() == pipeline.fingerprint()


def test_what_was_fetched_needs_the_hub_no_more(hub, files):
    commit = hub.put("ann/glasses", files)
    load_pipeline("ann/glasses", "cpu")
    hub.calls.clear()
    load_pipeline(f"ann/glasses@{commit}", "cpu")
    load_pipeline("ann/glasses", "cpu", offline=True)
    assert not hub.calls
    hub.fault("api/models", times=2, status=503)
    load_pipeline("ann/glasses", "cpu")
    hub.stop()
    with pytest.warns(UserWarning, match="the Hub does not answer"):
        load_pipeline("ann/glasses", "cpu")


def test_a_revision_is_what_it_was(hub, files):
    old = hub.put("ann/glasses", files)
    hub.put("ann/glasses", {"config.json": b"{}"})
    assert load_pipeline("ann/glasses", "cpu", revision=old).origin.endswith(old)
    with pytest.raises(ModelError, match="has format None"):
        load_pipeline("ann/glasses", "cpu")


def test_a_published_name_is_a_commit_and_nothing_else(hub, files, monkeypatch):
    commit = hub.put("ann/glasses", files)
    pin = Address("ann/glasses", commit, sha256="0" * 64)
    monkeypatch.setattr(addresses, "pins", lambda: {"glasses": pin})
    with pytest.raises(ModelError, match="is not the model that this release was made with"):
        load_pipeline("glasses", "cpu")
    with pytest.raises(UsageError, match="did you mean 'glasses'"):
        load_pipeline("glases", "cpu")


def test_a_byte_that_flipped_on_the_way_is_fetched_again(hub, files):
    hub.put("ann/glasses", files)
    hub.fault("storage", flip=True)
    load_pipeline("ann/glasses", "cpu")
    hub.put("ann/again", files)
    hub.fault("storage", times=9, flip=True)
    with pytest.raises(ModelError, match="does not match the sha256"):
        load_pipeline("ann/again", "cpu")


@pytest.mark.parametrize("fault", [{"status": 503}, {"truncate": 1000}, {"drop": True}, {"stall": 1.0}])
def test_a_fault_on_the_way_is_got_over(hub, files, fault, monkeypatch):
    monkeypatch.setattr(download, "PAUSE", 0.01)
    hub.put("ann/glasses", files)
    met = hub.fault("storage", **fault)
    assert load_pipeline("ann/glasses", "cpu").config.size == 32
    assert not met.times


def private(hub, files):
    hub.put("ann/glasses", files, private=True)


def gated(hub, files):
    hub.put("ann/glasses", files, gated=True)


def public(hub, files):
    hub.put("ann/glasses", files)


def foreign(hub, files):
    hub.put("ann/glasses", {"README.md": b"hello"})


def incomplete(hub, files):
    hub.put("ann/glasses", {"config.json": files["config.json"]})


def busy(status):
    def make(hub, files):
        hub.put("ann/glasses", files)
        hub.fault("glasses", times=99, status=status)

    return make


def stopped(hub, files):
    hub.stop()


OTHER, BAD = "hf_token_of_somebody_else", "hf_nonsense"
FAILURES = {
    "missing": (
        lambda hub, files: None,
        OTHER,
        "ann/glasses",
        HubError,
        "neither a folder here nor a model on the Hub",
    ),
    "private": (private, OTHER, "ann/glasses", HubError, "or a private one"),
    "gated": (gated, OTHER, "ann/glasses", HubError, "asks its users to accept terms"),
    "revision": (public, OTHER, "ann/glasses@v9", HubError, "has no revision 'v9'"),
    "token": (public, BAD, "ann/glasses", HubError, "refused the token"),
    "foreign": (foreign, OTHER, "ann/glasses", HubError, "not a model of this library"),
    "incomplete": (incomplete, OTHER, "ann/glasses", ModelError, "is missing"),
    "busy": (busy(429), OTHER, "ann/glasses", NetworkError, "busy .HTTP 429"),
    "down": (busy(503), OTHER, "ann/glasses", NetworkError, "busy .HTTP 503"),
    "no network": (stopped, OTHER, "ann/glasses", NetworkError, "could not be reached"),
    "three parts": (public, OTHER, "a/b/c", UsageError, "OWNER/NAME"),
}


@pytest.mark.parametrize("name", FAILURES)
def test_one_sentence_says_why_a_model_cannot_be_had(hub, files, monkeypatch, name):
    make, token, source, kind, reason = FAILURES[name]
    monkeypatch.setattr(download, "PAUSE", 0.01)
    monkeypatch.setenv("HF_TOKEN", token)
    make(hub, files)
    with pytest.raises(kind, match=reason) as caught:
        load_pipeline(source, "cpu")
    assert type(caught.value) is kind and "\n" not in str(caught.value)


def test_offline_what_was_not_fetched_is_not_there(hub, files):
    hub.put("ann/glasses", files)
    with pytest.raises(NetworkError, match="is not on this machine"):
        load_pipeline("ann/glasses", "cpu", offline=True)
    assert not hub.calls


def test_a_hub_that_does_not_answer_is_not_waited_for(hub, files, monkeypatch):
    hub.put("ann/glasses", files)
    load_pipeline("ann/glasses", "cpu")
    monkeypatch.setattr(download, "PROBE_SECONDS", 0.5)
    hub.fault("api/models", stall=20.0)
    with pytest.warns(UserWarning, match="the Hub does not answer"):
        assert load_pipeline("ann/glasses", "cpu").config.size == 32


def test_a_revision_that_cannot_be_obeyed_is_told(small_model):
    for source in ("pair", small_model):
        with pytest.raises(UsageError, match="has no revision 'v1'"):
            load_pipeline(source, "cpu", revision="v1")
    with pytest.raises(UsageError, match="another: 'v2'"):
        load_pipeline("ann/glasses@v1", "cpu", revision="v2")


def test_the_command_line_uses_the_hub(hub, files, analogies, tmp_path, content, guide):
    from analogies_hub.images import save_image

    measured = {"eval.json": (MODEL_CARDS / "mask_transfer-avatars-glasses" / "eval.json").read_bytes()}
    commit, environment = hub.put("ann/glasses", files | measured), hub.environment(tmp_path / "home")
    save_image(content[0], tmp_path / "a.png")
    save_image(guide, tmp_path / "b.png")
    words = ["edit", "a.png", "--guide", "b.png", "--from-hub", "ann/glasses", "-o", "out.png", "--json"]
    done = analogies(*words, cwd=tmp_path, env=environment)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["weights"] == f"ann/glasses@{commit}" and commit in done.stderr
    hub.stop()
    again = analogies(*words, "--offline", "--overwrite", cwd=tmp_path, env=environment)
    assert again.returncode == 0, again.stderr
    gone = analogies("models", "info", "ann/other", env=environment)
    assert gone.returncode == 5 and len(gone.stderr.strip().splitlines()) == 1, gone.stderr
    shown = analogies("models", "info", "ann/glasses", "--offline", env=environment)
    assert "| trained for | 3 steps |" in shown.stdout and "add-glasses" in shown.stdout, shown.stderr
    listed = analogies("models", "list", env=environment)
    assert "ann/glasses" in listed.stdout
    freed = analogies("models", "cache", "--remove", "ann/glasses", env=environment)
    assert freed.returncode == 0 and "Freed" in freed.stdout
    assert "ann/glasses" not in analogies("models", "list", env=environment).stdout


def test_verify_finds_what_is_broken(small_model, tmp_path, analogies):
    shutil.copytree(small_model, tmp_path / "small")
    weights = tmp_path / "small" / "model.safetensors"
    assert analogies("models", "verify", tmp_path / "small").returncode == 0
    weights.write_bytes(weights.read_bytes()[:-1] + b"?")
    done = analogies("models", "verify", tmp_path / "small")
    assert done.returncode == 3 and "BROKEN" in done.stdout


def test_codes_of_equal_weights_are_exchanged(hub, files, small_model):
    hub.put("ann/glasses", files)
    image = torch.rand(1, 3, 32, 32)
    code = load_pipeline("ann/glasses", "cpu").encode(image)
    assert load_pipeline(small_model, "cpu").decode(code).shape == (1, 3, 32, 32)

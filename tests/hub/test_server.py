"""The Hub of these tests, driven by the client as it is. Passes with huggingface_hub 0.36, 1.16 and 2.4."""

import subprocess
import sys
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import ProxyHandler, Request, build_opener

import pytest
from huggingface_hub import CommitOperationAdd, CommitOperationDelete, HfApi, __version__, hf_hub_download
from huggingface_hub import snapshot_download as client_snapshot_download
from huggingface_hub.errors import (
    EntryNotFoundError,
    GatedRepoError,
    HfHubHTTPError,
    LocalEntryNotFoundError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)

from .server import Hub

CARD = b"---\nlicense: mit\nlibrary_name: analogies-hub\ntags: [image-translation]\n---\n# A model\n"
WEIGHTS = bytes(range(256)) * 4096  # 1 MiB
MODEL = {"README.md": CARD, "config.json": b'{"format_version": 1}', "model.safetensors": WEIGHTS}
CLIENT = int(__version__.split(".")[0])
MISSING, REFUSED = RepositoryNotFoundError, HfHubHTTPError


@pytest.fixture
def hub(monkeypatch, tmp_path):
    with Hub() as hub:
        hub.use(monkeypatch, tmp_path / "home")
        yield hub


@pytest.fixture
def api(hub):
    return HfApi(endpoint=hub.url, token=hub.token)


@pytest.fixture
def download(hub, tmp_path):
    """The function that downloads a snapshot, as the owner unless told otherwise, and reads it."""

    def snapshot(repo, token=hub.token, **options):
        options = {"cache_dir": tmp_path / "cache", "endpoint": hub.url, "token": token} | options
        folder = Path(client_snapshot_download(repo, **options))
        return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}

    return snapshot


@pytest.fixture
def folder(tmp_path):
    """A model's files on disk."""
    for name, data in MODEL.items():
        path = tmp_path / "model" / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(data)
    return tmp_path / "model"


def test_what_is_uploaded_can_be_downloaded(hub, api, folder, download):
    api.create_repo("owner/model")
    commit = api.upload_folder(repo_id="owner/model", folder_path=folder)
    api.create_tag("owner/model", tag="v1.0")
    assert (
        "PUT",
        f"/storage/{api.model_info('owner/model', files_metadata=True).siblings[-1].lfs.sha256}",
    ) in hub.calls
    assert {name: data for name, data in download("owner/model", revision="v1.0").items() if name in MODEL} == MODEL
    assert {name: data for name, data in hub.files("owner/model").items() if name in MODEL} == MODEL
    info = api.model_info("owner/model", revision=commit.oid)
    assert (info.sha, info.library_name, info.private) == (commit.oid, "analogies-hub", False)


def test_an_upload_of_what_is_there_changes_nothing(hub, api, folder):
    api.create_repo("owner/model")
    commit = api.upload_folder(repo_id="owner/model", folder_path=folder)
    hub.calls.clear()
    assert api.upload_folder(repo_id="owner/model", folder_path=folder).oid == commit.oid
    assert not [call for call in hub.calls if "commit" in call[1] or "storage" in call[1]]


def test_each_revision_keeps_its_files(hub, api, download):
    first = hub.put("owner/model", MODEL)
    api.create_tag("owner/model", tag="v1.0")
    api.create_branch("owner/model", branch="old/er")
    operations = [
        CommitOperationAdd("sub/deep/new.bin", b"\0new"),
        CommitOperationDelete("README.md"),
    ]
    second = api.create_commit("owner/model", operations, commit_message="Other files", parent_commit=first).oid
    assert download("owner/model", revision="v1.0") == MODEL == download("owner/model", revision="old/er")
    assert sorted(download("owner/model")) == ["config.json", "model.safetensors", "sub/deep/new.bin"]
    refs = api.list_repo_refs("owner/model")
    assert {ref.name: ref.target_commit for ref in refs.branches} == {"main": second, "old/er": first}
    assert [(ref.ref, ref.target_commit) for ref in refs.tags] == [("refs/tags/v1.0", first)]


def test_files_and_folders_are_listed(hub, api):
    hub.put("owner/model", MODEL | {"sub/deep/new.bin": b"\0new"})
    top = {row.path: getattr(row, "size", None) for row in api.list_repo_tree("owner/model")}
    assert top == {**{name: len(data) for name, data in MODEL.items()}, "sub": None}
    assert [row.path for row in api.list_repo_tree("owner/model", "sub", recursive=True)][-1] == "sub/deep/new.bin"
    found = api.get_paths_info("owner/model", ["sub", "config.json", "nothing"])
    assert [row.path for row in found] == ["sub", "config.json"]
    api.delete_folder("sub", "owner/model")
    api.delete_file("config.json", "owner/model")
    assert set(hub.files("owner/model")) == {"README.md", "model.safetensors"}
    api.delete_repo("owner/model")
    assert not api.repo_exists("owner/model")


@pytest.mark.parametrize(
    ("repo", "token", "revision", "error", "status"),
    [
        ("owner/private", None, None, MISSING, 401),
        ("owner/private", "other_token", None, MISSING, 404),
        ("owner/nothing", None, None, MISSING, 401),
        ("owner/nothing", "token", None, MISSING, 404),
        ("owner/gated", None, None, GatedRepoError, 401),
        ("owner/gated", "other_token", None, GatedRepoError, 403),
        ("owner/open", "token", "v9", RevisionNotFoundError, 404),
        ("owner/open", "bad", None, REFUSED, 401),
    ],
)
def test_a_refusal_is_the_clients_own_exception(hub, download, repo, token, revision, error, status):
    for name in ("private", "gated", "open"):
        hub.put(f"owner/{name}", MODEL, private=name == "private", gated=name == "gated")
    with pytest.raises(error) as caught:
        download(repo, getattr(hub, token, "hf_unknown") if token else False, revision=revision)
    assert type(caught.value) is error
    assert caught.value.response.status_code == status


def test_insiders_read_what_others_may_not(hub, download):
    hub.put("owner/private", MODEL, private=True)
    hub.put("owner/gated", MODEL, gated=True)
    assert download("owner/private") == MODEL == download("owner/gated", hub.read_token)
    info = HfApi(endpoint=hub.url).model_info("owner/gated", token=False)
    assert info.gated == "auto" and len(info.siblings) == len(MODEL)  # all may list the files


def test_a_missing_file_is_told_from_a_missing_repository(hub, tmp_path):
    hub.put("owner/model", MODEL)
    with pytest.raises(EntryNotFoundError) as caught:
        hf_hub_download("owner/model", "none.json", endpoint=hub.url, cache_dir=tmp_path, token=hub.token)
    assert not isinstance(caught.value, LocalEntryNotFoundError)


def test_writing_needs_the_right_token_the_newest_commit_and_a_sound_card(hub, api):
    old = hub.put("owner/model", MODEL)
    new = hub.put("owner/model", {"config.json": b"{}"})
    for token, status in ((hub.read_token, 403), ("hf_unknown", 401)):
        with pytest.raises(HfHubHTTPError) as caught:
            api.create_repo("owner/other", token=token)
        assert caught.value.response.status_code == status
    with pytest.raises(HfHubHTTPError, match="A commit has happened since") as caught:
        api.create_commit("owner/model", [CommitOperationAdd("a", b"a")], commit_message="Late", parent_commit=old)
    assert caught.value.response.status_code == 412
    with pytest.raises(ValueError, match="Invalid metadata"):
        api.upload_file(path_or_fileobj=b"---\nlicense: [\n---\n", path_in_repo="README.md", repo_id="owner/model")
    assert api.model_info("owner/model").sha == new
    with pytest.raises(HfHubHTTPError):
        api.create_repo("owner/model")
    assert api.create_repo("owner/model", exist_ok=True).repo_id == "owner/model"
    assert api.whoami()["auth"]["accessToken"]["role"] == "write"


def test_a_moved_repository_is_found_under_its_old_name(hub, api, download):
    hub.put("owner/old", MODEL)
    hub.move("owner/old", "owner/new")
    assert download("owner/old") == MODEL
    assert api.model_info("owner/old").id == "owner/new"
    api.upload_file(path_or_fileobj=b"{}", path_in_repo="config.json", repo_id="owner/old")
    assert hub.files("owner/new")["config.json"] == b"{}"


@pytest.mark.parametrize("fault", [{"truncate": 1000}, {"drop": True}, {"stall": 0.2}], ids=str)
def test_a_download_that_breaks_off_is_resumed(hub, download, fault):
    hub.put("owner/model", MODEL)
    waiting = hub.fault("storage", method="GET", **fault)
    try:
        assert download("owner/model") == MODEL
    except Exception as error:  # clients before 2 let out what their HTTP library raises
        assert CLIENT < 2 and type(error).__module__.split(".")[0] in ("httpx", "requests")
    assert waiting.times == 0
    assert download("owner/model") == MODEL


def test_one_wrong_byte_passes_the_client_unnoticed(hub, download):
    hub.put("owner/model", MODEL)
    hub.fault("storage", flip=True)
    fetched = download("owner/model")["model.safetensors"]
    assert len(fetched) == len(WEIGHTS)
    assert sum(a != b for a, b in zip(fetched, WEIGHTS, strict=True)) == 1


def test_a_busy_hub_is_told_by_its_status(hub, api, download):
    hub.put("owner/model", MODEL)
    hub.fault("api/models", status=503)
    with pytest.raises(LocalEntryNotFoundError) as caught:
        download("owner/model")
    assert caught.value.__cause__.response.status_code == 503
    hub.fault("storage", status=503)
    if CLIENT > 0:  # the older one tries again
        with pytest.raises(HfHubHTTPError) as caught:
            download("owner/model")
        assert caught.value.response.status_code == 503
    assert download("owner/model") == MODEL
    waiting = hub.fault("storage", status=503, method="PUT")
    api.upload_file(path_or_fileobj=b"\0more", path_in_repo="more.bin", repo_id="owner/model")
    assert waiting.times == 0 and hub.files("owner/model")["more.bin"] == b"\0more"


def test_a_stopped_hub_is_out_of_reach_and_comes_back(hub, api):
    hub.put("owner/model", MODEL)
    hub.fault("api/models", stall=30)
    for stopped in (False, True):
        with pytest.raises(Exception, match=r"(?i)timed out|refused"):
            api.model_info("owner/model", timeout=0.3)
        if not stopped:
            hub.stop()
    hub.start()
    assert api.model_info("owner/model").id == "owner/model"


def test_another_process_uses_it_through_the_environment(hub, tmp_path):
    commit = hub.put("owner/private", MODEL, private=True)
    script = "import sys, huggingface_hub as h; h.snapshot_download('owner/private', revision=sys.argv[1])"
    for _ in range(2):
        hub.calls.clear()
        subprocess.run([sys.executable, "-c", script, commit], env=hub.environment(tmp_path), check=True, timeout=60)
    asked = [("GET", f"/api/models/owner/private/revision/{commit}")] if CLIENT < 2 else []
    assert hub.calls == asked  # a whole commit that is cached needs no request
    assert list((tmp_path / "hub").glob("models--owner--private/snapshots/*/config.json"))


def test_parts_of_a_file_can_be_asked_for(hub):
    hub.put("owner/model", MODEL)
    address = f"{hub.url}/owner/model/resolve/main/model.safetensors"

    def ask(wanted):
        return build_opener(ProxyHandler({})).open(Request(address, headers={"Range": wanted}), timeout=10)

    with ask("bytes=5-9") as answer:
        assert (answer.status, answer.read()) == (206, WEIGHTS[5:10])
        assert answer.url.startswith("http://localhost:")  # another host, as a content network's
        assert answer.headers["Content-Range"] == f"bytes 5-9/{len(WEIGHTS)}"
    with ask("bytes=-3") as answer:
        assert answer.read() == WEIGHTS[-3:]
    with pytest.raises(HTTPError, match="416"):
        ask(f"bytes={len(WEIGHTS)}-")

"""A real ComfyUI as users run it, driven through its HTTP interface; only where COMFYUI_PATH names one."""

import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from analogies_hub.images import to_tensor

from . import prompts
from .conftest import COMFYUI, HERE, PACK

pytestmark = [pytest.mark.slow, pytest.mark.skipif(not COMFYUI, reason="COMFYUI_PATH names no ComfyUI")]
START_SECONDS, RUN_SECONDS = 180, 300


class Host:
    """A ComfyUI with the pack linked into it."""

    def __init__(self, base):
        for name in ("custom_nodes", "models", "input", "output"):
            (base / name).mkdir()
        (base / "custom_nodes/analogies").symlink_to(PACK)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.base, self.url = base, f"http://127.0.0.1:{port}"
        options = f"--cpu --listen 127.0.0.1 --port {port} --database-url sqlite:///:memory: --disable-api-nodes"
        words = [sys.executable, "main.py", *options.split(), "--base-directory", str(base)]
        environment = os.environ | {"PYTHONPATH": str(HERE.parent.parent)}
        self.log = (base / "log").open("w")
        self.process = subprocess.Popen(words, cwd=COMFYUI, env=environment, stdout=self.log, stderr=self.log)

    def wait(self):
        """Until it answers."""
        for _ in range(START_SECONDS):
            if self.process.poll() is not None:
                break
            try:
                return self.ask("/object_info")
            except OSError:
                time.sleep(1)
        raise AssertionError(Path(self.log.name).read_text()[-3000:])

    def ask(self, path, data=None):
        """A GET, or a POST of JSON; what is refused comes back as what it says."""
        body = None if data is None else json.dumps(data).encode()
        try:
            with urllib.request.urlopen(urllib.request.Request(self.url + path, body)) as answer:
                return json.loads(answer.read() or b"null")
        except urllib.error.HTTPError as error:
            return json.loads(error.read())

    def history(self, prompt):
        """What came of a prompt."""
        number = self.ask("/prompt", {"prompt": prompt})["prompt_id"]
        for _ in range(10 * RUN_SECONDS):
            if found := self.ask(f"/history/{number}"):
                return found[number]
            time.sleep(0.1)
        raise AssertionError(f"no end after {RUN_SECONDS} s")

    def picture(self, shown):
        """A picture of an output as (1, 3, H, W)."""
        query = "&".join(f"{name}={value}" for name, value in shown.items())
        with urllib.request.urlopen(f"{self.url}/view?{query}") as answer:
            return to_tensor(answer.read())


@pytest.fixture(scope="module")
def host(tmp_path_factory):
    """A running ComfyUI."""
    found = Host(tmp_path_factory.mktemp("server"))
    try:
        found.wait()
        yield found
    finally:
        found.process.terminate()
        found.process.wait(30)
        found.log.close()


def twin(name):
    """An example workflow in the API format."""
    return json.loads((HERE / f"workflows/{name}.json").read_text())


def cached(history):
    """The nodes that did not run again."""
    return next(found["nodes"] for kind, found in history["status"]["messages"] if kind == "execution_cached")


@pytest.mark.parametrize("name", sorted(path.stem for path in (HERE / "workflows").glob("*.json")))
def test_each_example_gives_the_pictures_of_the_library(name, host, nodes):
    prompt = twin(name)
    expected = prompts.run(prompt, nodes)
    history = host.history(prompt)
    assert history["status"]["status_str"] == "success"
    for number, node in prompt.items():
        if node["class_type"] == "SaveImage":
            pictures = [host.picture(shown) for shown in history["outputs"][number]["images"]]
            wanted = [one for images in expected[number] for one in images.split(1)]
            for picture, image in zip(pictures, wanted, strict=True):
                assert float((picture - image.movedim(-1, 1)).abs().max()) <= 1.01 / 255
    assert set(cached(host.history(prompt))) == set(prompt)


def test_an_open_page_knows_the_pages_templates_and_nodes(host):
    info = host.ask("/object_info")
    assert len([name for name in info if name.startswith("Analogies_")]) > 30
    assert len(host.ask("/workflow_templates")["analogies"]) >= 6
    with urllib.request.urlopen(f"{host.url}/extensions/analogies/docs/Analogies_pair_translate.md") as answer:
        assert b"Structural analogy" in answer.read()


def test_a_wrong_link_and_a_wrong_value_are_refused_before_anything_runs(host):
    prompt = twin("mask_edit")
    prompt["4"]["inputs"]["model"] = ["2", 0]
    prompt["7"]["inputs"]["feather"] = 7
    refused = host.ask("/prompt", {"prompt": prompt})["node_errors"]
    assert "mismatch" in refused["4"]["errors"][0]["message"].lower() and "7" in refused


def test_an_error_is_one_sentence_on_the_node(host):
    prompt = twin("translate_attributes")
    prompt["4"]["inputs"]["to"] = "hats"
    messages = dict(host.history(prompt)["status"]["messages"])
    found = messages["execution_error"]
    assert found["node_id"] == "4" and found["exception_message"].strip().startswith("'to' cannot be 'hats'")


def test_cancel_stops_a_long_run_and_the_next_one_works(host):
    prompt = twin("pair_analogy")
    prompt["3"]["inputs"]["size"] = 2048
    number = host.ask("/prompt", {"prompt": prompt})["prompt_id"]
    time.sleep(4)
    host.ask("/interrupt", {})
    while not (found := host.ask(f"/history/{number}")):
        time.sleep(0.05)
    assert [kind for kind, _ in found[number]["status"]["messages"]][-1] == "execution_interrupted"
    assert host.history(twin("mask_edit"))["status"]["status_str"] == "success"


def test_a_huge_batch_goes_through(host):
    prompt = twin("mask_edit")
    prompt["10"] = {"class_type": "RepeatImageBatch", "inputs": {"image": ["2", 0], "amount": 64}}
    prompt["4"]["inputs"]["content"] = ["10", 0]
    assert len(host.history(prompt)["outputs"]["5"]["images"]) == 64


def test_memory_returns_after_unloading(host):
    def resident():
        status = Path(f"/proc/{host.process.pid}/status").read_text()
        return int(next(line for line in status.splitlines() if line.startswith("VmRSS")).split()[1]) / 1024

    def used():
        host.ask("/free", {"unload_models": True, "free_memory": True})
        time.sleep(2)
        return resident()

    host.history(twin("mix_codes"))
    before = used()
    for seed in range(3):
        prompt = twin("mix_codes")
        prompt["2"]["inputs"]["name"] = f"faces/plain-{seed + 1}"
        host.history(prompt)
    assert used() - before < 60  # MB; one model in memory is 20

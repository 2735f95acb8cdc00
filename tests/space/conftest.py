"""The web page, served as `analogies demo` serves it: in a process of its own."""

import os
import socket
import subprocess
import time
import urllib.request
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

pytest.importorskip("gradio", reason="the web page needs gradio")

STARTS_WITHIN = 180  # seconds, on a machine with other work


@dataclass
class Site:
    """A page that is served.

    Attributes:
        files: where it keeps pictures.
        process: the command that serves it.
    """

    url: str
    files: Path
    process: subprocess.Popen

    def up(self):
        """Whether it answers."""
        with suppress(OSError), urllib.request.urlopen(self.url, timeout=5) as answer:
            return answer.status == 200
        return False

    def memory(self):
        """What the server holds, in MB."""
        children = subprocess.run(["pgrep", "-P", str(self.process.pid)], capture_output=True, text=True).stdout
        status = Path(f"/proc/{children.split()[0]}/status").read_text()
        return int(status.partition("VmRSS:")[2].split()[0]) / 1024


def free_port():
    with socket.socket() as place:
        place.bind(("127.0.0.1", 0))
        return place.getsockname()[1]


@pytest.fixture(scope="session")
def site(command, tmp_path_factory):
    """The page with the committed models."""
    files, port = tmp_path_factory.mktemp("gradio"), free_port()
    log = (tmp_path_factory.mktemp("log") / "log").open("w+")
    environment = os.environ | {"GRADIO_TEMP_DIR": str(files), "HF_HUB_OFFLINE": "1", "NO_PROXY": "127.0.0.1"}
    words = [*command, "demo", "--port", str(port)]
    process = subprocess.Popen(words, env=environment, stdout=log, stderr=log)
    served = Site(f"http://127.0.0.1:{port}", files, process)
    end = time.monotonic() + STARTS_WITHIN
    while not served.up():
        assert process.poll() is None and time.monotonic() < end, Path(log.name).read_text()
        time.sleep(0.2)
    at_first = set(files.rglob("*.*"))
    yield served
    process.terminate()
    assert process.wait(30) == 0
    assert set(files.rglob("*.*")) <= at_first, "what visitors gave and got must be deleted"


@pytest.fixture
def client(site):
    """A program that uses the page's interface."""
    from gradio_client import Client

    return Client(site.url, verbose=False)

"""A Hub for tests: on 127.0.0.1, in memory, and enough of one for the unmodified huggingface_hub client.

    with Hub() as hub:
        commit = hub.put("owner/name", {"config.json": b"{}"})
        subprocess.run([...], env=hub.environment(tmp_path))

It says what it was asked in `hub.calls`, and misbehaves as `hub.fault` tells it to.
"""

import os
import re
import socket
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Self

from . import calls  # noqa: F401 (they register themselves)
from .api import Account, Api, Request, Response, reply
from .store import Blob, Repo

if TYPE_CHECKING:
    import pytest


@dataclass
class Fault:
    """What goes wrong with the next `times` requests; see `Hub.fault`."""

    match: re.Pattern[str]
    times: int
    status: int | None = None
    truncate: int | None = None
    drop: bool = False
    stall: float = 0.0
    flip: bool = False
    method: str | None = None

    def hits(self, method: str, path: str) -> bool:
        """Whether it is for this request."""
        return self.times > 0 and self.method in (None, method) and self.match.search(path) is not None

    def spoil(self, body: bytes) -> bytes:
        """What is sent in place of a body."""
        if self.flip and body:
            middle = len(body) // 2
            body = body[:middle] + bytes([body[middle] ^ 0xFF]) + body[middle + 1 :]
        return body[: self.truncate]


DIRECT = dict.fromkeys(("NO_PROXY", "no_proxy"), "127.0.0.1,localhost")
NO_FAULT = Fault(re.compile(""), times=0)


class Server(ThreadingHTTPServer):
    """One thread for each connection; none of them keeps the tests from ending."""

    daemon_threads = True
    hub: "Hub"


class Wire(BaseHTTPRequestHandler):
    """A request from the socket, an answer to it; one for each connection, so that a stopped Hub is really gone."""

    protocol_version = "HTTP/1.1"
    server: Server

    def respond(self) -> None:
        """Answer as the Hub would, or as a fault says."""
        self.close_connection = True
        hub = self.server.hub
        fault = hub.arrived(self.command, self.path.partition("?")[0])
        try:
            body = self.read_body()
            if fault.stall:
                hub.stopping.wait(fault.stall)
            if fault.drop or hub.stopping.is_set():
                self.connection.shutdown(socket.SHUT_RDWR)
            elif fault.status:
                self.send(reply({"error": "A fault of the test"}, fault.status), fault)
            else:
                headers = {name.lower(): value for name, value in self.headers.items()}
                self.send(hub.answer(Request(self.command, self.path, headers, body)), fault)
        except OSError:  # the client did not wait
            pass

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = respond

    def read_body(self) -> bytes:
        """All of the body, also if its length is not told first."""
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        body = bytearray()
        while size := int(self.rfile.readline(), 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return bytes(body)

    def send(self, response: Response, fault: Fault) -> None:
        """The length is that of the whole body, also where less of it follows."""
        self.send_response(response.status)
        headers = {"Content-Length": str(len(response.body)), "Connection": "close"} | response.headers
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(fault.spoil(response.body))

    def log_message(self, *_: object) -> None:
        """Nothing: `Hub.calls` is the log."""


class Hub:
    """A Hub that holds models.

    Attributes:
        token: may see and change everything.
        read_token: may see everything, and change nothing.
        other_token: of somebody who may see only what is public, and change nothing.
        calls: method and path (without the query) of each request so far.
    """

    token = "hf_token_that_may_write"
    read_token = "hf_token_that_may_read"
    other_token = "hf_token_of_somebody_else"

    def __init__(self) -> None:
        owner, reader = Account("owner", insider=True, writer=True), Account("owner", insider=True, writer=False)
        other = Account("other", insider=False, writer=False)
        self.api = Api({self.token: owner, self.read_token: reader, self.other_token: other})
        self.calls: list[tuple[str, str]] = []
        self.faults: list[Fault] = []
        self.stopping = threading.Event()
        self.lock = threading.RLock()
        self.port = 0
        self.server: Server | None = None

    @property
    def url(self) -> str:
        """The endpoint; it stays the same while the Hub is stopped."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> Self:
        """Serve; after a stop again at the same address, with all that was there."""
        self.stopping.clear()
        self.server = Server(("127.0.0.1", self.port), Wire)
        self.server.hub = self
        self.port = self.server.server_address[1]
        # Large files are under another name of this machine: the client follows redirects within a host by
        # itself, and would then miss the headers of the first answer.
        self.api.url, self.api.storage_url = self.url, f"http://localhost:{self.port}"
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def stop(self) -> None:
        """Serve no more: connections are refused, and those that wait are dropped."""
        self.stopping.set()
        if self.server:
            self.server.shutdown()
            self.server.server_close()
            self.server = None

    def __enter__(self) -> Self:
        """Start."""
        return self.start()

    def __exit__(self, *_: object) -> None:
        """Stop."""
        self.stop()

    def arrived(self, method: str, path: str) -> Fault:
        """Note a request, and use up the fault that is for it."""
        with self.lock:
            self.calls.append((method, path))
            for fault in self.faults:
                if fault.hits(method, path):
                    fault.times -= 1
                    return fault
            return NO_FAULT

    def answer(self, request: Request) -> Response:
        """One at a time."""
        with self.lock:
            return self.api.answer(request)

    def fault(
        self,
        match: str,
        times: int = 1,
        status: int | None = None,
        truncate: int | None = None,
        drop: bool = False,
        stall: float | None = None,
        flip: bool = False,
        method: str | None = None,
    ) -> Fault:
        """Let something go wrong with the next requests.

        Args:
            match: regular expression, searched in the path without the query: `resolve/main/config` for a file of
                the repository, `storage/.*safetensors` for the bytes of a large one, `api/models/.*/commit`.
            times: for how many.
            status: the answer is this HTTP status; nothing else happens.
            truncate: the body ends after so many bytes.
            drop: the connection closes without an answer; nothing else happens.
            stall: seconds before the answer, or before any of the above.
            flip: one byte of the body is another.
            method: only of these requests; `truncate` and `flip` are for GET if nothing is said.

        Returns:
            The fault, whose `times` says how many it still waits for.
        """
        if flip or truncate is not None:
            method = method or "GET"
        fault = Fault(re.compile(match), times, status, truncate, drop, stall or 0.0, flip, method)
        with self.lock:
            self.faults.append(fault)
        return fault

    def put(
        self, repo: str, files: Mapping[str, bytes], private: bool = False, gated: bool = False, branch: str = "main"
    ) -> str:
        """Commit files with no client: to a new repository, which has only them, or on top of what is there.

        Args:
            repo: OWNER/NAME.
            private: nobody else sees it.
            gated: its files can be listed, but not read.
            branch: a new one starts from main.

        Returns:
            The commit.
        """
        with self.lock:
            held = self.api.repos.setdefault(repo, Repo(repo))
            held.private, held.gated = held.private or private, held.gated or (gated and "auto")
            start = held.branches.get(branch) or held.branches.get("main")
            blobs = {path: Blob.of(path, data) for path, data in files.items()}
            self.api.large |= {blob.sha256: blob.data for blob in blobs.values() if blob.large}
            there = held.commits[start].files if start else {}
            return held.commit(branch, there | blobs, "Put there by a test").sha

    def files(self, repo: str, revision: str = "main") -> dict[str, bytes]:
        """The files of a revision, to compare with what was to be published."""
        with self.lock:
            return {path: blob.data for path, blob in self.api.repos[repo].at(revision).files.items()}

    def move(self, old: str, new: str) -> None:
        """Rename a repository; its old name leads to the new one."""
        with self.lock:
            self.api.move(old, new)

    def environment(self, home: str | Path) -> dict[str, str]:
        """The whole environment of a process that is to use this Hub.

        It is the one of this process without what would change where and how the client looks.

        Args:
            home: a folder for the client's cache; the process's own.
        """
        foreign = re.compile("HF_(?!ASSETS_CACHE)|HUGGING|TRANSFORMERS_")
        kept = {name: value for name, value in os.environ.items() if not foreign.match(name)}
        switches = ("DISABLE_XET", "DISABLE_TELEMETRY", "DISABLE_PROGRESS_BARS", "DISABLE_UPDATE_CHECK")
        ours = {"HF_ENDPOINT": self.url, "HF_HOME": str(home), "HF_TOKEN": self.token}
        return kept | ours | DIRECT | {f"HF_HUB_{switch}": "1" for switch in switches}

    def use(self, monkeypatch: "pytest.MonkeyPatch", home: str | Path) -> None:
        """Let the client in this process use this Hub, with no address given.

        An address alone does not do: client 2.4 asks the real Hub which agents there are, and 0.36 does not
        understand the answer to a commit.

        Args:
            home: a folder for the client's cache; the test's own.
        """
        for name, value in {"HF_TOKEN": self.token, **DIRECT}.items():
            monkeypatch.setenv(name, value)
        template = self.url + "/{repo_id}/resolve/{revision}/{filename}"
        constants = {
            "ENDPOINT": self.url,
            "HUGGINGFACE_CO_URL_TEMPLATE": template,
            "HF_HUB_CACHE": str(Path(home) / "hub"),
            "HF_TOKEN_PATH": str(Path(home) / "token"),
            "HF_HUB_OFFLINE": False,
            "HF_HUB_DISABLE_XET": True,
            "HF_HUB_DISABLE_TELEMETRY": True,
        }
        for constant, changed in constants.items():
            monkeypatch.setattr(f"huggingface_hub.constants.{constant}", changed)
        monkeypatch.setattr("huggingface_hub.hf_api.api.endpoint", self.url)
        copied = "huggingface_hub.file_download.HUGGINGFACE_CO_URL_TEMPLATE"  # by 0.36, when it is imported
        monkeypatch.setattr(copied, template, raising=False)

"""Repositories in memory: every commit keeps its own tree, so old revisions and tags go on working."""

import hashlib
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

import yaml

Row = dict[str, Any]
LARGE = re.compile(r"\.(safetensors|bin|pt|pth|ckpt|onnx|npz|npy|zip|gz|tar|parquet|pkl|h5)$")
LARGE_BYTES = 10_000_000
ATTRIBUTES = b"*.safetensors filter=lfs diff=lfs merge=lfs -text\n"  # the first commit of a created repository
FRONT_MATTER = re.compile(r"\A---[ \t]*\r?\n(.*?)\r?\n---[ \t]*(\r?\n|\Z)", re.DOTALL)


class Refusal(Exception):
    """An answer that is not a success.

    Args:
        status: of HTTP.
        message: the client shows it.
        code: RepoNotFound, RevisionNotFound, EntryNotFound or GatedRepo; by it the client chooses its exception.
        headers: more of them.
        body: more entries of the JSON body.
    """

    def __init__(
        self,
        status: int,
        message: str,
        code: str | None = None,
        headers: dict[str, str] | None = None,
        body: Row | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.headers = {"X-Error-Message": message} | ({"X-Error-Code": code} if code else {}) | (headers or {})
        self.body = {"error": message} | (body or {})


def is_large(path: str, size: int, start: bytes) -> bool:
    """Whether the Hub wants a file through LFS: by its name, its size, or a zero byte at its start."""
    return LARGE.search(path) is not None or size > LARGE_BYTES or b"\0" in start


@dataclass(frozen=True)
class Blob:
    """A file's bytes, and whether git holds them or, for a large file, only a pointer to them."""

    data: bytes
    large: bool = False

    @classmethod
    def of(cls, path: str, data: bytes) -> "Blob":
        """The file as an upload would store it; empty ones are never large."""
        return cls(data, bool(data) and is_large(path, len(data), data[:512]))

    @cached_property
    def sha256(self) -> str:
        """Of the bytes."""
        return hashlib.sha256(self.data).hexdigest()

    @cached_property
    def pointer(self) -> bytes:
        """What git holds in place of a large file."""
        text = f"version https://git-lfs.github.com/spec/v1\noid sha256:{self.sha256}\nsize {len(self.data)}\n"
        return text.encode()

    @cached_property
    def oid(self) -> str:
        """Git's name of what git holds."""
        held = self.pointer if self.large else self.data
        return hashlib.sha1(b"blob %d\0" % len(held) + held).hexdigest()

    @property
    def etag(self) -> str:
        """The name under which the client caches it, and by which it tells a file that has not changed."""
        return self.sha256 if self.large else self.oid

    def row(self, path: str) -> Row:
        """An entry of a tree listing."""
        lfs = {"oid": self.sha256, "size": len(self.data), "pointerSize": len(self.pointer)}
        row = {"type": "file", "oid": self.oid, "size": len(self.data), "path": path}
        return row | ({"lfs": lfs} if self.large else {})

    def sibling(self, path: str, blobs: bool) -> Row:
        """An entry of a repository's file list, with sizes and hashes only if asked."""
        if not blobs:
            return {"rfilename": path}
        lfs = {"sha256": self.sha256, "size": len(self.data), "pointerSize": len(self.pointer)}
        row = {"rfilename": path, "size": len(self.data), "blobId": self.oid}
        return row | ({"lfs": lfs} if self.large else {})


@dataclass(frozen=True)
class Commit:
    """One state of all files."""

    sha: str
    files: dict[str, Blob]
    date: str

    def row(self, path: str) -> Row | None:
        """The entry of a file or folder in a listing, None if it is not there."""
        if path in self.files:
            return self.files[path].row(path)
        inside = [f"{file} {blob.oid}" for file, blob in sorted(self.files.items()) if file.startswith(f"{path}/")]
        oid = hashlib.sha1("\n".join(inside).encode()).hexdigest()
        return {"type": "directory", "oid": oid, "size": 0, "path": path} if inside else None

    def listing(self, folder: str, recursive: bool) -> list[Row]:
        """The entries in a folder, those of the folders in it only if asked; "" is the root."""
        start = f"{folder}/" if folder else ""
        rows: dict[str, Row | None] = {}
        for path in sorted(path for path in self.files if path.startswith(start)):
            parts = path.removeprefix(start).split("/")
            for depth in range(1, len(parts) + 1 if recursive else 2):
                inner = start + "/".join(parts[:depth])
                rows.setdefault(inner, self.row(inner))
        if folder and not rows:
            raise self.no_entry(folder)
        return [row for row in rows.values() if row]

    def file(self, path: str) -> Blob:
        """A file's bytes.

        Raises:
            Refusal: if there is no such file here.
        """
        if path not in self.files:
            raise self.no_entry(path)
        return self.files[path]

    def no_entry(self, path: str, message: str = "Entry not found") -> Refusal:
        """That a path is not here."""
        return Refusal(404, message, "EntryNotFound", {"X-Repo-Commit": self.sha}, {"path": path})


@dataclass
class Repo:
    """A model repository; `gated` is False or who lets users in: "auto" or "manual"."""

    name: str
    private: bool = False
    gated: bool | str = False
    branches: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    commits: dict[str, Commit] = field(default_factory=dict)

    def at(self, revision: str) -> Commit:
        """The commit that a branch, a tag or the start of a commit's name means."""
        name = revision.removeprefix("refs/heads/").removeprefix("refs/tags/")
        for refs in (self.branches, self.tags):
            if name in refs:
                return self.commits[refs[name]]
        found = [commit for sha, commit in self.commits.items() if len(revision) >= 7 and sha.startswith(revision)]
        if len(found) != 1:
            raise Refusal(404, f"Invalid rev id: {revision}", "RevisionNotFound")
        return found[0]

    def head(self, branch: str) -> Commit:
        """The newest commit of a branch; tags and commits have none."""
        if branch not in self.branches:
            raise Refusal(404, f"Invalid rev id: {branch}", "RevisionNotFound")
        return self.commits[self.branches[branch]]

    def commit(self, branch: str, files: dict[str, Blob], title: str) -> Commit:
        """Put a new state on a branch, also where it equals the last one; a new branch gets its first commit."""
        parent = self.branches.get(branch) or self.branches.get("main")
        names = [f"{path} {blob.oid}" for path, blob in sorted(files.items())]
        text = "\n".join([str(len(self.commits)), self.name, title, str(parent), *names])
        date = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
        made = Commit(hashlib.sha1(text.encode()).hexdigest(), dict(files), date)
        self.commits[made.sha] = made
        self.branches[branch] = made.sha
        return made

    def refs(self) -> Row:
        """Branches and tags as the Hub lists them."""

        def rows(kind: str, refs: dict[str, str]) -> list[Row]:
            return [{"name": name, "ref": f"refs/{kind}/{name}", "targetCommit": sha} for name, sha in refs.items()]

        tags = rows("tags", self.tags)
        return {"branches": rows("heads", self.branches), "tags": tags, "converts": [], "pullRequests": []}

    def info(self, revision: str, blobs: bool) -> Row:
        """What `model_info` reads."""
        commit = self.at(revision)
        card = read_card(commit.files["README.md"].data.decode()) if "README.md" in commit.files else {}
        library, pipeline = card.get("library_name"), card.get("pipeline_tag")
        tags = [*(card.get("tags") or []), *filter(None, (library, pipeline)), "region:us"]
        return {
            "id": self.name,
            "modelId": self.name,
            "author": self.name.split("/")[0],
            "sha": commit.sha,
            "createdAt": next(iter(self.commits.values())).date,
            "lastModified": commit.date,
            "private": self.private,
            "gated": self.gated,
            "disabled": False,
            "downloads": 0,
            "likes": 0,
            "tags": list(dict.fromkeys(tags)),
            "library_name": library,
            "pipeline_tag": pipeline,
            "cardData": card,
            "siblings": [blob.sibling(path, blobs) for path, blob in sorted(commit.files.items())],
        }


def read_card(text: str) -> Row:
    """The front matter of a model card; {} if it has none, or none that can be read."""
    try:
        return front_matter(text) or {}
    except ValueError:
        return {}


def front_matter(text: str) -> Row | None:
    """The front matter of a model card, None if it has none.

    Raises:
        ValueError: if it is there but no YAML mapping.
    """
    found = FRONT_MATTER.match(text)
    if not found:
        return None
    try:
        values = yaml.safe_load(found[1])
    except yaml.YAMLError as error:
        raise ValueError(f"YAML metadata error: {error}") from error
    if not isinstance(values, dict):
        raise ValueError("YAML metadata should be a mapping")
    return values

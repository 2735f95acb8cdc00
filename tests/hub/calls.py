"""The calls that are served: what the client sends for models, and what it reads of the answer."""

import base64
import hashlib
import json
import re
from typing import Any
from urllib.parse import parse_qs, quote

from .api import Api, Request, Response, no_repo, reply, route
from .store import ATTRIBUTES, Blob, Commit, Refusal, Repo, front_matter, is_large

STALE = "A commit has happened since. Please refresh and try again."


# Accounts and repositories


@route("GET /api/whoami-v2")
def whoami(api: Api, request: Request) -> Response:
    account = api.account(request)
    if account is None:
        raise Refusal(401, "Invalid username or password.")
    role = "write" if account.writer else "read"
    access = {"type": "access_token", "accessToken": {"displayName": "tests", "role": role}}
    return reply({"type": "user", "name": account.name, "fullname": account.name, "orgs": [], "auth": access})


@route("GET /api/agent-harnesses")
def agents(api: Api, request: Request) -> Response:
    """None; the client says in its headers by which it is run."""
    return reply({"standardEnvVars": [], "harnesses": {}})


@route("POST /api/repos/create")
def create(api: Api, request: Request) -> Response:
    values, account = request.json(), api.writer(request)
    name = f"{values.get('organization') or account.name}/{values['name']}"
    told = {"url": f"{api.url}/{name}", "name": name, "id": name}
    if (values.get("type") or "model") != "model":
        raise Refusal(400, "Only models are served")
    if name in api.repos:
        raise Refusal(409, "You already created this model repo", body=told)
    api.moved.pop(name, None)
    private = values.get("private") or values.get("visibility") == "private"
    api.repos[name] = Repo(name, private=bool(private))
    api.repos[name].commit("main", {".gitattributes": Blob(ATTRIBUTES)}, "initial commit")
    return reply(told)


@route("DELETE /api/repos/delete")
def delete(api: Api, request: Request) -> Response:
    values, account = request.json(), api.writer(request)
    if api.repos.pop(f"{values.get('organization') or account.name}/{values['name']}", None) is None:
        raise no_repo(account)
    return reply({})


@route("POST /api/models/REPO/tag/REV")
def tag(api: Api, request: Request, name: str, revision: str) -> Response:
    repo, wanted = api.repo(request, name, write=True), request.json()["tag"]
    sha = repo.at(revision).sha
    if wanted in repo.tags:
        raise Refusal(409, "Tag reference exists already")
    repo.tags[wanted] = sha
    return reply({})


@route("POST /api/models/REPO/branch/REV")
def branch(api: Api, request: Request, name: str, wanted: str) -> Response:
    repo = api.repo(request, name, write=True)
    sha = repo.at(request.json().get("startingPoint") or "main").sha
    if wanted in repo.branches:
        raise Refusal(409, f"Reference already exists: refs/heads/{wanted}")
    repo.branches[wanted] = sha
    return reply({})


@route("DELETE /api/models/REPO/(tag|branch)/REV")
def forget(api: Api, request: Request, name: str, kind: str, ref: str) -> Response:
    """The commits stay."""
    repo = api.repo(request, name, write=True)
    refs = repo.tags if kind == "tag" else repo.branches
    if refs.pop(ref, None) is None:
        raise Refusal(404, f"Invalid rev id: {ref}", "RevisionNotFound")
    return reply({})


# What is there


@route("GET /api/models/REPO(?:/revision/REV)?")
def info(api: Api, request: Request, name: str, revision: str) -> Response:
    return reply(api.repo(request, name).info(revision or "main", request.asks("blobs")))


@route("GET /api/models/REPO/tree/REV(?:/PATH)?")
def tree(api: Api, request: Request, name: str, revision: str, folder: str) -> Response:
    return reply(api.repo(request, name).at(revision).listing(folder, request.asks("recursive")))


@route("POST /api/models/REPO/paths-info/REV")
def paths_info(api: Api, request: Request, name: str, revision: str) -> Response:
    """What is not there is left out."""
    commit = api.repo(request, name).at(revision)
    is_json = "json" in request.headers.get("content-type", "")
    asked = request.json()["paths"] if is_json else parse_qs(request.body.decode()).get("paths", [])
    return reply([row for row in map(commit.row, asked) if row])


@route("GET /api/models/REPO/refs")
def refs(api: Api, request: Request, name: str) -> Response:
    return reply(api.repo(request, name).refs())


@route("(?:GET|HEAD) /REPO/resolve/REV/PATH")
def resolve(api: Api, request: Request, name: str, revision: str, path: str) -> Response:
    """A file's bytes, or where they are."""
    commit = api.open_repo(request, name).at(revision)
    blob = commit.file(path)
    headers = {"X-Repo-Commit": commit.sha, "ETag": f'"{blob.etag}"'}
    if not blob.large:
        return in_part(request, blob.data, headers)
    headers |= {"X-Linked-Size": str(len(blob.data)), "X-Linked-ETag": f'"{blob.sha256}"'}
    headers["Location"] = f"{api.storage_url}/storage/{blob.sha256}/{quote(path)}"
    return Response(302, headers=headers)


@route("(?:GET|HEAD) /storage/SHA/PATH")
def fetch(api: Api, request: Request, sha256: str, path: str) -> Response:
    """A large file's bytes; the address is a signed one, so it asks for no token."""
    if sha256 not in api.large:
        raise Refusal(404, f"Nothing stored for {path}")
    return in_part(request, api.large[sha256], {"ETag": f'"{sha256}"'})


def in_part(request: Request, data: bytes, headers: dict[str, str]) -> Response:
    """Bytes, or the range of them that was asked for."""
    headers = {"Content-Type": "application/octet-stream", "Accept-Ranges": "bytes"} | headers
    asked = re.fullmatch(r"bytes=(\d*)-(\d*)", request.headers.get("range", ""))
    if not asked or not any(asked.groups()):
        return Response(200, data, headers)
    first, last = asked.groups()
    start = int(first) if first else max(0, len(data) - int(last))
    stop = min(int(last) + 1, len(data)) if first and last else len(data)
    if start >= stop:
        raise Refusal(416, "Requested range not satisfiable", headers={"Content-Range": f"bytes */{len(data)}"})
    return Response(206, data[start:stop], headers | {"Content-Range": f"bytes {start}-{stop - 1}/{len(data)}"})


# An upload, in the order of its calls


@route("POST /api/validate-yaml")
def validate_yaml(api: Api, request: Request) -> Response:
    """Only the card's syntax is looked at."""
    try:
        values = front_matter(request.json()["content"])
    except ValueError as error:
        return reply({"errors": [{"message": str(error)}], "warnings": []}, 400)
    missing = [] if values else [{"message": "empty or missing yaml metadata in repo card"}]
    return reply({"errors": [], "warnings": missing})


@route("POST /api/models/REPO/preupload/REV")
def preupload(api: Api, request: Request, name: str, revision: str) -> Response:
    """How each file is to be sent, and what is there under its name."""
    there = api.repo(request, name, write=True).at(revision).files

    def row(path: str, size: int, sample: str, **_: object) -> dict[str, Any]:
        mode = "lfs" if is_large(path, size, base64.b64decode(sample)) else "regular"
        known = {"oid": there[path].etag} if path in there else {}
        return {"path": path, "uploadMode": mode, "shouldIgnore": False, **known}

    return reply({"files": [row(**file) for file in request.json()["files"]]})


@route(r"POST /REPO\.git/info/lfs/objects/batch")
def lfs_batch(api: Api, request: Request, name: str) -> Response:
    """Where to send large files that are not there yet."""
    api.repo(request, name, write=True)

    def row(oid: str, size: int) -> dict[str, Any]:
        upload = {"href": f"{api.storage_url}/storage/{oid}"}
        verify = {"href": f"{api.url}/{name}.git/info/lfs/objects/verify"}
        return {
            "oid": oid,
            "size": size,
            **({} if oid in api.large else {"actions": {"upload": upload, "verify": verify}}),
        }

    return reply({"transfer": "basic", "objects": [row(**item) for item in request.json()["objects"]]})


@route("PUT /storage/SHA")
def keep(api: Api, request: Request, sha256: str) -> Response:
    """Take a large file; the address is a signed one, so it asks for no token."""
    if hashlib.sha256(request.body).hexdigest() != sha256:
        raise Refusal(400, "The bytes are not those that were announced")
    api.large[sha256] = request.body
    return Response(headers={"ETag": f'"{sha256}"'})


@route(r"POST /REPO\.git/info/lfs/objects/verify")
def lfs_verify(api: Api, request: Request, name: str) -> Response:
    api.repo(request, name, write=True)
    values = request.json()
    if len(api.large.get(values["oid"], b"")) != values["size"]:
        raise Refusal(404, f"Object {values['oid']} was not uploaded")
    return reply({})


@route("POST /api/models/REPO/commit/REV")
def commit(api: Api, request: Request, name: str, branch: str) -> Response:
    """One commit of all changes, or nothing; changes that change nothing make a commit too, as on the real Hub."""
    repo = api.repo(request, name, write=True)
    if request.asks("create_pr"):
        raise Refusal(400, "Pull requests are not served")
    header, *changes = (json.loads(line) for line in request.body.splitlines() if line.strip())
    head, values = repo.head(branch), header["value"]
    if not head.sha.startswith(values.get("parentCommit") or ""):
        raise Refusal(412, STALE)
    files = dict(head.files)
    for change in changes:
        apply(api, head, files, change["key"], change["value"])
    made = repo.commit(branch, files, values["summary"])
    return reply({"success": True, "commitOid": made.sha, "commitUrl": f"{api.url}/{name}/commit/{made.sha}"})


def apply(api: Api, head: Commit, files: dict[str, Blob], key: str, value: dict[str, Any]) -> None:
    """One line of a commit, to the files it will have."""
    path = value["path"]
    if key == "file":
        files[path] = Blob(base64.b64decode(value["content"]))
    elif key == "lfsFile":
        if value["oid"] not in api.large:
            raise Refusal(400, f"LFS pointer pointed to a file that does not exist: {path}")
        files[path] = Blob(api.large[value["oid"]], large=True)
    elif key == "deletedFile":
        if files.pop(path, None) is None:
            raise head.no_entry(path, "A file with this name doesn't exist")
    elif key == "deletedFolder":
        inside = [file for file in files if file.startswith(f"{path.rstrip('/')}/")]
        if not inside:
            raise head.no_entry(path, "A folder with this name doesn't exist")
        for file in inside:
            del files[file]
    else:
        raise Refusal(400, f"Unknown change: {key}")

"""Requests, answers, who may do what: what all calls of the Hub share."""

import json
import re
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, unquote

from .store import Refusal, Repo

BAD_TOKEN = "Invalid credentials in Authorization header"  # these very words tell it from a missing repository
PARTS = {"REPO": "([^/]+/[^/]+?)", "REV": "([^/]+)", "PATH": "(.+)", "SHA": "([0-9a-f]{64})"}


@dataclass(frozen=True)
class Account:
    """Who holds a token: whether they may see what is private or gated, and change anything."""

    name: str
    insider: bool
    writer: bool


@dataclass(frozen=True)
class Request:
    """A call; the names of the headers are in small letters."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes

    @property
    def path(self) -> str:
        """The target without its query."""
        return self.target.partition("?")[0]

    def option(self, name: str) -> str:
        """A value of the query, "" if it is not there."""
        return parse_qs(self.target.partition("?")[2]).get(name, [""])[-1]

    def asks(self, name: str) -> bool:
        """Whether a switch of the query is on."""
        return self.option(name).lower() in ("1", "true")

    def json(self) -> dict[str, Any]:
        """The body."""
        return json.loads(self.body or b"{}")


@dataclass(frozen=True)
class Response:
    """An answer; for HEAD the body is only measured."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)


def reply(value: object, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """An answer in JSON."""
    return Response(status, json.dumps(value).encode(), {"Content-Type": "application/json"} | (headers or {}))


Action = Callable[..., Response]
ROUTES: list[tuple[re.Pattern[str], Action]] = []


def route(call: str) -> Callable[[Action], Action]:
    """Answer a method and path by the function below; what the words in PARTS match are its arguments."""
    pattern = re.compile(re.sub("|".join(PARTS), lambda word: PARTS[word[0]], call))

    def add(action: Action) -> Action:
        ROUTES.append((pattern, action))
        return action

    return add


class Api:
    """What is stored, and for whom.

    Attributes:
        url: of the Hub.
        storage_url: of the place of large files; on another host name, as a content network's.
        accounts: by token.
        repos: by name.
        moved: new names by old ones.
        large: bytes of large files by their sha256.
    """

    def __init__(self, accounts: dict[str, Account]) -> None:
        self.url = self.storage_url = ""
        self.accounts = accounts
        self.repos: dict[str, Repo] = {}
        self.moved: dict[str, str] = {}
        self.large: dict[str, bytes] = {}

    def answer(self, request: Request) -> Response:
        """The answer to a call; faults of these tests are answers too, so that the client shows them."""
        try:
            for pattern, action in ROUTES:
                if found := pattern.fullmatch(f"{request.method} {request.path}"):
                    return action(self, request, *(unquote(word or "") for word in found.groups()))
            raise Refusal(404, f"Not served: {request.method} {request.path}")
        except Refusal as refusal:
            return reply(refusal.body, refusal.status, refusal.headers)
        except Exception:
            return reply({"error": traceback.format_exc()}, 500)

    def account(self, request: Request) -> Account | None:
        """Who calls; None without a token."""
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        if token and token not in self.accounts:
            raise Refusal(401, BAD_TOKEN)
        return self.accounts.get(token)

    def writer(self, request: Request) -> Account:
        """The caller, who may change things."""
        account = self.account(request)
        if account is None:
            raise Refusal(401, "Invalid username or password.")
        if not account.writer:
            raise Refusal(403, "Forbidden: you must use a write token to upload to a repository.")
        return account

    def repo(self, request: Request, name: str, write: bool = False) -> Repo:
        """A repository that the caller may see; under an old name the client is sent on to the new one."""
        account = self.account(request)
        repo = self.repos.get(self.moved.get(name, name))
        if repo is None or (repo.private and not (account and account.insider)):
            raise no_repo(account)
        if name in self.moved:
            raise Refusal(307, "Moved", headers={"Location": request.target.replace(name, repo.name, 1)})
        if write:
            self.writer(request)
        return repo

    def open_repo(self, request: Request, name: str) -> Repo:
        """A repository whose files the caller may read; those of a gated one anyone may list."""
        repo, account = self.repo(request, name), self.account(request)
        restricted = f"Access to model {name} is restricted"
        if repo.gated and account is None:
            message = "You must have access to it and be authenticated to access it. Please log in."
            raise Refusal(401, f"{restricted}. {message}", "GatedRepo")
        if repo.gated and account and not account.insider:
            message = f"and you are not in the authorized list. Visit {self.url}/{name} to ask for access."
            raise Refusal(403, f"{restricted} {message}", "GatedRepo")
        return repo

    def move(self, old: str, new: str) -> None:
        """Rename a repository, as its owner does on the website."""
        self.repos[new] = self.repos.pop(old)
        self.repos[new].name = new
        self.moved = {name: new if at == old else at for name, at in self.moved.items() if name != new} | {old: new}


def no_repo(account: Account | None) -> Refusal:
    """That there is none, or that the caller may not know of it."""
    if account is None:
        return Refusal(401, "Invalid username or password.", "RepoNotFound")
    return Refusal(404, "Repository not found", "RepoNotFound")

"""The base of every method's pipeline: operations, pictures in and out, saving and loading."""

import hashlib
import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, ClassVar, Self

import torch
from torch import nn

from . import __version__
from .config import Config, brief
from .errors import ModelError, UsageError
from .hub.address import NAME, Address
from .hub.download import fetch
from .hub.draft import write_draft
from .hub.publish import Published, check, publish
from .images import atomic_write
from .kinds import BoxKind, Choice, Number, Words
from .operations import Operation, describe
from .saved import (
    CONFIG_FILE,
    FORMAT_VERSION,
    LIBRARY,
    WEIGHTS_FILE,
    check_fit,
    check_weights,
    fill,
    read_record,
    shapes_in,
    versions,
    write_weights,
)


class Pipeline(nn.Module):
    """The inference networks of a method, with its typed operations.

    A subclass names its `method` and `config_type`, builds its networks from the config in
    `__init__`, and marks its public methods with `@operation`.
    """

    method: ClassVar[str]
    config_type: ClassVar[type[Config]]

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        self.origin = ""  # where the weights are from, as `find_model` says it
        self.about: dict[str, Any] = {}  # how they were trained
        self.hashed: tuple[tuple, str] = ((), "")  # of which versions of the weights, and the fingerprint
        self.register_buffer("anchor", torch.empty(0), persistent=False)  # knows the device where no weight does

    @property
    def device(self) -> torch.device:
        """Where the pipeline computes."""
        return self.anchor.device  # type: ignore[return-value]

    def fingerprint(self) -> str:
        """The method and twelve hexadecimal digits of the weights: codes of one model are not for another."""
        values = self.state_dict().values()
        if (now := versions(values)) != self.hashed[0]:
            digest = hashlib.sha256()
            for value in values:
                digest.update(value.detach().cpu().contiguous().view(-1).view(torch.uint8).numpy().data)
            self.hashed = now, f"{self.method}-{digest.hexdigest()[:12]}"
        return self.hashed[1]

    def take_weights(self, trained: "Pipeline") -> None:
        """Copy another pipeline's weights, to train on from there; its domains may go by other words.

        Raises:
            ModelError: if its networks are of other sizes.
        """
        ours, theirs = (list(each.state_dict().values()) for each in (self, trained))  # in order: names hold domains
        if [value.shape for value in ours] != [value.shape for value in theirs]:
            raise ModelError(
                f"the networks of '{trained.origin}' have other sizes than those asked for; keep its number of "
                "attributes, and its size, width and other settings of networks"
            )
        with torch.no_grad():
            for target, value in zip(ours, theirs, strict=True):
                target.copy_(value)

    @classmethod
    def operations(cls) -> dict[str, Operation]:
        """The declared operations by name, in the order of the source."""
        members = {name: value for owner in reversed(cls.__mro__) for name, value in vars(owner).items()}
        return {name: describe(member) for name, member in members.items() if getattr(member, "is_operation", False)}

    def metadata(self, operation: Operation, values: dict[str, Any]) -> dict[str, Any]:
        """What made a result, for its file: the model, the operation, and every number and word that it was given.

        Args:
            values: the inputs by name; where one is missing it had its default.
        """
        plain = [item for item in operation.inputs if isinstance(item.kind, (Number, Choice, Words, BoxKind))]
        inputs = {item.name: values.get(item.name, item.default) for item in plain}
        made = {"model": self.method, "version": __version__, "operation": operation.name}
        return made | ({"weights": self.origin} if self.origin else {}) | inputs

    def save_pretrained(self, folder: str | Path, about: dict[str, Any] | None = None, half: bool = False) -> None:
        """Write config.json and, where there are weights, model.safetensors.

        Each file appears whole. The config, which holds the weights' sha256, comes last, so
        a save that was cut short is refused by `from_pretrained`.

        Args:
            about: how it was trained, ready for JSON; kept under `train` in config.json. By default
                what it was loaded with.
            half: write weights in half precision, in a file of half the size; they are
                computed with in single precision all the same.
        """
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        files = {}
        if tensors := {name: value.contiguous().cpu() for name, value in self.state_dict().items()}:
            if half:
                tensors = {
                    name: value.half() if value.is_floating_point() else value for name, value in tensors.items()
                }
            files[WEIGHTS_FILE] = write_weights(folder, tensors, self.method)
        record = {
            "format_version": FORMAT_VERSION,
            "library_name": LIBRARY,
            "library_version": __version__,
            "method": self.method,
            "config": self.config.to_dict(),
            "files": files,
        } | ({"train": about or self.about} if about or self.about else {})
        with atomic_write(folder / CONFIG_FILE) as file:
            file.write(json.dumps(record, indent=2).encode() + b"\n")

    def push_to_hub(self, repo: str, private: bool = False, tag: str | None = None) -> Published:
        """Publish the pipeline with a card that says what config.json knows, and that nothing was measured.

        A folder with a card of its own is published by `analogies publish`.

        Args:
            repo: OWNER/NAME; made if it does not exist.
            private, tag: as for `publish`.

        Raises:
            UsageError, HubError, NetworkError: if it cannot be done; then the repository is as it was.
        """
        with TemporaryDirectory() as place:
            folder = Path(place) / Address.parse(repo).repo.rpartition("/")[2]
            self.save_pretrained(folder)
            write_draft(folder, repo)
            check(folder, self.from_pretrained)
            return publish(folder, repo, private, tag)

    @classmethod
    def from_pretrained(cls, source: str | Path, revision: str | None = None, offline: bool = False) -> Self:
        """Read what `save_pretrained` wrote, and nothing else.

        Args:
            source: the folder, or OWNER/NAME on the Hub.
            revision: there, a branch, tag or commit.
            offline: ask nobody; what was fetched before still loads.

        Raises:
            ModelError: if a file is missing, damaged, of another method or of a newer
                format, or if weights do not fit the config exactly.
            UsageError, HubError, NetworkError: if there is no such folder, and no such model on the Hub.
        """
        folder = Path(source)
        if not folder.exists() and NAME.fullmatch(str(source).partition("@")[0]):
            folder = fetch(Address.parse(str(source), revision), offline).folder
        record = read_record(folder)
        if record["method"] != cls.method:
            raise ModelError(
                f"'{folder}' holds method {brief(record['method'])}, expected '{cls.method}'; use load_pipeline"
            )
        config = cls.config_type.from_dict(record["config"])
        with torch.device("meta"):  # only shapes: settings that ask for gigabytes meet the file before they get them
            wanted = cls(config).state_dict()
        if bool(wanted) != (WEIGHTS_FILE in record["files"]):
            raise ModelError(
                f"'{folder}' must {'' if wanted else 'not '}list {WEIGHTS_FILE} in {CONFIG_FILE}; save it again"
            )
        if wanted:
            check_weights(folder / WEIGHTS_FILE, record["files"][WEIGHTS_FILE])
            check_fit(folder / WEIGHTS_FILE, shapes_in(folder / WEIGHTS_FILE), wanted)
        pipeline = cls(config)
        if wanted:
            fill(pipeline, folder / WEIGHTS_FILE)
        pipeline.about = record.get("train") or {}
        return pipeline.eval()


def pick_device(name: str) -> torch.device:
    """A torch device for `auto` (a CUDA GPU if there is one), `cpu`, `cuda`, `cuda:N` or `mps`.

    `auto` never takes `mps`: torch lacks some operations there, and the CPU is fast enough.

    Raises:
        UsageError: if it is unknown or not present.
    """
    cuda, mps = torch.cuda.is_available(), torch.backends.mps.is_available()
    if name == "auto":
        return torch.device("cuda" if cuda else "cpu")
    try:
        device = torch.device(name)
    except RuntimeError:
        raise UsageError(f"unknown device '{name}'; use auto, cpu, cuda, cuda:N or mps") from None
    present = {"cpu": True, "mps": mps, "cuda": cuda and (device.index or 0) < torch.cuda.device_count()}
    if not present.get(device.type, False):
        raise UsageError(f"device '{name}' is not present on this machine; use --device auto or cpu")
    return device

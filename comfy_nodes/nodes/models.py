"""Nodes that load and download models, in the host's own model folders."""

import shutil
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

from analogies_hub.errors import ModelError, UsageError
from analogies_hub.hub.address import Address
from analogies_hub.hub.download import fetch
from analogies_hub.registry import METHODS, Method, get_method, load_pipeline, model_folder, model_names
from analogies_hub.saved import CONFIG_FILE, WEIGHTS_FILE, read_record

from . import host
from .host import FileNode, folder_paths, io
from .operations import category, node_id
from .values import model_type

KEY = "analogies"  # of the folders, also in extra_model_paths.yaml

folder_paths.add_model_folder_path(KEY, str(Path(folder_paths.models_dir) / KEY))
folder_paths.folder_names_and_paths[KEY][1].update({".safetensors", ".json"})


def load_node(method: Method) -> type[io.ComfyNode]:
    """The node that loads a model of a method."""

    def define_schema(cls: type) -> io.Schema:
        tooltip = f"a folder in models/{KEY} with {CONFIG_FILE} and {WEIGHTS_FILE}"
        return host.schema(
            node_id=node_id(method, "load"),
            display_name=f"Load model ({method.title})",
            category=category(method),
            description=f"Load a trained model: {method.summary}.",
            inputs=[io.Combo.Input("name", options=names_of(method), tooltip=tooltip)],
            outputs=[model_type(method.name).Output(display_name="model")],
        )

    def files(cls: type, name: str) -> list[Path]:
        return files_in(found(name, method))

    def execute(cls: type, name: str) -> io.NodeOutput:
        return io.NodeOutput(loaded(found(name, method)))

    functions = {"define_schema": define_schema, "files": files, "execute": execute}
    members = {name: classmethod(function) for name, function in functions.items()}
    return type(node_id(method, "load"), (FileNode,), members)


class DownloadModel(io.ComfyNode):
    """Fetches a model of the Hub, once, into the host's model folder."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        """As the host asks."""
        return host.schema(
            node_id="Analogies_download",
            display_name="Download model (analogies)",
            category="analogies",
            description=f"Fetch a model of any method from the Hugging Face Hub into models/{KEY}, once, and load it.",
            inputs=[
                io.String.Input("repository", default="", tooltip="OWNER/NAME on the Hugging Face Hub"),
                io.String.Input(
                    "revision",
                    default="",
                    optional=True,
                    tooltip="a branch, tag or commit; without one what is newest at the first download,"
                    " kept until its folder is deleted",
                ),
            ],
            outputs=[model_type(*METHODS).Output(display_name="model")],
        )

    @classmethod
    def fingerprint_inputs(cls, repository: str | None, revision: str | None = "") -> str:
        """Runs again when the files change."""
        with suppress(UsageError):
            if repository and (folder := place(str(address_of(repository, revision)))):
                return host.marks(*files_in(folder))
        return ""  # not there yet, or not known yet

    @classmethod
    def execute(cls, repository: str, revision: str = "") -> io.NodeOutput:
        """Fetch it if it is not there."""
        address = address_of(repository, revision)
        return io.NodeOutput(loaded(place(str(address)) or downloaded(address)))


def address_of(repository: str, revision: str | None) -> Address:
    """Where on the Hub two widgets point.

    Raises:
        UsageError: if nowhere.
    """
    return Address.parse(repository.strip(), (revision or "").strip() or None)


def names_of(method: Method) -> list[str]:
    """The models of a method: those in the host's folders, then those of a checkout."""
    stored = [Path(name).parent.as_posix() for name in folder_paths.get_filename_list(KEY) if is_config(name)]
    return [name for name in dict.fromkeys([*sorted(stored), *model_names()]) if method_of(name) == method.name]


def is_config(name: str) -> bool:
    """Whether a listed file makes a model of its folder; what begins with a dot is on its way."""
    parts = Path(name).parts
    return len(parts) > 1 and parts[-1] == CONFIG_FILE and not any(part.startswith(".") for part in parts)


def place(name: str) -> Path | None:
    """The folder of a model by its name, in the first of the host's folders that has it, else in a checkout."""
    for folder in folder_paths.get_folder_paths(KEY):
        if (path := host.path_in(folder, f"{name}/{CONFIG_FILE}")) is not None:
            return path.parent
    return model_folder(name) if name in model_names() else None


def method_of(name: str) -> str | None:
    """The method of a model by its name; None if it is no model."""
    with suppress(ModelError):
        folder = place(name)
        return read_record(folder)["method"] if folder else None
    return None


def found(name: str, method: Method) -> Path:
    """The folder of a method's model.

    Raises:
        ModelError: if it is not there, or of another method.
    """
    folder = place(name)
    if folder is None:
        there = ", ".join(names_of(method)) or "none"
        raise ModelError(
            f"no model '{name}' for {method.title}; there are: {there}. Put its folder into"
            f" '{folder_paths.get_folder_paths(KEY)[0]}', or use the node Download model"
        )
    if (other := read_record(folder)["method"]) != method.name:
        title = get_method(other).title if other in METHODS else other
        raise ModelError(f"'{name}' is a model of {title}, expected {method.title}; use the loader of that method")
    return folder


def files_in(folder: Path) -> list[Path]:
    """The files that make a model: of a method without weights only the first."""
    return [file for file in (folder / CONFIG_FILE, folder / WEIGHTS_FILE) if file.exists()]


def loaded(folder: Path) -> Any:
    """A saved pipeline in the host's care."""
    with host.ordinary_tensors():
        return host.held(load_pipeline(folder, "cpu"))


def downloaded(address: Address) -> Path:
    """A model of the Hub in the host's model folder: checked in the cache, copied beside, then renamed.

    Raises:
        UsageError, HubError, NetworkError, ModelError: if it cannot be had; nothing is left half-written.
    """
    source = fetch(address)
    target = Path(folder_paths.get_folder_paths(KEY)[0]) / str(address)
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".") as place_beside:
        whole = Path(place_beside) / target.name
        shutil.copytree(source.folder, whole)
        whole.rename(target)
    host.LOG.info("fetched %s into '%s'", source.address, target)
    return target

"""The list of methods, and the one way to get a pipeline by name. Importing it loads no method."""

from collections.abc import Callable
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .config import Config, brief, nearest_name
from .errors import ModelError, UsageError

if TYPE_CHECKING:
    from .hub.address import Address
    from .pipeline import Pipeline
    from .training import Trainer

METHODS = {
    "didd": "analogies_hub.methods.didd",
    "content_transfer": "analogies_hub.methods.content_transfer",
    "mask_transfer": "analogies_hub.methods.mask_transfer",
    "pair": "analogies_hub.methods.pair",
}

MODEL_CARDS = Path(__file__).parent.parent / "model_cards"


@dataclass(frozen=True)
class Method:
    """A method's row: what binds its parts, and what frontends show of it.

    Attributes:
        pipeline_type: returns the pipeline class; only then is torch imported.
        smoke: config values with which every operation, and training, takes seconds on a CPU.
        trainer: builds what trains a pipeline; None where nothing is trained.
        presets: config values by name; `default` changes nothing.
        convert: makes a pipeline of what a published checkpoint holds, and of the word for its attribute.
    """

    name: str
    title: str
    summary: str
    paper: str
    config: type[Config]
    pipeline_type: "Callable[[], type[Pipeline]]"
    needs_weights: bool
    smoke: dict[str, Any]
    trainer: "Callable[[Any], Trainer] | None" = None
    presets: dict[str, dict[str, Any]] = field(default_factory=lambda: {"default": {}})
    convert: "Callable[[Any, str], Pipeline] | None" = None

    def preset(self, name: str) -> dict[str, Any]:
        """The config values of a preset.

        Raises:
            UsageError: if there is none of that name.
        """
        if name not in self.presets:
            raise UsageError(f"'{self.name}' has no preset '{name}'; {nearest_name(name, list(self.presets))}")
        return self.presets[name]


def get_method(name: str) -> Method:
    """The row of a method by its id.

    Raises:
        UsageError: if there is no such method.
    """
    if name not in METHODS:
        raise UsageError(f"no method '{name}'; {nearest_name(name, list(METHODS))}")
    return import_module(METHODS[name]).METHOD


def load_pipeline(
    source: "str | Path | Address", device: str = "auto", revision: str | None = None, offline: bool = False
) -> "Pipeline":
    """A pipeline ready for use: from a saved folder, by a model's name, or by the id of a method without weights.

    Args:
        source: folder written by `save_pretrained` or by training (its best model is taken);
            the name of a model in `model_cards/` of a checkout, or of a published one;
            OWNER/NAME of a model on the Hub; or a method id such as `pair`.
        device: auto, cpu, cuda, cuda:N or mps.
        revision: branch, tag or commit of a model on the Hub.
        offline: ask nobody; what was fetched before still loads.

    Raises:
        UsageError: if nothing goes by that name, or the device is not present.
        ModelError: if the folder does not hold a whole, matching pipeline.
        HubError, NetworkError: if a model on the Hub cannot be had.

    >>> load_pipeline("pair", device="cpu").method
    'pair'
    """
    from .pipeline import pick_device
    from .saved import read_record

    target = pick_device(device)
    if str(source) in METHODS and not Path(str(source)).is_dir():
        refuse_revision(source, revision)
        method = get_method(str(source))
        if method.needs_weights:
            raise UsageError(f"'{source}' needs trained weights; give a model's folder or name{models_clause()}")
        return method.pipeline_type()(method.config()).eval().to(target)
    folder, origin = find_model(source, revision, offline)
    name = read_record(folder)["method"]
    if name not in METHODS:
        raise ModelError(f"'{folder}' is of the method {brief(name)}, which this version does not know; upgrade it")
    pipeline = get_method(name).pipeline_type().from_pretrained(folder)
    pipeline.origin = origin
    return pipeline.to(target)


def find_model(source: "str | Path | Address", revision: str | None = None, offline: bool = False) -> tuple[Path, str]:
    """The folder of a saved pipeline, and where it is from: its name here, or OWNER/NAME@COMMIT.

    What is made with it names that, so it holds no path of this machine.

    Args:
        source, revision, offline: as for `load_pipeline`.

    Raises:
        UsageError: if nothing goes by that name.
        HubError, NetworkError, ModelError: if a model on the Hub cannot be had.
    """
    from .hub.address import Address, pins
    from .hub.download import fetch

    folder = None if isinstance(source, Address) else model_folder(source)
    if folder is not None:
        refuse_revision(source, revision)
        return folder, Path(str(source)).resolve().name
    address = source if isinstance(source, Address) else pins().get(str(source))
    if address is None and "/" not in str(source):
        known = [*METHODS, *model_names(), *pins()]
        raise UsageError(f"'{source}' is neither a folder, a model nor a method; {nearest_name(str(source), known)}")
    address = Address.parse(str(source), revision) if address is None else address.at(revision)
    found = fetch(address, offline)
    return found.folder, f"{found.address.repo}@{found.address.revision}"


def refuse_revision(source: "str | Path | Address", revision: str | None) -> None:
    """Raise `UsageError` if a revision is asked for of what has none."""
    if revision:
        raise UsageError(f"'{source}' is on this machine, where it has no revision '{revision}'; leave it out")


def model_folder(source: str | Path) -> Path | None:
    """The folder of a saved pipeline that a path or a model's name stands for; None if it stands for none here."""
    folder = Path(source)
    if folder.is_dir():
        trained = folder / "best"  # in the folder of a training run
        return trained if trained.is_dir() and not (folder / "config.json").exists() else folder
    return MODEL_CARDS / str(source) if str(source) in model_names() else None


def model_names() -> list[str]:
    """The models in `model_cards/` of a checkout; an installed package has none."""
    return sorted(path.parent.name for path in MODEL_CARDS.glob("*/config.json"))


def models_clause() -> str:
    """What models there are, to end a sentence with."""
    return f", one of {', '.join(names)}" if (names := model_names()) else ""

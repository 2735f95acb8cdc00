"""The models that the page offers."""

import logging
from pathlib import Path

from analogies_hub.errors import AnalogyError
from analogies_hub.hub.address import pins
from analogies_hub.hub.card import front_matter
from analogies_hub.pipeline import Pipeline
from analogies_hub.registry import METHODS, get_method, load_pipeline, model_names

LOG = logging.getLogger("analogies")
SPACE = Path(__file__).parent.parent  # its README.md lists models for machines that have none

Models = dict[str, dict[str, Pipeline]]  # by method, then by name


def default_names() -> list[str]:
    """The models of a checkout, else the published ones that this release knows, else those that the Space lists."""
    card = front_matter((SPACE / "README.md").read_text(encoding="utf-8"))
    return model_names() or list(pins()) or card["models"]


def offered(names: list[str] | None = None) -> Models:
    """The pipelines of some models, and of all methods that need no weights.

    Args:
        names: of models; by default those at hand, of which one that cannot be had is left out, and the log says why.

    Raises:
        AnalogyError: if one of the names does not stand for a model that can be had.
    """
    models: Models = {method: {} for method in METHODS}
    for name in [*(name for name in METHODS if not get_method(name).needs_weights), *(names or default_names())]:
        try:
            pipeline = load_pipeline(name)
        except AnalogyError as error:
            if names:
                raise
            LOG.warning("left out %s: %s", name, error)
        else:
            there, short = models[pipeline.method], Path(name).name
            there[name if short in there else short] = pipeline
    return models

"""All nodes of the pack."""

from analogies_hub.registry import METHODS, get_method

from .codes import LoadCode, SaveCode
from .host import io
from .models import DownloadModel, load_node
from .operations import operation_node
from .pictures import ExamplePicture, LoadFolder


def every_node() -> list[type[io.ComfyNode]]:
    """A loader for each method that has weights, a node for each operation, and what serves all of them."""
    nodes: list[type[io.ComfyNode]] = []
    for method in map(get_method, METHODS):
        nodes += [load_node(method)] if method.needs_weights else []
        nodes += [operation_node(method, each) for each in method.pipeline_type().operations().values()]
    return [*nodes, DownloadModel, SaveCode, LoadCode, ExamplePicture, LoadFolder]

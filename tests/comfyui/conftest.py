"""The node pack, loaded as ComfyUI loads it: into a real ComfyUI where COMFYUI_PATH names one, else into the stub."""

import asyncio
import importlib.util
import os
import sys
from pathlib import Path

import pytest
import torch

from ..hub.conftest import hub, small_model  # noqa: F401 (fixtures)

HERE = Path(__file__).parent
PACK = HERE.parent.parent / "comfy_nodes"
COMFYUI = os.environ.get("COMFYUI_PATH")
collect_ignore = ["stub"]  # else its modules are imported, under the names of the host's


def prepare_host(base):
    """Make the host's modules importable, with a base folder of its own."""
    if not COMFYUI:
        sys.path.insert(0, str(HERE / "stub"))
        import folder_paths

        folder_paths.use(base)
        return
    sys.path.insert(0, COMFYUI)
    from comfy.cli_args import args

    args.cpu, args.base_directory = True, str(base)  # before anything else of it is imported
    for name in ("models", "input", "output"):
        (base / name).mkdir(exist_ok=True)


def load_pack(folder=PACK):
    """The pack's module, named after its place on disk as the host names it."""
    name = str(folder).replace(".", "_x_")
    spec = importlib.util.spec_from_file_location(name, folder / "__init__.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def nodes_of(pack):
    """The nodes that the host gets, by id."""

    async def listed():
        return await (await pack.comfy_entrypoint()).get_node_list()

    found = [(node.GET_SCHEMA().node_id, node) for node in asyncio.run(listed())]
    assert len(dict(found)) == len(found), "two nodes with one id"
    return dict(found)


@pytest.fixture(scope="session")
def base(tmp_path_factory):
    """The host's base folder, with models, input and output."""
    folder = tmp_path_factory.mktemp("comfyui")
    prepare_host(folder)
    return folder


@pytest.fixture(scope="session")
def pack(base):
    """The pack's module."""
    return load_pack()


@pytest.fixture(scope="session")
def nodes(pack):
    """All nodes by id."""
    return nodes_of(pack)


@pytest.fixture
def run(nodes):
    """The function that runs a node as the host does: in inference mode, on a locked class."""

    def execute(name, /, **inputs):
        with torch.inference_mode():
            return nodes[name].PREPARE_CLASS_CLONE(None).EXECUTE_NORMALIZED(**inputs)

    return execute


@pytest.fixture
def model(base):
    """The function that saves a small model of random weights in the host's model folder, and its name there."""
    from analogies_hub.registry import get_method

    def saved(method, name=None, seed=0):
        found, name = get_method(method), name or f"small-{method}"
        torch.manual_seed(seed)
        shape = {key: value for key, value in found.smoke.items() if key in found.config.__dataclass_fields__}
        pipeline = found.pipeline_type()(found.config(**shape))
        pipeline.save_pretrained(base / "models" / "analogies" / name)
        return name

    return saved

"""`analogies train` on a few pictures, in processes that need no seconds to start."""

import multiprocessing

import numpy as np
import pytest
from PIL import Image

from analogies_hub.registry import get_method

NEEDED = [  # by a training; imported once, before the processes fork
    "analogies_hub.cli",
    "analogies_hub.data.folders",
    "analogies_hub.data.sets",
    "analogies_hub.methods.didd.pipeline",
    "analogies_hub.separation.layers_trainer",
    "analogies_hub.training",
    "torch._dynamo",
    "torch.utils.tensorboard",
]


@pytest.fixture(scope="session")
def folders(tmp_path_factory):
    """A pair of folders with five pictures of noise each."""
    root = tmp_path_factory.mktemp("pair")
    generator = np.random.default_rng(0)
    for name in ("trainA", "trainB"):
        (root / name).mkdir()
        for number, pixels in enumerate(generator.integers(0, 256, (5, 32, 32, 3), np.uint8)):
            Image.fromarray(pixels).save(root / name / f"{number}.png")
    return root


@pytest.fixture(scope="session")
def words_for(folders):
    """The function that gives the words to train a method's smallest pipeline on them; settings may follow."""

    def make(name):
        method = get_method(name)
        config = method.config(**method.smoke)
        settings = method.smoke | {"batch": 4} | ({"warm_up": 1} if hasattr(config, "warm_up") else {})
        options = ["--data", folders, "--domains", *config.domains, "--device", "cpu", "--save-every", 2, "--quiet"]
        return ["train", name, *options, "--set", *(f"{name}={value}" for name, value in settings.items())]

    return make


@pytest.fixture(scope="session")
def words(words_for):
    """Those of `didd`."""
    return words_for("didd")


@pytest.fixture(scope="session")
def forked():
    """The function that starts `analogies` in a fork of a process that has imported everything."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(NEEDED)

    def start(*words):
        code = f"from analogies_hub.cli import app; app({list(map(str, words))!r})"
        process = context.Process(target=exec, args=(code,))
        process.start()
        return process

    return start


@pytest.fixture(scope="session")
def ended(forked):
    """The function that runs `analogies` in such a fork to its end and gives the exit code."""

    def run(*words):
        process = forked(*words)
        process.join(600)
        return process.exitcode

    return run

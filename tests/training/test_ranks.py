"""Several processes: each takes its rows of a batch, and together they are one."""

import subprocess
import sys

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from analogies_hub.data.source import ImageSource
from analogies_hub.registry import get_method
from analogies_hub.training.ranks import Ranks


def test_the_rows_of_all_processes_are_the_batch():
    pixels = np.random.default_rng(0).integers(0, 256, (7, 8, 8, 3), np.uint8)
    source = ImageSource(pixels, seed=3, flip=True, crop=5)
    for step in range(4):
        parts = [source.batch(step, 6, Ranks(rank, 3).rows(2)) for rank in range(3)]
        assert all(len(part) == 2 for part in parts)
        assert torch.equal(torch.cat(parts), source.batch(step, 6))


def test_one_process_alone_is_its_own_mean():
    alone, values = Ranks(), torch.tensor([1.0, 2.0])
    alone.average([values])
    assert alone.first and values.tolist() == [1.0, 2.0]
    assert alone.any(True) and not alone.any(False)


def test_noise_meets_the_same_pictures_whatever_the_number_of_processes():
    method = get_method("didd")
    trainer = method.trainer(method.pipeline_type()(method.config(**method.smoke)))
    codes = torch.rand(2, 6, 4, 1, 1)  # of both sets

    def noisy(ranks):
        torch.manual_seed(0)
        trainer.ranks, trainer.rows = ranks, 6 // ranks.world
        share = codes[:, ranks.rows(trainer.rows)].flatten(0, 1)
        return trainer.noisy(dict.fromkeys(trainer.pipeline.attributes, share))["a"].unflatten(0, (2, -1))

    assert torch.equal(torch.cat([noisy(Ranks(rank, 3)) for rank in range(3)], dim=1), noisy(Ranks()))


@pytest.mark.slow
@pytest.mark.parametrize("method", ["content_transfer", "didd"])
def test_two_processes_make_the_weights_of_one_and_only_the_first_writes(method, command, words_for, ended, tmp_path):
    words = [*words_for(method), "steps=6", "--output"]
    assert ended(*words, tmp_path / "one") == 0
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", "--no-python"]
    done = subprocess.run([*torchrun, *command, *map(str, words), tmp_path / "two"], timeout=900)
    assert done.returncode == 0
    one, two = (load_file(tmp_path / name / "last" / "model.safetensors") for name in ("one", "two"))
    apart = torch.cat([(one[name] - two[name]).abs().flatten() for name in one])
    assert apart.mean() < 1e-5, "rounding turns a step of Adam only where the gradient is nearly zero"
    files = [sorted(path.name for path in (tmp_path / name).rglob("*.*")) for name in ("one", "two")]
    assert [name for name in files[0] if "tfevents" not in name] == [n for n in files[1] if "tfevents" not in n]
    assert len(files[0]) == len(files[1])

"""Checkpoints: the newest that can be read is taken, and nothing that a file holds is run."""

import os
import pickle

import pytest
import torch

from analogies_hub.errors import ModelError
from analogies_hub.training.checkpoints import KEEP, Checkpoints


@pytest.fixture
def checkpoints(tmp_path):
    """Three saves, of which the newest are kept."""
    made = Checkpoints(tmp_path / "checkpoints")
    for step in (5, 10, 100):
        made.save(step, {"weights": torch.full((1000,), float(step))})
    return made


class Attack:
    """Makes a folder when it is unpickled."""

    def __init__(self, folder):
        self.folder = folder

    def __reduce__(self):
        return os.mkdir, (str(self.folder),)


def flip(path):
    """Change one bit in the middle of the weights."""
    data = bytearray(path.read_bytes())
    data[data.index(torch.full((9,), 100.0).numpy().tobytes()) + 17] ^= 64
    path.write_bytes(data)


def cut(path):
    """Lose the second half."""
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


DAMAGE = {
    "cut": cut,
    "empty": lambda path: path.write_bytes(b""),
    "text": lambda path: path.write_text("hello"),
    "zeros": lambda path: path.write_bytes(bytes(path.stat().st_size)),
    "a folder": lambda path: (path.unlink(), path.mkdir()),
    "pickle": lambda path: path.write_bytes(pickle.dumps(Attack(path.parent / "harm"), protocol=2)),
    "zipped pickle": lambda path: torch.save({"step": 100, "weights": Attack(path.parent / "harm")}, path),
    "a list": lambda path: torch.save([1], path),
    "a bit": flip,
}


def test_the_newest_few_are_kept_and_the_last_one_is_read(checkpoints):
    assert [path.name for path in checkpoints.files()] == ["step_00000010.pt", "step_00000100.pt"] and KEEP == 2
    state = checkpoints.newest()
    assert state["step"] == 100 and torch.equal(state["weights"], torch.full((1000,), 100.0))
    assert Checkpoints(checkpoints.folder / "none").newest() is None


@pytest.mark.parametrize("name", list(DAMAGE))
def test_a_damaged_checkpoint_is_passed_over_with_a_warning_and_harms_nobody(name, checkpoints):
    older, newer = checkpoints.files()
    DAMAGE[name](newer)
    with pytest.warns(UserWarning, match=r"step_00000100.pt' cannot be read \(.+\); using the one before") as warned:
        assert checkpoints.newest()["step"] == 10
    assert all("\n" not in str(each.message) for each in warned)
    cut(older)
    with pytest.warns(UserWarning), pytest.raises(ModelError, match=r"no checkpoint in .* can be read; delete"):
        checkpoints.newest()
    assert not (checkpoints.folder / "harm").exists()


def test_a_save_that_fails_leaves_what_was_there_and_one_that_was_killed_is_cleared_away(checkpoints):
    before = sorted(path.read_bytes() for path in checkpoints.folder.iterdir())
    with pytest.raises(AttributeError, match="pickle"):
        checkpoints.save(101, {"weights": lambda: None})
    assert sorted(path.read_bytes() for path in checkpoints.folder.iterdir()) == before
    (checkpoints.folder / ".step_00000101.pt.x7.part").write_bytes(b"half")
    checkpoints.save(101, {})
    assert sorted(path.name for path in checkpoints.folder.iterdir()) == ["step_00000100.pt", "step_00000101.pt"]

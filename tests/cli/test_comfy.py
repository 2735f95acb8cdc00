"""`analogies comfy` on a ComfyUI of three files and a pack of four."""

import json
import os
import shutil
import venv
from pathlib import Path

import pytest
from typer.testing import CliRunner

from analogies_hub import __version__
from analogies_hub.cli import app
from analogies_hub.comfyui import doctor, install

PROJECT = '[project]\nname = "analogies"\n[tool.comfy]\nrequires-comfyui = ">=0.3.64"\n'


def write(path, text=""):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def make_pack(folder):
    """A pack with the marks of ours, in a folder of that name."""
    write(folder / "pyproject.toml", PROJECT)
    write(folder / "__init__.py")
    write(folder / "nodes" / "load.py", "new = True\n")
    write(folder / "__pycache__" / "load.pyc")
    return folder


@pytest.fixture
def pack(tmp_path, monkeypatch):
    """The pack that commands find."""
    folder = make_pack(tmp_path / "checkout" / "comfy_nodes")
    for module in (install, doctor):
        monkeypatch.setattr(module, "pack_folder", lambda: folder)
    return folder


@pytest.fixture
def comfyui(tmp_path):
    folder = tmp_path / "host" / "ComfyUI"
    write(folder / "main.py")
    write(folder / "comfy" / "sd.py")
    write(folder / "comfyui_version.py", '# made by a build\n__version__ = "0.3.64"\n')
    return folder


@pytest.fixture
def python(comfyui, monkeypatch):
    """A Python of ComfyUI's own, without our package, and the function that gives it one."""
    monkeypatch.delenv("PYTHONPATH", raising=False)
    venv.create(comfyui / ".venv", symlinks=True)
    (site,) = (comfyui / ".venv").glob("lib/python*/site-packages")
    return lambda version: write(site / "analogies_hub" / "__init__.py", f"__version__ = '{version}'")


def comfy(command, comfyui, *words):
    return CliRunner().invoke(app, ["comfy", command, "--comfyui", str(comfyui), *map(str, words)])


def tree(folder):
    """All that is in a folder, with what files hold and where links lead."""
    return {
        path.relative_to(folder): path.readlink() if path.is_symlink() else path.is_file() and path.read_text()
        for path in folder.rglob("*")
    }


def test_the_nodes_are_linked_once_and_taken_out_again(pack, comfyui, python):
    before = tree(comfyui)
    done = comfy("install", comfyui)
    place = comfyui / "custom_nodes" / "analogies"
    assert done.exit_code == 0 and place.readlink() == pack, done.output
    checkout, own = pack.parent, comfyui / ".venv" / "bin" / "python"
    assert done.stdout.splitlines()[1] == f"Next: run {own} -m pip install -e {checkout}"
    python(__version__)
    made = os.lstat(place)
    done = comfy("install", comfyui)
    assert done.exit_code == 0 and os.lstat(place) == made and "were up to date, as a link" in done.stdout
    assert done.stdout.splitlines()[1] == "Next: start ComfyUI; the nodes are under analogies"
    done = comfy("uninstall", comfyui)
    assert done.exit_code == 0 and "Removed" in done.stdout
    left = tree(comfyui).keys() - before.keys()
    assert {path for path in left if path.parts[0] != ".venv"} == {Path("custom_nodes")}
    assert (pack / "nodes" / "load.py").read_text() == "new = True\n"
    done = comfy("uninstall", comfyui)
    assert done.exit_code == 0 and not done.stdout and "nothing was removed" in done.stderr


def test_a_copy_is_whole_follows_the_pack_and_is_taken_out(pack, comfyui):
    place = comfyui / "custom_nodes" / "analogies"
    assert comfy("install", comfyui, "--copy").exit_code == 0
    assert not place.is_symlink()
    assert tree(place) == {name: text for name, text in tree(pack).items() if "__pycache__" not in name.parts}
    write(place / "__pycache__" / "load.pyc", "what a run leaves behind")
    assert "were up to date, as a copy" in comfy("install", comfyui, "--copy").stdout
    write(pack / "nodes" / "load.py", "newer = True\n")
    write(place / "nodes" / "gone.py", "of an older version")
    assert "Installed the nodes, as a copy" in comfy("install", comfyui, "--copy").stdout
    assert (place / "nodes" / "load.py").read_text() == "newer = True\n" and not (place / "nodes" / "gone.py").exists()
    write(comfyui / "models" / "analogies" / "glasses" / "config.json")
    assert comfy("uninstall", comfyui).exit_code == 0
    assert not list((comfyui / "custom_nodes").iterdir()) and (comfyui / "models/analogies/glasses").is_dir()


def test_a_link_and_a_copy_replace_each_other_and_a_link_to_nowhere(pack, comfyui):
    place = comfyui / "custom_nodes" / "analogies"
    place.parent.mkdir()
    place.symlink_to(comfyui / "moved" / "comfy_nodes")
    for words, linked in (([], True), (["--copy"], False), ([], True)):
        assert "Installed" in comfy("install", comfyui, *words).stdout
        assert place.is_symlink() == linked and (place / "nodes" / "load.py").exists()
    assert list(place.parent.iterdir()) == [place] and (pack / "nodes" / "load.py").exists()


def test_where_no_link_can_be_made_a_copy_is_and_that_is_said(pack, comfyui, monkeypatch):
    def refuse(*args, **kwargs):
        raise PermissionError(1, "not permitted")

    monkeypatch.setattr(Path, "symlink_to", refuse)
    done = comfy("install", comfyui)
    assert done.exit_code == 0 and "no link can be made" in done.stderr
    assert (comfyui / "custom_nodes" / "analogies" / "nodes" / "load.py").exists()


def test_an_install_that_breaks_off_leaves_the_old_copy(pack, comfyui, monkeypatch):
    comfy("install", comfyui, "--copy")
    before = tree(comfyui)
    write(pack / "nodes" / "load.py", "newer = True\n")
    rename = Path.rename

    def copy_half(source, target, **options):
        write(target / "half.py")
        raise OSError(28, "No space left on device")

    def rename_old_only(path, target):
        if path.name == "new":
            raise OSError(5, "Input/output error")
        return rename(path, target)

    for where, name, breaks in ((shutil, "copytree", copy_half), (Path, "rename", rename_old_only)):
        with monkeypatch.context() as patch:
            patch.setattr(where, name, breaks)
            assert comfy("install", comfyui, "--copy").exit_code == 1
        assert tree(comfyui) == before


@pytest.mark.parametrize("kind", ["folder", "file", "link", "clone", "dangling"])
def test_what_is_not_ours_is_neither_replaced_nor_removed(kind, pack, comfyui, tmp_path):
    place = comfyui / "custom_nodes" / "analogies"
    write(tmp_path / "other" / "pyproject.toml", '[project]\nname = "others"\n')
    place.parent.mkdir()
    if kind == "folder":
        shutil.copytree(tmp_path / "other", place)
    elif kind == "file":
        write(place, "mine")
    elif kind == "clone":
        make_pack(place / "comfy_nodes")
        write(place / "analogies_hub" / "__init__.py")
    else:
        place.symlink_to(tmp_path / ("other" if kind == "link" else "gone"))
    before = tree(comfyui)
    for done in (comfy("install", comfyui), comfy("install", comfyui, "--copy"), comfy("uninstall", comfyui)):
        assert done.exit_code == 2 and done.stderr.count("\n") == 1, done.output
        assert ("whole repository" if kind == "clone" else "is not our node pack") in done.stderr
        assert tree(comfyui) == before
    done = comfy("doctor", comfyui)
    assert done.exit_code == 1 and f"✗ '{place}' is " in done.stdout


@pytest.mark.parametrize(
    ("take", "words", "reason"),
    [
        (".", [], "there is no folder"),
        ("comfy", [], "is no ComfyUI, it lacks comfy;"),
        ("comfyui_version.py", [], "lacks comfyui_version.py;"),
        (None, ["--python", "no/python"], "is no program"),
    ],
)
def test_a_mistake_gets_one_sentence_and_changes_nothing(take, words, reason, pack, comfyui, tmp_path):
    if take:
        (comfyui / take).rename(tmp_path / "away")
    before = tree(tmp_path)
    done = comfy("install", comfyui, *words)
    assert done.exit_code == 2 and reason in done.stderr and done.stderr.count("\n") == 1, done.output
    assert tree(tmp_path) == before


def test_a_clone_beside_the_pack_and_an_old_comfyui_are_told_of(pack, comfyui):
    clone = comfyui / "custom_nodes" / "analogies-hub"
    make_pack(clone / "comfy_nodes")
    write(clone / "analogies_hub" / "__init__.py")
    write(comfyui / "comfyui_version.py", '__version__ = "0.3.9"')
    done = comfy("install", comfyui)
    assert done.exit_code == 0 and f"'{clone}' is the whole repository" in done.stderr
    assert "ComfyUI is 0.3.9; update it" in done.stderr


def test_the_doctor_finds_nothing_wrong(pack, comfyui, python):
    python(__version__)
    comfy("install", comfyui)
    make_pack(comfyui / "custom_nodes" / "analogies.disabled")
    write(comfyui / "models" / "analogies" / "glasses" / "config.json")
    write(comfyui / "models" / "analogies" / "half" / "model.safetensors")
    done = comfy("doctor", comfyui)
    assert done.exit_code == 0 and "✗" not in done.stdout and done.stdout.count("✓") == 5, done.output
    assert done.stdout.endswith("models/analogies': glasses\n")
    rows = [json.loads(line) for line in comfy("doctor", comfyui, "--json").stdout.splitlines()]
    assert len(rows) == 5 and all(row["ok"] and row["what"] and not row["do"] for row in rows)


def unlink(comfyui):
    (comfyui / "custom_nodes" / "analogies").unlink()


def lead_nowhere(comfyui):
    unlink(comfyui)
    (comfyui / "custom_nodes" / "analogies").symlink_to(comfyui / "moved" / "comfy_nodes")


FAULTS = {
    "it lacks main.py": lambda comfyui: (comfyui / "main.py").unlink(),
    "ComfyUI is 0.3.9": lambda comfyui: write(comfyui / "comfyui_version.py", '__version__ = "0.3.9"'),
    "names no version": lambda comfyui: write(comfyui / "comfyui_version.py"),
    "the nodes are not installed": unlink,
    "which is gone": lead_nowhere,
    "has the nodes once more": lambda comfyui: make_pack(comfyui / "custom_nodes" / "second"),
}


@pytest.mark.parametrize("sentence", FAULTS)
def test_the_doctor_finds_each_fault_alone(sentence, pack, comfyui, python):
    python(__version__)
    comfy("install", comfyui)
    FAULTS[sentence](comfyui)
    done = comfy("doctor", comfyui)
    (wrong,) = [line for line in done.stdout.splitlines() if line.startswith("✗")]
    assert done.exit_code == 1 and sentence in wrong, done.output


def test_the_doctor_finds_an_old_copy_and_a_python_without_this_version(pack, comfyui, python):
    comfy("install", comfyui, "--copy")
    write(pack / "nodes" / "load.py", "newer = True\n")
    copy, imports = (json.loads(line) for line in comfy("doctor", comfyui, "--json").stdout.splitlines()[1:4:2])
    assert not copy["ok"] and copy["do"] == f"run analogies comfy install --comfyui {comfyui} --copy"
    assert not imports["ok"] and "cannot import analogies_hub" in imports["what"]
    python("0.0.1")
    done = comfy("doctor", comfyui)
    assert done.exit_code == 1 and f"imports analogies_hub 0.0.1, this is {__version__}: run " in done.stdout


def test_without_a_python_beside_comfyui_it_must_be_named(pack, comfyui, python, monkeypatch):
    (comfyui / ".venv").rename(comfyui / "elsewhere")
    monkeypatch.setattr(doctor, "COMFYUI_NEEDS", ("no_such_module",))
    assert (
        "no Python of ComfyUI was found: name the Python that starts ComfyUI with --python"
        in comfy("doctor", comfyui).stdout
    )
    named = comfyui / "elsewhere" / "bin" / "python"
    assert f"'{named}' cannot import" in comfy("doctor", comfyui, "--python", named).stdout


def test_a_terminal_without_ticks_gets_other_signs(analogies, tmp_path):
    done = analogies("comfy", "doctor", "--comfyui", tmp_path, env=os.environ | {"PYTHONIOENCODING": "cp1252"})
    assert done.returncode == 1 and done.stdout.startswith(f"x '{tmp_path}' is no ComfyUI"), done.stderr

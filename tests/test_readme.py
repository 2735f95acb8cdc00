"""What the README promises: its code runs, its commands parse, its pictures and links exist."""

import re
import shlex
from pathlib import Path

import pytest
import typer

from analogies_hub.cli import app
from analogies_hub.images import open_image, save_image
from analogies_hub.registry import METHODS

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_python_blocks_run(tmp_path, monkeypatch, content, guide, capsys):
    save_image(content[0], tmp_path / "a.jpg")
    save_image(guide, tmp_path / "b.jpg")
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    names = {}
    for code in blocks:
        exec(compile(code.replace("width=900", "width=90"), "README.md", "exec"), names)
    assert open_image("out.png").size == (64, 48) and names["batch"].shape == (32, 3, 64, 64) and names["mask"].any()
    assert capsys.readouterr().out


@pytest.mark.parametrize("command", re.findall(r"^analogies (.*?)(?:\s+#.*)?$", README, re.MULTILINE))
def test_a_command_can_be_parsed(command):
    words, node = shlex.split(command), typer.main.get_command(app)
    while hasattr(node, "commands"):
        node = node.commands[words.pop(0)]
    node.make_context("analogies", words)  # raises if an option is unknown or an argument is missing


def test_links_lead_somewhere():
    for target in re.findall(r"\]\(([^)]+)\)", README):
        assert target.startswith("https://") or (ROOT / target).exists(), target


def test_every_method_is_in_the_table():
    assert all(f"| `{name}` |" in README for name in METHODS)


def test_every_example_picture_can_be_read_and_is_credited():
    folder = ROOT / "gradio_app" / "examples"
    credits = (folder / "README.md").read_text(encoding="utf-8")
    pictures = [path for path in folder.rglob("*.*") if path.suffix != ".md"]
    assert len(pictures) > 10
    for path in pictures:
        assert path.name in credits or f"{path.parent.name}/*{path.suffix}" in credits, path
        assert min(open_image(path).size) > 200

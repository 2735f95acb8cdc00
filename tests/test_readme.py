"""What the README promises: its code runs, its commands parse, its pictures and links exist."""

import re
import shlex
from pathlib import Path

import pytest
from typer.testing import CliRunner

from analogies_hub.cli import app
from analogies_hub.images import open_image, save_image
from analogies_hub.registry import METHODS

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_python_block_runs(tmp_path, monkeypatch, content, guide, capsys):
    save_image(content[0], tmp_path / "a.jpg")
    save_image(guide, tmp_path / "b.jpg")
    monkeypatch.chdir(tmp_path)
    (code,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    exec(compile(code.replace("width=900", "width=90"), "README.md", "exec"), {})
    assert open_image("out.png").size == (64, 48)
    assert capsys.readouterr().out


@pytest.mark.parametrize("command", re.findall(r"^analogies (.*?)(?:\s+#.*)?$", README, re.MULTILINE))
def test_a_command_has_only_options_that_exist(command, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # where no picture is: it must fail on that, not on an option
    result = CliRunner().invoke(app, shlex.split(command))
    assert "No such option" not in result.output and "No such command" not in result.output
    assert result.exit_code in (0, 2, 3)


def test_links_lead_somewhere():
    for target in re.findall(r"\]\(([^)]+)\)", README):
        assert target.startswith("https://") or (ROOT / target).exists(), target


def test_every_method_is_in_the_table():
    assert all(f"| `{name}` |" in README for name in METHODS)


def test_every_example_picture_can_be_read_and_is_credited():
    folder = ROOT / "gradio_app" / "examples"
    credits = (folder / "README.md").read_text(encoding="utf-8")
    pictures = [path for path in folder.iterdir() if path.suffix != ".md"]
    assert len(pictures) > 10
    for path in pictures:
        assert path.name in credits
        assert min(open_image(path).size) > 200

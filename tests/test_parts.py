"""The folders beside the package."""

import pytest

from analogies_hub import parts
from analogies_hub.errors import UsageError


def test_a_frontend_is_found_in_a_checkout_and_in_a_wheel(tmp_path, monkeypatch):
    package = tmp_path / "analogies_hub"
    monkeypatch.setattr(parts, "PACKAGE", package)
    with pytest.raises(UsageError, match="reinstall analogies-hub"):
        parts.part("comfy_nodes", "pyproject.toml")
    for folder in (tmp_path / "comfy_nodes", package / "comfy_nodes"):
        folder.mkdir(parents=True)
        (folder / "pyproject.toml").touch()
        assert parts.part("comfy_nodes", "pyproject.toml") == folder

"""Who may import whom, read off the syntax tree."""

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "analogies_hub"
ORDER = ["errors", "parts", "config", "examples", "numbers", "images", "saved", "hub", "codes", "kinds", "operations"]
ORDER += ["filters", "patches", "losses", "data", "pipeline", "training", "separation", "registry"]
CORE = set(ORDER) - {"data"}
OUTER = {"bench", "cli", "comfyui", "data", "evaluation", "hub", "methods", "separation", "training"}
MAY = {
    **{name: set(ORDER[:place]) for place, name in enumerate(ORDER)},
    "data": {"errors", "config", "images", "filters"},
    "evaluation": CORE | {"data"},
    "methods": CORE,
    "bench": CORE | {"evaluation", "methods"},
    "comfyui": {"errors", "parts"},
    "cli": CORE - {"filters", "patches", "losses", "separation"} | {"bench", "comfyui", "data", "evaluation"},
}


def imported(path):
    """Parts of this package that a file imports, as tuples of names below `analogies_hub`."""
    folder = path.relative_to(PACKAGE).parts[:-1]
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.level:
            base = folder[: len(folder) - node.level + 1]
            module = tuple((node.module or "").split(".")) if node.module else ()
            yield from ([base + module] if module else [(*base, alias.name) for alias in node.names])
        elif isinstance(node, ast.ImportFrom | ast.Import):
            names = [node.module] if isinstance(node, ast.ImportFrom) else [alias.name for alias in node.names]
            yield from (tuple(name.split("."))[1:] for name in names if name.split(".")[0] == "analogies_hub")


FILES = [path for path in sorted(PACKAGE.rglob("*.py")) if path.parent != PACKAGE or path.name != "__init__.py"]


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_module_imports_only_from_its_left(path):
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    for target in imported(path):
        top = target[0]
        if top == "__version__":
            continue
        if top == parts[0] and top in OUTER:
            assert top != "methods" or target[1:2] in ((), parts[1:2]), f"{parts} imports another method: {target}"
        else:
            assert top in MAY[parts[0]], f"{'.'.join(parts)} may not import {'.'.join(target)}"


def test_the_rule_sees_the_imports_it_judges():
    assert ("filters",) in set(imported(PACKAGE / "methods/pair/engine.py"))
    assert ("methods", "pair", "search") in set(imported(PACKAGE / "methods/pair/engine.py"))


def test_every_core_module_has_a_place_in_the_order():
    parts = {path.stem for path in PACKAGE.glob("*.py")} | {path.parent.name for path in PACKAGE.glob("*/__init__.py")}
    assert parts - {"__init__"} == CORE | OUTER

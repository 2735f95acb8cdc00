"""What is written from the nodes' declarations: a help page each, and the catalogue that workflows rely on.

`python -m tests.comfyui.written` writes both anew; a test compares them.
"""

import json
from pathlib import Path

from .conftest import HERE, PACK, load_pack, nodes_of, prepare_host

PAGES = PACK / "web" / "docs"
CATALOGUE = HERE / "nodes.json"


def catalogue(nodes):
    """Ids with the names, types and order of inputs and outputs: what saved workflows rely on for ever."""
    return {name: row(node.GET_NODE_INFO_V1()) for name, node in sorted(nodes.items())}


def row(info):
    """A node's part of the catalogue."""
    inputs = {
        group: {name: kind_of(kind) for name, (kind, _) in found.items()}
        for group, found in info["input"].items()
        if group != "hidden"
    }
    return {**inputs, "output": dict(zip(info["output_name"], info["output"], strict=True))}


def kind_of(kind):
    """A socket's type; hosts that list a combo's options in its place are told apart from none."""
    return "COMBO" if isinstance(kind, list) else kind


def page(info):
    """A node's help as Markdown."""
    lines = [f"# {info['display_name']}", "", info["description"]]
    inputs = {name: found for group in ("required", "optional") for name, found in info["input"].get(group, {}).items()}
    if inputs:
        lines += ["", "## Inputs", "", "| name | what it is | default | range |", "|---|---|---|---|"]
        lines += [
            f"| `{name}` | {options.get('tooltip', '')} | {default(options)} | {limits(kind, options)} |"
            for name, (kind, options) in inputs.items()
        ]
    if info["output"]:
        lines += ["", "## Outputs", "", "| name | what it is | type |", "|---|---|---|"]
        rows = zip(info["output_name"], info["output_tooltips"], info["output"], strict=True)
        lines += [f"| `{name}` | {tooltip or ''} | {kind} |" for name, tooltip, kind in rows]
    return "\n".join(lines) + "\n"


def default(options):
    """A default as a cell."""
    return "" if options.get("default") in (None, "") else f"`{options['default']}`"


def limits(kind, options):
    """A range, or the words of a choice that is the same for everyone."""
    if "min" in options:
        return f"{options['min']} to {options['max']}"
    fixed = options.get("options", []) if "default" in options else []
    return ", ".join(fixed) if fixed else kind_of(kind)


def pages(nodes):
    """All help pages by file name."""
    return {f"{name}.md": page(node.GET_NODE_INFO_V1()) for name, node in nodes.items()}


def main():
    """Write them."""
    import tempfile

    with tempfile.TemporaryDirectory() as base:
        prepare_host(Path(base))
        nodes = nodes_of(load_pack())
        CATALOGUE.write_text(json.dumps(catalogue(nodes), indent=1) + "\n")
        PAGES.mkdir(parents=True, exist_ok=True)
        for old in PAGES.glob("*.md"):
            old.unlink()
        for name, text in pages(nodes).items():
            (PAGES / name).write_text(text)


if __name__ == "__main__":
    main()

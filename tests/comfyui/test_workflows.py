"""The example workflows: as the page loads them, and their twins in the API format, which run."""

import json

import pytest

from . import prompts
from .conftest import HERE, PACK

EXAMPLES = PACK / "example_workflows"
TWINS = sorted((HERE / "workflows").glob("*.json"))
WIDGETS_OF_OTHERS = {"SaveImage": ["filename_prefix"], "MaskPreview": []}


def widgets_of(name, nodes):
    """The inputs of a node that are widgets, in the order in which the page stores their values."""
    if name in WIDGETS_OF_OTHERS:
        return WIDGETS_OF_OTHERS[name]
    info = nodes[name].GET_NODE_INFO_V1()["input"]
    found = []
    for group in ("required", "optional"):
        for item, (kind, options) in info.get(group, {}).items():
            if isinstance(kind, list) or kind in ("INT", "FLOAT", "STRING", "COMBO"):
                found += [item, None] if options.get("control_after_generate") else [item]
    return found


def as_prompt(graph, nodes):
    """A workflow of the page in the API format."""
    links = {link[0]: [str(link[1]), link[2]] for link in graph["links"]}
    prompt = {}
    for node in graph["nodes"]:
        if node["type"] == "Note":
            continue
        values = dict(zip(widgets_of(node["type"], nodes), node.get("widgets_values") or [], strict=True))
        values.pop(None, None)
        wired = {item["name"]: links[item["link"]] for item in node.get("inputs", []) if item.get("link") is not None}
        prompt[str(node["id"])] = {"class_type": node["type"], "inputs": values | wired}
    return prompt


def test_each_example_has_a_twin_and_a_picture():
    names = [path.stem for path in TWINS]
    assert len(names) >= 6
    assert names == sorted(path.stem for path in EXAMPLES.glob("*.json"))
    assert names == sorted(path.stem for path in EXAMPLES.glob("*.jpg"))


@pytest.mark.parametrize("twin", TWINS, ids=lambda path: path.stem)
def test_an_example_is_what_its_twin_says_and_the_twin_is_valid(twin, nodes):
    prompt = json.loads(twin.read_text())
    graph = json.loads((EXAMPLES / twin.name).read_text())
    assert as_prompt(graph, nodes) == prompt
    empty = [key for node in [graph, *graph["nodes"]] for key, value in node.items() if value is None]
    empty += [key for node in graph["nodes"] for item in node["outputs"] for key in item if item[key] is None]
    assert set(empty) <= {"links"}, "older pages refuse such a file"
    assert any(node["type"] == "Note" and len(node["widgets_values"][0]) > 40 for node in graph["nodes"])
    prompts.check(prompt, nodes)


@pytest.mark.parametrize("twin", TWINS, ids=lambda path: path.stem)
def test_an_example_runs_as_it_comes(twin, nodes):
    prompt = json.loads(twin.read_text())
    for node in prompt.values():
        if "size" in node["inputs"]:
            node["inputs"]["size"] = 64  # only to be quick
    for number, images in prompts.run(prompt, nodes).items():
        assert images and all(float(image.min()) >= 0 and float(image.max()) <= 1 for image in images), number
        assert max(float(image.std()) for image in images) > 0.05, f"{number} is empty"


def test_the_check_refuses_what_a_host_would(nodes):
    prompt = json.loads((HERE / "workflows/mask_edit.json").read_text())
    (edit,) = [node for node in prompt.values() if node["class_type"].endswith("_transfer_transfer")]
    for name, value in [("content", edit["inputs"]["model"]), ("threshold", 7), ("style", "sideways")]:
        kept = edit["inputs"][name]
        edit["inputs"][name] = value
        with pytest.raises(AssertionError, match=name):
            prompts.check(prompt, nodes)
        edit["inputs"][name] = kept

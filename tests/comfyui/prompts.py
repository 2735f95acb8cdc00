"""Prompts in the API format: checked and run as the host does it, as far as the example workflows need."""

import torch

SINKS = {"SaveImage": "images", "PreviewImage": "images", "MaskPreview": "mask"}


def check(prompt, nodes):
    """Raise AssertionError for what a host would refuse before it runs anything."""
    for number, node in prompt.items():
        if node["class_type"] in SINKS:
            continue
        info = nodes[node["class_type"]].GET_NODE_INFO_V1()
        declared = info["input"]["required"] | info["input"].get("optional", {})
        assert set(info["input"]["required"]) <= set(node["inputs"]) <= set(declared), f"{number}: inputs"
        for name, value in node["inputs"].items():
            check_value(f"{number}.{name}", value, *declared[name], prompt, nodes)


def check_value(where, value, kind, options, prompt, nodes):
    """A link's type, a number's range, a combo's word."""
    if isinstance(value, list):
        source, output = prompt[value[0]], value[1]
        given = nodes[source["class_type"]].GET_NODE_INFO_V1()["output"][output]
        assert set(given.split(",")) & set(kind.split(",")), f"{where}: {given} into {kind}"
    elif "min" in options:
        assert options["min"] <= value <= options["max"], f"{where}: {value}"
    else:
        words = kind if isinstance(kind, list) else options.get("options")
        assert words is None or value in words, f"{where}: {value}"


def run(prompt, nodes):
    """What arrives at each sink: the tensors in the order in which they came."""
    done, arrived = {}, {}
    for number in prompt:
        finish(number, prompt, nodes, done, arrived)
    return arrived


def finish(number, prompt, nodes, done, arrived):
    """Run a node, those that it needs first; lists of results make it run for each of them."""
    if number in done:
        return done[number]
    node, lists = prompt[number], {}
    for name, value in node["inputs"].items():
        linked = isinstance(value, list)
        lists[name] = finish(value[0], prompt, nodes, done, arrived)[value[1]] if linked else [value]
    if node["class_type"] in SINKS:
        done[number], arrived[number] = [], lists[SINKS[node["class_type"]]]
        return done[number]
    made = nodes[node["class_type"]]
    as_list = made.GET_NODE_INFO_V1()["output_is_list"]
    results = [[] for _ in as_list]
    for turn in range(max(map(len, lists.values()), default=1)):
        inputs = {name: values[min(turn, len(values) - 1)] for name, values in lists.items()}
        with torch.inference_mode():
            outputs = made.PREPARE_CLASS_CLONE(None).EXECUTE_NORMALIZED(**inputs).result or ()
        for slot, value in enumerate(outputs):
            results[slot] += value if as_list[slot] else [value]
    done[number] = results
    return results

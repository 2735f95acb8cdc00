"""Every node, against the stub or a real host: what it declares, what it yields, and what it says when it cannot."""

import gc
import json
import os
import shutil
import subprocess
import sys
import tomllib
import weakref

import pytest
import torch

from analogies_hub import load_pipeline
from analogies_hub.codes import Code
from analogies_hub.errors import AnalogyError
from analogies_hub.examples import example_path
from analogies_hub.images import to_tensor
from analogies_hub.registry import METHODS, get_method

from ..test_every_method import inputs_for, results
from .conftest import COMFYUI, HERE, PACK
from .written import CATALOGUE, PAGES, catalogue, pages


def as_host(picture):
    """A picture (B, 3, H, W) as the host's IMAGE."""
    return picture.movedim(1, -1).contiguous()


def photo(seed=0, size=(45, 70), count=1):
    """Noise as the host's IMAGE, at an odd size."""
    return torch.rand(count, *size, 3, generator=torch.Generator().manual_seed(seed))


def test_no_id_input_or_output_of_a_released_node_has_changed(nodes):
    """Saved workflows name all of them. Add at the end and run `python -m tests.comfyui.written`; change nothing."""
    assert catalogue(nodes) == json.loads(CATALOGUE.read_text())


@pytest.mark.skipif(bool(COMFYUI), reason="pages are written from the stub's declarations")
def test_help_pages_say_what_the_nodes_declare(nodes):
    assert {path.name: path.read_text() for path in PAGES.glob("*.md")} == pages(nodes)


def test_every_node_explains_itself_and_each_of_its_inputs(nodes):
    for name, node in nodes.items():
        info = node.GET_NODE_INFO_V1()
        assert info["description"] and info["display_name"] and info["category"].startswith("analogies"), name
        for group in ("required", "optional"):
            for item, (_, options) in info["input"].get(group, {}).items():
                assert options.get("tooltip"), f"{name}: {item}"


def test_every_operation_and_every_kind_of_value_has_its_place(pack, nodes):
    from analogies_hub import operations
    from analogies_hub.registry import METHODS, get_method

    table = sys.modules[f"{pack.__name__}.nodes.values"].KINDS
    assert set(table) == set(operations.KINDS)
    for method in METHODS:
        for name in get_method(method).pipeline_type().operations():
            assert f"Analogies_{method}_{name}" in nodes


def test_metadata_names_one_library_and_nothing_else(pack):
    project = tomllib.loads((PACK / "pyproject.toml").read_text())["project"]
    needs = (PACK / "requirements.txt").read_text().split()
    assert needs == project["dependencies"] == [pack.NEEDS]
    assert project["name"] == "analogies" and project["version"].count(".") == 2


def in_a_process_of_its_own(script, tmp_path):
    """Runs a script that has loaded nothing of the library yet, against the stub."""
    before = f"from tests.comfyui.conftest import *; prepare_host(Path({str(tmp_path)!r}))"
    environment = {key: value for key, value in os.environ.items() if key != "COMFYUI_PATH"}
    words = [sys.executable, "-c", f"{before}\n{script}"]
    return subprocess.run(words, cwd=HERE.parent.parent, env=environment, capture_output=True, text=True)


def test_importing_opens_no_connection_and_loads_nothing_heavy(tmp_path):
    script = (
        "import socket; socket.socket.connect = None; assert nodes_of(load_pack())\n"
        "assert not {'torchvision', 'gradio', 'huggingface_hub', 'scipy'} & set(sys.modules), 'heavy'"
    )
    done = in_a_process_of_its_own(script, tmp_path)
    assert done.returncode == 0, done.stderr


def test_without_the_library_there_are_no_nodes_and_one_sentence(pack, tmp_path):
    script = (
        "for name in [name for name in sys.modules if name.startswith('analogies_hub')]: del sys.modules[name]\n"
        "sys.path[:] = [path for path in sys.path if path and not (Path(path) / 'analogies_hub').exists()]\n"
        "assert nodes_of(load_pack()) == {}"
    )
    done = in_a_process_of_its_own(script, tmp_path)
    assert done.returncode == 0, done.stderr
    assert f'-m pip install "{pack.NEEDS}"' in done.stderr and "Traceback" not in done.stderr


def for_host(value):
    """What the library takes or gives, as the host has it."""
    if isinstance(value, list):
        return as_host(torch.cat(value))
    if isinstance(value, torch.Tensor):
        return value[:, 0] if value.shape[1] == 1 else as_host(value)
    return value


def tensors(value):
    """A picture, or the parts of a code."""
    return list(value.parts.values()) if isinstance(value, Code) else [value]


@pytest.mark.parametrize("method", METHODS)
def test_each_operations_node_gives_what_the_library_gives(method, run, model):
    needs_model = get_method(method).needs_weights
    patcher = run(f"Analogies_{method}_load", name=model(method)).result[0] if needs_model else None
    pipeline = patcher.model.pipeline if patcher else load_pipeline(method, "cpu")
    pictures = tuple(photo(number, (24, 32)).movedim(-1, 1) for number in range(2))
    for operation in pipeline.operations().values():
        values = inputs_for(pipeline, operation, pictures)
        wanted = results(pipeline, operation, **values)
        inputs = {name: for_host(value) for name, value in values.items()} | ({"model": patcher} if patcher else {})
        made = run(f"Analogies_{method}_{operation.name}", **inputs).result
        assert len(made) == len(wanted)
        for (name, expected), result in zip(wanted.items(), made, strict=True):
            for ours, theirs in zip(tensors(result), tensors(for_host(expected)), strict=True):
                torch.testing.assert_close(ours, theirs, msg=f"{operation.name}: {name}")


def test_an_edit_equals_the_librarys_and_leaves_the_rest_of_the_photo(run, model):
    name = model("mask_transfer")
    content, guide = photo(count=3), photo(1, (64, 64))
    kept = content.clone()
    patcher = run("Analogies_mask_transfer_load", name=name).result[0]
    image, mask = run(
        "Analogies_mask_transfer_transfer", model=patcher, content=content, guide=guide, threshold=0.45, box="3,1,40,40"
    ).result
    pipeline = patcher.model.pipeline
    assert image.shape == content.shape and mask.shape == content.shape[:3]
    for number in range(3):
        one = content[number : number + 1].movedim(-1, 1)
        expected = pipeline.transfer(one, guide.movedim(-1, 1), threshold=0.45, box="3,1,40,40")
        assert torch.equal(image[number : number + 1], as_host(expected.image))
        assert torch.equal(mask[number], expected.mask[0, 0])
    assert torch.equal(image[mask == 0], kept[mask == 0]) and (mask == 0).any()
    assert torch.equal(content, kept)


def test_a_widget_at_minus_one_is_the_models_own(run, model):
    patcher = run("Analogies_mask_transfer_load", name=model("mask_transfer")).result[0]
    shown = run("Analogies_mask_transfer_remove", model=patcher, content=photo(), threshold=-1.0, grow=-1.0, box="")
    own = run("Analogies_mask_transfer_remove", model=patcher, content=photo())
    assert torch.equal(shown.result[0], own.result[0])


def test_codes_travel_between_nodes_and_files(run, model, base):
    patcher = run("Analogies_didd_load", name=model("didd")).result[0]
    content, guide = photo(count=2), photo(2)
    ours = run("Analogies_didd_encode", model=patcher, image=content).result[0]
    theirs = run("Analogies_didd_encode", model=patcher, image=guide).result[0]
    mixed = run("Analogies_didd_mix", model=patcher, content=ours, guide=theirs, to="all", off="none").result[0]
    drawn = run("Analogies_didd_decode", model=patcher, code=mixed).result[0]
    added = run("Analogies_didd_add", model=patcher, content=content, guide=guide).result[0]
    torch.testing.assert_close(drawn, added)
    run("Analogies_save_code", code=mixed, filename_prefix="codes/mine")
    (file,) = (base / "output/codes").glob("mine*.safetensors")
    again = run("Analogies_load_code", file=f"codes/{file.name} [output]").result[0]
    torch.testing.assert_close(run("Analogies_didd_decode", model=patcher, code=again).result[0], drawn)
    other = run("Analogies_didd_load", name=model("didd", "other", seed=1)).result[0]
    with pytest.raises(AnalogyError, match="this code was made by"):
        run("Analogies_didd_decode", model=other, code=again)


def test_a_pair_needs_no_model_and_equals_the_librarys_by_the_seed(run, content, guide):
    values = {"seed": 7, "size": 48, "structure": 0.7}
    image = run("Analogies_pair_translate", content=as_host(content[0]), guide=as_host(guide), **values).result[0]
    assert torch.equal(image, as_host(load_pipeline("pair", "cpu").translate(content[0], guide, **values)))


def test_an_output_that_was_not_made_stops_the_nodes_behind_it(run, content):
    images, analogies = run("Analogies_pair_sample", image=as_host(content[0]), count=2, size=32).result
    assert len(images) == 2 and "optional input" in analogies.message


def test_alpha_lies_over_white_and_values_beyond_the_range_are_cut(run, model):
    patcher = run("Analogies_didd_load", name=model("didd")).result[0]
    clear = torch.cat([photo(), torch.zeros(1, 45, 70, 1)], dim=-1)
    white = torch.full((1, 45, 70, 3), 1.5)
    seen = [run("Analogies_didd_reconstruct", model=patcher, image=each).result[0] for each in (clear, white)]
    torch.testing.assert_close(*seen)


def test_what_does_not_fit_gets_a_sentence(run, model):
    patcher = run("Analogies_didd_load", name=model("didd")).result[0]
    for values, sentence in [
        ({"content": photo(count=3), "guide": photo(count=2)}, "'guide' holds 2 pictures, expected 1 or 3"),
        ({"content": photo(), "guide": photo(), "to": "glases"}, "'to' cannot be 'glases'"),
        ({"content": photo() * float("nan"), "guide": photo()}, "NaN"),
    ]:
        with pytest.raises(AnalogyError, match=sentence):
            run("Analogies_didd_translate", model=patcher, **values)


def test_a_note_of_the_library_is_shown_on_the_node(run):
    patcher = run("Analogies_mask_transfer_load", name="mask_transfer-avatars-glasses").result[0]
    (plain,) = run("Analogies_example_picture", name="faces/plain-1").result
    (worn,) = run("Analogies_example_picture", name="faces/glasses-2").result
    result = run("Analogies_mask_transfer_remove", model=patcher, content=plain.repeat(2, 1, 1, 1))
    assert result.ui == {"text": ("in 'content' the model finds no glasses; try another picture",)}
    assert not run("Analogies_mask_transfer_remove", model=patcher, content=worn).ui


def test_progress_reaches_the_end_with_pictures_and_an_interrupt_stops_it(run, content, guide):
    import comfy.model_management as management
    import comfy.utils

    heard = []

    def hook(value, total, preview, **place):
        heard.append((value, total, preview))
        if stop_at and value >= stop_at:
            management.interrupt_current_processing()

    comfy.utils.set_progress_bar_global_hook(hook)
    try:
        inputs = {"content": as_host(content[0]).repeat(2, 1, 1, 1), "guide": as_host(guide), "size": 48}
        stop_at = 0
        run("Analogies_pair_translate", **inputs)
        assert heard[-1][0] == heard[-1][1] and [value for value, *_ in heard] == sorted(value for value, *_ in heard)
        assert any(preview and preview[0] == "JPEG" for *_, preview in heard)
        heard.clear()
        stop_at = 2
        with pytest.raises(management.InterruptProcessingException):
            run("Analogies_pair_translate", **inputs)
        assert sum(value >= stop_at for value, *_ in heard) == 1, "none after it; newer hosts leave out some before"
    finally:
        comfy.utils.set_progress_bar_global_hook(None)
        management.interrupt_current_processing(False)


def test_a_loader_lists_new_models_at_once_and_runs_again_when_a_file_changes(nodes, model, base):
    node = nodes["Analogies_mask_transfer_load"]

    def listed():
        kind, options = node.GET_NODE_INFO_V1()["input"]["required"]["name"]
        return kind if isinstance(kind, list) else options["options"]

    assert "late" not in listed()
    model("mask_transfer", "sets/late")
    assert "sets/late" in listed()
    before = node.fingerprint_inputs(name="sets/late")
    assert node.fingerprint_inputs(name="sets/late") == before
    model("mask_transfer", "sets/late", seed=1)
    assert node.fingerprint_inputs(name="sets/late") != before
    assert node.validate_inputs(name="sets/late") is True
    assert "no model 'gone'" in node.validate_inputs(name="gone")
    shutil.copytree(base / "models/analogies/sets/late", base / "elsewhere", dirs_exist_ok=True)
    assert "no model '../../elsewhere" in node.validate_inputs(name="../../elsewhere")
    assert "use the loader of that method" in nodes["Analogies_didd_load"].validate_inputs(name="sets/late")
    (base / "models/analogies/sets/late/model.safetensors").write_bytes(b"")
    with pytest.raises(AnalogyError, match=r"model\.safetensors"):
        node.PREPARE_CLASS_CLONE(None).EXECUTE_NORMALIZED(name="sets/late")


def test_models_in_the_users_other_folders_are_found(nodes, run, model, base, tmp_path):
    import folder_paths

    shutil.move(base / "models/analogies" / model("didd", "moved"), tmp_path / "moved")
    paths = folder_paths.folder_names_and_paths["analogies"][0]
    folder_paths.add_model_folder_path("analogies", str(tmp_path))  # as extra_model_paths.yaml does
    try:
        assert run("Analogies_didd_load", name="moved").result[0].model.pipeline.method == "didd"
    finally:
        paths.remove(str(tmp_path))
    assert "no model 'moved'" in nodes["Analogies_didd_load"].validate_inputs(name="moved")
    assert nodes["Analogies_didd_load"].validate_inputs(name=None) is True, "a linked name is not known yet"


def test_a_download_is_whole_in_the_model_folder_and_is_asked_for_once(run, base, hub, small_model):
    repository = "someone/small"
    hub.put(repository, {path.name: path.read_bytes() for path in small_model.iterdir()})
    first = run("Analogies_download", repository=repository).result[0].model.pipeline
    folder = base / "models/analogies/someone/small"
    assert sorted(path.name for path in folder.iterdir() if path.suffix in (".json", ".safetensors"))
    assert not [path for path in folder.parent.iterdir() if path.name.startswith(".")]
    asked = len(hub.calls)
    again = run("Analogies_download", repository=repository).result[0].model.pipeline
    assert len(hub.calls) == asked and again.fingerprint() == first.fingerprint()
    with pytest.raises(AnalogyError, match="nobody/nothing"):
        run("Analogies_download", repository="nobody/nothing")
    with pytest.raises(AnalogyError, match="OWNER/NAME"):
        run("Analogies_download", repository="../escape")


def test_a_folder_comes_picture_by_picture_and_says_when_it_is_empty(run, nodes, base):
    for name in ("a", "b"):
        (base / "input/mine").mkdir(exist_ok=True)
        (base / f"input/mine/{name}.png").write_bytes(example_path("faces/plain-1").read_bytes())
    (images,) = run("Analogies_load_folder", folder="mine").result
    assert len(images) == 2 and torch.equal(images[0], as_host(to_tensor(example_path("faces/plain-1"))))
    (base / "input/empty").mkdir(exist_ok=True)
    assert "holds no picture" in nodes["Analogies_load_folder"].validate_inputs(folder="empty")
    assert "holds no picture" in nodes["Analogies_load_folder"].validate_inputs(folder="..")


def test_nothing_of_the_pack_keeps_a_model_alive(run, model):
    patcher = run("Analogies_didd_load", name=model("didd")).result[0]
    run("Analogies_didd_reconstruct", model=patcher, image=photo())
    gone = weakref.ref(patcher.model.pipeline)
    if COMFYUI:
        import comfy.model_management as management

        management.unload_all_models()
    del patcher
    gc.collect()
    assert gone() is None

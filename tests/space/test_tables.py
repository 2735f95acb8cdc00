"""What the page offers, against what there is to offer."""

import os
import subprocess
import sys

import pytest

gradio = pytest.importorskip("gradio", reason="the web page needs gradio")

from analogies_space import results, tabs, widgets
from analogies_space.limits import HIGHEST, limited

from analogies_hub.examples import example_names
from analogies_hub.hub.card import front_matter
from analogies_hub.kinds import KINDS, Number
from analogies_hub.parts import part
from analogies_hub.registry import METHODS, get_method, model_names

IN_TABS = {(method, name) for tab in tabs.TABS for method, names in tab.forms.items() for name in names}


def test_there_is_a_widget_for_every_kind_of_input():
    assert set(widgets.KINDS) == set(KINDS)


@pytest.mark.parametrize("name", METHODS)
def test_every_operation_of_a_method_has_a_form_or_the_method_is_left_out_with_a_reason(name):
    operations = get_method(name).pipeline_type().operations()
    assert (name in tabs.LEFT_OUT) != ({(name, each) for each in operations} <= IN_TABS)
    assert {type(output.kind) for each in operations.values() for output in each.outputs} <= set(results.KINDS)


def test_what_tabs_start_with_is_there():
    pictures = {name for tab in tabs.TABS for name in tab.pictures}
    pictures |= {each[key] for tab in tabs.TABS for each in tab.sets for key in ("content", "guide")}
    assert pictures <= set(example_names())


def test_the_space_asks_for_what_there_is():
    folder = part("gradio_app", "app.py")
    asked = front_matter((folder / "README.md").read_text(encoding="utf-8"))
    assert {name.removeprefix("analogies-hub/") for name in asked["models"]} <= set(model_names())
    assert asked["preload_from_hub"] == asked["models"]
    assert (folder / asked["app_file"]).exists() and "gradio" not in (folder / "requirements.txt").read_text()
    assert asked["sdk_version"].partition(".")[0] == gradio.__version__.partition(".")[0]
    assert all(name in get_method(method).pipeline_type().operations() for method, name in IN_TABS)


def test_limits_hold_for_numbers_of_that_name_and_leave_others_alone():
    assert limited("size", Number(0, 4096, whole=True)) == Number(0, HIGHEST["size"], whole=True)
    assert limited("size", Number(0, 64)) == Number(0, 64)
    assert limited("structure", Number(0, 1)) == Number(0, 1)


def test_on_a_lent_gpu_every_form_asks_for_it(tmp_path):
    (tmp_path / "spaces.py").write_text(
        "import sys\nasked, late = [], 'torch' in sys.modules\n"
        "def GPU(call):\n    asked.append(call.__name__)\n    return call\n"
    )
    code = (
        "from analogies_space.site import build; import spaces; build(); print(*spaces.asked, *['late'] * spaces.late)"
    )
    paths = os.pathsep.join([str(tmp_path), *sys.path])
    told = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"PYTHONPATH": paths},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert set(told.stdout.split()) == {f"{method}_{name}" for method, name in IN_TABS}, told.stderr

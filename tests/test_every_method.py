"""The contract that every registered method keeps, whatever it does."""

import inspect

import numpy as np
import pytest
import torch

from analogies_hub.codes import Code
from analogies_hub.data.source import ImageSource
from analogies_hub.errors import UsageError
from analogies_hub.kinds import KINDS, BoxKind, Choice, CodeKind, FramesKind, ImageKind, MaskKind, Number, Words
from analogies_hub.registry import METHODS, get_method, load_pipeline
from analogies_hub.training import Options, fit


@pytest.fixture(params=METHODS)
def method(request):
    return get_method(request.param)


@pytest.fixture
def pipeline(method):
    return method.pipeline_type()(method.config(**method.smoke)).eval()


@pytest.fixture
def small():
    """Two different pictures of different shapes, too small to take long."""
    generator = torch.Generator().manual_seed(0)
    return torch.rand(1, 3, 24, 32, generator=generator), torch.rand(1, 3, 30, 26, generator=generator)


def inputs_for(pipeline, operation, small):
    """Every picture and code an operation takes, required or not."""
    values = {}
    for item in operation.inputs:
        if isinstance(item.kind, ImageKind):
            values[item.name] = small[len(values) % 2]
        elif isinstance(item.kind, CodeKind):
            values[item.name] = pipeline.encode(small[len(values) % 2])
        elif isinstance(item.kind, FramesKind):
            values[item.name] = [small[1] for _ in pipeline.attributes]
        elif item.name == "count":
            values[item.name] = 2
    return values


def results(pipeline, operation, **values):
    """The outputs of an operation by name."""
    result = getattr(pipeline, operation.name)(**values)
    return dict(
        zip([o.name for o in operation.outputs], result if len(operation.outputs) > 1 else [result], strict=True)
    )


def test_it_has_operations_and_they_describe_themselves(method):
    operations = method.pipeline_type().operations()
    assert operations
    for operation in operations.values():
        assert operation.help.endswith(".")
        assert operation.outputs
        for item in operation.inputs:
            assert isinstance(item.kind, KINDS), item.name
            assert item.help, f"{operation.name}: {item.name} has no help"
            if not item.required and item.default is not None:
                assert item.kind.check(item.name, item.default) == item.default


def same(first, second):
    """Whether two results are equal: pictures, or codes part by part."""
    if isinstance(first, Code):
        return first.model == second.model and all(
            torch.equal(first.parts[name], second.parts[name]) for name in first.parts
        )
    return torch.equal(first, second)


def test_its_name_is_the_same_everywhere(method):
    assert METHODS[method.name].endswith(f".{method.name}")
    assert method.pipeline_type().method == method.name
    assert method.pipeline_type().config_type is method.config


def test_it_comes_back_from_a_folder_as_it_was(method, pipeline, small, tmp_path):
    pipeline.save_pretrained(tmp_path)
    again = load_pipeline(tmp_path, device="cpu")
    assert type(again) is type(pipeline)
    assert again.config == pipeline.config
    operation = next(iter(pipeline.operations().values()))
    values = inputs_for(pipeline, operation, small)
    for name, value in results(pipeline, operation, **values).items():
        assert same(value, results(again, operation, **values)[name])


def test_every_operation_gives_pictures_in_range_and_the_same_ones_again(pipeline, small):
    for operation in pipeline.operations().values():
        values = inputs_for(pipeline, operation, small)
        first, second = (results(pipeline, operation, **values) for _ in range(2))
        kinds = {item.name: item.kind for item in operation.outputs}
        for name, value in first.items():
            assert same(value, second[name]), (operation.name, name)
            if isinstance(value, Code):
                continue
            grey = isinstance(kinds[name], MaskKind)
            assert value.ndim == 4 and value.shape[1] == (1 if grey else 3), (operation.name, name)
            assert value.min() >= 0 and value.max() <= 1 and (grey or value.std() > 0)
            assert not value.requires_grad and not value.is_inference()  # anyone may go on with it


def test_a_long_operation_reports_each_step_and_stops_when_told(pipeline, small):
    class Stop(Exception):
        pass

    for operation in pipeline.operations().values():
        if not operation.reports_steps:
            continue
        seen = []

        def watch(done, total, preview=None, seen=seen):
            seen.append((done, total))
            assert preview is None or (preview.ndim == 4 and preview.shape[1] == 3)

        def stop(done, total, preview=None):
            raise Stop

        values = inputs_for(pipeline, operation, small)
        results(pipeline, operation, **values, on_step=watch)
        shares = [done / total for done, total in seen]
        assert shares == sorted(shares) and shares[-1] == 1, operation.name
        with pytest.raises(Stop):
            results(pipeline, operation, **values, on_step=stop)


def test_values_out_of_range_are_refused_by_name(pipeline, small):
    for operation in pipeline.operations().values():
        values = inputs_for(pipeline, operation, small)
        for item in operation.inputs:
            if isinstance(item.kind, Number):
                bad = [item.kind.low - 1, item.kind.high + 1, float("nan"), "1", True]
            elif isinstance(item.kind, (Choice, Words, BoxKind)):
                bad = ["no such word", 3]
            else:
                continue
            for value in bad:
                with pytest.raises(UsageError, match=f"'{item.name}'"):
                    getattr(pipeline, operation.name)(**values | {item.name: value})


def test_an_input_that_does_not_exist_is_refused_by_name(pipeline, small):
    for name, operation in pipeline.operations().items():
        with pytest.raises(UsageError, match="colour"):
            getattr(pipeline, name)(**inputs_for(pipeline, operation, small), colour=1)


def test_operations_do_not_take_options_that_frontends_cannot_see(method):
    for name, operation in method.pipeline_type().operations().items():
        parameters = set(inspect.signature(getattr(method.pipeline_type(), name)).parameters)
        assert parameters - {"self", "on_step"} == {item.name for item in operation.inputs}


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_training_changes_every_network_and_what_it_exports_can_be_used(method, precision, small, tmp_path):
    if method.trainer is None:
        pytest.skip(f"{method.name} is not trained")
    torch.manual_seed(0)
    pipeline = method.pipeline_type()(method.config(**method.smoke))
    before = {name: value.clone() for name, value in pipeline.state_dict().items()}
    trainer = method.trainer(pipeline)
    size = pipeline.config.size
    pixels = np.random.default_rng(0).integers(0, 256, (2, 6, size, size, 3), dtype=np.uint8)
    sources = [ImageSource(each, name=f"set {number}") for number, each in enumerate(pixels)]
    options = Options(tmp_path / "run", pipeline.config.batch, log_every=1, device="cpu", precision=precision)
    outcome = fit(trainer, sources, options)
    assert outcome.finished
    after = pipeline.state_dict()
    frozen = {name.split(".")[0] for name in after} - {
        name.split(".")[0] for name in after if not torch.equal(after[name], before[name])
    }
    assert not frozen
    exported = load_pipeline(tmp_path / "run", "cpu")
    assert exported.reconstruct(small[0]).shape == (1, 3, size, size)


def test_every_preset_is_a_valid_config(method):
    for name in method.presets:
        assert method.config(**method.preset(name))
    with pytest.raises(UsageError, match="preset"):
        method.preset("no such preset")

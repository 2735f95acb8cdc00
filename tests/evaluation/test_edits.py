"""The edit scores on edits whose worth is known: controls, a ladder of damaged truths, and cheats."""

import numpy as np
import pytest
import torch
from PIL import Image

from analogies_hub.data.avatars import ATTRIBUTES, person
from analogies_hub.data.source import to_float
from analogies_hub.errors import AnalogyError, ImageError, UsageError
from analogies_hub.evaluation.counterfactual import joined, score, set_up
from analogies_hub.evaluation.edits import bind, numbered, run_edit, write_inputs
from analogies_hub.evaluation.judges import load_judges
from analogies_hub.evaluation.metrics import METRICS
from analogies_hub.evaluation.scores import CONTROLS, evaluate, place, score_block
from analogies_hub.evaluation.tasks import Benchmark, parse_task, task_names
from analogies_hub.filters import blur
from analogies_hub.images import open_image, save_image

TASKS = ("add-glasses", "remove-facial_hair", "glasses-to-smile")
COUNT = 100


def half(block, people, guides):
    """Half of the edit is done everywhere."""
    content, truth = block.contents[people].astype(float), block.truths[people, guides]
    return ((content + truth) / 2).round().astype(np.uint8)


def two_fifths(block, people, guides):
    """Less than half of the edit is done, which may be enough for the judges."""
    content, truth = block.contents[people].astype(float), block.truths[people, guides]
    return (0.6 * content + 0.4 * truth).round().astype(np.uint8)


def noisy(amount):
    """The truth under noise of a deviation in grey levels."""

    def damage(block, people, guides):
        noise = np.random.default_rng(0).normal(0, amount, block.truths[people, guides].shape)
        return (block.truths[people, guides] + noise).round().clip(0, 255).astype(np.uint8)

    return damage


def blurred(block, people, guides):
    """The truth under a blur of 1.5 px."""
    soft = blur(to_float(block.truths[people, guides]), 1.5)
    return (soft * 255).round().byte().movedim(1, -1).numpy()


def blend(block, people, guides):
    """Content and guide laid over each other."""
    return (block.contents[people] // 2 + block.guides[guides] // 2).astype(np.uint8)


def recoloured_guide(block, people, guides):
    """The guide in the content's mean colour."""
    content, guide = block.contents[people].astype(float), block.guides[guides].astype(float)
    shifted = guide - guide.mean((1, 2), keepdims=True) + content.mean((1, 2), keepdims=True)
    return shifted.round().clip(0, 255).astype(np.uint8)


def someone_else(block, people, guides):
    """The right edit of the next person."""
    return block.truths[(people + 1) % 20, guides]


def someone_elses_guide(block, people, guides):
    """The right person with the next guide's attribute."""
    return block.truths[people, (guides + 1) % 20]


def pasted_band(block, people, guides):
    """The guide's eyes and mouth pasted over the content's, wherever they are."""
    result = block.contents[people].copy()
    result[:, 20:56, 12:52] = block.guides[guides][:, 20:56, 12:52]
    return result


EDITS = CONTROLS | {
    "half": half,
    "two fifths": two_fifths,
    "noise 5": noisy(5),
    "noise 15": noisy(15),
    "blur": blurred,
    "blend": blend,
    "recoloured guide": recoloured_guide,
    "someone else": someone_else,
    "another guide": someone_elses_guide,
    "pasted band": pasted_band,
}
CHEATS = ("copy input", "copy guide", "blend", "recoloured guide", "someone else", "pasted band")


@pytest.fixture(scope="module", params=TASKS)
def scored(request):
    """Task name, and for every edit above its numbers by metric."""
    benchmark = Benchmark(parse_task(request.param), COUNT)
    judges = load_judges("avataaars")
    rows = {name: [] for name in EDITS}
    for start in benchmark.starts():
        block, pairs = benchmark.block(start), benchmark.pairs(start)
        people, guides = np.array(pairs).T
        scene = set_up(block, pairs, benchmark.task, judges)
        for name, edit in EDITS.items():
            rows[name].append(place(score(scene, edit(block, people, guides), judges), benchmark, start))
    merged = {name: joined(parts) for name, parts in rows.items()}
    return (
        request.param,
        {name: {m.name: m.value(each).value for m in METRICS} for name, each in merged.items()},
        merged,
    )


def test_controls_come_out_as_theory_says(scored):
    task, value, _ = scored
    oracle, copy, guide = (value[name] for name in ("oracle", "copy input", "copy guide"))
    assert oracle["class"] > 0.98
    assert oracle["edit_gain"] == oracle["identity_at_1"] == 1 and oracle["l1"] == 0 and oracle["leak"] < 0.2
    assert [oracle[name] for name in ("psnr", "sim_rel", "ssim")] == pytest.approx([99, 1, 1], abs=1e-4)
    assert copy["edit_gain"] == 0 and copy["leak"] == 0 and copy["sim"] == pytest.approx(1, abs=1e-5)
    assert copy["class"] < 0.02 and copy["keep"] > 0.98 and copy["joint"] < 0.02
    assert guide["class"] > 0.97 and guide["keep"] < 0.75 and guide["leak"] > 10 and guide["sim_rel"] < 0.5
    if task == "remove-facial_hair":
        assert np.isnan(oracle["guide_at_1"])
    else:
        assert oracle["guide_at_1"] == 1
        assert copy["guide_at_1"] < 0.15  # chance is 5 %


def test_damaged_truths_are_ordered_by_their_damage(scored):
    _, value, _ = scored
    for metric, better in (("edit_gain", 1), ("l1", -1), ("psnr", 1), ("ssim", 1), ("l1_mask", -1)):
        for ladder in (("oracle", "noise 5", "noise 15"), ("oracle", "blur"), ("oracle", "half", "copy input")):
            values = [better * value[name][metric] for name in ladder]
            assert values == sorted(values, reverse=True) and len(set(values)) == len(values), (metric, ladder, values)
    assert value["half"]["edit_gain"] == pytest.approx(0.5, abs=0.03)
    assert value["oracle"]["success"] > 0.97 and value["copy input"]["success"] == 0
    assert value["oracle"]["success"] >= value["noise 5"]["success"] >= value["noise 15"]["success"] - 0.01
    assert value["oracle"]["success"] > max(value["blur"]["success"], value["half"]["success"])


def test_no_cheat_wins(scored):
    task, value, _ = scored
    for name in CHEATS:
        cheat = value[name]
        assert cheat["success"] < 0.2 and cheat["edit_gain"] < 0.4, (name, cheat)
        caught = min(cheat["joint"], cheat["identity_at_1"]) < 0.8 or cheat["l1"] > value["copy input"]["l1"]
        assert caught, (name, cheat)
    assert value["two fifths"]["success"] == 0 and value["two fifths"]["edit_gain"] == pytest.approx(0.4, abs=0.03)
    for name in ("someone else", "copy guide", "recoloured guide"):
        assert value[name]["identity_at_1"] < 0.3 and value[name]["sim_rel"] < 0.2
    if task != "remove-facial_hair":
        assert value["another guide"]["guide_at_1"] < 0.2 and value["another guide"]["edit_gain"] < 0.95


def test_a_folder_is_filled_resumed_and_scored_like_the_edit(tmp_path):
    benchmark = Benchmark(parse_task("add-smile"), 24, guides=2)
    calls = []

    def edit(contents, guides):
        calls.append(len(contents))
        if len(calls) == 3:
            raise KeyboardInterrupt
        return (contents + guides) / 2, torch.ones(len(contents), 1, 64, 64)

    with pytest.raises(KeyboardInterrupt):
        run_edit(edit, tmp_path, benchmark)
    run_edit(edit, tmp_path, benchmark)
    assert calls == [20, 20, 8, 8]  # the first block was not made again
    judges = load_judges("avataaars")
    first, second = (evaluate(tmp_path, benchmark, judges) for _ in range(2))
    rows = first.rows["edit"]
    assert len(rows["edit"]) == 48 and rows["content"].tolist() == [n // 2 for n in range(48)]
    assert all(np.array_equal(rows[name], second.rows["edit"][name], equal_nan=True) for name in rows)
    assert np.allclose(rows["mask_iou"], [np.nan if v is None else v for v in rows["mask_ap"]])  # all is masked


def test_only_what_is_missing_is_made_again_and_old_masks_go(tmp_path):
    benchmark = Benchmark(parse_task("add-smile"), 4)
    run_edit(lambda contents, guides: (contents, contents[:, :1]), tmp_path, benchmark)
    kept = numbered(tmp_path, "outputs", 1)
    for number in (0, 2, 3):
        numbered(tmp_path, "outputs", number).unlink()
    before, calls = kept.stat().st_mtime_ns, []
    run_edit(lambda contents, guides: calls.append(len(contents)) or guides, tmp_path, benchmark)
    assert calls == [3] and kept.stat().st_mtime_ns == before
    assert [path.name for path in (tmp_path / "masks").iterdir()] == ["00001.png"]
    assert np.array_equal(np.asarray(open_image(numbered(tmp_path, "outputs", 2))), benchmark.inputs(0)[1][2])


def test_edits_that_change_too_little_are_left_out_and_others_likeness_is_of_others():
    benchmark, judges = Benchmark(parse_task("add-glasses"), 4), load_judges("avataaars")
    block = benchmark.block(0)
    block.truths[1, 1] = block.contents[1]
    scene = set_up(block, [(0, 0), (1, 1), (2, 2)], benchmark.task, judges)
    rows = score(scene, block.truths[[0, 1, 2], [0, 1, 2]], judges)
    assert rows["edit"].tolist() == [0, 2] and (rows["success"] == 1).all()
    faces = judges.identity(to_float(block.contents)).double().numpy()
    others = np.delete(faces @ faces[2], 2).mean()
    assert rows["sim_other"][1] == pytest.approx(others, abs=1e-5)


def test_blocks_scored_in_other_processes_get_the_same_rows(tmp_path):
    benchmark, judges = Benchmark(parse_task("add-facial_hair"), 45), load_judges("avataaars")
    run_edit(lambda contents, guides: guides, tmp_path, benchmark)
    torch.set_num_threads(2)
    try:
        rows = evaluate(tmp_path, benchmark, judges).rows
    finally:
        torch.set_num_threads(1)
    alone = [part for start in benchmark.starts() for part in score_block(tmp_path, benchmark, judges, [], 0.5, start)]
    for system, found in rows.items():
        assert len(found["edit"]) == 45
        expected = joined([part[system] for part in alone])
        assert all(np.allclose(found[name], expected[name], atol=1e-6, equal_nan=True) for name in found), system


def test_what_is_written_for_other_tools_is_what_the_edit_would_get(tmp_path):
    benchmark = Benchmark(parse_task("smile-to-glasses"), 22, size=32)
    write_inputs(tmp_path, benchmark)
    contents, guides = benchmark.inputs(20)
    for kind, batch in (("contents", contents), ("guides", guides)):
        assert len(list((tmp_path / kind).iterdir())) == 22
        assert np.array_equal(np.asarray(open_image(numbered(tmp_path, kind, 21))), batch[1])


def test_results_that_cannot_be_scored_are_named(tmp_path):
    benchmark = Benchmark(parse_task("add-smile"), 2)
    judges = load_judges("avataaars")
    (tmp_path / "outputs").mkdir()
    with pytest.raises(AnalogyError, match=r"00000\.png' does not exist"):
        evaluate(tmp_path, benchmark, judges)
    for number in range(2):
        save_image(torch.zeros(1, 3, 32, 32), numbered(tmp_path, "outputs", number))
    with pytest.raises(AnalogyError, match="32x32 px, the benchmark's pictures are 64x64"):
        evaluate(tmp_path, benchmark, judges)
    for edit, message in (
        (lambda contents, guides: contents[:1], r"must be a tensor \(2, 3, 64, 64\) in \[0, 1\], got \(1"),
        (lambda contents, guides: 2 * contents - 1, r"results of the edit' must lie in \[0, 1\], got -0"),
        (lambda contents, guides: contents / 0 * 0, "NaN"),
        (lambda contents, guides: (contents * 255).byte(), "must hold floats"),
        (lambda contents, guides: contents.numpy(), "got ndarray"),
        (lambda contents, guides: (contents, contents, contents), "got tuple"),
        (lambda contents, guides: (contents, contents[:, 0]), r"masks of the edit must be a tensor \(2, 1, 64, 64\)"),
    ):
        with pytest.raises(ImageError, match=message):
            run_edit(edit, tmp_path / "new", benchmark)
    assert not list((tmp_path / "new").rglob("*.png"))
    Image.new("RGB", (64, 64)).save(tmp_path / "outputs" / "00000.png", "JPEG")
    with pytest.raises(ImageError, match="is no PNG file whatever its name says"):
        evaluate(tmp_path, benchmark, judges)
    with pytest.raises(UsageError, match="results of unknown make"):
        bind(tmp_path, benchmark, "module:edit")
    bind(tmp_path, benchmark)
    with pytest.raises(UsageError, match=r"another run \(seed 0, now 1"):
        bind(tmp_path, Benchmark(parse_task("add-smile"), 2, seed=1))


@pytest.mark.parametrize("name", task_names())
def test_every_task_wants_what_it_says(name):
    task = parse_task(name)
    for number in range(20):
        content, guide = person(task.content_domain, "test", number), person(task.guide_domain, "test", 100 + number)
        truth = task.truth(content, guide)
        assert not (task.adds and content.shows(task.adds)) and not (task.removes and truth.shows(task.removes))
        assert task.adds is None or getattr(truth, task.adds) == guide.identity
        assert all(getattr(truth, kept) == getattr(content, kept) for kept in task.kept)
    assert set(task.kept) | {task.adds, task.removes} - {None} == set(ATTRIBUTES)


def test_a_task_that_does_not_exist_gets_the_nearest_name():
    with pytest.raises(UsageError, match="did you mean 'add-glasses'"):
        parse_task("add-glases")
    with pytest.raises(UsageError, match="is no task"):
        parse_task("smile-to-smile")

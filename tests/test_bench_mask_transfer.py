"""`analogies bench mask_transfer`: what it reports."""

import json


def test_the_report_has_trainings_and_edits_of_a_large_photo(analogies):
    words = ("--batch", 2, "--steps", 1, "--repeats", 1, "--threads", 1, "--device", "cpu", "--json")
    done = analogies("bench", "mask_transfer", *words)
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert [(row["preset"], row["size"]) for row in report["training"]] == [
        ("reference", 128),
        ("default", 128),
        ("default", 64),
    ]
    assert report["training"][0]["images_ratio"] == 1
    assert all(row["images_per_second"] > 0 for row in report["training"])
    edits = {(row["operation"], row["photo"]): row for row in report["operations"]}
    assert len(edits) == 8 and all(row["milliseconds"] > 0 and row["peak_mb"] > 100 for row in edits.values())
    assert edits["transfer", "12 megapixels"]["milliseconds"] > edits["transfer", "64 px"]["milliseconds"]

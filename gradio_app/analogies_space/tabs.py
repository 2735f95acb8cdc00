"""What visitors come for, and which operations of which methods give it to them."""

from dataclasses import dataclass
from typing import Any

FACES = tuple(f"faces/{name}-{number}" for number in (1, 2, 3) for name in ("plain", "glasses", "smile", "facial_hair"))


@dataclass(frozen=True)
class Tab:
    """A tab of the page.

    Attributes:
        forms: by method, the operations that have forms, with what they are called; the first is open at the start.
        models: that are chosen at the start, where they are here.
        front: knobs that are always in view; the others are folded away.
        start: examples that are there from the start, by input.
        pictures: examples to pick from, for each picture.
        sets: examples that fill several inputs at once.
    """

    id: str
    title: str
    intro: str
    forms: dict[str, dict[str, str]]
    front: tuple[str, ...]
    start: dict[str, Any]
    models: tuple[str, ...] = ()
    pictures: tuple[str, ...] = ()
    sets: tuple[dict[str, Any], ...] = ()

    @property
    def in_sets(self) -> set[str]:
        """The inputs that sets of examples fill."""
        return {name for each in self.sets for name in each}


def pair(content: str, guide: str, structure: float) -> dict[str, Any]:
    """Two examples with knobs that suit them."""
    return {"content": content, "guide": guide, "structure": structure, "follow": "both"}


TABS = (
    Tab(
        id="images",
        title="Two images",
        intro="One picture's look in another's arrangement: no training, and nothing but the two pictures.",
        forms={
            "pair": {
                "both_ways": "Both ways",
                "translate": "One way",
                "sample": "Random variants",
                "retarget": "Another size",
            }
        },
        front=("structure", "completeness", "follow", "count", "width", "height"),
        start={"content": "tower", "guide": "autumn", "image": "oranges", "structure": 0.35, "size": 320, "width": 640},
        pictures=("oranges", "dahlia", "coins", "fish", "leaves", "birds"),
        sets=(
            pair("tower", "autumn", 0.35),
            pair("leaves", "flowers", 0.5),
            pair("europe", "map", 0.5),
            pair("word", "dahlia", 0.8),
            pair("balloons", "birds", 0.5),
            pair("tower-sketch", "tower-mosaic", 0.5),
            pair("galaxies", "dandelions", 0.5),
            pair("oranges", "footballs", 0.5),
        ),
    ),
    Tab(
        id="faces",
        title="Faces: move attributes",
        intro=(
            "Glasses, smiles and beards, moved between drawn faces: painted into the picture, the rest of it untouched;"
            " or the whole face redrawn at 64 px, with several attributes at once. The models have seen no photos."
        ),
        forms={
            "mask_transfer": {
                "transfer": "Add",
                "remove": "Remove",
                "replace": "Replace",
                "segment": "Cut out",
                "mask": "Show where",
            },
            "didd": {
                "translate": "Redraw: translate",
                "add": "Redraw: add",
                "remove": "Redraw: remove",
                "combine": "Redraw: combine",
            },
        },
        models=("mask_transfer-avatars-glasses", "didd-avatars-glasses-smile-facial_hair"),
        front=("to", "off", "what"),
        start={
            "content": "faces/plain-1",
            "guide": "faces/glasses-1",
            "image": "faces/glasses-2",
            "guides": ["faces/glasses-1", "faces/smile-1", "faces/facial_hair-1"],
        },
        pictures=FACES,
    ),
    Tab(
        id="codes",
        title="Explore codes",
        intro="Faces as a common code and one for each attribute: go from one to another, take apart, mix, and draw.",
        forms={
            "didd": {
                "interpolate": "Interpolate",
                "encode": "Encode",
                "mix": "Mix codes",
                "decode": "Decode",
                "reconstruct": "Reconstruct",
            },
            "mask_transfer": {
                "interpolate": "Interpolate in a mask",
                "encode": "Encode for a mask",
                "decode": "Decode of a mask",
                "reconstruct": "Reconstruct for a mask",
            },
        },
        models=("mask_transfer-avatars-glasses", "didd-avatars-glasses-smile-facial_hair"),
        front=("across", "down", "to", "off", "steps"),
        start={
            "content": "faces/plain-1",
            "start": "faces/glasses-1",
            "end": "faces/glasses-3",
            "image": "faces/glasses-1",
        },
        pictures=FACES,
    ),
)
LEFT_OUT = {"content_transfer": "a baseline to compare with, in results far behind the others"}

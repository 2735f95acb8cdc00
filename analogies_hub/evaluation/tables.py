"""The talk's tables on drawn faces, where the truth is known.

The papers ask a classifier whether a result shows what it should. Here that is Class: the
target's attribute on and the source's off. What Class misses stands beside it, with controls
and 95 % intervals. Numbers cannot be compared with the papers': these faces are drawn, the
nets are others. Imports no torch; `table_scores` fills the tables.
"""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Table:
    """What a table compares.

    Attributes:
        name: of its command, `table1`.
        about: what it shows, in one sentence.
        methods: whose models it compares.
        tasks: its columns.
        numbers: its rows, each for every system; those of feature nets without the net.
        needs_nets: whether some numbers are measured in feature nets.
        by_method: whether models of one method are one system: each does another task.
    """

    name: str
    about: str
    methods: tuple[str, ...]
    tasks: tuple[str, ...]
    numbers: tuple[str, ...]
    needs_nets: bool = False
    by_method: bool = False

    def system(self, label: str, pipeline: Any) -> str:
        """What a model's numbers stand under."""
        return pipeline.method if self.by_method else label


TABLES = (
    Table(
        "table1",
        "The table of the DIDD paper on drawn faces: six directions, each model that can do them, and controls.",
        ("didd", "content_transfer"),
        (  # in the paper's order; its beard is our facial hair
            "smile-to-glasses",
            "glasses-to-smile",
            "facial_hair-to-smile",
            "smile-to-facial_hair",
            "facial_hair-to-glasses",
            "glasses-to-facial_hair",
        ),
        ("class", "keep", "edit_gain", "sim_rel", "success", "l1"),
    ),
    Table(
        "table6",
        "The table of the mask paper on drawn faces: removal of three attributes by each method, and controls.",
        ("mask_transfer", "content_transfer"),
        ("remove-smile", "remove-facial_hair", "remove-glasses"),
        ("kid_x1000", "fid", "class", "keep", "sim", "sim_rel", "leak", "edit_gain", "l1"),
        needs_nets=True,
        by_method=True,
    ),
)

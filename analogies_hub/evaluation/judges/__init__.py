"""Networks that judge drawn faces: which attributes they show, and whose they are.

They were trained on people of splits of their own (`judges`), of both artists' styles, with
disturbances; their scores on yet others, and the sha256 of each file, are in
`weights/scores.json`. `analogies eval judges --train` makes them again.
"""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from ...data.avatars import ARTISTS, ATTRIBUTES
from ...errors import ModelError, UsageError
from ...filters import resize
from .networks import AttributeNet, IdentityNet, PlainTrunk, ResidualTrunk

JUDGES = ("attributes", "attributes-second", "identity")
WEIGHTS = Path(__file__).parent / "weights"
SIZE = 64  # pixels; pictures of another size are resized
BATCH = 64  # more is slower
LOWEST = 0.99  # share of right answers below which a judge may not judge


@dataclass(frozen=True)
class Judges:
    """The three networks, ready to use.

    Attributes:
        classifiers: two attribute nets of different shape and seed, so that an edit which
            deceives one shows in the other.
        embedder: the identity net.
    """

    classifiers: tuple[nn.Module, nn.Module]
    embedder: nn.Module
    device: torch.device

    @torch.no_grad()
    def attributes(self, images: Tensor, judge: int = 0) -> Tensor:
        """Which attributes faces (B, 3, H, W) in [0, 1] show, by the first or second judge: bool (B, 3)."""
        return self.run(self.classifiers[judge], images) > 0

    @torch.no_grad()
    def identity(self, images: Tensor) -> Tensor:
        """Faces (B, 3, H, W) in [0, 1] as unit vectors (B, 128); one person's lie close together."""
        return self.run(self.embedder, images)

    def run(self, net: nn.Module, images: Tensor) -> Tensor:
        """A network over a batch of any length, at its own size; results on the CPU."""
        images = images.contiguous(memory_format=torch.channels_last)
        parts = (net(resize(part.to(self.device), (SIZE, SIZE))).cpu() for part in images.split(BATCH))
        return torch.cat(list(parts))


def untrained(name: str) -> AttributeNet | IdentityNet:
    """A judge's network with fresh weights."""
    if name == "identity":
        return IdentityNet(PlainTrunk(), 128)
    return AttributeNet(PlainTrunk() if name == "attributes" else ResidualTrunk(), len(ATTRIBUTES))


def read_scores(folder: Path = WEIGHTS) -> dict[str, dict[str, Any]]:
    """For each judge its sha256, how it was trained, and its held-out scores.

    Raises:
        ModelError: if the folder holds none.
    """
    try:
        return json.loads((folder / "scores.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise ModelError(
            f"'{folder}' holds no scores of judges; make them with: analogies eval judges --train"
        ) from None


def load_judge(name: str, folder: Path = WEIGHTS) -> AttributeNet | IdentityNet:
    """One trained judge, in evaluation mode on the CPU.

    Raises:
        ModelError: if its file is missing or is not the one its scores are of.
    """
    file = folder / f"{name}.safetensors"
    if not file.is_file():
        raise ModelError(f"the judge '{file}' is missing; make it with: analogies eval judges --train")
    if hashlib.sha256(file.read_bytes()).hexdigest() != read_scores(folder)[name]["sha256"]:
        raise ModelError(f"the judge '{file}' is not the one that was scored; restore it, or train the judges again")
    net = untrained(name)
    net.load_state_dict(load_file(file))
    return net.eval().requires_grad_(False).to(memory_format=torch.channels_last)  # 1.3 times as fast on a CPU


def load_judges(style: str, device: str | torch.device = "cpu") -> Judges:
    """The judges of a drawing style.

    Raises:
        UsageError: if there are none of that style.
        ModelError: if one of them is missing, or was right less often than 99 % on unseen faces.
    """
    if style not in ARTISTS:
        raise UsageError(f"there are no judges of the style '{style}'; use {' or '.join(ARTISTS)}")
    for name in JUDGES:
        scores = read_scores()[name]["scores"]
        worst = min(value for key, value in scores.items() if key.startswith(f"{style} ") and is_accuracy(key))
        if worst < LOWEST:
            raise ModelError(f"the judge '{name}' is right in {worst:.1%} on unseen {style} faces, {LOWEST:.0%} needed")
    device = torch.device(device)
    first, second, embedder = (load_judge(name).to(device) for name in JUDGES)
    return Judges((first, second), embedder, device)


def is_accuracy(key: str) -> bool:
    """Whether a held-out score is a share of right answers."""
    return not key.endswith((" same", " others"))

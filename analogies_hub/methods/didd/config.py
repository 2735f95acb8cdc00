"""Settings of `didd`. Imports no torch."""

from dataclasses import dataclass
from typing import Any

from ...errors import ModelError
from ...separation.config import LayersConfig

# The published code's numbers; the quirks that it keeps are listed in the method's docstring.
REFERENCE: dict[str, Any] = {
    "networks": "published",
    "few": 0,
    "size": 128,
    "width": 32,
    "separate": 25,
    "spectral": True,
    "batch": 32,
    "steps": 1_250_000,
    "lr": 2e-4,
    "lr_critic": 2e-4,
    "beta1": 0.5,
    "beta2": 0.999,
    "ema": 0.0,
    "w_zero": 1.0,
    "w_confusion": 1e-3,
    "steps_alone": 0,
}

# For a machine with a GPU; nobody has trained with it yet.
GPU: dict[str, Any] = {"size": 128, "width": 64, "common": 32, "steps": 100_000}


@dataclass(frozen=True)
class DiddConfig(LayersConfig):
    """Two or more image sets, each showing some attributes that another lacks."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if len(self.attributes) < 2:
            raise ModelError(
                f"didd needs at least two attributes, got {', '.join(self.attributes)}; "
                "for one attribute and none use content_transfer"
            )
        if self.networks == "published" and (len(self.domains), len(self.attributes)) != (2, 2):
            raise ModelError(f"the published networks know two domains of one attribute each, got {self.domains}")

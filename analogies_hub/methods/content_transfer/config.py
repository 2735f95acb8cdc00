"""Settings of `content_transfer`. Imports no torch."""

from dataclasses import dataclass
from typing import Any

from ...config import setting
from ...errors import ModelError
from ...separation.config import NONE, SeparationConfig

REFERENCE: dict[str, Any] = {
    "networks": "published",
    "few": 0,
    "size": 128,
    "width": 32,
    "separate": 25,
    "reconstruction": "l2",
    "batch": 32,
    "steps": 1_250_000,
    "lr": 2e-4,
    "lr_critic": 2e-4,
    "beta1": 0.5,
    "beta2": 0.999,
    "ema": 0.0,
    "w_confusion": 1e-3,
}


@dataclass(frozen=True)
class ContentTransferConfig(SeparationConfig):
    """Two image sets: the first shows an attribute, the second does not."""

    domains: tuple[str, ...] = setting(("a", NONE), "the attribute of the first set's pictures, and none")
    w_confusion: float = setting(0.1, "weight of the common code's adversarial term", 0.0, 1e6)

    def __post_init__(self) -> None:
        super().__post_init__()
        if len(self.domains) != 2 or self.domains[1] != NONE or len(self.attributes) != 1:
            raise ModelError(
                f"content_transfer needs one attribute and none, got {', '.join(self.domains)}; "
                "for two or more attributes use didd"
            )

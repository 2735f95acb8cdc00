"""Settings of `mask_transfer`. Imports no torch."""

from dataclasses import dataclass
from typing import Any

from ...config import setting, with_default
from ...errors import ModelError
from ...separation.config import NONE, LayersConfig

# The published code's numbers for glasses; for other attributes its README has other weights.
REFERENCE: dict[str, Any] = {
    "networks": "published",
    "few": 0,
    "size": 128,
    "width": 32,
    "separate": 25,
    "batch": 32,
    "steps": 150_000,
    "lr": 2e-4,
    "lr_critic": 2e-4,
    "beta1": 0.5,
    "beta2": 0.999,
    "ema": 0.0,
    "w_recon": 7.0,
    "w_confusion": 0.005,
}
REFERENCE_SMILE: dict[str, Any] = REFERENCE | {"w_same": 1.0, "w_code": 1e-4}
REFERENCE_FACIAL_HAIR: dict[str, Any] = REFERENCE | {
    "lr": 5e-5,
    "lr_critic": 5e-5,
    "w_recon": 5.0,
    "w_same": 1.0,
    "w_common": 1.0,
    "w_code": 1.0,
}


@dataclass(frozen=True)
class MaskTransferConfig(LayersConfig):
    """Two image sets: the first shows an attribute, the second does not."""

    domains: tuple[str, ...] = setting(("a", NONE), "the attribute of the first set's pictures, and none")
    threshold: float = setting(0.1, "masks count as nothing below it where pictures are painted", 0.0, 1.0)
    segment_threshold: float = setting(0.5, "masks count as the attribute above it in segmentation", 0.0, 1.0)
    reach: float = setting(0.03, "how far masks are widened for removal, as a share of the side", 0.0, 0.25)
    noise: float = with_default(LayersConfig, "noise", 0.2)
    w_attributes: float = with_default(LayersConfig, "w_attributes", 0.06)
    w_cover: float = with_default(LayersConfig, "w_cover", 0.1)
    w_fill: float = with_default(LayersConfig, "w_fill", 0.08)
    w_plain: float = setting(5.0, "published networks: weight of drawing what shows nothing (delta)", 0.0, 1e6)
    w_same: float = setting(0.7, "published networks: weight of pictures painted over staying so (alpha)", 0.0, 1e6)
    w_common: float = setting(0.0, "published networks: weight of a result's common code (beta1)", 0.0, 1e6)
    w_code: float = setting(0.001, "published networks: weight of a result's separate code (beta2)", 0.0, 1e6)

    def __post_init__(self) -> None:
        super().__post_init__()
        if len(self.domains) != 2 or self.domains[1] != NONE or len(self.attributes) != 1:
            raise ModelError(
                f"mask_transfer needs one attribute and none, got {', '.join(self.domains)}; "
                "for two attributes train two models and use one after the other, or didd"
            )

"""Settings of `didd`. Imports no torch."""

from dataclasses import dataclass
from typing import Any

from ...config import setting
from ...errors import ModelError
from ...separation.config import SeparationConfig

# The published code's numbers; the quirks that it keeps are listed in the method's docstring.
REFERENCE: dict[str, Any] = {
    "networks": "published",
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
class DiddConfig(SeparationConfig):
    """Two or more image sets, each showing some attributes that another lacks."""

    steps_alone: int = setting(700, "steps before translations are made, at most a third of all", 0, 1_000_000)
    w_confusion: float = setting(0.3, "weight of the common code's adversarial term", 0.0, 1e6)
    w_edges: float = setting(1.0, "weight of edges, beside colours, in how far a picture is from another", 0.0, 1e6)
    width_critic: int = setting(24, "channels of the picture critic's first layer", 4, 512)
    warm_up: int = setting(100, "steps over which the step sizes rise", 1, 1_000_000)
    noise: float = setting(0.4, "standard deviation of the noise on separate codes of mean square 1", 0.0, 2.0)
    keep: float = setting(0.25, "share of attributes that a translation keeps from the picture itself", 0.0, 1.0)
    blind: float = setting(0.5, "share of pictures of which a part is withheld from the common code, too", 0.0, 1.0)
    w_presence: float = setting(0.1, "weight of telling whether an attribute is there", 0.0, 1e6)
    w_cover: float = setting(0.15, "weight of how much layers cover", 0.0, 1e6)
    free_cover: float = setting(0.02, "share of a picture that a layer may cover without a price at first", 0.0, 1.0)
    w_attributes: float = setting(0.1, "weight of translations showing the guide's attributes", 0.0, 1e6)
    w_back: float = setting(1.0, "weight of translations, translated back, being the pictures", 0.0, 1e6)

    def __post_init__(self) -> None:
        super().__post_init__()
        if len(self.attributes) < 2:
            raise ModelError(
                f"didd needs at least two attributes, got {', '.join(self.attributes)}; "
                "for one attribute and none use content_transfer"
            )
        if self.networks == "published" and (len(self.domains), len(self.attributes)) != (2, 2):
            raise ModelError(f"the published networks know two domains of one attribute each, got {self.domains}")

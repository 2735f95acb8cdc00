"""Settings that every method with common and separate codes has. Imports no torch."""

import re
from dataclasses import dataclass

from ..config import Config, brief, setting
from ..errors import ModelError

COMMON, DETAIL, NONE, ALL = "common", "detail", "none", "all"
RESERVED = (COMMON, DETAIL, NONE, ALL)
WORD = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
NETWORKS = ("compact", "published")


@dataclass(frozen=True)
class SeparationConfig(Config):
    """Domains, networks and what trains them; a method sets its own defaults."""

    domains: tuple[str, ...] = setting(
        ("a", "b"), "attributes of each image set's pictures: a word, several joined by +, or none"
    )
    size: int = setting(64, "side of the images in pixels", 32, 512)
    networks: str = setting("compact", "ours, or those of the published code", options=NETWORKS)
    width: int = setting(24, "channels of the first layers", 4, 512)
    common: int = setting(16, "channels of the common code", 1, 1024)
    detail: int = setting(16, "numbers of each detail in compact networks", 2, 256)
    separate: int = setting(16, "numbers (published: channels) of each attribute's code (sep)", 2, 512)
    flip: bool = setting(True, "mirror half of the pictures")
    few: int = setting(500, "sets of fewer pictures are also moved, turned and zoomed a little; 0: never", 0, 1_000_000)
    drop: float = setting(0.9, "share of pictures of which details are withheld in training", 0.0, 1.0)
    batch: int = setting(4, "images of each set a step", 1, 4096)
    steps: int = setting(20_000, "training steps", 1, 100_000_000)
    lr: float = setting(7e-4, "Adam step size of the autoencoder", 0.0, 1.0)
    lr_critic: float = setting(1e-3, "Adam step size of the critics", 0.0, 1.0)
    beta1: float = setting(0.9, "Adam's first decay rate for the autoencoder", 0.0, 0.999)
    beta2: float = setting(0.99, "Adam's second decay rate", 0.0, 0.99999)
    reconstruction: str = setting("l1", "distance to the picture", options=("l1", "l2"))
    spectral: bool = setting(False, "spectral norm in the published networks")
    w_recon: float = setting(1.0, "weight of the reconstruction", 0.0, 1e6)
    w_zero: float = setting(0.0, "weight of the zero loss (of an absent attribute's code)", 0.0, 1e6)
    w_confusion: float = setting(0.001, "weight of the common code's adversarial term (disc_weight)", 0.0, 1e6)
    ema: float = setting(
        0.999, "how much of the exported average each step keeps; 0: export the last weights", 0.0, 1.0
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if len(self.domains) < 2:
            raise ModelError(f"at least two domains are needed, got {len(self.domains)}; name each set's attribute")
        if twice := [domain for domain in self.domains if self.domains.count(domain) > 1]:
            raise ModelError(f"the domain {brief(twice[0])} is named twice; give each set a name of its own")
        for word in (word for domain in self.domains if domain != NONE for word in domain.split("+")):
            if not WORD.fullmatch(word) or word in RESERVED:
                raise ModelError(
                    f"{brief(word)} cannot name an attribute; use letters, digits and _, not {', '.join(RESERVED)}"
                )
        step = 64 if self.networks == "published" else 16
        lowest = 128 if self.networks == "published" else 32
        if self.size % step or self.size < lowest:
            fitting = max(lowest, round(self.size / step) * step)
            raise ModelError(
                f"{self.networks} networks work on {lowest} px or more in steps of {step}, got size "
                f"{self.size}; use {fitting}"
            )

    @property
    def attributes(self) -> tuple[str, ...]:
        """Every attribute that some domain shows, in the order in which they are first named."""
        words = (word for domain in self.domains if domain != NONE for word in domain.split("+"))
        return tuple(dict.fromkeys(words))

    def labels(self) -> list[list[float]]:
        """For each domain, 1 where its pictures show an attribute and 0 where not."""
        return [[float(word in domain.split("+")) for word in self.attributes] for domain in self.domains]


@dataclass(frozen=True)
class LayersConfig(SeparationConfig):
    """What `layers_trainer` needs besides."""

    steps_alone: int = setting(700, "steps before translations are made, at most a sixth of all", 0, 1_000_000)
    w_confusion: float = setting(0.3, "weight of the common code's adversarial term", 0.0, 1e6)
    settle: float = setting(
        0.4, "share of all steps in which layers find their place; till then cover is free", 0.0, 1.0
    )
    refine: float = setting(0.67, "share of all steps before `w_own` counts and jitter falls; 1: never", 0.0, 1.0)
    w_edges: float = setting(1.0, "weight of edges, beside colours, in how far a picture is from another", 0.0, 1e6)
    width_critic: int = setting(24, "channels of the picture critic's first layer", 4, 512)
    warm_up: int = setting(100, "steps over which the step sizes rise", 1, 1_000_000)
    noise: float = setting(0.4, "standard deviation of the noise on separate codes of mean square 1", 0.0, 2.0)
    move: float = setting(0.2, "how far pictures are moved, turned and zoomed to teach where faces are", 0.0, 1.0)
    jitter: float = setting(0.12, "how much farther separate encoders see faces than where they are", 0.0, 1.0)
    keep: float = setting(0.25, "share of attributes that a translation keeps from the picture itself", 0.0, 1.0)
    blind: float = setting(0.5, "share of pictures of which a part is withheld from the common code, too", 0.0, 1.0)
    w_presence: float = setting(0.1, "weight of telling whether an attribute is there", 0.0, 1e6)
    w_inside: float = setting(1.0, "weight of the error where attributes are wont to be, however small", 0.0, 1e6)
    w_own: float = setting(0.15, "weight of how much layers cover there with colours that are not borrowed", 0.0, 1e6)
    w_pose: float = setting(1.0, "weight of layers moving as the picture does", 0.0, 1e6)
    w_cover: float = setting(0.15, "weight of how much layers cover", 0.0, 1e6)
    free_cover: float = setting(0.02, "share of a picture that a layer may cover without a price at first", 0.0, 1.0)
    w_attributes: float = setting(0.1, "weight of translations showing the guide's attributes", 0.0, 1e6)
    w_fill: float = setting(0.05, "weight of looking real where something was taken away", 0.0, 1e6)
    w_back: float = setting(1.0, "weight of translations, translated back, being the pictures", 0.0, 1e6)

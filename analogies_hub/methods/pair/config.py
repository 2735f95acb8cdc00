"""Settings of the `pair` method. Imports no torch."""

from dataclasses import dataclass

from ...config import Config, setting

FOLLOW = ("both", "layout", "lines", "none")  # which guides of the structure image count


@dataclass(frozen=True)
class PairConfig(Config):
    """How the engine works; what a user turns for one picture are the operations' inputs."""

    engine: str = setting("patch", "which engine draws the analogy", options=("patch",))
    ratio: float = setting(0.75, "size of a pyramid level relative to the next finer one", 0.5, 0.9)
    exact_side: int = setting(72, "up to this level side the search is exact, in pixels", 16, 4096)
    guide_side: int = setting(128, "up to this level side the guides count, in pixels", 16, 4096)
    steps: int = setting(6, "search and vote steps of a level with exact search (paper: 10)", 1, 50)
    fine_steps: int = setting(3, "the same of a finer level", 1, 50)
    components: int = setting(32, "principal components in which patches are compared, of 147", 1, 147)
    spread: float = setting(3.0, "sigma of a patch's weight around its centre, in pixels", 0.3, 100.0)
    tolerance: float = setting(0.1, "distance, as a share of the mean, that halves a patch's weight", 1e-3, 1e3)

"""The training engine: one loop for every method, resumable to the bit, on one process or many.

from analogies_hub.training import Options, fit

outcome = fit(trainer, sources, Options(run=Path("runs/glasses-smile")))
"""

from .fit import fit
from .options import Options, Outcome
from .session import OnLog
from .trainer import CLIP, Losses, Trainer

__all__ = ["CLIP", "Losses", "OnLog", "Options", "Outcome", "Trainer", "fit"]

"""The code of a picture: the named parts into which a model takes it apart."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from .errors import ModelError
from .images import atomic_write


@dataclass(frozen=True)
class Code:
    """Parts of a picture as one model sees it, e.g. `common` and `separate_a`.

    Attributes:
        model: which model made it; another refuses it.
        parts: tensors (B, ...) by name.
    """

    model: str
    parts: dict[str, Tensor]

    def expect(self, model: str, *parts: str) -> "Code":
        """The code itself, if `model` made it and it has the `parts`.

        Raises:
            ModelError: otherwise.
        """
        if self.model != model:
            raise ModelError(f"this code was made by '{self.model}', expected one of '{model}'; encode again")
        missing = [part for part in parts if part not in self.parts]
        if missing:
            raise ModelError(f"this code has no part '{missing[0]}', only {', '.join(self.parts)}")
        return self

    def __len__(self) -> int:
        """How many pictures' parts it holds."""
        return len(next(iter(self.parts.values())))

    def split(self) -> list["Code"]:
        """The code of each picture."""
        rows = zip(*(part.split(1) for part in self.parts.values()), strict=True)
        return [Code(self.model, dict(zip(self.parts, row, strict=True))) for row in rows]

    @classmethod
    def joined(cls, codes: "Sequence[Code]") -> "Code":
        """One code of what several hold, all of the same model."""
        return cls(codes[0].model, {name: torch.cat([code.parts[name] for code in codes]) for name in codes[0].parts})

    def save(self, path: str | Path) -> None:
        """Write a safetensors file, whole or not at all."""
        tensors = {name: part.contiguous().cpu() for name, part in self.parts.items()}
        with atomic_write(Path(path)) as file:
            file.write(save(tensors, metadata={"analogies_hub_code": self.model}))

    @classmethod
    def load(cls, path: str | Path) -> "Code":
        """Read what `save` wrote.

        Raises:
            ModelError: if the file is missing, damaged or not a code.
        """
        try:
            with safe_open(str(path), framework="pt") as file:
                model = (file.metadata() or {}).get("analogies_hub_code")
                parts = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (it cannot be iterated)
        except (OSError, SafetensorError) as error:
            raise ModelError(f"'{path}' is not a saved code ({error})") from None
        if model is None:
            raise ModelError(f"'{path}' holds tensors but no code; expected a file of Code.save")
        return cls(model, parts)

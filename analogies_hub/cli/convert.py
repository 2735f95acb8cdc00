"""`analogies convert`: checkpoints of published code as models."""

from pathlib import Path
from typing import Annotated

import typer

from ..errors import ModelError, UsageError
from . import common


@common.friendly
def convert(
    method: Annotated[str, typer.Argument(help="The method that the checkpoint is of: mask_transfer")],
    checkpoint: Annotated[Path, typer.Argument(help="A file that the published code saved")],
    domain: Annotated[str, typer.Option(help="What it paints, in one word: glasses, facial_hair...")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for the model")],
    overwrite: common.OverwriteOption = False,
) -> None:
    """Turn a checkpoint of a method's published code into a model. Only weights are read, no code is run.

    Example: analogies convert mask_transfer checkpoint --domain glasses -o models/glasses
    """
    from ..registry import METHODS, get_method

    found = get_method(method)
    if found.convert is None:
        able = [name for name in METHODS if get_method(name).convert]
        raise UsageError(f"'{method}' has no checkpoints to convert, only {', '.join(able)}")
    if (output / "config.json").exists() and not overwrite:
        raise UsageError(f"'{output}' holds a model; add --overwrite or choose another folder")
    found.convert(read_weights(checkpoint), domain).save_pretrained(output, {"converted": checkpoint.name})
    typer.echo(f"Wrote {output}")


def read_weights(path: Path) -> object:
    """What a checkpoint holds, if that is nothing but weights and plain values.

    Raises:
        ModelError: if the file is missing, damaged, or holds code to be run.
    """
    import pickle

    import torch

    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except OSError as error:
        raise ModelError(f"'{path}' cannot be read ({error.strerror or error}); check the path") from None
    except (pickle.UnpicklingError, RuntimeError, EOFError, ValueError):
        raise ModelError(
            f"'{path}' is no checkpoint of weights alone: it is damaged or holds code, none of which was run"
        ) from None

"""Checkpoints of the published code as pipelines."""

from typing import Any

from torch import Tensor

from ...errors import ModelError
from .config import REFERENCE, MaskTransferConfig
from .pipeline import MaskTransferPipeline

# In a checkpoint, and here. The pretrained files call the decoders otherwise than the training does.
NETWORKS = (
    (("e1",), "encoder_common"),
    (("e2",), "encoder_separate.{attribute}"),
    (("decoder", "d_a"), "decoder.plain"),
    (("mustacher", "d_b"), "decoder.mask"),
)
LAST = 15  # place of an encoder's last convolution


def convert(checkpoint: Any, attribute: str) -> MaskTransferPipeline:
    """A pipeline of a published checkpoint's weights.

    Args:
        checkpoint: what the file holds: state dicts by the names of the networks.
        attribute: what its models paint, `glasses` say; the file does not tell.

    Raises:
        ModelError: if it is not such a checkpoint.
    """
    weights: dict[str, Tensor] = {}
    for theirs, ours in NETWORKS:
        for key, value in network(checkpoint, theirs).items():
            weights[f"{ours.format(attribute=attribute)}.{str(key).partition('.')[2]}"] = value
    separate, first = (
        weights.get(name) for name in (f"encoder_separate.{attribute}.{LAST}.bias", "encoder_common.0.bias")
    )
    if not isinstance(separate, Tensor) or not isinstance(first, Tensor):
        raise ModelError("the checkpoint does not fit the published networks: an encoder lacks its convolutions")
    config = REFERENCE | {"domains": (attribute, "none"), "separate": len(separate), "width": len(first)}
    pipeline = MaskTransferPipeline(MaskTransferConfig(**config))
    try:
        pipeline.load_state_dict(weights)
    except RuntimeError as error:
        raise ModelError(f"the checkpoint does not fit the published networks: {str(error).splitlines()[-1]}") from None
    return pipeline.eval()


def network(checkpoint: Any, names: tuple[str, ...]) -> dict[Any, Any]:
    """The state dict of a network that goes by one of several names.

    Raises:
        ModelError: if there is none.
    """
    for name in names:
        if isinstance(checkpoint, dict) and isinstance(checkpoint.get(name), dict):
            return checkpoint[name]
    raise ModelError(f"this is no checkpoint of mbu-content-tansfer: it has no network '{names[0]}'")

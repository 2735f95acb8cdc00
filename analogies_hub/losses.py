"""Losses that two or more methods share: pure functions to one scalar, without a weight."""

import torch
import torch.nn.functional as F
from torch import Tensor


def mean_size(code: Tensor) -> Tensor:
    """Mean absolute value of a code of any shape: the zero loss of DIDD (its code; the paper writes a norm)."""
    return code.abs().mean()


def edges_l1(drawn: Tensor, wanted: Tensor) -> Tensor:
    """L1 of the differences between neighbouring pixels: blur costs here what it saves in plain L1.

    Args:
        drawn, wanted: (B, C, H, W).

    Source: the gradient difference loss of Mathieu et al. 2016, arXiv 1511.05440, eq. 6,
        for signed differences.

    >>> float(edges_l1(torch.tensor([[[[0.0, 1.0], [0.0, 1.0]]]]), torch.zeros(1, 1, 2, 2)))
    0.5
    """
    error = drawn - wanted
    return (error.diff(dim=-1).abs().mean() + error.diff(dim=-2).abs().mean()) / 2


def tells(logits: Tensor, labels: Tensor) -> Tensor:
    """How badly logits tell labels, as a critic that learns to: mean binary cross-entropy.

    Args:
        logits, labels: (B, K); labels in [0, 1].
    """
    return F.binary_cross_entropy_with_logits(logits.float(), labels)


def confusion(logits: Tensor, target: float = 0.5) -> Tensor:
    """How far a critic is from giving every picture the same answer: mean binary cross-entropy to it.

    Args:
        logits: (B, K) of a critic that reads attributes off common codes; it gets no gradient.
        target: the answer, as a probability. The published code takes that of the second
            domain, 0; at 0.5 the codes of all domains are pulled to where nothing can be told.
    """
    return F.binary_cross_entropy_with_logits(logits.float(), torch.full_like(logits, target, dtype=torch.float32))


def mean_inside(values: Tensor, where: Tensor) -> Tensor:
    """The mean of values (B, 1, H, W) at some places (B, 1, H, W) in [0, 1], of each picture, then of all pictures."""
    return ((values * where).sum((1, 2, 3)) / where.sum((1, 2, 3)).clamp(min=1)).mean()

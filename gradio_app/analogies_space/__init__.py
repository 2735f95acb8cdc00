"""The web page of analogies_hub: tabs of forms that are drawn from declarations, and jobs that can be stopped."""

from . import gpu  # first: on ZeroGPU its package must come before torch

__all__ = ["gpu"]

"""Devices, loading and interrupting, on a machine without a GPU."""

import threading

import torch

interrupted = threading.Event()


class InterruptProcessingException(Exception):
    pass


def interrupt_current_processing(value=True):
    if value:
        interrupted.set()
    else:
        interrupted.clear()


def throw_exception_if_processing_interrupted():
    if interrupted.is_set():
        interrupted.clear()
        raise InterruptProcessingException


def get_torch_device():
    return torch.device("cpu")


def unet_offload_device():
    return torch.device("cpu")


def intermediate_device():
    return torch.device("cpu")


def load_models_gpu(models):
    for each in models:
        each.model.device = each.load_device  # the host writes this on what it manages
        each.model.to(each.load_device)

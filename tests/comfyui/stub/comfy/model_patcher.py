"""The wrapper by which the host manages a network."""


class ModelPatcher:
    def __init__(self, model, load_device, offload_device):
        self.model, self.load_device, self.offload_device = model, load_device, offload_device
        if not hasattr(model, "device"):
            model.device = offload_device

"""Results that a node shows."""


class PreviewImage:
    def __init__(self, image, animated=False, cls=None):
        assert image.ndim == 4 and image.shape[-1] == 3, f"a preview needs (B, H, W, 3), got {tuple(image.shape)}"
        self.image = image

"""Visual analogies for people who edit images.

    from analogies_hub import load_pipeline, save_image

    pipeline = load_pipeline("pair")
    save_image(pipeline.translate("pumpkins.jpg", "balls.jpg"), "analogy.png")

Names are imported when first used, so that `import analogies_hub` stays instant.
"""

from importlib import import_module
from typing import Any

__version__ = "0.1.0"

_LAZY = {
    "AnalogyError": "errors",
    "METHODS": "registry",
    "get_method": "registry",
    "load_pipeline": "registry",
    "open_image": "images",
    "save_image": "images",
    "to_pil": "images",
    "to_tensor": "images",
}
__all__ = ["__version__", *_LAZY]


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module 'analogies_hub' has no attribute '{name}'")
    return getattr(import_module(f".{_LAZY[name]}", __name__), name)

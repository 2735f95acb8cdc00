"""Our nodes in a ComfyUI: put there, taken out, and what keeps them from working. Nothing of ComfyUI is imported."""

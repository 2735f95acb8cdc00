"""A component of our own; Gradio writes a stub beside its source, which is why it has a file to itself."""

import gradio as gr
from gradio.data_classes import ImageData


class PictureInput(gr.Image):
    """An image whose file is handed on unopened: Gradio would lose its profile and depth, and trip over a bad one."""

    is_template = True

    def preprocess(self, payload: ImageData | None) -> str | None:
        """The file's path."""
        if payload is None:
            return None
        if not payload.path:
            raise gr.Error(f"'{self.label}' must be an uploaded file", print_exception=False)
        return payload.path

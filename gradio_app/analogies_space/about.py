"""What the page says of itself: methods, models with their scores, and where everything is from."""

import re

import gradio as gr

from analogies_hub import __version__
from analogies_hub.examples import FOLDER
from analogies_hub.hub.card import CARD_FILE, FRONT
from analogies_hub.hub.collection import overview
from analogies_hub.numbers import markdown
from analogies_hub.registry import METHODS, MODEL_CARDS, get_method, model_names

from .limits import CLEANED_EVERY, HIGHEST, KEPT_FOR, MAX_FILE, MAX_PIXELS
from .models import Models

ARXIV = re.compile(r"arXiv (\d+\.\d+)")
PICTURE = re.compile(r"!\[[^]]*\]\([^)]*\)\n")  # of a card, which the page does not serve
INTRO = f"""
Visual analogies for people who edit images. This page runs analogies-hub {__version__}; the same operations are
 there in Python, on the command line and as nodes of ComfyUI.

Results are PNG files that say which model, settings and seed made them. Pictures stay on the machine that runs this
page, are shown to nobody else, and are deleted after {KEPT_FOR // 60} to {(KEPT_FOR + CLEANED_EVERY) // 60} minutes.
An edited face can be taken for a real one: say that it is made.

**Limits:** files of {MAX_FILE.upper()}, {MAX_PIXELS / 1e6:.1f} million pixels, results of {HIGHEST["size"]} px.
**For programs:** *Use via API* below; every form has a name that stays.
"""


def build(models: Models) -> None:
    """Draw the tab."""
    gr.Markdown(INTRO)
    gr.Markdown("## Methods\n\n" + methods_table(models))
    if MODEL_CARDS.is_dir():
        gr.Markdown("## Models\n\nMeans over each model's tasks, on drawn faces of unseen people.")
        gr.Markdown(overview(MODEL_CARDS, linked=False))
        for name in model_names():
            with gr.Accordion(f"Card of {name}", open=False):
                gr.Markdown(
                    PICTURE.sub("", FRONT.sub("", (MODEL_CARDS / name / CARD_FILE).read_text(encoding="utf-8")))
                )
    with gr.Accordion("Licences of the example pictures", open=False):
        gr.Markdown((FOLDER / "README.md").read_text(encoding="utf-8").partition("\n")[2])


def methods_table(models: Models) -> str:
    """What each method does, its paper, and how many models of it are here."""
    rows = [["method", "what it does", "paper", "models here"]]
    for method in map(get_method, METHODS):
        here = str(len(models[method.name])) if method.needs_weights else "needs none"
        rows.append([method.title, method.summary, ARXIV.sub(r"[\g<0>](https://arxiv.org/abs/\1)", method.paper), here])
    return markdown(rows)

"""The whole page."""

import logging
from pathlib import Path
from typing import Any

import gradio as gr

from analogies_hub.errors import UsageError

from . import about
from .board import HELPER, Board
from .jobs import hear_notes
from .limits import CLEANED_EVERY, KEPT_FOR, MAX_CALLERS, MAX_FILE, MAX_SESSIONS
from .models import offered
from .tabs import LEFT_OUT, TABS

FONT = ["system-ui", "sans-serif"]  # nothing is fetched from elsewhere
THEME = gr.themes.Soft(primary_hue="orange", neutral_hue="stone", font=FONT, font_mono=["ui-monospace", "monospace"])
HERE = Path(__file__).parent
# The form that is open is in the address, and nothing else.
TO_ADDRESS = """task => {
    const here = new URL(location);
    here.searchParams.set("do", task);
    history.replaceState(null, "", here);
}"""


def build(names: list[str] | None = None) -> gr.Blocks:
    """The page, with some models by name; by default with those that are at hand.

    Raises:
        AnalogyError: if one of the named cannot be had, or there is no form for it.
    """
    hear_notes()
    models = offered(names)
    for method, reason in LEFT_OUT.items() if names else ():
        if models[method]:
            raise UsageError(f"the page has no form for '{next(iter(models[method]))}': {method} is {reason}")
    with gr.Blocks(title="Visual analogies", analytics_enabled=False, delete_cache=(CLEANED_EVERY, KEPT_FOR)) as page:
        gr.Markdown("# Visual analogies", elem_id="title")
        boards = []
        with gr.Tabs() as tabs:
            for tab in TABS:
                with gr.Tab(tab.title, id=tab.id):
                    boards.append(Board(tab, models))
            with gr.Tab("About", id="about"):
                about.build(models)
        boards = [board for board in boards if board.forms]
        for board in boards:
            board.task.input(None, board.task, None, js=TO_ADDRESS, **HELPER)
        page.load(opened(boards), None, [tabs, *(board.task for board in boards)], **HELPER)
    return page.queue(max_size=MAX_CALLERS, default_concurrency_limit=None)


def opened(boards: list[Board]) -> Any:
    """A function that opens the form which an address names: `?do=didd_add`."""

    def opened_by(request: gr.Request) -> list[Any]:
        wanted = request.query_params.get("do")
        for board in boards:
            if wanted in [form.name for form in board.forms]:
                return [gr.Tabs(selected=board.tab.id), *(wanted if each is board else gr.skip() for each in boards)]
        return [gr.skip()] * (1 + len(boards))

    return opened_by


def launch(page: gr.Blocks, **options: Any) -> None:
    """Serve the page until it is stopped."""
    logging.getLogger("httpx").setLevel(logging.WARNING)
    page.launch(
        theme=THEME,
        css_paths=HERE / "page.css",
        js=(HERE / "page.js").read_text(encoding="utf-8"),
        footer_links=["api", "settings"],
        show_error=False,
        max_file_size=MAX_FILE,
        state_session_capacity=MAX_SESSIONS,
        ssr_mode=False,
        share=False,
        **options,
    )

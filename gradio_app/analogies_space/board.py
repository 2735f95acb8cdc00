"""A tab: the inputs that its forms share, their buttons and their results."""

from typing import Any

import gradio as gr
from gradio.components import Component

from analogies_hub.examples import example_names, example_path
from analogies_hub.kinds import CodeKind, FramesKind, ImageKind, MaskKind
from analogies_hub.operations import Value
from analogies_hub.registry import get_method

from .files import halves, keep_picture
from .forms import Form, form_of
from .models import Models
from .results import Result, results_of
from .tabs import Tab
from .widgets import widget

HELPER: dict[str, Any] = {"queue": False, "show_progress": "hidden", "api_visibility": "private"}
PICTURES = (ImageKind, MaskKind, FramesKind, CodeKind)
Key = tuple[str, Any, Any]


class Board:
    """What of a tab is in view at a time, made in the order in which it stands on the page."""

    def __init__(self, tab: Tab, models: Models) -> None:
        self.tab = tab
        self.forms = [
            form_of(get_method(method), get_method(method).pipeline_type().operations()[name], models[method])
            for method, names in tab.forms.items()
            for name in names
            if models[method]
        ]
        self.inputs: dict[Key, Component] = {}
        self.parts: list[tuple[Any, set[str]]] = []  # what is on the page, and the names of the forms that it is for
        self.build()

    def build(self) -> None:
        """Draw the tab."""
        gr.Markdown(self.tab.intro)
        if not self.forms:
            gr.Markdown("There are no models here. Start the page with `--model`, or on a machine with network.")
            return
        with gr.Row():
            with gr.Column(scale=5, min_width=320):
                titles = [(self.tab.forms[form.method.name][form.operation.name], form.name) for form in self.forms]
                self.task = gr.Radio(titles, value=titles[0][1], label="What to do", elem_id=f"{self.tab.id}-task")
                self.models = {
                    method: self.choose_model(method)
                    for method in dict.fromkeys(form.method.name for form in self.forms)
                }
                self.draw_inputs()
            with gr.Column(scale=6, min_width=320):
                buttons = {form.name: self.draw_buttons(form) for form in self.forms}
                self.status = gr.Textbox(label="Status", interactive=False, lines=1, elem_id=f"{self.tab.id}-status")
                self.preview = gr.Image(label="On the way", format="png", visible=False, buttons=[], height=300)
                results = {form.name: self.draw_results(form) for form in self.forms}
        for form in self.forms:
            self.connect(form, *buttons[form.name], results[form.name])
        self.task.change(self.view, self.task, [part for part, _ in self.parts], **HELPER)

    def view(self, task: str) -> list[Any]:
        """What is in view while a form is chosen."""
        return [gr.update(visible=task in names) for _, names in self.parts]

    def place(self, part: Any, names: set[str]) -> Any:
        """Keep what is on the page for some forms only."""
        self.parts.append((part, names))
        return part

    def at_first(self, names: set[str]) -> bool:
        """Whether what is for some forms is in view at the start."""
        return self.forms[0].name in names

    def choose_model(self, method: str) -> Component | None:
        """Where to choose a method's model; nothing for one that needs none."""
        forms = [form for form in self.forms if form.method.name == method]
        if not forms[0].method.needs_weights:
            return None
        names, label = {form.name for form in forms}, f"Model ({forms[0].method.title})"
        choices = sorted(forms[0].models, key=lambda name: name not in self.tab.models)  # those for the start first
        return self.place(gr.Dropdown(choices, label=label, visible=self.at_first(names)), names)

    def draw_inputs(self) -> None:
        """All inputs of all forms, each once."""
        wanted: dict[Key, set[str]] = {}
        items: dict[Key, Value] = {}
        for form in self.forms:
            for item in form.operation.inputs:
                wanted.setdefault(key_of(item), set()).add(form.name)
                items[key_of(item)] = item
        first = [key for key, item in items.items() if isinstance(item.kind, PICTURES)]
        front = [key for key, item in items.items() if key not in first and item.name in self.tab.front]
        with gr.Row():
            for key in first:
                with self.place(gr.Column(min_width=150, visible=self.at_first(wanted[key])), wanted[key]):
                    self.draw_picture(key, items[key])
        sets = gr.Row()  # filled when there are components for it
        for key in front:
            self.draw_knob(key, items[key], wanted[key])
        with sets:
            self.draw_sets()
        with gr.Accordion("More settings", open=False):
            for key in [key for key in items if key not in self.inputs]:
                self.draw_knob(key, items[key], wanted[key])

    def draw_picture(self, key: Key, item: Value) -> None:
        """A place for pictures, and examples to pick from."""
        start = self.tab.start.get(item.name) if item.required and not isinstance(item.kind, CodeKind) else None
        self.inputs[key] = component = widget(item, example(start))
        if isinstance(item.kind, ImageKind) and item.name not in self.tab.in_sets:
            label = f"Pick: {item.name.replace('_', ' ')}"
            gr.Examples([[example(name)] for name in self.tab.pictures], component, label=label, examples_per_page=12)

    def draw_knob(self, key: Key, item: Value, names: set[str]) -> None:
        """A number, a choice or words."""
        start = self.tab.start.get(item.name)
        self.inputs[key] = self.place(widget(item, start, visible=self.at_first(names)), names)

    def draw_sets(self) -> None:
        """Examples that fill several inputs at once, for the forms that have all of them."""
        if not self.tab.sets:
            return
        names = list(self.tab.sets[0])
        having = {form.name for form in self.forms if set(names) <= {item.name for item in form.operation.inputs}}
        rows = [[example(value) for value in each.values()] for each in self.tab.sets]
        thumb = gr.Image(visible=False)
        thumbs = [
            [keep_picture(thumb, "-".join(each[name] for name in names[:2]), halves(*row[:2]), {})]
            for each, row in zip(self.tab.sets, rows, strict=True)
        ]
        visible = self.at_first(having)
        data = gr.Dataset(components=[thumb], samples=thumbs, type="index", label="Pick a pair", visible=visible)
        self.place(data, having).click(rows.__getitem__, data, [self.input_named(name) for name in names], **HELPER)

    def input_named(self, name: str) -> Component:
        """The first form's input of a name."""
        return self.inputs[next(key_of(item) for item in self.forms[0].operation.inputs if item.name == name)]

    def draw_buttons(self, form: Form) -> tuple[gr.Button, gr.Button]:
        """To run a form, and to stop it."""
        names = {form.name}
        with self.place(gr.Row(visible=self.at_first(names)), names):
            run = gr.Button("Run", variant="primary", elem_id=f"{self.tab.id}-{form.name}-run")
            return run, gr.Button("Stop", variant="stop", elem_id=f"{self.tab.id}-{form.name}-stop")

    def draw_results(self, form: Form) -> list[list[Result]]:
        """What shows a form's outputs."""
        names = {form.name}
        with self.place(gr.Column(visible=self.at_first(names)), names):
            return results_of(form.operation)

    def connect(self, form: Form, run: gr.Button, stop: gr.Button, results: list[list[Result]]) -> None:
        """Let the buttons do what they say."""
        model = self.models[form.method.name]
        inputs = [self.inputs[key_of(item)] for item in form.operation.inputs]
        shown = [result.component for row in results for result in row]
        speed = "slow" if form.operation.reports_steps else "quick"
        event = run.click(
            form.handler(results, self.preview),
            [*([] if model is None else [model]), *inputs],
            [*shown, self.status, self.preview],
            api_name=form.name,
            api_description=form.operation.help,
            concurrency_id=speed,
            concurrency_limit=1,
            show_progress="minimal",
            show_progress_on=[self.status],
        )
        # Said in a second step: news that were on their way at the click would else come after it, and stay.
        stop.click(None, cancels=[event], **HELPER).then(
            lambda: ("Stopped.", gr.Image(visible=False)), None, [self.status, self.preview], **HELPER
        )
        for output, row in zip(form.operation.outputs, results, strict=True):
            if isinstance(output.kind, CodeKind):
                self.hand_on(event, row[0].component)

    def hand_on(self, event: Any, made: Component) -> None:
        """Put a code that was made into the first place for one that is empty, else into the last."""
        places = [part for key, part in self.inputs.items() if key[1] is CodeKind]

        def handed(code: str, *there: str | None) -> list[Any]:
            free = [number for number, each in enumerate(there) if each is None]
            chosen = free[0] if free else len(there) - 1
            return [code if number == chosen else gr.skip() for number in range(len(there))]

        event.success(handed, [made, *places], places, **HELPER)


def key_of(item: Value) -> Key:
    """Inputs with one key share a component: the same word for the same kind of value, alike at the start."""
    return item.name, type(item.kind), item.default


def example(value: Any) -> Any:
    """The file of an example, or the files of several; any other value as it is."""
    if isinstance(value, list):
        return [example(each) for each in value]
    return str(example_path(value)) if isinstance(value, str) and value in example_names() else value

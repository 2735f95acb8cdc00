"""A form for an operation: drawn from its declaration, run as a job."""

import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import gradio as gr
from gradio.components import Component

from analogies_hub.errors import AnalogyError, UsageError
from analogies_hub.kinds import Words
from analogies_hub.operations import Operation
from analogies_hub.pipeline import Pipeline
from analogies_hub.registry import Method

from .files import keep_picture
from .gpu import on_gpu
from .jobs import Done, News, followed
from .limits import limited
from .results import Call, Result
from .widgets import to_core

MODEL = "model"
FAILED = "something went wrong here, not with you; try again, or with smaller pictures"


@dataclass(frozen=True)
class Form:
    """An operation of a method, and the models that have it.

    Attributes:
        operation: with the ranges that are open to visitors, and the words of all models.
        models: by name; of a method that needs no weights one, by the method's.
    """

    method: Method
    operation: Operation
    models: dict[str, Pipeline]

    @property
    def name(self) -> str:
        """What the interface for programs and links call it, for ever."""
        return f"{self.method.name}_{self.operation.name}"

    def handler(self, results: list[list[Result]], preview: Component) -> Callable[..., Iterator[list[Any]]]:
        """What the run button calls, with the values of the inputs; first comes a model's name if the method needs one.

        It yields the values of all results, then a status line, then a preview.
        """

        def run(*given: Any) -> Iterator[list[Any]]:
            yield from self.run(list(given), results, preview)

        inputs = {MODEL: inspect.Parameter.empty} if self.method.needs_weights else {}
        inputs |= {item.name: item.default for item in self.operation.inputs}
        kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
        run.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
            [inspect.Parameter(name, kind, default=default) for name, default in inputs.items()]
        )
        run.__name__, run.__doc__ = self.name, self.operation.help
        return on_gpu(run)

    def run(self, given: list[Any], results: list[list[Result]], preview: Component) -> Iterator[list[Any]]:
        """Do it, and tell how far it is."""
        unchanged, hidden = [gr.skip()] * sum(len(row) for row in results), gr.Image(value=None, visible=False)
        try:
            pipeline = self.models[given.pop(0) if self.method.needs_weights else self.method.name]
            for news in followed(lambda on_step: self.compute(pipeline, given, results, on_step)):
                if isinstance(news, Done):
                    yield [*news.value, done_line(news), hidden]
                else:
                    yield [*unchanged, news_line(news), shown_on_the_way(preview, news)]
        except AnalogyError as error:
            yield [*unchanged, f"Not done: {error}", hidden]
            raise gr.Error(str(error), title="Not done", print_exception=False) from None
        except Exception as error:  # ours to mend: the log says what it was, the visitor what to do
            yield [*unchanged, f"Not done: {FAILED}", hidden]
            raise gr.Error(FAILED, title="Not done") from error

    def compute(
        self, pipeline: Pipeline, given: list[Any], results: list[list[Result]], on_step: Callable
    ) -> list[Any]:
        """What each component of the results is given.

        Raises:
            AnalogyError: if something is missing or cannot be used.
        """
        values = {item.name: to_core(item, each) for item, each in zip(self.operation.inputs, given, strict=True)}
        values = {name: value for name, value in values.items() if value is not None}
        for item in self.operation.inputs:
            if item.required and item.name not in values:
                raise UsageError(f"'{item.name}' is empty; choose one")
        outputs = self.operation.call(pipeline, values, on_step)
        call = Call(self.name, values, pipeline.metadata(self.operation, values))
        return [
            result.shown(result.component, value, call)
            for row, value in zip(results, outputs, strict=True)
            for result in row
        ]


def form_of(method: Method, operation: Operation, models: dict[str, Pipeline]) -> Form:
    """A form with the words of all models and the ranges that are open to visitors."""
    words = dict.fromkeys(word for model in models.values() for word in getattr(model, "attributes", ()))

    def opened(kind: Any) -> Any:
        return replace(kind, options=(*kind.extra, *words)) if isinstance(kind, Words) else kind

    inputs = [replace(item, kind=limited(item.name, opened(item.kind))) for item in operation.inputs]
    return Form(method, replace(operation, inputs=tuple(inputs)), models)


def news_line(news: News) -> str:
    """How far a job is, in words."""
    if not news.share:
        return f"Working, {news.seconds:.0f} s"
    left = news.seconds / news.share - news.seconds
    return f"Working: {news.share:.0%}, about {left:.0f} s left"


def done_line(done: Done) -> str:
    """How it ended, in words, with what the library noted."""
    return " ".join([f"Done in {done.seconds:.1f} s.", *(f"Note: {note}." for note in done.notes)])


def shown_on_the_way(preview: Component, news: News) -> Any:
    """What the preview shows now."""
    if news.preview is None:
        return gr.skip()
    return gr.Image(value=keep_picture(preview, "preview", news.preview[:1], {}), visible=True)

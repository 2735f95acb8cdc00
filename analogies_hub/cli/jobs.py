"""Calling operations and writing their results: what `pair` and `run` share."""

import json
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import typer

from ..codes import Code
from ..config import nearest_name
from ..errors import AnalogyError, UsageError
from ..images import WRITABLE, check_writable, make_folder, save_image
from ..kinds import CodeKind
from ..operations import Operation, Value
from ..pipeline import Pipeline
from .common import STREAM, name_notes, progress, read_picture, report_error


@dataclass(frozen=True)
class Outlet:
    """Where an operation's results go, and what is said of them.

    Attributes:
        only: the outputs that are wanted, where an operation has several; the first gets the target's own name.
    """

    target: str
    overwrite: bool = False
    as_json: bool = False
    quiet: bool = False
    only: tuple[str, ...] = ()

    def outputs(self, operation: Operation) -> list[Value]:
        """The outputs that are written."""
        return [output for output in operation.outputs if not self.only or output.name in self.only]

    def check(self, operation: Operation) -> None:
        """Raise `UsageError` before any work is done for a target that cannot be written."""
        if self.target != STREAM:
            for output in self.outputs(operation):
                suffixes = (".safetensors",) if isinstance(output.kind, CodeKind) else tuple(WRITABLE)
                self.check_free(check_writable(self.path(operation, output), suffixes))
        elif len(self.outputs(operation)) > 1 or self.as_json:
            raise UsageError("stdout takes one picture and nothing else; give a file with -o")
        elif sys.stdout.isatty():
            raise UsageError("stdout is a terminal; give a file with -o, or a pipe")

    def path(self, operation: Operation, output: Value, index: int | None = None) -> Path:
        """The file of one result: the target, with what tells it from the call's others."""
        target = Path(self.target)
        first = self.only[:1] == (output.name,)
        marks = [output.name] if len(self.outputs(operation)) > 1 and not first else []
        marks += [] if index is None else [str(index + 1)]
        return target.with_name("_".join([target.stem, *marks]) + target.suffix)

    def check_free(self, path: Path) -> Path:
        """The path, or a `UsageError` if a file is there that must stay."""
        if path.exists() and not self.overwrite:
            raise UsageError(f"'{path}' exists; add --overwrite or choose another output")
        return path

    def spare(self, path: Path) -> Path:
        """The path, or where a file is there that must stay, the name with `_new` behind it: no work is lost."""
        while path.exists() and not self.overwrite:
            path = path.with_name(f"{path.stem}_new{path.suffix}")
        return path

    def write(self, operation: Operation, output: Value, value: Any, record: dict[str, Any]) -> None:
        """Save one output, each picture of a batch in a file of its own, and report it."""
        if isinstance(value, Code):
            path = self.spare(self.path(operation, output))
            value.save(path)
            self.report(path, record)
            return
        for index in range(len(value)):
            picture = value[index : index + 1]
            if self.target == STREAM:
                save_image(picture, sys.stdout.buffer, record)
                continue
            path = self.spare(self.path(operation, output, index if len(value) > 1 else None))
            save_image(picture, path, record)
            self.report(path, record)

    def report(self, path: Path, record: dict[str, Any]) -> None:
        """Name a written file on stdout."""
        typer.echo(json.dumps(record | {"output": str(path)}) if self.as_json else f"Wrote {path}")


def find_operation(pipeline: Pipeline, name: str, inputs: Sequence[str] = ()) -> Operation:
    """An operation of a pipeline by name, and with some inputs.

    Raises:
        UsageError: if the pipeline has none such.
    """
    operations = pipeline.operations()
    if name not in operations:
        raise UsageError(f"'{pipeline.method}' has no operation '{name}'; {nearest_name(name, list(operations))}")
    missing = [item for item in inputs if item not in [value.name for value in operations[name].inputs]]
    if missing:
        raise UsageError(f"'{name}' of '{pipeline.method}' has no '{missing[0]}'; use: analogies run {pipeline.method}")
    return operations[name]


def targets(sources: list[str], output: str | None, mark: str) -> list[str]:
    """A file for each picture: the output itself, or names of their own in a folder, ending in `__mark`.

    An output that ends in / is a folder, which is made where it does not exist.

    Raises:
        UsageError: if several pictures would go into one file, or the folder cannot be made.
    """
    if output is not None and output.endswith("/"):
        make_folder(Path(output))
    files = [target_of(source, output, mark, len(sources) > 1) for source in sources]
    if twice := [file for file in files if files.count(file) > 1]:
        raise UsageError(f"two pictures would both be written to '{twice[0]}'; rename one of them")
    return files


def target_of(source: str, output: str | None, mark: str, several: bool) -> str:
    """The file for one picture of maybe several."""
    own = f"{'stdin' if source == STREAM else Path(source).stem}__{mark}.png"
    if output is None:
        return own
    if output != STREAM and Path(output).is_dir():
        return str(Path(output) / own)
    if several:
        raise UsageError(f"several pictures need a folder, got -o {output}; add a / to its name")
    return output


def call(pipeline: Pipeline, operation: Operation, values: dict[str, Any], outlet: Outlet, source: str) -> None:
    """Run one operation and write its results.

    Args:
        values: the inputs by name, as the operation takes them.
        source: what the inputs are called in reports.

    Raises:
        AnalogyError: if a value, a picture or the target is not usable; nothing is written then.
    """
    outlet.check(operation)
    start = time.perf_counter()
    with progress(f"{operation.name} {source}", hidden=outlet.quiet or outlet.as_json) as on_step:
        results = operation.call(pipeline, values, on_step)
    record = pipeline.metadata(operation, values)
    if outlet.as_json:
        elapsed = round(1000 * (time.perf_counter() - start))
        record |= {"input": source, "device": str(pipeline.device), "ms": elapsed}
    for output, value in zip(operation.outputs, results, strict=True):
        if value is not None and output in outlet.outputs(operation):
            outlet.write(operation, output, value, record)


def call_on_contents(
    pipeline: Pipeline,
    operation: Operation,
    sources: list[str],
    inputs: dict[str, Any],
    output: str | None,
    **outlet: Any,
) -> None:
    """Run one operation with each of some pictures as its `content`.

    Args:
        inputs: the others, the same for all.
        output: as for `targets`.
        outlet: of each picture's `Outlet`, all but its target.

    Raises:
        AnalogyError, typer.Exit: as `call_each`.
    """
    jobs = [
        (Outlet(target, **outlet), inputs | {"content": read_picture(source)}, source)
        for source, target in zip(sources, targets(sources, output, pipeline.method), strict=True)
    ]
    call_each(jobs, pipeline, operation)


def call_each(jobs: list[tuple[Outlet, dict[str, Any], str]], pipeline: Pipeline, operation: Operation) -> None:
    """Run one operation for many inputs; one that fails is reported and the rest go on.

    Raises:
        typer.Exit: with code 1 at the end if some failed, or the error's own if it was the only one.
    """
    failed = 0
    for outlet, values, source in jobs:
        name_notes(source if len(jobs) > 1 else "")
        try:
            call(pipeline, operation, values, outlet, source)
        except AnalogyError as error:
            if len(jobs) == 1:
                raise
            report_error(f"{source}: {error}", error.exit_code, outlet.as_json)
            failed += 1
    if failed:
        raise typer.Exit(1)

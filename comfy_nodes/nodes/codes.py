"""Nodes that save and load codes."""

from pathlib import Path

from analogies_hub.codes import Code
from analogies_hub.errors import UsageError
from analogies_hub.kinds import CodeKind
from analogies_hub.operations import Operation
from analogies_hub.registry import METHODS, get_method

from . import host
from .host import FileNode, folder_paths, io
from .values import code_type

SUFFIX, SUBFOLDER = ".safetensors", "codes"
OUTPUT_MARK = " [output]"  # as the host marks files of its output folder


def methods_with_codes() -> list[str]:
    """The methods that have an operation with a code."""
    return [name for name in METHODS if any(map(takes_code, get_method(name).pipeline_type().operations().values()))]


def takes_code(operation: Operation) -> bool:
    """Whether an operation takes or yields a code."""
    return any(isinstance(item.kind, CodeKind) for item in (*operation.inputs, *operation.outputs))


class SaveCode(io.ComfyNode):
    """Writes a code to the host's output folder."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        """As the host asks."""
        return host.schema(
            node_id="Analogies_save_code",
            display_name="Save code (analogies)",
            category="analogies",
            description="Save a picture's code, to mix and draw it later with the model that made it.",
            inputs=[
                code_type(*methods_with_codes()).Input("code", tooltip="what an Encode or Mix node gave"),
                io.String.Input("filename_prefix", default=f"{SUBFOLDER}/code", tooltip="in the output folder"),
            ],
            outputs=[],
            is_output_node=True,
        )

    @classmethod
    def execute(cls, code: Code, filename_prefix: str) -> io.NodeOutput:
        """Write it whole, under the next free number."""
        folder, name, number, subfolder, _ = folder_paths.get_save_image_path(
            filename_prefix, folder_paths.get_output_directory()
        )
        path = Path(folder) / f"{name}_{number:05}_{SUFFIX}"
        code.save(path)
        return io.NodeOutput(ui={"text": (f"saved {Path(subfolder) / path.name}",)})


class LoadCode(FileNode):
    """Reads what `SaveCode` wrote."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        """As the host asks."""
        tooltip = "a .safetensors file of Save code, in the output folder's codes or in the input folder"
        return host.schema(
            node_id="Analogies_load_code",
            display_name="Load code (analogies)",
            category="analogies",
            description="Load a saved code. Only the model that made it can draw it.",
            inputs=[io.Combo.Input("file", options=saved_codes(), tooltip=tooltip)],
            outputs=[code_type(*methods_with_codes()).Output(display_name="code")],
        )

    @classmethod
    def files(cls, name: str) -> list[Path]:
        """The file of a name in the list."""
        return [code_file(name)]

    @classmethod
    def execute(cls, file: str) -> io.NodeOutput:
        """Read it."""
        with host.ordinary_tensors():
            return io.NodeOutput(Code.load(code_file(file)))


def saved_codes() -> list[str]:
    """Names of the files that may be codes: the output folder's, then the input folder's."""
    output = Path(folder_paths.get_output_directory())
    made = sorted((output / SUBFOLDER).glob(f"*{SUFFIX}"))
    given = sorted(Path(folder_paths.get_input_directory()).glob(f"*{SUFFIX}"))
    return [*(f"{path.relative_to(output).as_posix()}{OUTPUT_MARK}" for path in made), *(path.name for path in given)]


def code_file(name: str) -> Path:
    """The file of a name in the list.

    Raises:
        UsageError: if it is not there.
    """
    inside = folder_paths.get_output_directory if name.endswith(OUTPUT_MARK) else folder_paths.get_input_directory
    path = host.path_in(inside(), name.removesuffix(OUTPUT_MARK))
    if path is None:
        raise UsageError(f"no saved code '{name}'; save one with Save code, then refresh the page")
    return path

"""Nodes that bring pictures: the examples that come with the library, and folders of a user's own."""

from pathlib import Path
from typing import Any

from torch import Tensor

from analogies_hub.errors import ImageError
from analogies_hub.examples import FACES, example_names, example_path
from analogies_hub.images import READABLE, to_tensor

from . import host
from .host import folder_paths, io, ui
from .values import image_to_host

EXAMPLES = "example faces"


class ExamplePicture(io.ComfyNode):
    """A picture that comes with the library, so that the example workflows run as they are."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        """As the host asks."""
        return host.schema(
            node_id="Analogies_example_picture",
            display_name="Example picture (analogies)",
            category="analogies",
            description="A picture to try the nodes with; put Load Image in its place for your own.",
            inputs=[io.Combo.Input("name", options=example_names(), tooltip="what it shows")],
            outputs=[io.Image.Output(display_name="image")],
        )

    @classmethod
    def execute(cls, name: str) -> io.NodeOutput:
        """Read it, and show it as Load Image does."""
        image = read(example_path(name))
        return io.NodeOutput(image, ui=ui.PreviewImage(image, cls=cls))


class LoadFolder(io.ComfyNode):
    """The pictures of a folder one by one, each at its own size."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        """As the host asks."""
        return host.schema(
            node_id="Analogies_load_folder",
            display_name="Load folder of pictures (analogies)",
            category="analogies",
            description="All pictures of a folder; the nodes behind it run for each, whatever their sizes.",
            inputs=[io.Combo.Input("folder", options=folders(), tooltip="a folder in ComfyUI's input folder")],
            outputs=[io.Image.Output(display_name="images", is_output_list=True)],
        )

    @classmethod
    def validate_inputs(cls, folder: str) -> bool | str:
        """Whether it holds pictures."""
        return True if files_of(folder) else sentence(folder)

    @classmethod
    def fingerprint_inputs(cls, folder: str) -> Any:
        """Runs again when a file comes, goes or changes."""
        return repr([(str(file), file.stat().st_mtime_ns) for file in files_of(folder)])

    @classmethod
    def execute(cls, folder: str) -> io.NodeOutput:
        """Read them."""
        files = files_of(folder)
        if not files:
            raise ImageError(sentence(folder))
        bar = host.Bar(len(files))
        images = []
        for file in files:
            images.append(read(file))
            bar.next()
        return io.NodeOutput(images)


def read(path: Path) -> Tensor:
    """A picture as the host takes it."""
    return image_to_host(to_tensor(path))


def folders() -> list[str]:
    """The folders that can be chosen."""
    inner = sorted(path.name for path in Path(folder_paths.get_input_directory()).iterdir() if path.is_dir())
    return [EXAMPLES, *inner]


def files_of(folder: str) -> list[Path]:
    """The pictures of a folder, by name."""
    if folder == EXAMPLES:
        return [example_path(name) for name in example_names(FACES)]
    path = host.path_in(folder_paths.get_input_directory(), folder)
    return sorted(file for file in path.iterdir() if file.suffix.lower() in READABLE) if path and path.is_dir() else []


def sentence(folder: str) -> str:
    """Why a folder cannot be used."""
    where = folder_paths.get_input_directory()
    return f"'{folder}' in '{where}' holds no picture; expected a folder with {', '.join(READABLE)}"

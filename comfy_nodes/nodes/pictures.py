"""Nodes that bring pictures: the examples that come with the library, and folders of a user's own."""

from pathlib import Path

from torch import Tensor

from analogies_hub.errors import ImageError
from analogies_hub.examples import FACES, example_names, example_path
from analogies_hub.images import READABLE, to_tensor

from . import host
from .host import FileNode, folder_paths, io, ui
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
            is_output_node=True,  # else the host shows nothing where an earlier prompt has read the same picture
        )

    @classmethod
    def execute(cls, name: str) -> io.NodeOutput:
        """Read it, and show it as Load Image does."""
        image = read(example_path(name))
        return io.NodeOutput(image, ui=ui.PreviewImage(image, cls=cls))


class LoadFolder(FileNode):
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
    def files(cls, name: str) -> list[Path]:
        """The pictures of a folder, by name."""
        return pictures_in(name)

    @classmethod
    def execute(cls, folder: str) -> io.NodeOutput:
        """Read them."""
        files = pictures_in(folder)
        bar, images = host.Bar(len(files)), []
        for file in files:
            images.append(read(file))
            bar.next()
        return io.NodeOutput(images)


def read(path: Path) -> Tensor:
    """A picture as the host takes it."""
    return image_to_host(to_tensor(path))


def folders() -> list[str]:
    """The folders that can be chosen."""
    place = Path(folder_paths.get_input_directory())
    return [EXAMPLES, *sorted(path.name for path in place.glob("*/"))]


def pictures_in(folder: str) -> list[Path]:
    """The pictures of a folder, by name.

    Raises:
        ImageError: if there is none.
    """
    if folder == EXAMPLES:
        return [example_path(name) for name in example_names(FACES)]
    place = folder_paths.get_input_directory()
    path = host.path_in(place, folder)
    found = sorted(path.iterdir()) if path and path.is_dir() else []
    if pictures := [file for file in found if file.suffix.lower() in READABLE]:
        return pictures
    raise ImageError(f"'{folder}' in '{place}' holds no picture; expected a folder with {', '.join(READABLE)}")

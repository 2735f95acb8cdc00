"""The host's folders."""

import os
from pathlib import Path

base = ""
models_dir = ""
folder_names_and_paths = {}


def use(folder):
    """Take another base folder."""
    global base, models_dir
    base, models_dir = str(folder), str(Path(folder) / "models")
    folder_names_and_paths.clear()
    for name in ("models", "input", "output"):
        (Path(folder) / name).mkdir(exist_ok=True)


def add_model_folder_path(name, path, is_default=False):
    paths, _ = folder_names_and_paths.setdefault(name, ([], set()))
    if path not in paths:
        paths.append(path)


def get_folder_paths(name):
    return folder_names_and_paths[name][0][:]


def get_filename_list(name):
    paths, suffixes = folder_names_and_paths[name]
    files = {
        os.path.relpath(file, path)
        for path in paths
        for file in Path(path).rglob("*")
        if file.is_file() and file.suffix in suffixes
    }
    return sorted(files)


def get_input_directory():
    return str(Path(base) / "input")


def get_output_directory():
    return str(Path(base) / "output")


def get_save_image_path(prefix, folder, width=0, height=0):
    place = Path(folder) / Path(prefix).parent
    place.mkdir(parents=True, exist_ok=True)
    number = 1 + len(list(place.glob(f"{Path(prefix).name}_*")))
    return str(place), Path(prefix).name, number, str(Path(prefix).parent), prefix

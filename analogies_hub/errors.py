"""Errors and notes whose message is written for the person at the keyboard."""


class AnalogyError(Exception):
    """What went wrong, what was expected, what was found, what to do: one sentence.

    Every frontend shows the message as it is; the command line ends with `exit_code`.
    """

    exit_code = 1


class UsageError(AnalogyError):
    """An option, a name or a path that cannot be what the user meant."""

    exit_code = 2


class ImageError(AnalogyError):
    """A file or tensor that is not a usable picture."""

    exit_code = 3


class ModelError(AnalogyError):
    """A configuration or weights that cannot be loaded as they are."""

    exit_code = 3


class HubError(AnalogyError):
    """A repository that is not there, not a model of this library, or not open to this user."""

    exit_code = 4


class NetworkError(AnalogyError):
    """The Hub cannot be reached, or is too busy."""

    exit_code = 5


class Note(UserWarning):
    """What a user should know of a result that was made all the same; every frontend shows it."""

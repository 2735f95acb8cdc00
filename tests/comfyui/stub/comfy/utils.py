"""Progress."""

PROGRESS_BAR_HOOK = None


def set_progress_bar_global_hook(function):
    global PROGRESS_BAR_HOOK
    PROGRESS_BAR_HOOK = function


class ProgressBar:
    def __init__(self, total):
        self.total, self.hook = total, PROGRESS_BAR_HOOK

    def update_absolute(self, value, total=None, preview=None):
        self.total = total or self.total
        if self.hook:
            self.hook(min(value, self.total), self.total, preview, node_id=None)

"""Visual analogies as ComfyUI nodes, drawn from the operations that `analogies_hub` declares.

The pack holds no maths: it turns the host's tensors into what operations take and back,
and hands on progress, previews, cancelling and errors.
"""

import importlib.util
import logging
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from comfy_api.latest import ComfyExtension

WEB_DIRECTORY = "./web"
LIBRARY, NEEDS = "analogies_hub", "analogies-hub>=0.1,<0.2"


async def comfy_entrypoint() -> "ComfyExtension":
    """The nodes; none, and a sentence in the log, where the library is not installed."""
    from .nodes.host import Pack

    if importlib.util.find_spec(LIBRARY) is None:
        logging.getLogger("analogies").error(
            'the analogies nodes are off: this Python has no analogies-hub; run: "%s" -m pip install "%s"',
            sys.executable,
            NEEDS,
        )
        return Pack([])
    from .nodes.every import every_node

    return Pack(every_node())

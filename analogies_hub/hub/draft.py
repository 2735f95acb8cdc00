"""A first card for a model that has none: what its files say, and plainly what nobody has said."""

from pathlib import Path

from ..images import atomic_write
from ..saved import read_record
from .card import CARD_FILE, refreshed

DRAFT = """---
license: mit
library_name: analogies-hub
pipeline_tag: image-to-image
tags:
- image-translation
- {method}
- safetensors
---

# {name}

A model of the method `{method}`, trained with analogies-hub. Its author has not described it yet.

## Use

```python
from analogies_hub import load_pipeline

pipeline = load_pipeline("{name}")
print(*pipeline.operations(), sep="\\n")
```

## Model

<!-- facts -->
<!-- end -->

## Data

{data}

## Training

With the settings in `config.json`.

## Evaluation

Not measured.

## What fails

Not looked at.

## Use it for

Pictures like those that it was trained on; with others, expect nothing.

## Ethics

Results are synthetic, and say so in their metadata. Do not use them to deceive, or to judge the people in them.

## Sources

The paper of the method is named by `analogies methods`.

## Citation

Cite the paper of the method.
"""


def write_draft(folder: Path, name: str) -> bool:
    """Write a card into a saved pipeline's folder, unless it has one.

    Args:
        name: OWNER/NAME, as its readers will load it.

    Returns:
        Whether there was none.
    """
    card = folder / CARD_FILE
    if card.exists():
        return False
    record = read_record(folder)
    train = record.get("train") or {}
    told = ", ".join(f"`{Path(str(name)).name}`" for name in train.get("data", []))
    data = f"Trained on {told}, on the machine of its author." if told else "Not told."
    text = DRAFT.format(name=name, method=record["method"], data=data)
    with atomic_write(card) as stream:
        stream.write(refreshed(text, folder).encode())
    return True

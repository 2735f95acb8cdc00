"""Unsupervised domain adaptation: a digit moved between MNIST and house numbers, is it still that digit?

Each digit of one domain is translated with a random guide of the other. A classifier that
was trained on the other domain alone names the result, and is right where it names the
content's digit. How often it is so for digits that nobody translated, and for copies of
guides, stands beside it.

Source: Benaim et al. 2019, MNIST and SVHN: 61.0 % of MNIST to SVHN, 41.0 % of SVHN to MNIST.
Their classifier is not known, so this one is ours; our digits are fewer and the house numbers
drawn, so that the numbers cannot be compared.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import permutations
from typing import Any, NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .. import __version__
from ..data.cache import Progress
from ..data.digits import DOMAINS, digits
from ..data.source import ImageSource
from ..errors import ModelError, UsageError
from ..filters import blur, resize
from ..numbers import formatted
from .edits import check_result
from .judges.networks import conv
from .judges.training import recolour, train
from .metrics import COPIES, EDIT
from .report import finite
from .statistics import Interval, wilson

CLASSES = 10
SIZE = 32  # px, at which the classifier looks
STEPS, BATCH, SEED = 400, 64, 0  # of its training: less than a minute on one core
LOWEST = 0.9  # share of right answers below which it may not judge
BLOCK = 100  # images at once
REAL, GUIDE = "real digits", "guide's digit"
SYSTEMS = (EDIT, *COPIES, REAL, GUIDE)
TRAINING = "analogies train didd --data digits --domains mnist svhn --set size=32 flip=false"


class DigitNet(nn.Module):
    """Which digit a picture shows: five convolutions, some 230,000 parameters."""

    def __init__(self) -> None:
        super().__init__()
        self.trunk = nn.Sequential(conv(3, 24, 2), conv(24, 48), conv(48, 64, 2), conv(64, 96), conv(96, 128, 2))
        self.head = nn.Linear(128 * (SIZE // 8) ** 2, CLASSES)

    def forward(self, images: Tensor) -> Tensor:
        """(B, 3, H, W) in [0, 1] -> logits (B, 10)."""
        images = resize(images, (SIZE, SIZE)).contiguous(memory_format=torch.channels_last)  # faster on a CPU
        return self.head(self.trunk(images * 2 - 1).flatten(1))


class Share(NamedTuple):
    """How often the classifier named the digit that it should.

    Attributes:
        accuracy: the share with its 95 % interval, over images.
        recall: the same of each digit from 0 to 9; NaN where there is none.
        total: images.
    """

    accuracy: Interval
    recall: tuple[float, ...]
    total: int


@dataclass(frozen=True)
class Direction:
    """Digits of one domain in the other.

    Attributes:
        source, target: the domains.
        shares: by system. `edit` is the translation; the copies are what it would score by
            returning its content or its guide; `real digits` is what the classifier can; and
            `guide's digit` is how often a translation shows its guide's digit.
        about: where the pictures are from and how they were judged, ready for JSON.
    """

    source: str
    target: str
    shares: dict[str, Share]
    about: dict[str, Any]


def adaptation(
    pipeline: Any, seed: int = 0, split: str = "test", on_step: Progress | None = None
) -> tuple[Direction, ...]:
    """Both directions, each content once.

    Args:
        pipeline: has `attributes`, among them `mnist` and `svhn`, and `translate(content, guide, to, off)`.
        seed: of the choice of guides.
        split: whose digits are translated: `test`, or `validation` for choosing settings.
        on_step: told how far each part is: drawing, training of a classifier, translation.

    Raises:
        UsageError: if the pipeline has no such attributes, or for another split.
        ModelError: if a classifier errs too often on real digits of its own domain.
        ImageError: if the pipeline gives no pictures in [0, 1].
    """
    require_digits(pipeline)
    if split not in ("test", "validation"):
        raise UsageError(f"digits are judged on test or validation, not on '{split}'")
    size = pipeline.config.size
    seen = {domain: digits(domain, split, size, on_step=on_step) for domain in DOMAINS}
    judges = {domain: trained_judge(domain, seen[domain], pipeline.device, on_step) for domain in DOMAINS}
    found = []
    for source, target in permutations(DOMAINS):
        contents, guides = seen[source], seen[target]
        chosen = np.random.default_rng([seed, DOMAINS.index(target)]).integers(len(guides), size=len(contents))
        shares = judged(pipeline, judges[target], contents, guides, chosen, target, on_step)
        about = {"contents": contents.name, "guides": guides.name, "split": split, "size": size, "seed": seed}
        about["classifier"] = {"steps": STEPS, "batch": BATCH, "seed": SEED}
        found.append(Direction(source, target, shares, about))
    return tuple(found)


def require_digits(pipeline: Any) -> None:
    """Refuse a pipeline that cannot move digits.

    Raises:
        UsageError: if it has no `translate`, or no codes for both domains.
    """
    attributes = getattr(pipeline, "attributes", ())
    if "translate" not in pipeline.operations() or not set(DOMAINS) <= set(attributes):
        known = f"only {', '.join(attributes)}" if attributes else "no attributes"
        raise UsageError(
            f"'{pipeline.method}' cannot move digits between {' and '.join(DOMAINS)}: this model knows {known}; "
            f"train one: {TRAINING}"
        )


def trained_judge(domain: str, real: ImageSource, device: torch.device, on_step: Progress | None = None) -> DigitNet:
    """The classifier of a domain, taught by its train split, if it is good enough.

    Args:
        real: unseen labelled digits of the domain, at the size that will be judged.

    Raises:
        ModelError: if it names fewer than 90 % of them.
    """
    net = train_classifier(digits(domain, "train", min(real.size), on_step=on_step), STEPS, device, on_step)
    accuracy = share(named(net, real), labels(real)).accuracy.value
    if accuracy < LOWEST:
        raise ModelError(
            f"the classifier of {domain} names {accuracy:.1%} of {real.name}, {LOWEST:.0%} needed to judge"
        )
    return net


def train_classifier(
    source: ImageSource, steps: int, device: torch.device | str = "cpu", on_step: Progress | None = None
) -> DigitNet:
    """A classifier of labelled digits, which depends on them and the number of steps alone."""
    truth, generator = labels(source), torch.Generator().manual_seed(SEED)
    with torch.random.fork_rng(devices=[]):  # the caller's random numbers stay as they were
        torch.manual_seed(SEED)
        net = DigitNet().to(device)

    def loss_at(step: int) -> Tensor:
        chosen = torch.randint(len(source), (BATCH,), generator=generator)
        images = disturbed(source.take(chosen.numpy()), generator)
        return F.cross_entropy(net(images.to(device)), truth[chosen].to(device))

    train(net, loss_at, steps, on_step)
    return net.requires_grad_(False)


def disturbed(images: Tensor, generator: torch.Generator) -> Tensor:
    """Moved a little, off in colour, soft and noisy: faults of a translation that leave a digit legible.

    Without them a classifier of MNIST takes every picture on a ground that is not quite
    black for the same digit.

    Args:
        images: (B, 3, H, W) in [0, 1].
        generator: of the random choices; softness and noise are one of a batch.
    """
    angle, wide, high, right, down = torch.rand(5, len(images), generator=generator) * 2 - 1
    angle, wide, high = angle * math.radians(12), 1 + 0.15 * wide, 1 + 0.15 * high
    rows = [angle.cos() * wide, -angle.sin() * high, 0.12 * right, angle.sin() * wide, angle.cos() * high, 0.12 * down]
    grid = F.affine_grid(torch.stack(rows, 1).view(-1, 2, 3), list(images.shape), align_corners=False)
    images = F.grid_sample(images, grid, padding_mode="border", align_corners=False)
    softness, noise = torch.rand(2, generator=generator).tolist()
    images = blur(recolour(images, generator), 0.1 + 1.2 * softness * images.shape[-1] / SIZE)
    return (images + 0.05 * noise * torch.randn(images.shape, generator=generator)).clamp(0, 1)


def labels(source: ImageSource) -> Tensor:
    """The digit of each image: int64 (N,)."""
    assert source.labels is not None  # all digits have them
    return torch.from_numpy(source.labels.astype(np.int64))


def judged(
    pipeline: Any,
    net: DigitNet,
    contents: ImageSource,
    guides: ImageSource,
    chosen: np.ndarray,
    target: str,
    on_step: Progress | None = None,
) -> dict[str, Share]:
    """What the target's classifier says of translations, copies and real digits, by system.

    Args:
        chosen: which guide each content has (N,).
    """

    def translated(rows: np.ndarray) -> Tensor:
        """Contents by number as the pipeline translates them, rounded as a file would round them."""
        shown = contents.take(rows)
        result = pipeline.translate(shown, guides.take(chosen[rows]), to=target, off="all")
        return check_result(result, tuple(shown.shape), "translations").mul(255).round().div(255)

    edits = answers(net, translated, len(contents), on_step)
    copied, own, theirs = named(net, guides), labels(contents), labels(guides)
    copy_input, copy_guide = COPIES
    return {
        EDIT: share(edits, own),
        copy_input: share(named(net, contents), own),
        copy_guide: share(copied[chosen], own),
        REAL: share(copied, theirs),
        GUIDE: share(edits, theirs[chosen]),
    }


def named(net: DigitNet, source: ImageSource) -> Tensor:
    """The digit that the classifier sees in each image: int64 (N,)."""
    return answers(net, source.take, len(source))


@torch.no_grad()
def answers(
    net: DigitNet, pictures: Callable[[np.ndarray], Tensor], count: int, on_step: Progress | None = None
) -> Tensor:
    """The digits that the classifier sees: int64 (count,) on the CPU.

    Args:
        pictures: gives those of some numbers (B,), as (B, 3, H, W) in [0, 1].
    """
    device, found = net.head.weight.device, []
    for rows in np.split(np.arange(count), range(BLOCK, count, BLOCK)):
        found.append(net(pictures(rows).to(device)).argmax(1).cpu())
        if on_step:
            on_step(int(rows[-1]) + 1, count)
    return torch.cat(found)


def share(answers: Tensor, truth: Tensor) -> Share:
    """How many answers (N,) are the truth (N,), in all and of each digit."""
    right = answers == truth
    recall = tuple(float(right[truth == digit].float().mean()) for digit in range(CLASSES))
    return Share(wilson(int(right.sum()), len(right)), recall, len(right))


def records(found: tuple[Direction, ...], label: str) -> list[dict[str, Any]]:
    """Every share, one record each, with all that is needed to know what it is of."""
    return [
        {"system": label if system == EDIT else system, "metric": "accuracy"}
        | {"source": direction.source, "target": direction.target}
        | direction.shares[system].accuracy._asdict()
        | {"recall": [finite(value) for value in direction.shares[system].recall]}
        | {"n": direction.shares[system].total, "unit": "%", "version": __version__}
        | direction.about
        for direction in found
        for system in SYSTEMS
    ]


def cells(found: tuple[Direction, ...], label: str) -> list[list[str]]:
    """The table: a heading, then a line for each direction and system; recall in %."""
    rows = [["direction", "system", "accuracy (%)", *map(str, range(CLASSES))]]
    for direction in found:
        for system in SYSTEMS:
            accuracy, recall, _ = direction.shares[system]
            each = ["-" if math.isnan(value) else f"{100 * value:.0f}" for value in recall]
            name = label if system == EDIT else system
            rows.append([f"{direction.source} to {direction.target}", name, formatted("%", accuracy), *each])
    return rows


def caption(found: tuple[Direction, ...]) -> str:
    """What was measured on what, in a few sentences."""
    sets = ", ".join(f"{each.shares[EDIT].total} of {each.about['contents']}" for each in found)
    return (
        f"Each content ({sets}) with a random guide of the other domain; right is what the target domain's classifier "
        f"takes for the content's digit. '{REAL}' is what the classifier can, '{GUIDE}' how often a translation shows "
        "its guide's digit (chance: 10 %); what a copy scores too is no merit. In brackets 95 % intervals over images, "
        "then recall by digit in %."
    )

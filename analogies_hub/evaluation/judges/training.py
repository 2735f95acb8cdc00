"""How the judges are trained, on people no other split knows, and how good they are on others still."""

import hashlib
import io
import json
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from safetensors.torch import save
from torch import Tensor, nn

from ...data.avatars import ARTISTS, ATTRIBUTES, Face, cached_faces, person
from ...data.cache import Progress
from ...data.source import ImageSource
from ...filters import blur
from ...images import atomic_write, to_pil, to_tensor
from . import SIZE, untrained
from .networks import AttributeNet

PEOPLE = 8000  # a style, for training
HELD_OUT = 2000  # a style, for scores
BATCH = 96  # divisible by the number of styles
RECIPES = {"attributes": (2500, 0), "attributes-second": (2500, 1), "identity": (1200, 0)}  # steps, seed


def as_seen(split: str, number: int) -> Face:
    """A person with attributes of their own."""
    return person("any", split, number)


def in_others_things(split: str, number: int) -> Face:
    """The same person with somebody else's attributes, or none of them."""
    lender = person("any", split, number + 1_000_000)
    return as_seen(split, number).taking(lender, *ATTRIBUTES)


def sources(look: Callable[[str, int], Face], split: str, count: int) -> list[ImageSource]:
    """One source a style, all of the same people."""
    found = []
    for style in ARTISTS:
        key = {"split": split, "look": look.__name__}
        pixels = cached_faces(f"{split}-{look.__name__}", key, partial(look, split), count, (SIZE, style))
        found.append(ImageSource(pixels, name=f"{style} {look.__name__}"))
    return found


def labels(look: Callable[[str, int], Face], split: str, count: int) -> Tensor:
    """Which attributes each face shows: (count, attributes) of 0 and 1."""
    faces = (look(split, number) for number in range(count))
    return torch.tensor([[float(face.shows(name)) for name in ATTRIBUTES] for face in faces])


def disturb(images: Tensor, generator: torch.Generator) -> Tensor:
    """What edits and files do to pictures: a shift of up to 3 px, blur, noise and JPEG, each to half of them.

    Args:
        images: (B, 3, H, W) in [0, 1].
        generator: of the random choices.
    """

    def uniform(low: float, high: float) -> float:
        return low + (high - low) * float(torch.rand(1, generator=generator))

    disturbed = []
    for image in images[:, None]:
        dx, dy = (round(uniform(-3, 3)) for _ in range(2))
        if uniform(0, 1) < 0.5:
            padded = F.pad(image, (3, 3, 3, 3), mode="replicate")
            image = padded[..., 3 + dy : padded.shape[-2] - 3 + dy, 3 + dx : padded.shape[-1] - 3 + dx]
        if uniform(0, 1) < 0.5:
            image = blur(image, uniform(0.3, 1.2))
        if uniform(0, 1) < 0.5:
            image = image + uniform(0, 0.06) * torch.randn(image.shape, generator=generator)
        image = image.clamp(0, 1)
        if uniform(0, 1) < 0.5:
            image = through_jpeg(image, quality=round(uniform(40, 95)))
        disturbed.append(image)
    return torch.cat(disturbed)


def through_jpeg(image: Tensor, quality: int) -> Tensor:
    """What a JPEG file keeps of an image (1, 3, H, W)."""
    file = io.BytesIO()
    to_pil(image)[0].save(file, "JPEG", quality=quality)
    return to_tensor(file.getvalue())


def recolour(images: Tensor, generator: torch.Generator) -> Tensor:
    """Channels scaled and shifted a little, as an edit may do; attributes must not hang on colours."""
    scale, shift = torch.rand(2, len(images), 3, 1, 1, generator=generator)
    return (images * (0.8 + 0.4 * scale) + 0.2 * (shift - 0.5)).clamp(0, 1)


def train(net: nn.Module, loss_at: Callable[[int], Tensor], steps: int, on_step: Progress | None) -> None:
    """Adam with a one-cycle rate on a loss that depends on the step."""
    optimizer = torch.optim.AdamW(net.parameters(), weight_decay=1e-4)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=3e-3, total_steps=steps)
    net.train()
    for step in range(steps):
        loss = loss_at(step)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        if on_step:
            on_step(step + 1, steps)
    net.eval()


def train_attributes(net: AttributeNet, steps: int, seed: int, on_step: Progress | None = None) -> None:
    """Teach a net (B, 3, 64, 64) -> logits (B, 3) which attributes a face shows."""
    faces = sources(as_seen, "judges", PEOPLE)
    truth = labels(as_seen, "judges", PEOPLE)
    generator = torch.Generator().manual_seed(seed)

    def loss_at(step: int) -> Tensor:
        chosen = torch.randint(PEOPLE, (BATCH // len(faces),), generator=generator)
        images = torch.cat([source.take(chosen.numpy()) for source in faces])
        logits = net(disturb(recolour(images, generator), generator))
        return F.binary_cross_entropy_with_logits(logits, truth[chosen].repeat(len(faces), 1))

    train(net, loss_at, steps, on_step)
    with torch.no_grad():
        seen = torch.cat([net.features(source.take(range(min(1000, PEOPLE)))) for source in faces])
    net.spread = seen.std(0).clamp(min=1e-6)


def train_identity(net: nn.Module, steps: int, seed: int, on_step: Progress | None = None) -> None:
    """Teach a net (B, 3, 64, 64) -> unit vectors that a person is the same whatever they wear.

    The loss is InfoNCE (van den Oord et al. 2018, eq. 4) both ways, temperature 0.1; the
    positive is the same person with another's attributes.
    """
    pairs = [sources(look, "judges", PEOPLE) for look in (as_seen, in_others_things)]
    generator = torch.Generator().manual_seed(seed)

    def loss_at(step: int) -> Tensor:
        style = step % len(ARTISTS)
        chosen = torch.randperm(PEOPLE, generator=generator)[:BATCH].numpy()
        first, second = (net(disturb(look[style].take(chosen), generator)) for look in pairs)
        likeness = first @ second.T / 0.1
        same = torch.arange(BATCH)
        return (F.cross_entropy(likeness, same) + F.cross_entropy(likeness.T, same)) / 2

    train(net, loss_at, steps, on_step)


@torch.no_grad()
def attribute_scores(net: nn.Module) -> dict[str, float]:
    """Share of right answers for each attribute, style and kind of disturbance, on people no training saw."""
    truth = labels(as_seen, "judges-test", HELD_OUT) > 0.5
    scores: dict[str, float] = {}
    for style, source in zip(ARTISTS, sources(as_seen, "judges-test", HELD_OUT), strict=True):
        clean = source.take(range(HELD_OUT))
        generator = torch.Generator().manual_seed(0)
        for kind, images in (("clean", clean), ("disturbed", disturb(clean, generator))):
            right = torch.cat([(net(part) > 0) for part in images.split(250)]) == truth
            scores |= {
                f"{style} {kind} {name}": float(right[:, place].float().mean()) for place, name in enumerate(ATTRIBUTES)
            }
    return scores


@torch.no_grad()
def identity_scores(net: nn.Module) -> dict[str, float]:
    """Share of people found among 400 by their picture with another's attributes, and mean likenesses."""
    scores: dict[str, float] = {}
    looks = zip(ARTISTS, *(sources(look, "judges-test", HELD_OUT) for look in (as_seen, in_others_things)), strict=True)
    for style, *views in looks:
        first, second = (torch.cat([net(part) for part in view.take(range(HELD_OUT)).split(250)]) for view in views)
        groups = (first.view(-1, 400, first.shape[1]) @ second.view(-1, 400, first.shape[1]).mT).float()
        found = groups.argmax(2) == torch.arange(400)
        same = groups.diagonal(dim1=1, dim2=2).mean()
        others = (groups.mean((1, 2)) * 400 - groups.diagonal(dim1=1, dim2=2).mean(1)).mean() / 399
        scores |= {
            f"{style} top-1 of 400": float(found.float().mean()),
            f"{style} same": float(same),
            f"{style} others": float(others),
        }
    return scores


def make_judge(name: str, steps: int, seed: int, folder: Path, on_step: Progress | None = None) -> dict[str, Any]:
    """Train one judge, score it on people it never saw, and write its weights and scores.

    Returns:
        What stands in `scores.json`: sha256, training and scores.
    """
    torch.manual_seed(seed)
    net = untrained(name)
    start = time.perf_counter()
    if isinstance(net, AttributeNet):
        train_attributes(net, steps, seed, on_step)
        scores = attribute_scores(net)
    else:
        train_identity(net, steps, seed, on_step)
        scores = identity_scores(net)
    weights = save({key: value.contiguous() for key, value in net.state_dict().items()})
    training = {"steps": steps, "seed": seed, "batch": BATCH, "people": PEOPLE, "styles": list(ARTISTS)}
    entry = {
        "sha256": hashlib.sha256(weights).hexdigest(),
        "parameters": sum(value.numel() for value in net.parameters()),
        "training": training | {"minutes": round((time.perf_counter() - start) / 60, 1)},
        "scores": {key: round(value, 5) for key, value in scores.items()},
    }
    file = folder / "scores.json"
    entries = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    for path, content in (
        (folder / f"{name}.safetensors", weights),
        (file, json.dumps(entries | {name: entry}, indent=1).encode()),
    ):
        with atomic_write(path) as stream:
            stream.write(content)
    return entry

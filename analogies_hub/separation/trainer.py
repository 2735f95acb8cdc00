"""The published training of common and separate codes: reconstruction, zero loss, confusion."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..losses import confusion, mean_size, tells
from ..training import CLIP, Losses, Trainer
from .config import COMMON, DETAIL, SeparationConfig
from .model import Parts
from .networks import CompactCodeCritic, PublishedCodeCritic
from .pipeline import Coder, tiled

DOMAINS = 2  # losses are sums over the two domains of means over their pictures
CRITIC_BETA1 = 0.5  # Adam's first decay rate of every critic
WITHHELD = (0.3, 1.6)  # sides of the rectangles whose details are withheld, see `rectangles`
PUBLISHED_TARGET = 0.0  # the second domain's label, which confused codes of both domains get


class SeparationTrainer(Trainer):
    """The loop of the published code for two domains, one update of each side a step.

    Where it differs: both domains go through a network together (the same result, since
    instance norm keeps pictures apart), and the critic's step does not go back into the
    encoder, whose gradients the published loop throws away.

    Source: sagiebenaim/DomainIntersectionDifference, oripress/ContentDisentanglement.
    """

    pipeline: Coder
    labels: Tensor  # (sets, attributes) of 0 and 1

    def __init__(self, pipeline: Coder) -> None:
        config = pipeline.config
        super().__init__(pipeline, [config.steps])
        self.config: SeparationConfig = config
        self.register_buffer("labels", torch.tensor(config.labels()), persistent=False)
        self.code_critic = self.build_code_critic()
        self.optimize("pipeline", pipeline, lr=config.lr, betas=(config.beta1, config.beta2))
        published = config.networks == "published"  # there the critic's clipping got an empty generator
        self.optimize(
            "code_critic",
            self.code_critic,
            lr=config.lr_critic,
            betas=(CRITIC_BETA1, config.beta2),
            clip=math.inf if published else CLIP,
        )

    def build_code_critic(self) -> nn.Module:
        """What reads attributes off the common code: ours beside our networks, else the published one."""
        channels, side, _ = self.pipeline.common_shape()
        if self.config.networks == "compact":
            return CompactCodeCritic(channels, side, self.answers)
        return PublishedCodeCritic(channels * side**2, self.answers)

    @property
    def answers(self) -> int:
        """How many logits the code critic gives: whether a picture is of the first domain."""
        return 1

    def training_step(self, step: int, *images: Tensor) -> Losses:
        """Update the autoencoder, then the critic with codes of the updated encoder."""
        pictures, shown = torch.cat(images), self.shown(images)
        losses = self.autoencoder_losses(pictures, shown)
        self.update("pipeline", sum(losses.values()))  # type: ignore[arg-type]
        with torch.no_grad():
            common = self.pipeline.encoder_common(pictures)
        losses["critic"] = DOMAINS * tells(self.code_critic(common), shown[:, :1])
        self.update("code_critic", losses["critic"])
        return losses

    def autoencoder_losses(self, pictures: Tensor, shown: Tensor) -> Losses:
        """The weighted terms of the autoencoder's objective by name."""
        config, parts = self.config, self.codes(pictures)
        absent = [parts[name][shown[:, place] < 0.5] for place, name in enumerate(self.pipeline.attributes)]
        own = self.masked(parts, shown)
        drawn = self.pipeline.decoded(self.withheld(own))
        distance = F.mse_loss if config.reconstruction == "l2" else F.l1_loss
        losses = {"recon": config.w_recon * DOMAINS * distance(drawn, pictures)}
        if config.w_zero:
            losses["zero"] = config.w_zero * sum(mean_size(code) for code in absent)  # type: ignore[assignment]
        common = confusion(self.code_critic(parts[COMMON]), PUBLISHED_TARGET)
        return losses | {"confusion": config.w_confusion * DOMAINS * common}

    def shown(self, images: tuple[Tensor, ...]) -> Tensor:
        """Which attributes the pictures of a step show: (all pictures, attributes) of 0 and 1."""
        return self.labels.repeat_interleave(len(images[0]), 0)

    def codes(self, pictures: Tensor) -> Parts:
        """Every part of every picture, separate ones also where the attribute is absent, and all details."""
        parts = self.common_and_details(pictures)
        codes, _ = self.pipeline.encoder_separate(self.pipeline.glimpses(pictures, parts))
        return parts | self.pipeline.by_name(codes)

    def common_and_details(self, pictures: Tensor) -> Parts:
        """What no attribute owns."""
        pipeline = self.pipeline
        parts = pipeline.common_and_pose(pictures)
        return parts if pipeline.encoder_detail is None else parts | {DETAIL: pipeline.encoder_detail(pictures)}

    def masked(self, parts: Parts, shown: Tensor) -> Parts:
        """The parts with zeros for attributes that are not shown."""
        places = enumerate(self.pipeline.attributes)
        return parts | {name: parts[name] * shown[:, place, None, None, None] for place, name in places}

    def withheld(self, parts: Parts) -> Parts:
        """The parts without the details in a rectangle of some pictures, which the other parts must then tell."""
        if DETAIL not in parts:
            return parts
        gone = self.rectangles(parts[DETAIL], self.config.drop, WITHHELD)
        return parts | {DETAIL: parts[DETAIL] * ~gone}

    def rectangles(self, maps: Tensor, share: float, sides: tuple[float, float]) -> Tensor:
        """A rectangle in some of the maps (B, C, H, W), elsewhere on each: (B, 1, H, W) of bool.

        Args:
            share: in how many of them.
            sides: least and largest share of a side; above 1: of the whole side.
        """
        count, _, height, width = maps.shape
        chosen, tall, top, wide, left = self.rand(count, 5).unbind(1)
        rows = within(height, tall, top, sides) & (chosen < share)[:, None]
        return (rows[:, :, None] & within(width, wide, left, sides)[:, None, :])[:, None]

    def validation_score(self, *images: Tensor) -> Tensor:
        """L1 of pictures drawn from their codes without details, and of pictures so translated there and back."""
        pictures, shown = torch.cat(images), self.shown(images)
        own = self.pipeline.blank(self.masked(self.codes(pictures), shown))
        attributes = {name: own[name] for name in self.pipeline.attributes}
        given = {name: code.roll(len(images[0]), 0) for name, code in attributes.items()}
        there = self.pipeline.decoded(own | given)
        back = self.pipeline.decoded(own | self.pipeline.common_and_pose(there))
        return F.l1_loss(self.pipeline.decoded(own), pictures) + F.l1_loss(back, pictures)

    def samples(self, *images: Tensor) -> Tensor:
        """Three rows a set: its pictures as guides, the next set's as contents, and the translations."""
        pipeline, shown = self.pipeline, self.shown(images)
        own = self.masked(pipeline.parts(torch.cat(images)), shown)
        rows, count = [], len(images[0])
        for place, guides in enumerate(images):
            following = (place + 1) % len(images)
            theirs, ours = (
                {name: code[which * count : (which + 1) * count] for name, code in own.items()}
                for which in (place, following)
            )
            given = {name: theirs[name] for name in pipeline.attributes}
            rows += [guides, images[following], pipeline.decoded(pipeline.changed(ours, given))]
        return (tiled(torch.cat(rows), count).clamp(-1, 1) + 1) / 2


def within(side: int, length: Tensor, start: Tensor, sides: tuple[float, float]) -> Tensor:
    """(B,) draws from [0, 1) -> which of some places in a row lie in a stretch of random length: (B, side)."""
    length = sides[0] + (sides[1] - sides[0]) * length
    first = start * (1 - length)
    places = (torch.arange(side, device=length.device) + 0.5) / side
    return (places >= first[:, None]) & (places < (first + length)[:, None])

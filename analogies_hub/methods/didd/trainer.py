"""How the `default` preset of `didd` is trained; the published loop is `SeparationTrainer`."""

import torch
import torch.nn.functional as F
from torch import Tensor

from ...losses import confusion, edges_l1, mean_where, tells
from ...separation.config import COMMON, DETAIL
from ...separation.model import Parts
from ...separation.trainer import CRITIC_BETA1, SeparationTrainer
from ...training import Losses
from .config import DiddConfig
from .networks import PictureCritic
from .pipeline import DiddPipeline

RISE = 1000  # steps over which translations come to count
WRONG = 0.5  # weight of translations in what the critic learns: at 1 it never gets beyond chance
COVER = 0.15  # standard deviation of noise that covers hidden messages, of values in [-1, 1]


class DiddTrainer(SeparationTrainer):
    """Trains what is used: once the autoencoder draws, translations are judged in every step.

    In the losses, c is the common code, s the separate codes, x a picture, g its guide, and
    z = G(c(x), s(g)) the translation, in which some s may be s(x).
    """

    pipeline: DiddPipeline
    config: DiddConfig

    def __init__(self, pipeline: DiddPipeline) -> None:
        super().__init__(pipeline)
        config = pipeline.config
        alone = min(config.steps_alone, config.steps // 3)
        self.stages = (alone, config.steps - alone)
        self.translates = False
        self.picture_critic = PictureCritic(config.size, config.width_critic, len(pipeline.attributes))
        self.optimize("picture_critic", self.picture_critic, lr=config.lr_critic, betas=(CRITIC_BETA1, config.beta2))

    @property
    def answers(self) -> int:
        """How many numbers the code critic guesses: every attribute's separate code."""
        return len(self.pipeline.attributes) * self.config.separate

    def begin_stage(self, stage: int) -> None:
        """First the autoencoder learns to draw, which is fast while nothing else is asked; then to translate."""
        self.translates = stage == 1

    def rate(self, step: int) -> float:
        """Up over the first steps, level, then down to nothing over the last third."""
        return min(1.0, (step + 1) / self.config.warm_up, 3 * (1 - step / self.config.steps))

    def training_step(self, step: int, *images: Tensor) -> Losses:
        """Update the autoencoder, then the critics on the very codes and translations it made."""
        config, pictures, shown = self.config, torch.cat(images), self.shown(images)
        parts, presence = self.seen(pictures)
        own = self.noisy(self.masked(parts, shown))
        losses = self.code_losses(parts, presence, shown)
        drawn = self.pipeline.decoded(self.withheld(own))
        losses["recon"] = config.w_recon * self.distance(drawn, pictures)
        if self.translates:
            edited, sources = self.partners(images)
            wanted = shown.gather(0, sources)
            translated, mixed = self.translations(own, edited, sources)
            rising = min(1.0, (step - self.stages[0]) / RISE)  # a critic that knows nothing yet does harm
            shows = self.picture_critic(self.covered(translated))
            losses["attributes"] = config.w_attributes * rising * tells(shows, wanted)
            back = self.back(translated, own, edited, mixed)
            losses["back"] = config.w_back * rising * self.distance(back, pictures[edited])
        self.update("pipeline", sum(losses.values()))  # type: ignore[arg-type]
        losses |= self.code_critic_step(parts, shown)
        if self.translates:
            losses |= self.picture_critic_step(pictures, drawn, shown, translated, wanted)
        return losses

    def seen(self, pictures: Tensor) -> tuple[Parts, Tensor]:
        """Every part of the pictures, and logits (B, attributes) of what they show.

        Separate encoders see the pictures moved a little, so that their codes say what an
        attribute looks like and leave to the common code where it belongs.
        """
        moved = self.moved(pictures)
        found = {name: encoder(moved) for name, encoder in self.pipeline.encoder_separate.items()}
        parts = self.pipeline.common_parts(pictures) | {name: code for name, (code, _) in found.items()}
        return parts, torch.stack([logit for _, logit in found.values()], dim=1)

    def covered(self, pictures: Tensor) -> Tensor:
        """Pictures under noise: what is too faint to be seen does not count."""
        return pictures + COVER * self.randn(*pictures.shape)

    def moved(self, pictures: Tensor) -> Tensor:
        """Pictures turned by up to `jitter` radians, scaled and shifted by a like share, each differently."""
        count, jitter = len(pictures), self.config.jitter
        turn, scale, *shift = ((2 * self.rand(count, 4) - 1) * jitter).unbind(1)
        cos, sin = (1 + scale) * turn.cos(), (1 + scale) * turn.sin()
        rows = [torch.stack(row, 1) for row in ((cos, -sin, shift[0]), (sin, cos, shift[1]))]
        grid = F.affine_grid(torch.stack(rows, 1), list(pictures.shape), align_corners=False)
        return F.grid_sample(pictures, grid, padding_mode="reflection", align_corners=False)

    def noisy(self, parts: Parts) -> Parts:
        """The parts with noise on separate codes, so that near codes mean near looks."""
        size, names = self.config.noise, self.pipeline.attributes
        return parts | {name: parts[name] + size * self.randn(*parts[name].shape) for name in names}

    def partners(self, images: tuple[Tensor, ...]) -> tuple[Tensor, Tensor]:
        """Which pictures of a step are translated, those of half of the sets, and whose attributes they get.

        Each attribute comes from the picture's guide, or sometimes stays the picture's own:
        so two sets also teach adding to what is there, and taking away without a substitute.

        Returns:
            Numbers of pictures, (B,) and (B, attributes).
        """
        sets, count = len(images), len(images[0])
        numbers = torch.arange(sets * count, device=self.labels.device).view(sets, count)
        turn = int(torch.randint(1, sets, ()))
        chosen = torch.randperm(sets)[: max(1, sets // 2)]
        edited, guides = numbers[chosen].flatten(), numbers[(chosen + turn) % sets].flatten()
        kept = self.rand(len(edited), len(self.pipeline.attributes)) < self.config.keep
        return edited, torch.where(kept, edited[:, None], guides[:, None])

    def translations(self, own: Parts, edited: Tensor, sources: Tensor) -> tuple[Tensor, Parts]:
        """Some of the step's pictures with attributes of others, (B, 3, R, R), and the parts they are drawn from."""
        given = {name: own[name][sources[:, place]] for place, name in enumerate(self.pipeline.attributes)}
        mixed = self.pipeline.changed(chosen(own, edited), given)
        return self.pipeline.decoded(mixed), mixed

    def back(self, translated: Tensor, own: Parts, edited: Tensor, mixed: Parts) -> Tensor:
        """Translations with the pictures' own attributes again, (B, 3, R, R), which should be the pictures.

        Only so are common codes of pictures with and without an attribute asked to mean the
        same: the code critic is content if nobody can tell which is which. Translations are
        taken as data, so that they get no credit for hiding what was there before.
        """
        common = self.pipeline.encoder_common(translated.detach())
        return self.pipeline.decoded(chosen(own, edited) | {COMMON: common, DETAIL: mixed[DETAIL]})

    def code_losses(self, parts: Parts, presence: Tensor, shown: Tensor) -> Losses:
        """Separate encoders must tell whether their attribute is there; from c nobody may, nor what it looks like."""
        config, (logits, looks) = self.config, self.guessed(parts[COMMON])
        return {
            "presence": config.w_presence * tells(presence, shown),
            "confusion": config.w_confusion * confusion(logits),
            "looks": config.w_looks * mean_where(shown, (looks - self.usual(looks, shown)) ** 2),
        }

    @torch.no_grad()
    def usual(self, looks: Tensor, shown: Tensor) -> Tensor:
        """The mean guess (attributes, numbers) over pictures with an attribute, which whoever knows nothing makes."""
        means = (looks * shown[..., None]).sum(0) / shown.sum(0).clamp(min=1)[:, None]
        self.ranks.average([means])
        return means

    def guessed(self, common: Tensor) -> tuple[Tensor, Tensor]:
        """What the code critic reads off c: logits of presence (B, attributes), looks (B, attributes, numbers)."""
        codes = self.code_critic(common).unflatten(1, (-1, self.config.separate))
        return codes[..., 0], codes[..., 1:]

    def distance(self, drawn: Tensor, pictures: Tensor) -> Tensor:
        """L1 of colours, and of edges."""
        return F.l1_loss(drawn, pictures) + self.config.w_edges * edges_l1(drawn, pictures)

    def code_critic_step(self, parts: Parts, shown: Tensor) -> Losses:
        """One update of the critic of codes, taken as they are."""
        logits, looks = self.guessed(parts[COMMON].detach())
        true = torch.stack([parts[name][:, 1:, 0, 0] for name in self.pipeline.attributes], dim=1)
        losses = {"code_critic": tells(logits, shown), "look_critic": mean_where(shown, (looks - true.detach()) ** 2)}
        self.update("code_critic", sum(losses.values()))  # type: ignore[arg-type]
        return losses

    def picture_critic_step(
        self, pictures: Tensor, drawn: Tensor, shown: Tensor, translated: Tensor, wanted: Tensor
    ) -> Losses:
        """One update of the critic of pictures, which learns to see through translations.

        It learns what attributes look like from data and from pictures that the decoder drew
        of all their own parts, so that it cannot tell translations by mere blur.

        Args:
            pictures, drawn, translated: (B, 3, R, R) in [-1, 1], taken as they are.
            shown: what pictures show, and drawn pictures should, (B, attributes) of 0 and 1.
            wanted: what translations should show.
        """
        real, again, fake = (
            self.picture_critic(self.covered(images.detach())) for images in (pictures, drawn, translated)
        )
        loss = tells(real, shown) + tells(again, shown) + WRONG * tells(fake, 1 - wanted)
        self.update("picture_critic", loss)
        return {"picture_critic": loss}


def chosen(parts: Parts, numbers: Tensor) -> Parts:
    """The parts of the pictures with some numbers."""
    return {name: code[numbers] for name, code in parts.items()}

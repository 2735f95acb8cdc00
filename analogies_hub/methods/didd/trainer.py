"""How the `default` preset of `didd` is trained; the published loop is `SeparationTrainer`."""

from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor

from ...losses import confusion, edges_l1, tells
from ...separation.config import ALL, COMMON, DETAIL
from ...separation.model import Parts
from ...separation.networks import CompactSeparateEncoder
from ...separation.trainer import CRITIC_BETA1, SeparationTrainer
from ...training import Losses
from .config import DiddConfig
from .networks import PictureCritic
from .pipeline import DiddPipeline

RISE = 1000  # steps over which what comes with a stage comes to count
WRONG = 0.5  # weight of translations in what the critic learns: at 1 it never gets beyond chance
FOLLOW = 0.2  # by what share what is usual moves to the looks of a step; at 0.05 looks that move fast outrun it
COVER = 0.15  # standard deviation of noise that covers hidden messages, of values in [-1, 1]


class DiddTrainer(SeparationTrainer):
    """Trains what is used: once the autoencoder draws, translations are judged, and later translated back.

    In the losses, c is the common code, s the separate codes, x a picture, g its guide, and
    z = G(c(x), s(g)) the translation, in which some s may be s(x).
    """

    pipeline: DiddPipeline
    config: DiddConfig

    def __init__(self, pipeline: DiddPipeline) -> None:
        super().__init__(pipeline)
        config = pipeline.config
        alone = min(config.steps_alone, config.steps // 3)
        judged = (config.steps - alone) // 3
        self.stages = (alone, judged, config.steps - alone - judged)
        self.translates = self.returns = False
        self.picture_critic = PictureCritic(config.size, config.width_critic, self.answers)
        self.optimize("picture_critic", self.picture_critic, lr=config.lr_critic, betas=(CRITIC_BETA1, config.beta2))

    @property
    def answers(self) -> int:
        """How many logits the code critic gives: one an attribute."""
        return len(self.pipeline.attributes)

    def begin_stage(self, stage: int) -> None:
        """First the autoencoder learns to draw, which is fast while nothing else is asked; then to translate.

        Translating back comes last: while translations still change the whole picture, it
        teaches separate codes to carry the whole picture.
        """
        self.translates, self.returns = stage > 0, stage > 1

    def rate(self, step: int) -> float:
        """Up over the first steps, level, then down to nothing over the last third."""
        return min(1.0, (step + 1) / self.config.warm_up, 3 * (1 - step / self.config.steps))

    def training_step(self, step: int, *images: Tensor) -> Losses:
        """Update the autoencoder, then the critics on the very codes and translations it made."""
        config, pictures, shown = self.config, torch.cat(images), self.shown(images)
        parts, presence = self.seen(pictures, shown)
        own = self.vague(self.noisy(self.masked(parts, shown)))
        losses = self.code_losses(parts, presence, shown)
        drawn = self.pipeline.decoded(self.withheld(own))
        losses |= {"recon": config.w_recon * self.distance(drawn, pictures)} | self.sketch_loss(own, pictures)
        if self.translates:
            edited, sources = self.partners(images)
            wanted = shown.gather(0, sources)
            translated, mixed = self.translations(own, edited, sources)
            shows = self.picture_critic(self.covered(translated))
            losses["attributes"] = config.w_attributes * self.rising(step, 1) * tells(shows, wanted)
            if self.returns:
                back = self.distance(self.back(translated, own, edited, mixed), pictures[edited])
                losses["back"] = config.w_back * self.rising(step, 2) * back
        self.update("pipeline", sum(losses.values()))  # type: ignore[arg-type]
        losses |= self.code_critic_step(parts[COMMON], shown)
        if self.translates:
            losses |= self.picture_critic_step(pictures, drawn, shown, translated, wanted)
        return losses

    def validation_score(self, *images: Tensor) -> Tensor:
        """The score of every method here, plus how often translations do not show the encoders what they should."""
        pipeline, own = self.pipeline, self.pipeline.parts(torch.cat(images))
        given = {name: own[name].roll(len(images[0]), 0) for name in pipeline.attributes}
        found = pipeline.parts(pipeline.draw(pipeline.mixed(own, given, ALL, ALL)) * 2 - 1)
        shows = torch.cat([found[name][:, :1, 0, 0] for name in pipeline.attributes], dim=1)
        wanted = self.shown(images).roll(len(images[0]), 0)
        return super().validation_score(*images) + F.l1_loss(shows, wanted)

    def rising(self, step: int, stage: int) -> float:
        """How much what comes with a stage counts: at first its critics know nothing and do harm."""
        return min(1.0, (step - sum(self.stages[:stage])) / RISE)

    def seen(self, pictures: Tensor, shown: Tensor) -> tuple[Parts, Tensor]:
        """Every part of the pictures, and logits (B, attributes) of what they show.

        Separate encoders see the pictures moved a little, so that their codes say what an
        attribute looks like and leave to the common code where it belongs.
        """
        pipeline, parts = self.pipeline, self.pipeline.common_parts(pictures)
        logits = []
        for place, (name, glimpse) in enumerate(pipeline.glimpses(pictures, parts, pipeline.attributes).items()):
            encoder = cast(CompactSeparateEncoder, pipeline.encoder_separate[name])
            look, logit = encoder.look_and_presence(self.moved(glimpse))
            parts[name] = encoder.code(self.centred(look, encoder.usual, shown[:, place]))
            logits.append(logit)
        return parts, torch.stack(logits, dim=1)

    def centred(self, looks: Tensor, usual: Tensor, there: Tensor) -> Tensor:
        """The looks (B, numbers), which are not asked to move all together; `usual` follows their mean.

        Otherwise codes of mean square 1 become all the same, and where that is prevented by
        taking off what is usual alone, looks run away from it.

        Args:
            usual: (numbers,), changed in place.
            there: (B,) of 0 and 1, of which pictures the looks count.
        """
        count = self.ranks.total(there.sum())
        mean = self.ranks.total((there[:, None] * looks).sum(0)) / count
        usual.lerp_(mean.detach().to(usual.dtype), FOLLOW)
        together = mean * (count > 1)  # a single look is the mean, and would not be asked to move at all
        return looks - together + together.detach()

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
        kept = self.rand(len(edited), self.answers) < self.config.keep
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
        """Separate encoders must tell whether their attribute is there; from c nobody may."""
        config = self.config
        return {
            "presence": config.w_presence * tells(presence, shown),
            "confusion": config.w_confusion * confusion(self.code_critic(parts[COMMON])),
        }

    def distance(self, drawn: Tensor, pictures: Tensor) -> Tensor:
        """L1 of colours, and of edges."""
        return F.l1_loss(drawn, pictures) + self.config.w_edges * edges_l1(drawn, pictures)

    def code_critic_step(self, common: Tensor, shown: Tensor) -> Losses:
        """One update of the critic of codes, taken as they are."""
        loss = tells(self.code_critic(common.detach()), shown)
        self.update("code_critic", loss)
        return {"code_critic": loss}

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

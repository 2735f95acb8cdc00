"""How the `default` preset of `didd` is trained; the published loop is `SeparationTrainer`."""

import torch
import torch.nn.functional as F
from torch import Tensor

from ...losses import confusion, edges_l1, hinge_critic, tells
from ...separation.config import COMMON
from ...separation.pipeline import Parts
from ...separation.trainer import CRITIC_BETA1, SeparationTrainer
from ...training import Losses
from .config import DiddConfig
from .networks import PictureCritic
from .pipeline import DiddPipeline

ERASED = (0.25, 0.6)  # least and largest share of a side that is erased
COVER = 0.15  # standard deviation of noise that covers hidden messages, of values in [-1, 1]
TEMPERATURE = 0.1  # of likenesses of codes, which lie in [-1, 1]


class DiddTrainer(SeparationTrainer):
    """Trains what is used: translations are judged, and translated back, in every step.

    In the losses, c is the common code, s the separate codes, x a picture, g its guide, and
    z = G(c(x), s(g)) the translation, in which some s may be s(x).
    """

    pipeline: DiddPipeline
    config: DiddConfig

    def __init__(self, pipeline: DiddPipeline) -> None:
        super().__init__(pipeline)
        config = pipeline.config
        self.alone = min(config.steps_alone, config.steps // 5)
        self.stages = (self.alone, config.steps - self.alone)
        self.translates = False
        self.picture_critic = PictureCritic(config.size, config.width_critic, len(pipeline.attributes))
        self.optimize("picture_critic", self.picture_critic, lr=config.lr_critic, betas=(CRITIC_BETA1, config.beta2))

    @property
    def answers(self) -> int:
        """How many logits the code critic gives: one an attribute."""
        return len(self.pipeline.attributes)

    def begin_stage(self, stage: int) -> None:
        """First the autoencoder learns to draw, which is fast while nothing else is asked; then to translate."""
        self.translates = stage == 1

    def rate(self, step: int) -> float:
        """Up over the first steps, level, then down to nothing over the last third."""
        return min(1.0, (step + 1) / self.config.warm_up, 3 * (1 - step / self.config.steps))

    def training_step(self, step: int, *images: Tensor) -> Losses:
        """Update the autoencoder, then the critics on the very codes and translations it made."""
        pictures, shown = torch.cat(images), self.shown(images)
        edited, sources = self.partners(images)
        parts, presence = self.seen(pictures, edited)
        own = self.noisy(self.masked(parts, shown))
        losses = self.code_losses(step, parts, presence, shown)
        losses |= {"recon": self.config.w_recon * self.distance(self.decode(own), pictures)}
        translated = None
        if self.translates:
            given = {name: own[name][sources[:, place]] for place, name in enumerate(self.pipeline.attributes)}
            translated = self.decode(given | {COMMON: own[COMMON][edited]})
            losses |= self.translation_losses(translated, shown.gather(0, sources))
            losses |= {"look": self.config.w_look * self.look(translated, parts, shown, sources)}
            losses |= {"back": self.config.w_back * self.back_translation(translated, own, pictures, edited)}
        self.update("pipeline", sum(losses.values()))  # type: ignore[arg-type]
        return losses | self.critic_steps(parts[COMMON], pictures, translated, shown)

    def seen(self, pictures: Tensor, edited: Tensor) -> tuple[Parts, Tensor]:
        """Every part of the pictures, and logits (B, attributes) of what they show.

        Separate encoders see the pictures moved a little, so that their codes say what an
        attribute looks like and leave to the common code where it belongs. The common encoder
        sees holes in pictures that are not translated, so that separate codes are needed.
        """
        moved, holed = self.moved(pictures), self.erased(pictures)
        if self.translates:
            holed[edited] = pictures[edited]
        found = {name: encoder(moved) for name, encoder in self.pipeline.encoder_separate.items()}
        parts = {COMMON: self.pipeline.encoder_common(holed)} | {name: code for name, (code, _) in found.items()}
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

    def erased(self, pictures: Tensor) -> Tensor:
        """Pictures of which some lack a rectangle, so that separate codes learn to say what was there."""
        count, side = len(pictures), pictures.shape[-1]
        chosen, *box = self.rand(count, 5).unbind(1)
        height, width = (ERASED[0] + (ERASED[1] - ERASED[0]) * share for share in box[:2])
        places = (torch.arange(side, device=pictures.device) + 0.5) / side
        rows, columns = (
            (places >= start[:, None]) & (places < (start + length)[:, None])
            for start, length in ((box[2] * (1 - height), height), (box[3] * (1 - width), width))
        )
        gone = (rows[:, :, None] & columns[:, None, :]) & (chosen < self.config.erase)[:, None, None]
        return pictures.masked_fill(gone[:, None], 0.0)

    def noisy(self, parts: Parts) -> Parts:
        """The parts with noise on separate codes, so that near codes mean near looks."""
        size = self.config.noise
        return parts | {name: code + size * self.randn(*code.shape) for name, code in parts.items() if name != COMMON}

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

    def code_losses(self, step: int, parts: Parts, presence: Tensor, shown: Tensor) -> Losses:
        """Separate encoders must tell whether their attribute is there; from c nobody may, once there is a c."""
        config = self.config
        losses = {"presence": config.w_presence * tells(presence, shown)}
        if self.translates:
            rising = min(1.0, (step - self.alone) / config.confusion_steps)
            losses["confusion"] = config.w_confusion * rising * confusion(self.code_critic(parts[COMMON]))
        return losses

    def translation_losses(self, translated: Tensor, wanted: Tensor) -> Losses:
        """z must look real, and show what it was given.

        Args:
            translated: z, (B, 3, R, R) in [-1, 1].
            wanted: (B, attributes) of 0 and 1.
        """
        realism, shows = self.picture_critic(self.covered(translated))
        return {
            "realism": -self.config.w_realism * realism.mean(),
            "attributes": self.config.w_attributes * tells(shows, wanted),
        }

    def look(self, translated: Tensor, parts: Parts, shown: Tensor, sources: Tensor) -> Tensor:
        """How surprising it is that z's attribute is the one it was given, among all that the step's pictures show.

        Args:
            translated: z, (B, 3, R, R) in [-1, 1].
            parts: codes of the step's pictures (N, ...), which get no gradient.
            shown: (N, attributes) of 0 and 1.
            sources: (B, attributes) the number of the picture each attribute was taken from.

        Source: InfoNCE (van den Oord et al. 2018, eq. 4). A mere distance of the two codes
            is least when all codes are equal.
        """
        ranks, terms = self.ranks, []
        seen = self.covered(self.moved(translated))
        for place, (name, encoder) in enumerate(self.pipeline.encoder_separate.items()):
            taken = sources[:, place]
            wanted = shown[taken, place] > 0.5
            theirs, absent = ranks.gather(parts[name].flatten(1)), ranks.gather(shown[:, place]) < 0.5
            ours = encoder(seen)[0].flatten(1)[wanted]
            likeness = (ours @ theirs.T / (theirs.shape[1] * TEMPERATURE)).masked_fill(absent, -torch.inf)
            terms.append(F.cross_entropy(likeness, taken[wanted] + ranks.rank * len(shown), reduction="none"))
        surprise = torch.cat(terms)
        count = ranks.gather(torch.tensor([len(surprise)], device=surprise.device)).sum()
        return surprise.sum() * ranks.world / count.clamp(min=1)  # nothing may have been taken

    def back_translation(self, translated: Tensor, own: Parts, pictures: Tensor, edited: Tensor) -> Tensor:
        """Distance of x and G(c(z), s(x)), z taken as if it were data: pairs that the model made itself.

        No gradient reaches z, so nothing can be hidden in it for the way back.
        """
        parts = {name: code[edited] for name, code in own.items()}
        back = self.decode(parts | {COMMON: self.pipeline.encoder_common(translated.detach())})
        return self.distance(back, pictures[edited])

    def distance(self, drawn: Tensor, pictures: Tensor) -> Tensor:
        """L1 of colours, and of edges."""
        return F.l1_loss(drawn, pictures) + self.config.w_edges * edges_l1(drawn, pictures)

    def critic_steps(self, common: Tensor, pictures: Tensor, translated: Tensor | None, shown: Tensor) -> Losses:
        """One update of each critic, with codes and translations taken as they are."""
        losses = {"code_critic": tells(self.code_critic(common.detach()), shown)}
        self.update("code_critic", losses["code_critic"])
        if translated is not None:
            real, shows = self.picture_critic(self.covered(pictures))
            drawn, _ = self.picture_critic(self.covered(translated.detach()))
            losses["picture_critic"] = hinge_critic(real, drawn) + tells(shows, shown)
            self.update("picture_critic", losses["picture_critic"])
        return losses

    def validation_score(self, *images: Tensor) -> Tensor:
        """As of the published loop, and how badly translations show what they should, by the picture critic."""
        pictures, shown = torch.cat(images), self.shown(images)
        parts = self.masked(self.codes(pictures, shown), shown)
        guides = torch.roll(torch.arange(len(pictures), device=pictures.device), len(images[0]))
        translated = self.decode({name: code if name == COMMON else code[guides] for name, code in parts.items()})
        _, shows = self.picture_critic(translated)
        return super().validation_score(*images) + tells(shows, shown[guides])

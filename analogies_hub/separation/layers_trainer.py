"""How compact networks are trained to draw attributes as layers; the published loop is `SeparationTrainer`."""

from typing import NamedTuple, cast

import torch
import torch.nn.functional as F
from torch import Tensor

from ..losses import confusion, edges_l1, mean_inside, tells
from ..training import Losses
from .config import ALL, COMMON, DETAIL, LayersConfig
from .layers import CompactDecoder, covered, excess_cover, own_colour
from .layers_critics import CriticsTrainer, Translations
from .layers_schedule import LayersSchedule
from .model import POSE, Parts
from .networks import CompactSeparateEncoders
from .pipeline import Coder
from .pose import after, sampled

BLIND = (0.2, 0.5)  # sides of the rectangles where the common code is withheld too, see `rectangles`
HABIT = 0.02  # by what share the usual cover moves to that of a step
FOLLOW = 0.2  # by what share what is usual moves to the looks of a step; at 0.05 looks that move fast outrun it


class Swap(NamedTuple):
    """Which pictures of a step are translated.

    Attributes:
        edited: their numbers (B,).
        guides: numbers (B,) of the pictures that they are to be like.
        sources: numbers (B, attributes) of the pictures whose attributes they get.
    """

    edited: Tensor
    guides: Tensor
    sources: Tensor


class LayersTrainer(CriticsTrainer):
    """Trains layers that hold the whole attribute, and a common code that is the same beneath them.

    In the losses, c is the common code, s the separate codes, x a picture, g its guide, and
    z = G(c(x), s(g)) the translation, in which some s may be s(x).
    """

    config: LayersConfig
    newest_is_best = True  # rates fall to nothing, and the score likes blurs better than what looks real

    def __init__(self, pipeline: Coder) -> None:
        super().__init__(pipeline)
        self.schedule = LayersSchedule(self.config)
        self.stages = (self.schedule.alone, self.config.steps - self.schedule.alone)
        self.translates = False

    def begin_stage(self, stage: int) -> None:
        """First the autoencoder learns to draw, then also to undo its translations."""
        self.translates = stage > 0

    def rate(self, step: int) -> float:
        """As the schedule says."""
        return self.schedule.rate(step)

    def training_step(self, step: int, *images: Tensor) -> Losses:
        """Update the autoencoder, then the critics on the very codes and translations it made."""
        config, pictures, shown = self.config, torch.cat(images), self.shown(images)
        moves = 2 * self.rand(len(pictures), 4) - 1
        parts, presence = self.seen(pictures, shown, self.schedule.jitter(step) * moves)
        own = self.noisy(self.masked(parts, shown))
        losses = self.code_losses(parts, presence, shown)
        losses["pose"] = config.w_pose * self.pose_loss(parts[POSE], pictures, config.move * moves)
        layers = self.layers(own, len(images[0]))
        self.watch(layers, shown)
        placed = self.decoder.placed(own[POSE], layers)
        common, details = self.blinded(own[COMMON], self.withheld(own)[DETAIL])
        canvas = self.decoder.beneath(common, placed, details)
        drawn = self.decoder.layers.over(canvas, placed)
        losses["recon"] = config.w_recon * self.distance(drawn, pictures)
        attributes = self.decoder.layers.over(canvas.detach(), placed)  # or the common code would draw them, too
        places = self.places(own[POSE], shown)
        losses["inside"] = config.w_inside * error_inside(attributes, pictures, places)
        losses["own"] = config.w_own * self.schedule.refined(step) * mean_inside(own_colour(placed), places)
        free = 0.0 if self.schedule.settled(step) else config.free_cover
        losses["cover"] = config.w_cover * self.schedule.price(step) * excess_cover(layers, free)
        if self.translates:
            made, found = self.translations(step, pictures, shown, own, layers)
            losses |= found
        self.update("pipeline", sum(losses.values()))  # type: ignore[arg-type]
        losses |= self.code_critic_step(parts[COMMON], shown)
        if self.translates:
            losses |= self.picture_critic_step(pictures, drawn, shown, made.translated, made.wanted)
            losses |= self.fill_critic_step(made) if self.schedule.settled(step) else {}
        return losses

    def translations(
        self, step: int, pictures: Tensor, shown: Tensor, own: Parts, layers: Tensor
    ) -> tuple[Translations, Losses]:
        """Translate some pictures and back again: what critics then see, and what is asked of it."""
        config, schedule = self.config, self.schedule
        swap = self.partners(len(pictures))
        mine, given = layers[swap.edited], layers[swap.sources, torch.arange(layers.shape[1], device=layers.device)]
        edited, wanted = pictures[swap.edited], shown.gather(0, swap.sources)
        translated, undone, taken = self.back(own, mine, given, swap.edited, not schedule.settled(step))
        gone = taken.to(edited.dtype)
        filled = torch.lerp(edited, translated, F.interpolate(gone, edited.shape[-2:]))
        made = Translations(translated, wanted, filled, F.avg_pool2d(gone, 2), pictures[swap.guides])
        shows = config.w_attributes * schedule.attributes(step)
        losses = {
            "attributes": shows * tells(self.judged(translated, wanted), wanted),
            "back": config.w_back * schedule.translations(step) * self.distance(undone, edited),
        }
        if schedule.settled(step):
            fill = self.fill_critic_loss(filled, made.gone, real=True)
            losses["fill"] = config.w_fill * schedule.fill(step) * fill
        return made, losses

    def validation_score(self, *images: Tensor) -> Tensor:
        """The score of every method here, plus how often translations do not show the encoders what they should."""
        pipeline, own = self.pipeline, self.pipeline.parts(torch.cat(images))
        given = {name: own[name].roll(len(images[0]), 0) for name in pipeline.attributes}
        found = pipeline.parts(pipeline.draw(pipeline.mixed(own, given, ALL, ALL)) * 2 - 1)
        shows = torch.cat([found[name][:, :1, 0, 0] for name in pipeline.attributes], dim=1)
        wanted = self.shown(images).roll(len(images[0]), 0)
        return super().validation_score(*images) + F.l1_loss(shows, wanted)

    @property
    def decoder(self) -> CompactDecoder:
        """The pipeline's."""
        return cast(CompactDecoder, self.pipeline.decoder)

    def seen(self, pictures: Tensor, shown: Tensor, moves: Tensor) -> tuple[Parts, Tensor]:
        """Every part of the pictures, and logits (B, attributes) of what they show.

        Args:
            moves: how far from where the face should be, see `similarity`, separate encoders see it: so
                they cannot tell where exactly it is, and the common code has to.
        """
        parts = self.common_and_details(pictures)
        encoders = cast(CompactSeparateEncoders, self.pipeline.encoder_separate)
        looks, logits = encoders.looks_and_presence(self.decoder.glimpses(parts[POSE], pictures, moves))
        codes = encoders.codes(self.centred(looks, encoders.usual, shown))
        return parts | self.pipeline.by_name(codes), logits

    def pose_loss(self, pose: Tensor, pictures: Tensor, moves: Tensor) -> Tensor:
        """What lies on a face moves as the face does; how well layers fit says too little about where they should lie.

        Args:
            pose: (B, attributes, 4) of the pictures (B, 3, R, R).
            moves: (B, 4), see `similarity`.
        """
        moved = self.pipeline.common_and_pose(sampled(pictures, moves, "border"))
        return F.l1_loss(moved[POSE], after(pose, moves[:, None]))

    def centred(self, looks: Tensor, usual: Tensor, there: Tensor) -> Tensor:
        """The looks (B, attributes, numbers), which are not asked to move all together; `usual` follows their means.

        Otherwise codes of mean square 1 become all the same, and where that is prevented by
        taking off what is usual alone, looks run away from it.

        Args:
            usual: (attributes, numbers), changed in place.
            there: (B, attributes) of 0 and 1, of which pictures the looks count.
        """
        count = self.ranks.total(there.sum(0))[:, None]
        mean = self.ranks.total((there[..., None] * looks).sum(0)) / count
        usual.lerp_(mean.detach().to(usual.dtype), FOLLOW)
        together = mean * (count > 1)  # a single look is the mean, and would not be asked to move at all
        return looks - together + together.detach()

    def noisy(self, parts: Parts) -> Parts:
        """The parts with noise on separate codes, so that near codes mean near looks."""
        size, names = self.config.noise, self.pipeline.attributes
        return parts | {name: parts[name] + size * self.randn(*parts[name].shape) for name in names}

    def partners(self, pictures: int) -> Swap:
        """Which pictures of a step are translated, those of half of the sets, and whose attributes they get.

        Each attribute comes from the picture's guide, or sometimes stays the picture's own:
        so two sets also teach adding to what is there, and taking away without a substitute.
        """
        sets = len(self.labels)
        numbers = torch.arange(pictures, device=self.labels.device).view(sets, -1)
        turn = int(torch.randint(1, sets, ()))
        chosen = torch.randperm(sets)[: max(1, sets // 2)]
        edited, guides = numbers[chosen].flatten(), numbers[(chosen + turn) % sets].flatten()
        kept = self.rand(len(edited), self.answers) < self.config.keep
        return Swap(edited, guides, torch.where(kept, edited[:, None], guides[:, None]))

    def layers(self, own: Parts, count: int) -> Tensor:
        """The layers (B, attributes, 5, R, R) of every picture, not yet placed.

        They are drawn only where a set of `count` pictures shows the attribute.
        """
        rows = torch.arange(len(self.labels) * count, device=self.labels.device).split(count)
        sets = zip(*self.config.labels(), strict=True)  # by attribute, whether each set shows it
        shown = [torch.cat([rows[number] for number, label in enumerate(labels) if label]) for labels in sets]
        return self.decoder.drawn(self.pipeline.separate(own), shown)

    def watch(self, layers: Tensor, shown: Tensor) -> None:
        """Follow where the layers (B, attributes, 5, R, R) of pictures that show their attributes are.

        Only there separate encoders look. Codes of whole pictures tell what most pictures differ
        in, their hues; layers then ignore them, and so they never come to tell which smile it is.
        """
        cover = self.ranks.total(layers[:, :, :1].detach().sum(0))
        count = self.ranks.total(shown.sum(0))[:, None, None, None]
        self.decoder.layers.usual_cover.lerp_(cover / count, HABIT)

    def places(self, pose: Tensor, shown: Tensor) -> Tensor:
        """Where layers are wont to be in pictures that show their attributes, (B, 1, R, R) in [0, 1]."""
        with torch.no_grad():
            return self.decoder.placed(pose, self.decoder.windows() * shown[..., None, None, None]).amax(1)

    def blinded(self, common: Tensor, details: Tensor) -> tuple[Tensor, Tensor]:
        """Common codes (B, C, s, s) and details, of some pictures without a small rectangle of both.

        What a layer shows there nothing else can tell. Otherwise an attribute can as well be left
        to the common code, and its layer never learns to draw it.
        """
        gone = self.rectangles(common, self.config.blind, BLIND)
        known = F.interpolate((~gone).to(details.dtype), details.shape[-2:])
        return common * ~gone, details * known

    def back(self, own: Parts, mine: Tensor, given: Tensor, edited: Tensor, learns: bool) -> tuple[Tensor, ...]:
        """Some pictures, translated and with their own attributes again: they should be as before.

        So the common code is asked to be the same with and without an attribute, and to tell
        what lies beneath; the code critic is content if nobody can tell which is which.
        Translations are taken as data: they get no credit for hiding what was there before.

        Args:
            mine, given: layers (B, attributes, 5, R, R) of these pictures, and those they get instead, not yet placed.
            edited: their numbers (B,).
            learns: whether the critics' opinion of the translations reaches the colours they get.

        Returns:
            Both (B, 3, R, R), and of which details something was taken away, (B, 1, R / 4, R / 4) of bool.
        """
        decoder, common, pose = self.decoder, own[COMMON][edited], own[POSE][edited]
        if not learns:
            given = torch.cat([given[:, :, :1], given[:, :, 1:].detach()], dim=2)
        given = decoder.placed(pose, given)
        before, after = covered(decoder.placed(pose, mine)), covered(given)
        known = own[DETAIL][edited] * ~before
        translated = decoder.laid(common, given, known)
        seen = self.pipeline.common_and_pose(translated.detach())
        undone = decoder.laid(seen[COMMON], decoder.placed(seen[POSE], mine), known * ~after)
        return translated, undone, before & ~after

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


def error_inside(drawn: Tensor, pictures: Tensor, where: Tensor) -> Tensor:
    """L1 of images (B, 3, R, R) at some places (B, 1, R, R), for each picture the mean of those, then of all pictures.

    So a small attribute counts as much as a large one. In the mean of all pixels which smile it
    is makes next to no difference, and all come out alike.
    """
    return mean_inside((drawn - pictures).abs().mean(1, keepdim=True), where)

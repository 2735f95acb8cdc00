"""What judges layers in training: critics of common codes, of whole pictures, and of what is filled in."""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from ..losses import mean_inside, tells
from ..training import Losses
from .config import LayersConfig
from .networks import FillCritic, PictureCritic
from .pipeline import Coder
from .trainer import CRITIC_BETA1, SeparationTrainer

VEIL, SHIFT = 0.15, 2  # noise, of values in [-1, 1], and pixels by which the picture critic sees pictures moved
MIST = 0.05  # noise before the fill critic
WRONG = 0.5  # weight of translations in what the picture critic learns: at 1 it never gets beyond chance


class Translations(NamedTuple):
    """What the critics see of some translations.

    Attributes:
        translated: (B, 3, R, R) in [-1, 1].
        wanted: what they should show, (B, attributes) of 0 and 1.
        filled: the pictures, translated only where something of their own was taken away.
        gone: there, (B, 1, R / 8, R / 8) in [0, 1].
        guides: the pictures (B, 3, R, R) that translations are to be like.
    """

    translated: Tensor
    wanted: Tensor
    filled: Tensor
    gone: Tensor
    guides: Tensor


class CriticsTrainer(SeparationTrainer):
    """The critics, and one update of each."""

    config: LayersConfig

    def __init__(self, pipeline: Coder) -> None:
        super().__init__(pipeline)
        config = self.config
        self.picture_critic = PictureCritic(config.size, config.width_critic, self.answers)
        self.fill_critic = FillCritic(config.width_critic)
        for name in ("picture_critic", "fill_critic"):
            self.optimize(name, getattr(self, name), lr=config.lr_critic, betas=(CRITIC_BETA1, config.beta2))

    @property
    def answers(self) -> int:
        """How many logits the code critic gives: one an attribute."""
        return len(self.pipeline.attributes)

    def code_critic_step(self, common: Tensor, shown: Tensor) -> Losses:
        """One update of the critic of codes, taken as they are."""
        loss = tells(self.code_critic(common.detach()), shown)
        self.update("code_critic", loss)
        return {"code_critic": loss}

    def judged(self, pictures: Tensor, should: Tensor) -> Tensor:
        """The picture critic's logits (B, attributes), or 0 where no set shows what a picture should.

        What pictures with both attributes look like, say, two sets of one each do not tell: a
        critic asked all the same spoils what it knows of each.

        Args:
            pictures: (B, 3, R, R) in [-1, 1].
            should: what they should show, (B, attributes) of 0 and 1.
        """
        known = (should[:, None] == self.labels).all(2).any(1, keepdim=True)
        return self.picture_critic(self.veiled(pictures)) * known

    def veiled(self, pictures: Tensor) -> Tensor:
        """Pictures moved by up to two pixels and under noise: what cannot be seen then does not count."""
        left, up = (int(torch.randint(-SHIFT, SHIFT + 1, ())) for _ in range(2))
        moved = F.pad(pictures, (SHIFT,) * 4, mode="replicate").roll((up, left), (2, 3))
        return moved[..., SHIFT:-SHIFT, SHIFT:-SHIFT] + VEIL * self.randn(*pictures.shape)

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
        real, again = (self.judged(images.detach(), shown) for images in (pictures, drawn))
        fake = self.judged(translated.detach(), wanted)
        loss = tells(real, shown) + tells(again, shown) + WRONG * tells(fake, 1 - wanted)
        self.update("picture_critic", loss)
        return {"picture_critic": loss}

    def fill_critic_loss(self, pictures: Tensor, where: Tensor, real: bool) -> Tensor:
        """The fill critic's loss, should pictures be real, or filled.

        Args:
            pictures: (B, 3, R, R) in [-1, 1].
            where: what counts, (B, 1, R / 8, R / 8) in [0, 1]; each picture counts alike.
        """
        logits = self.fill_critic(pictures + MIST * self.randn(*pictures.shape))
        return mean_inside(F.softplus(-logits if real else logits), where)

    def fill_critic_step(self, made: Translations) -> Losses:
        """One update of the fill critic: guides are real, translations are not, at the same places.

        Reconstruction alone fills what is gone by the middle of all that could be there: faces
        without eyes. Seen whole, translations hide that from a critic.
        """
        filled = self.fill_critic_loss(made.filled.detach(), made.gone, real=False)
        loss = filled + self.fill_critic_loss(made.guides, made.gone, real=True)
        self.update("fill_critic", loss)
        return {"fill_critic": loss}

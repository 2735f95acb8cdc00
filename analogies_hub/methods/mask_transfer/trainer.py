"""The published training of `mask_transfer`; ours is that of layers."""

from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor

from ...losses import confusion, tells
from ...separation.trainer import DOMAINS, PUBLISHED_TARGET, SeparationTrainer
from ...training import Losses
from .config import MaskTransferConfig
from .networks import Decoder
from .pipeline import MaskTransferPipeline


class MaskTransferTrainer(SeparationTrainer):
    """The losses of the paper in the order of the published code, whose batch norms see them in that order.

    r shows the attribute, p does not. Each goes through a network by itself, and so is
    normalised by its own statistics; that alone brings their common codes close.

    Source: rmokady/mbu-content-tansfer, where r is A and p is B; the paper has it the other way round.
    """

    pipeline: MaskTransferPipeline
    config: MaskTransferConfig

    def training_step(self, step: int, *images: Tensor) -> Losses:
        """Update the autoencoders, then the critic with codes of the updated encoder."""
        rich, plain = images
        losses = self.objective(rich, plain)
        self.update("pipeline", sum(losses.values()))  # type: ignore[arg-type]
        with torch.no_grad():
            common = torch.cat([self.pipeline.encoder_common(batch) for batch in (rich, plain)])
        losses["critic"] = DOMAINS * tells(self.code_critic(common), self.shown(images)[:, :1])
        self.update("code_critic", losses["critic"])
        return losses

    def objective(self, rich: Tensor, plain: Tensor) -> Losses:
        """The weighted terms of the autoencoders' objective by name; nothing is detached."""
        config, decoder = self.config, cast(Decoder, self.pipeline.decoder)
        encoder = self.pipeline.encoder_common
        common_rich, common_plain = encoder(rich), encoder(plain)
        look = self.look(rich)
        bare, drawn = decoder.ground(common_rich), decoder.ground(common_plain)
        patch, mask = decoder.painted(common_rich, [look], rich)  # the published code does this twice over
        patch_there, mask_there = decoder.painted(common_plain, [look], plain)
        nothing, unseen = decoder.painted(common_plain, [torch.zeros_like(look)], plain)
        translated = torch.lerp(plain, patch_there, mask_there)
        same = F.l1_loss(torch.lerp(rich, patch, mask), rich) + F.l1_loss(torch.lerp(plain, nothing, unseen), plain)
        losses = {
            "recon": config.w_recon * F.l1_loss(torch.lerp(bare, patch, mask), rich),
            "plain": config.w_plain * F.l1_loss(drawn, plain),
            "same": config.w_same * same,
            "code": config.w_code * F.mse_loss(self.look(translated), look),
        }
        if config.w_common:
            losses["common"] = config.w_common * F.mse_loss(encoder(translated), common_plain)
        codes = torch.cat([common_rich, common_plain])
        confused = config.w_confusion * DOMAINS * confusion(self.code_critic(codes), PUBLISHED_TARGET)
        return losses | {"confusion": confused}

    def look(self, pictures: Tensor) -> Tensor:
        """The separate code (B, D, h, w)."""
        codes, _ = self.pipeline.encoder_separate(pictures[:, None])
        return codes[:, 0]

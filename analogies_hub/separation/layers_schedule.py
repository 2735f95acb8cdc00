"""When what counts in the training of layers, by the step; shares of all steps, so that short runs shrink it all."""

from dataclasses import dataclass

from .config import LayersConfig

RISE = 1000  # steps over which translations, what is filled in and refinement come to count
PRICE_RISE = 2000  # steps over which cover gets its price: sooner small layers vanish, later they stay large
DEAR = 4.0  # times what it costs later, until layers have settled: they would begin by covering whole faces
SHORT = 6  # of a short run each of these, and what comes before translations, is at most one part in so many
SETTLED_ATTRIBUTES = 0.5  # how much the picture critic counts from then on: data tell layers apart, it makes them alike
REFINED_JITTER = 0.1  # how much of the jitter is left once layers are refined


@dataclass(frozen=True)
class LayersSchedule:
    """How much each thing counts at a step, 0 to 1; all at once it would overwhelm the rest."""

    config: LayersConfig

    @property
    def alone(self) -> int:
        """Steps before translations are made."""
        return min(self.config.steps_alone, self.config.steps // SHORT)

    def rate(self, step: int) -> float:
        """Step sizes: up over the first steps, level, then down to nothing over the last third."""
        return min(1.0, (step + 1) / self.config.warm_up, 3 * (1 - step / self.config.steps))

    def price(self, step: int) -> float:
        """What covering costs, in units of its later price."""
        return self.rising(step, PRICE_RISE) * (DEAR + (1 - DEAR) * self.fill(step))

    def translations(self, step: int) -> float:
        """What is asked of translations."""
        return self.rising(step - self.alone, RISE)

    def settled(self, step: int) -> bool:
        """Whether layers should have found their place.

        Until then some cover is free: small layers must be of use before they cost anything.
        From then on what is filled in has to look real, which upsets layers that are still blurred.
        And layers learn their colours from data alone: the picture critic, without which small ones
        never begin, is best pleased by the same loud ones for all.
        """
        return step >= self.share(self.config.settle)

    def fill(self, step: int) -> float:
        """That what is filled in looks real."""
        return self.rising(step - self.share(self.config.settle), RISE)

    def attributes(self, step: int) -> float:
        """That translations show the picture critic their attributes."""
        return self.translations(step) * (1 + (SETTLED_ATTRIBUTES - 1) * self.fill(step))

    def refined(self, step: int) -> float:
        """That colours are borrowed, and how far codes may tell where faces lie.

        Before that a layer has to hide what it replaces, with any colour, and to be where the common code says.
        """
        return self.rising(step - self.share(self.config.refine), RISE)

    def jitter(self, step: int) -> float:
        """How much farther separate encoders see faces than where they are, see `similarity`.

        In the end next to nothing: then codes may tell how an attribute lies in its face.
        """
        return self.config.jitter * self.translations(step) * (1 - (1 - REFINED_JITTER) * self.refined(step))

    def share(self, part: float) -> int:
        """The step at which a share of all is done."""
        return int(part * self.config.steps)

    def rising(self, since: int, steps: int) -> float:
        """From 0 to 1 over some steps, at most a share of a short run."""
        return min(1.0, max(0, since) / max(1, min(steps, self.config.steps // SHORT)))

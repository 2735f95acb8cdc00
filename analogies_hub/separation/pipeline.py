"""What a user can do with common and separate codes."""

import warnings
from collections.abc import Sequence
from typing import Annotated, NamedTuple

import torch
from torch import Tensor

from ..codes import Code
from ..errors import ImageError, Note
from ..images import Picture, common_count
from ..kinds import CodeValue, Frames, Image, Images, Number, Words
from ..operations import operation
from .config import ALL, COMMON, NONE
from .model import Parts, SeparationModel

To = Annotated[str, Words(), "which attributes are taken from the guide"]
Off = Annotated[str, Words(), "which attributes of content are taken away first"]
What = Annotated[str, Words(), "which attributes"]
Part = Annotated[str, Words(extra=(COMMON,)), "which parts change: attributes, or common"]
Steps = Annotated[int, Number(2, 64, whole=True), "pictures from one end to the other, ends included"]


class Interpolation(NamedTuple):
    """Pictures between two ends.

    Args:
        grid: all of them in one picture.
        frames: each of them, row by row.
    """

    grid: Image
    frames: Images


class Step(NamedTuple):
    """A step of an interpolation.

    Args:
        changes: the parts that change.
        nearest: if the common code changes, all parts of the nearer end, which lends its details.
    """

    changes: Parts
    nearest: Parts | None


class Coder(SeparationModel):
    """Takes pictures apart and draws them: the operations that every method with these codes has."""

    @operation(title="Encode: common and separate codes")
    @torch.no_grad()
    def encode(self, image: Image) -> CodeValue:
        """Take a picture apart into its common code and a code for each attribute.

        An attribute that the picture does not show has a code of zeros.

        Args:
            image: the picture; its middle square is used.
        """
        parts = self.parts(self.prepare(image, "image"))
        return Code(self.fingerprint(), {name: parts[name] for name in self.names})

    @operation
    @torch.inference_mode()
    def decode(self, code: CodeValue) -> Image:
        """Draw the picture of a code.

        Args:
            code: what `encode` or `mix` of this very model gave.

        Raises:
            ModelError: if another model made it.
        """
        parts = code.expect(self.fingerprint(), *self.names).parts
        return self.draw({name: part.to(self.device) for name, part in parts.items()})

    @operation
    @torch.inference_mode()
    def reconstruct(self, image: Image) -> Image:
        """Draw a picture from its own codes alone: what the model can and cannot draw.

        Args:
            image: the picture; its middle square is used.
        """
        return self.draw(self.anew(self.parts(self.prepare(image, "image"))))

    def note_missing(self, whose: str, parts: Parts, words: str) -> None:
        """Warn if the model finds none of the named attributes in a picture: there is nothing to move."""
        names = self.named(words)
        found = [parts[name].flatten(1).any(1) for name in names]
        if found and not torch.stack(found).any(0).all():
            missing = f"in '{whose}' the model finds no {' or '.join(names)}; try another picture"
            warnings.warn(missing, Note, stacklevel=4)

    def mixed(self, ours: Parts, theirs: Parts, to: str, off: str) -> Parts:
        """Ours, with the attributes in `off` absent and then those in `to` theirs."""
        absent = {name: torch.zeros_like(ours[name]) for name in self.named(off)}
        return self.changed(ours, absent | {name: theirs[name] for name in self.named(to)})

    def named(self, words: str) -> tuple[str, ...]:
        """The parts that `words` stands for."""
        if words == ALL:
            return self.attributes
        return () if words == NONE else tuple(word for word in words.split("+") if word != NONE)

    def batches(self, **pictures: Picture) -> list[Tensor]:
        """Pictures by name, ready for the encoders, all equally many.

        Raises:
            ImageError: if one holds neither one picture nor as many as the others.
        """
        images = {name: self.prepare(picture, name) for name, picture in pictures.items()}
        count = common_count(images)
        return [batch.expand(count, -1, -1, -1) for batch in images.values()]

    def one(self, name: str, picture: Picture) -> Tensor:
        """A single picture, ready for the encoders.

        Raises:
            ImageError: if it is a batch.
        """
        images = self.prepare(picture, name)
        if len(images) != 1:
            raise ImageError(f"'{name}' must be one picture, got a batch of {len(images)}; call it for each")
        return images


class SeparationPipeline(Coder):
    """Moves attributes between pictures by their codes."""

    @operation
    @torch.no_grad()
    def mix(self, content: CodeValue, guide: CodeValue, to: To = ALL, off: Off = NONE) -> CodeValue:
        """Replace some parts of a code by another's, and switch others off.

        Args:
            content: gives the common code, and every attribute that is neither in `to` nor in `off`.
            guide: gives the attributes in `to`.

        Raises:
            ModelError: if another model made one of the codes.
        """
        made_by = self.fingerprint()
        ours, theirs = (code.expect(made_by, *self.names).parts for code in (content, guide))
        self.note_missing("guide", theirs, to)
        return Code(made_by, self.mixed(ours, theirs, to, off))

    @operation
    @torch.inference_mode()
    def translate(self, content: Image, guide: Image, to: To = ALL, off: Off = ALL) -> Image:
        """Give content the attributes of the guide instead of its own.

        Args:
            content: the picture that is changed.
            guide: the picture whose attributes are taken.

        Raises:
            ImageError: if the numbers of pictures do not match.
        """
        contents, guides = self.batches(content=content, guide=guide)
        both = self.codes(torch.cat([contents, guides]))  # at once: a single picture keeps no machine busy
        ours = {name: code[: len(contents)] for name, code in both.items()}
        theirs = {name: code[len(contents) :] for name, code in both.items()}
        self.note_missing("guide", theirs, to)
        return self.draw(self.mixed(self.detailed(contents, ours), theirs, to, off))

    @operation(title="Add: edit one attribute")
    def add(self, content: Image, guide: Image, what: What = ALL) -> Image:
        """Add attributes of the guide; what else content shows stays.

        Args:
            content: the picture that is changed.
            guide: the picture whose attributes are taken.

        Raises:
            ImageError: if the numbers of pictures do not match.
        """
        return self.translate(content, guide, to=what, off=NONE)

    @operation
    @torch.inference_mode()
    def remove(self, content: Image, what: What = ALL) -> Image:
        """Take attributes away; what else content shows stays.

        Args:
            content: the picture that is changed.
        """
        ours = self.parts(self.prepare(content, "content"))
        self.note_missing("content", ours, what)
        return self.draw(self.mixed(ours, ours, NONE, what))

    @operation(title="Combine: edit two attributes or more")
    @torch.inference_mode()
    def combine(self, content: Image, guides: Frames, what: What = ALL) -> Image:
        """Add several attributes at once, each from a guide of its own.

        Args:
            content: the picture that is changed.
            guides: one for each attribute in `what`, in that order.

        Raises:
            ImageError: if there are not as many guides as attributes.
        """
        words = self.named(what)
        if len(guides) != len(words):
            raise ImageError(f"'guides' holds {len(guides)} pictures, expected {len(words)}: for {', '.join(words)}")
        made = self.parts(self.prepare(content, "content"))
        for word, guide in zip(words, guides, strict=True):
            theirs = self.looks(self.prepare(guide, "guides"))
            self.note_missing("guides", theirs, word)
            made = self.mixed(made, theirs, word, NONE)
        return self.draw(made)

    @operation
    @torch.no_grad()
    def interpolate(
        self,
        content: Image,
        start: Image,
        end: Image,
        across: Part = ALL,
        down_start: Image | None = None,
        down_end: Image | None = None,
        down: Part = COMMON,
        steps: Steps = 5,
    ) -> Interpolation:
        """Go from one picture's attributes to another's in equal steps, and downwards between two other ends.

        Args:
            content: gives every part that does not change.
            start, end: the ends from left to right.
            down_start, down_end: the ends from top to bottom; without them there is one row.

        Raises:
            ImageError: if one of several pictures is a batch, or only one lower end is given.
        """
        if (down_start is None) != (down_end is None):
            raise ImageError("'down_start' and 'down_end' belong together; give both or neither")
        parts = self.parts(self.one("content", content))
        rows = [Step({}, None)]
        if down_start is not None and down_end is not None:
            rows = self.between(down_start, down_end, self.named(down), steps)
        columns = self.between(start, end, self.named(across), steps)
        frames = torch.cat([self.draw(self.crossed(parts, row, column)) for row in rows for column in columns])
        return Interpolation(tiled(frames, steps), frames)

    def between(self, start: Picture, end: Picture, names: Sequence[str], steps: int) -> list[Step]:
        """Changes of the named parts from one picture's to another's, in equal steps."""
        first, last = self.parts(self.one("start", start)), self.parts(self.one("end", end))
        return [
            Step(
                {name: self.blend(first[name], last[name], share) for name in names},
                (first if share < 0.5 else last) if COMMON in names else None,
            )
            for share in torch.linspace(0, 1, steps).tolist()
        ]

    def crossed(self, parts: Parts, row: Step, column: Step) -> Parts:
        """A picture's parts with the changes of a row and of a column."""
        target = {name: parts[name] for name in (COMMON, *self.attributes)}
        return self.changed(row.nearest or column.nearest or parts, target | row.changes | column.changes)


def tiled(images: Tensor, columns: int) -> Tensor:
    """Images (N, 3, H, W) in rows of some columns: (1, 3, N / columns * H, columns * W)."""
    rows = [torch.cat(list(row), dim=-1) for row in images.split(columns)]
    return torch.cat(rows, dim=-2)[None]

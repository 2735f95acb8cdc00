"""Faces as a pen draws them, every person by a hand of their own, as SVG.

The artists of the other styles draw each attribute in a handful of ways, in colours of their choice. A model
that has seen nothing else takes glasses by another hand for eyes, and gives back other colours. These faces
differ in all that faces can differ in and still be faces.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from .faces import Dice, Face
from .pen import Pen, Point, disc, ring, shaded, smooth
from .styles import ANY, BEARD, HAIR, SKIN, tint

LIGHT = tint((0.0, 0.7), (0.4, 1.0))
INK = (None, None, "#111111", "#2b1d16", "#333344")
FRAMES = ("#111111", "#f5f5f5", "#6b4423", "#888888", "#c8a030")
MOUTH = ("#5a1414", "#2a0808", "#7c1e2c", "#a83246")


@dataclass(frozen=True)
class Head:
    """Where things are in a face, in hundredths of the picture's side, and its colours."""

    x: float
    y: float
    wide: float
    tall: float
    square: float
    eyes: float
    gap: float
    mouth: float
    skin: str
    hair: str

    def arc(self, wide: float = 1.0, tall: float = 1.0, start: float = 0.0, end: float = 1.0) -> list[Point]:
        """Points along the outline, made wider and taller; see `ring`."""
        return ring(self.x, self.y, self.wide * wide, self.tall * tall, self.square, start, end)

    def left_and_right(self, points: Sequence[Point]) -> list[list[Point]]:
        """Points to the right of the middle and how far below the eyes, on both sides."""
        return [[(self.x + side * x, self.eyes + y) for x, y in points] for side in (-1, 1)]


def doodle(face: Face, size: int) -> str:
    """A face as an SVG document of size x size pixels.

    Each attribute has dice of its own, so putting one on changes nothing else.
    """
    dice = Dice(f"{face.identity}/doodle")
    pen = Pen(dice.pick(INK), dice.between(0.6, 2.0), dice.pick((0.0, 0.2, 0.5)), Dice(f"{face.identity}/pen"))
    head, ground = random_head(dice), background(dice)
    behind, above = hair(dice, pen, head)
    parts = [behind, bust(dice, pen, head)]
    parts += [part_of(face, "facial_hair", pen, head), above, *features(dice, pen, head)]
    resting = plain_mouth(dice, pen, head)
    parts += [part_of(face, "smile", pen, head) or resting, part_of(face, "glasses", pen, head)]
    turn, zoom = dice.between(-8, 8), dice.between(0.9, 1.1)
    placed = f"rotate({turn:.2f} 50 50) translate(50 50) scale({zoom:.3f}) translate(-50 -50)"
    frame = f'xmlns="http://www.w3.org/2000/svg" viewBox="0 0 100 100" width="{size}" height="{size}"'
    return f'<svg {frame}>{ground}<g transform="{placed}">{"".join(parts)}</g></svg>'


def part_of(face: Face, attribute: str, pen: Pen, head: Head) -> str:
    """An attribute as its owner has it, drawn by the hand that draws the face; nothing where there is none."""
    owner = getattr(face, attribute)
    if owner is None:
        return ""
    own = replace(pen, dice=Dice(f"{face.identity}/pen/{attribute}"))
    return PARTS[attribute](Dice(f"{owner}/doodle/{attribute}"), own, head)


def random_head(dice: Dice) -> Head:
    """A head near the middle; one in seven has no colour of skin."""
    x, y, wide, tall = 50 + dice.between(-3, 3), 51 + dice.between(-3, 3), dice.between(20, 29), dice.between(27, 35)
    return Head(
        x,
        y,
        wide,
        tall,
        square=dice.between(1.8, 2.8),
        eyes=y - tall * dice.between(0.05, 0.22),
        gap=wide * dice.between(0.38, 0.52),
        mouth=y + tall * dice.between(0.48, 0.64),
        skin=tint((0.1, 0.8), (0.4, 1.0))(dice) if dice.uniform() < 1 / 7 else dice.pick(SKIN),
        hair=ANY(dice) if dice.uniform() < 0.3 else dice.pick(HAIR),
    )


def background(dice: Dice) -> str:
    """One colour, a horizon, or a disc."""
    first, second, kind = LIGHT(dice), LIGHT(dice), dice.uniform()
    x, y, side = dice.between(10, 90), dice.between(10, 90), dice.between(15, 45)
    whole = f'<rect x="-1" y="-1" width="102" height="102" fill="{first}"/>'
    if kind < 0.5:
        return whole
    if kind < 0.75:
        return f'{whole}<rect x="-1" y="{y:.1f}" width="102" height="102" fill="{second}"/>'
    return f'{whole}<circle cx="{x:.1f}" cy="{y:.1f}" r="{side:.1f}" fill="{second}"/>'


def hair(dice: Dice, pen: Pen, head: Head) -> tuple[str, str]:
    """What is behind the head, and what lies on it."""
    kind = dice.pick(("bald", "cap", "cap", "long", "bob", "curls", "hat", "fringe", "spikes"))
    low, wide, deep = dice.between(0.4, 0.7), dice.between(4, 9), dice.between(2, 12)
    crown = head.arc(1.06, 1.08, 0.5, 1.0)
    parting = [(head.x + side * head.wide * 0.5, head.y - head.tall * (low - 0.1 * side)) for side in (1, -1)]
    behind = above = ""
    if kind in ("long", "bob"):
        down = 8 if kind == "long" else 2
        around = ring(head.x, head.y - 2 + down, head.wide + wide, head.tall + deep, 2 + low)
        behind = pen.shape(around, head.hair)
    if kind == "curls":
        middles = ring(head.x, head.y - head.tall * 0.25, head.wide, head.tall * 0.8, 2.0, 0.45, 1.05)
        behind = "".join(pen.shape(ring(x, y, 4 + wide * 0.6, 4 + wide * 0.6), head.hair) for x, y in middles)
    if kind in ("cap", "long", "bob"):
        above = pen.shape([*crown, *parting], head.hair)
    if kind == "fringe":
        above = pen.shape([*crown, (head.x, head.y - head.tall * 0.35)], head.hair)
    if kind == "spikes":
        above = pen.shape(spikes(dice, head), head.hair)
    if kind == "hat":
        above = hat(pen, head, ANY(dice), wide)
    return behind, above


def spikes(dice: Dice, head: Head) -> list[Point]:
    """Hair on end."""
    across = [head.x + head.wide * (place / 5 - 1) * 1.05 for place in range(11)]
    rise = [0.55 if place % 2 == 0 else dice.between(0.95, 1.3) for place in range(11)]
    ends = [(head.x + side * head.wide * 0.6, head.y - head.tall * 0.6) for side in (1, -1)]
    return [(x, head.y - head.tall * up) for x, up in zip(across, rise, strict=True)] + ends


def hat(pen: Pen, head: Head, colour: str, brim: float) -> str:
    """A hat with a brim."""
    low, side = head.y - head.tall * 0.5, head.wide * 0.8
    top = [(head.x - side, head.y - head.tall * 1.25), (head.x + side, head.y - head.tall * 1.25)]
    body = [(head.x - head.wide - 3, low), *top, (head.x + head.wide + 3, low)]
    band = ring(head.x, low, head.wide + brim, 4, 4.0)
    return pen.shape(body, colour) + pen.shape(band, shaded(colour, 0.8))


def bust(dice: Dice, pen: Pen, head: Head) -> str:
    """Shoulders, neck, perhaps ears, and the head itself."""
    clothes = ring(head.x, 100 + dice.between(-2, 4), dice.between(26, 40), dice.between(14, 22), dice.between(2, 4))
    top = head.y + head.tall * 0.6
    neck = [(head.x - 8, top), (head.x + 8, top), (head.x + 9, 94), (head.x - 9, 94)]
    ear, ears = dice.between(3, 6), ""
    if dice.uniform() < 0.6:
        places = (head.x - head.wide, head.x + head.wide)
        ears = "".join(pen.shape(ring(x, head.eyes + 4, ear, 1.3 * ear), head.skin) for x in places)
    shoulders = pen.shape(clothes, ANY(dice)) + pen.shape(neck, shaded(head.skin, 0.9))
    return shoulders + ears + pen.shape(head.arc(), head.skin)


def features(dice: Dice, pen: Pen, head: Head) -> list[str]:
    """Eyes, perhaps brows, a nose and red cheeks."""
    parts = [*eyes(dice, pen, head)]
    up, tilt, width = dice.between(5, 9), dice.between(-1, 1), dice.between(0.9, 2.4)
    if dice.uniform() < 0.75:
        brow = [(head.gap - 5, tilt - up), (head.gap, -up - 1), (head.gap + 5, -tilt - up)]
        parts += [pen.line(points, shaded(head.hair, 0.7), width) for points in head.left_and_right(brow)]
    parts.append(nose(dice, pen, head))
    if dice.uniform() < 0.2:
        cheeks = head.left_and_right([(head.wide * 0.6, head.mouth - head.eyes - 5)])
        red = '#ff7070" fill-opacity="0.5'
        parts += [disc(*points[0], head.wide * 0.16, red) for points in cheeks]
    return parts


def eyes(dice: Dice, pen: Pen, head: Head) -> list[str]:
    """Dots, lids, or eyeballs that look to a side."""
    kind = dice.pick(("dot", "dot", "ball", "ball", "almond", "closed", "ring"))
    radius, dark = dice.between(2.2, 4.8), dice.pick(("#111111", "#3b2414", "#1c3b5a", "#24502e"))
    look, iris, parts = dice.between(-1, 1), dice.between(0.45, 0.7), []
    for ((x, y),) in head.left_and_right([(head.gap, 0)]):
        high = radius * (0.65 if kind == "almond" else 1.0)
        if kind == "dot":
            parts.append(disc(x, y, 0.65 * radius, dark))
        elif kind == "closed":
            parts.append(pen.line([(x - radius, y), (x, y + 0.5 * radius), (x + radius, y)], dark, 1.2))
        else:
            edge = pen.ink or (shaded(head.skin, 0.7) if kind == "ring" else None)
            parts += [pen.shape(ring(x, y, radius, high), "#ffffff", edge), disc(x + look, y, iris * high, dark)]
    return parts


def nose(dice: Dice, pen: Pen, head: Head) -> str:
    """One of a few noses, or none."""
    kind, colour = dice.pick(("none", "line", "hook", "dots", "round", "triangle")), shaded(head.skin, 0.72)
    x, y = head.x, head.eyes + (head.mouth - head.eyes) * 0.55
    drawn = {
        "line": lambda: pen.line([(x, y - 5), (x - 1.5, y + 2), (x + 1.5, y + 2.5)], colour, 1.0),
        "hook": lambda: pen.line([(x - 3, y), (x, y + 2.5), (x + 3, y)], colour, 1.0),
        "dots": lambda: disc(x - 1.7, y, 0.8, colour) + disc(x + 1.7, y, 0.8, colour),
        "round": lambda: pen.shape(ring(x, y, 3, 3), colour),
        "triangle": lambda: pen.shape([(x, y - 5), (x + 3, y + 2), (x - 3, y + 2)], colour),
    }
    return drawn[kind]() if kind in drawn else ""


def plain_mouth(dice: Dice, pen: Pen, head: Head) -> str:
    """A mouth that does not smile."""
    colour = dice.pick(("#5a1414", "#222222", "#8c3a3a", shaded(head.skin, 0.55)))
    half, width = head.wide * dice.between(0.14, 0.34), dice.between(1, 2.2)
    x, y, bent = head.x, head.mouth, dice.pick((0.0, 0.0, 2.0, -1.0, None))
    if bent is None:
        return pen.shape(ring(x, y, half * 0.4, half * dice.between(0.25, 0.5)), colour)
    return pen.line([(x - half, y + bent), (x, y - bent * 0.4), (x + half, y + abs(bent))], colour, width)


def smile(dice: Dice, pen: Pen, head: Head) -> str:
    """A curve, or an open mouth, perhaps with teeth or a tongue."""
    half, deep, colour = head.wide * dice.between(0.32, 0.55), dice.between(4, 9), dice.pick(MOUTH)
    kind, lips = dice.pick(("curve", "open", "tongue", "teeth", "grin")), dice.pick((None, None, "#c0392b", "#d96c7a"))
    x, y, width = head.x, head.mouth, dice.between(0.6, 2.0)

    def across(*places: tuple[float, float]) -> list[Point]:
        return [(x + half * along, y + deep * down) for along, down in places]

    if kind == "curve":
        return pen.line(across((-1, -0.4), (-0.5, 0.25), (0, 0.45), (0.5, 0.25), (1, -0.4)), colour, 1.2 + width / 2)
    bowl = across((-1, -0.45), (0, -0.3), (1, -0.45), (0.6, 0.45), (0, 0.75), (-0.6, 0.45))
    art = pen.shape(bowl, "#ffffff" if kind == "grin" else colour, lips, width)
    if kind == "teeth":
        teeth = across((-0.75, -0.34), (0.75, -0.34), (0.5, 0.05), (-0.5, 0.05))
        art += f'<path d="{smooth(teeth, closed=True)}" fill="#ffffff"/>'
    return art + disc(x, y + deep * 0.4, deep * 0.3, "#e06070") if kind == "tongue" else art


def facial_hair(dice: Dice, pen: Pen, head: Head) -> str:
    """A beard, one of a few moustaches, both, or something on the chin."""
    colour = ANY(dice) if dice.uniform() < 0.3 else dice.pick(BEARD)
    kind = dice.pick(("full", "full", "chin", "moustache", "moustache", "curled", "both"))
    up, long, half = dice.between(0.6, 2), dice.between(1.0, 1.15), head.wide * dice.between(0.35, 0.6)
    x, y, art = head.x, head.mouth, ""
    if kind in ("full", "both"):
        side = head.wide * 0.6
        cheeks = [(x - side, y - up), (x, y - head.tall * 0.13), (x + side, y - up)]
        lips = ring(x, y, head.wide * 0.25 + half / 4, 3.8)
        art += pen.shape([*head.arc(1.01, long, 0.0, 0.5), *cheeks], colour) + pen.shape(lips, head.skin, colour)
    if kind == "chin":
        art += pen.shape(ring(x, head.y + head.tall * 0.9, half * 0.6, head.tall * long * 0.2), colour)
    if kind in ("moustache", "both"):
        right = [(0.0, -6.0), (half * 0.6, -5.5), (half, -up), (0.0, -3.0)]
        left = [(-along, down) for along, down in reversed(right[1:3])]
        art += pen.shape([(x + along, y + down) for along, down in right + left], colour)
    if kind == "curled":
        tip = ((0.5, -5.0), (half * 0.6, -3.0), (half * 1.2, -5.0), (half * 1.2, -8.0))
        art += "".join(
            pen.line([(x + side * along, y + down) for along, down in tip], colour, 1 + up) for side in (-1, 1)
        )
    return art


def glasses(dice: Dice, pen: Pen, head: Head) -> str:
    """Round, square or flat ones in any colours, with lenses that are clear, tinted or dark."""
    frame = ANY(dice) if dice.uniform() < 0.6 else dice.pick(FRAMES)
    width, high, square = dice.between(1.2, 4), dice.between(0.7, 1.1), dice.pick((2.0, 2.0, 2.6, 4.0, 8.0))
    wide, y, kind = min(head.gap - 1, head.wide * dice.between(0.3, 0.44)), dice.between(-1, 1.5), dice.uniform()
    lens = "none" if kind < 0.5 else dice.pick(("#222222", "#333344", "#101820"))
    if kind > 0.75:
        lens = f'{ANY(dice)}" fill-opacity="{dice.between(0.3, 0.8):.2f}'
    high *= wide
    still, end = replace(pen, shake=0.0), max(head.wide, head.gap + wide + 1)
    parts = []
    for points in head.left_and_right([*ring(head.gap, y, wide, high, square)]):
        parts.append(still.shape(points, lens, frame, width))
    arms = head.left_and_right([(head.gap + wide, y - 0.2 * high), (end, y - 0.35 * high)])
    inner = head.gap - wide
    bridge = [(head.x + along, head.eyes + y - down * high) for along, down in ((-inner, 0.2), (0, 0.35), (inner, 0.2))]
    return "".join([*parts, *(still.line(points, frame, 0.8 * width) for points in (*arms, bridge))])


PARTS = {"glasses": glasses, "smile": smile, "facial_hair": facial_hair}

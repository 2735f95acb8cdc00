"""A pen: curves through points as the data of SVG paths, as steady as the hand that leads it."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import cos, pi, sin

from .faces import Dice

Point = tuple[float, float]

CORNERS = 16  # points of a closed line: the more, the less a shaken hand shows


@dataclass(frozen=True)
class Pen:
    """How somebody draws: the ink of outlines (None: there are none), their width, and how the hand shakes."""

    ink: str | None
    width: float
    shake: float
    dice: Dice

    def line(self, points: Sequence[Point], colour: str, width: float = 0.0) -> str:
        """A curve through points."""
        look = f'fill="none" stroke="{colour}" stroke-width="{max(width, self.width):.2f}"'
        return f'<path d="{smooth(self.shaken(points), closed=False)}" {look} stroke-linecap="round"/>'

    def shape(self, points: Sequence[Point], fill: str, edge: str | None = None, width: float = 0.0) -> str:
        """What a closed curve through points surrounds, with an edge in ink or another colour.

        Args:
            fill: a colour, or other attributes that begin with one.
        """
        colour = edge or self.ink
        stroke = f' stroke="{colour}" stroke-width="{width or self.width:.2f}"' if colour else ""
        return f'<path d="{smooth(self.shaken(points), closed=True)}" fill="{fill}"{stroke}/>'

    def shaken(self, points: Sequence[Point]) -> list[Point]:
        """Points, each a little off."""
        return [(x + self.off(), y + self.off()) for x, y in points]

    def off(self) -> float:
        """How far the hand misses."""
        return self.dice.between(-self.shake, self.shake)


def ring(
    x: float, y: float, wide: float, tall: float, square: float = 2.0, start: float = 0.0, end: float = 1.0
) -> list[Point]:
    """Points along an ellipse, or along a superellipse that is the more of a rectangle the larger `square` is.

    Args:
        start, end: which turns of it, clockwise from the right.
    """
    count = round(CORNERS * (end - start)) + (end - start < 1)
    turns = [2 * pi * (start + (end - start) * place / max(1, count - (end - start < 1))) for place in range(count)]
    return [(x + wide * power(cos(turn), 2 / square), y + tall * power(sin(turn), 2 / square)) for turn in turns]


def power(value: float, exponent: float) -> float:
    """A power that keeps the sign."""
    return abs(value) ** exponent * (1 if value > 0 else -1)


def smooth(points: Sequence[Point], closed: bool) -> str:
    """The data of a path through points: Catmull-Rom's spline as cubic curves."""
    count = len(points)

    def at(place: int) -> Point:
        return points[place % count if closed else min(max(place, 0), count - 1)]

    text = f"M{points[0][0]:.2f} {points[0][1]:.2f}"
    for place in range(count if closed else count - 1):
        before, here, there, after = (at(place + step) for step in (-1, 0, 1, 2))
        first = (here[0] + (there[0] - before[0]) / 6, here[1] + (there[1] - before[1]) / 6)
        second = (there[0] - (after[0] - here[0]) / 6, there[1] - (after[1] - here[1]) / 6)
        text += "C" + " ".join(f"{value:.2f}" for point in (first, second, there) for value in point)
    return text + "Z" if closed else text


def disc(x: float, y: float, radius: float, fill: str) -> str:
    """A circle without an outline."""
    return f'<circle cx="{x:.2f}" cy="{y:.2f}" r="{radius:.2f}" fill="{fill}"/>'


def shaded(colour: str, times: float) -> str:
    """A colour #rrggbb, darker or lighter."""
    channels = (round(int(colour[place : place + 2], 16) * times) for place in (1, 3, 5))
    return "#" + "".join(f"{min(255, max(0, channel)):02x}" for channel in channels)

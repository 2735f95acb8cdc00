"""What each DiceBear style offers, and how a face becomes a sketch in it."""

import colorsys
from collections.abc import Callable
from dataclasses import dataclass, field

from .faces import ATTRIBUTES, Dice, Face

SKIN = ("#614335", "#ae5d29", "#d08b5b", "#edb98a", "#ffdbb4")
HAIR = ("#2c1b18", "#4a312c", "#724133", "#a55728", "#b58143", "#d6b370", "#ecdcbf", "#c93305", "#9a9a9a")
BEARD = ("#1a1210", "#2b2b30", "#8c8c90", "#e8e1e1", "#d0340a")  # none is near a skin tone: all stay visible
Transform = dict[str, float]


@dataclass(frozen=True)
class Part:
    """An attribute in a style: its component, the variants, how far its size and place vary, and its colour.

    Attributes:
        colour: what the style calls it; None if the artist chose it.
        paint: what draws it.
    """

    component: str
    variants: tuple[str, ...]
    scale: float = 0.0
    shift: float = 0.0
    colour: str | None = None
    paint: Callable[[Dice], str] | None = None


@dataclass(frozen=True)
class AvatarStyle:
    """One DiceBear style.

    Attributes:
        view: x, y and side of the square of the drawing that holds the face.
        common: components that belong to the person, with their variants.
        colours: colours that belong to the person, with what draws them.
        parts: the three attributes.
        credit: who drew it and under which terms.
    """

    name: str
    view: tuple[float, float, float]
    common: dict[str, tuple[str, ...]]
    colours: dict[str, Callable[[Dice], str]]
    parts: dict[str, Part]
    credit: str
    moving: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Sketch:
    """Everything the renderer draws, decided."""

    style: str
    variants: dict[str, str]
    colours: dict[str, list[str]]
    transforms: dict[str, Transform]
    rotation: float
    gradient: float
    view: tuple[float, float, float]


def hexadecimal(red: float, green: float, blue: float) -> str:
    """Channels in [0, 1] as #rrggbb."""
    return "#" + "".join(f"{round(255 * value):02x}" for value in (red, green, blue))


def blend(palette: tuple[str, ...]) -> Callable[[Dice], str]:
    """A mixture of two neighbours of a palette."""

    def colour(dice: Dice) -> str:
        place = dice.uniform() * (len(palette) - 1)
        ends = palette[int(place)], palette[int(place) + 1]
        low, high = (tuple(int(end[start : start + 2], 16) / 255 for start in (1, 3, 5)) for end in ends)
        red, green, blue = (a + (b - a) * (place % 1) for a, b in zip(low, high, strict=True))
        return hexadecimal(red, green, blue)

    return colour


def tint(
    saturation: tuple[float, float], value: tuple[float, float], hue: tuple[float, float] = (0, 1)
) -> Callable[[Dice], str]:
    """A colour with hue, saturation and value in ranges within [0, 1]."""
    return lambda dice: hexadecimal(
        *colorsys.hsv_to_rgb(dice.between(*hue), dice.between(*saturation), dice.between(*value))
    )


def words(text: str) -> tuple[str, ...]:
    """The names in a text."""
    return tuple(text.split())


ANY = tint((0.2, 1.0), (0.2, 1.0))
FRAME = tint((0.3, 1.0), (0.2, 0.95), hue=(0.14, 0.98))  # of glasses: no hue of skin, or they vanish


def beard(dice: Dice) -> str:
    """A hair colour that shows on every skin."""
    return dice.pick(BEARD)


AVATAAARS = AvatarStyle(
    name="avataaars",
    view=(50, 22, 180),
    common={
        "top": words(
            "bigHair bob bun curly curvy dreads dreads01 dreads02 frida frizzle fro froBand hat hijab "
            "longButNotTooLong miaWallace shaggy shaggyMullet shavedSides shortCurly shortFlat shortRound shortWaved "
            "sides straight01 straight02 straightAndStrand theCaesar theCaesarAndSidePart turban "
            "winterHat02 winterHat03 winterHat1"
        ),
        "eyes": ("closed", "default", "eyeRoll", "happy", "side", "squint", "surprised", "wink"),
        "eyebrows": words(
            "angry angryNatural default defaultNatural flatNatural frownNatural raisedExcited raisedExcitedNatural "
            "sadConcerned sadConcernedNatural upDown upDownNatural"
        ),
        "clothes": words(
            "blazerAndShirt blazerAndSweater collarAndSweater hoodie overall shirtCrewNeck shirtScoopNeck shirtVNeck"
        ),
        "nose": ("default",),
        "mouth": ("serious", "sad", "disbelief"),
    },
    colours={
        "skin": blend(SKIN),
        "hair": blend(HAIR),
        "hat": tint((0.2, 0.9), (0.3, 1.0)),
        "clothes": tint((0.2, 0.9), (0.3, 1.0)),
    },
    parts={
        "glasses": Part(
            "accessories",
            ("kurt", "prescription01", "prescription02", "round", "sunglasses", "wayfarers"),
            scale=0.1,
            shift=3,
            colour="accessories",
            paint=FRAME,
        ),
        "smile": Part("mouth", ("default", "smile", "twinkle"), scale=0.15, shift=4),
        "facial_hair": Part(
            "facialHair",
            ("beardLight", "beardMajestic", "beardMedium", "moustacheFancy", "moustacheMagnum"),
            scale=0.05,
            shift=1.5,
            colour="facialHair",
            paint=beard,
        ),
    },
    credit="Avataaars by Pablo Stanley (free for personal and commercial use), via DiceBear",
    moving={"mouth": 4, "eyes": 4, "eyebrows": 6},
)

OPEN_PEEPS = AvatarStyle(
    name="open-peeps",
    view=(180, 130, 450),
    common={
        "head": words(
            "afro bangs bangs2 bantuKnots bun bun2 buns cornrows cornrows2 dreads1 dreads2 flatTop flatTopLong grayBun "
            "grayMedium grayShort hatBeanie hatHip hijab long longAfro longBangs longCurly medium1 medium2 medium3 "
            "mediumBangs mediumBangs2 mediumBangs3 mohawk mohawk2 noHair1 noHair2 noHair3 pomp shaved1 shaved2 shaved3 "
            "short1 short2 short3 short4 short5 turban twists twists2"
        ),
        "expression": ("serious", "solemn", "tired", "suspicious", "eyesClosed", "blank", "veryAngry"),
    },
    colours={
        "skin": blend(SKIN),
        "headContrast": blend(HAIR),
        "clothing": tint((0.2, 0.9), (0.4, 1.0)),
        "ink": tint((0.0, 0.6), (0.0, 0.2)),
    },
    parts={
        "glasses": Part(
            "accessories",
            ("glasses", "glasses2", "glasses3", "glasses4", "glasses5", "sunglasses", "sunglasses2"),
            scale=0.05,
            shift=1,
        ),
        "smile": Part("expression", ("smile", "calm", "smileBig", "smileTeethGap")),
        "facial_hair": Part(
            "facialHair",
            words("chin full full2 full3 goatee1 goatee2 moustache2 moustache5 moustache6 moustache7"),
            scale=0.03,
            shift=1,
        ),
    },
    credit="Open Peeps by Pablo Stanley (CC0), via DiceBear",
)

ARTISTS = {style.name: style for style in (AVATAAARS, OPEN_PEEPS)}


def sketch(face: Face, style: AvatarStyle) -> Sketch:
    """What to draw for a face.

    Each attribute has dice of its own, so putting one on changes nothing else.
    """
    dice = Dice(f"{face.identity}/person")
    variants = {component: dice.pick(options) for component, options in style.common.items()}
    colours = {name: [colour(dice)] for name, colour in style.colours.items()}
    transforms = {component: vary(dice, 0.06, shift) for component, shift in style.moving.items()}
    ground = tint((0.05, 0.6), (0.4, 1.0))
    colours["background"] = [ground(dice), ground(dice)] if dice.uniform() < 0.5 else [ground(dice)]
    rotation, gradient = dice.between(-8, 8), dice.between(0, 360)
    view = jitter(style.view, dice)
    for attribute in ATTRIBUTES:
        owner = getattr(face, attribute)
        if owner is not None:
            wear(style.parts[attribute], Dice(f"{owner}/{attribute}"), variants, colours, transforms)
    return Sketch(style.name, variants, colours, transforms, rotation, gradient, view)


def wear(
    part: Part,
    dice: Dice,
    variants: dict[str, str],
    colours: dict[str, list[str]],
    transforms: dict[str, Transform],
) -> None:
    """Put one attribute, as its owner's dice decide, over what the person has in its place."""
    variants[part.component] = dice.pick(part.variants)
    transforms[part.component] = vary(dice, part.scale, part.shift)
    if part.colour and part.paint:
        colours[part.colour] = [part.paint(dice)]


def vary(dice: Dice, scale: float, shift: float) -> Transform:
    """A component's size and place: `scale` as a share, `shift` in percent of its sides."""
    return {
        "rotate": 0,
        "scale": round(dice.between(1 - scale, 1 + scale), 4),
        "translateX": round(dice.between(-shift, shift), 4),
        "translateY": round(dice.between(-shift, shift), 4),
    }


def jitter(view: tuple[float, float, float], dice: Dice) -> tuple[float, float, float]:
    """The square moved by up to 4 % and zoomed by up to 8 %."""
    x, y, side = view
    zoomed = side * dice.between(0.92, 1.08)
    x += (side - zoomed) / 2 + side * dice.between(-0.04, 0.04)
    y += (side - zoomed) / 2 + side * dice.between(-0.04, 0.04)
    return x, y, zoomed

"""Food and drink to photograph: bottles, jars, boxes, plates; the painters by the names of the vocabulary."""

from __future__ import annotations

import random
from collections.abc import Sequence

from include.sandbox.demo.canvas import BLACK, CREAM, GOLD, WHITE, Area, Canvas, Colour, Painter, mixed

_SHOULDER = [(-0.28, 0.09), (-0.1, 0.2), (0.02, 0.27)]


def _bottle(canvas: Canvas, glass: Colour, shoulder: Sequence[tuple[float, float]], body: float) -> None:
    canvas.turned([(-0.95, 0.085), (-0.5, 0.085), *shoulder, (0.05, body), (0.9, body), (0.95, body * 0.9)], glass, 0.5)


def _foil_bottle(canvas: Canvas, colour: Colour, chance: random.Random) -> Area:
    body = chance.uniform(0.28, 0.33)
    _bottle(canvas, colour, [(-0.3, 0.12), (-0.1, body * 0.8), (0.02, body * 0.97)], body)
    foil = chance.choice([GOLD, (170, 30, 45), (40, 42, 46), (214, 214, 210), mixed(GOLD, WHITE, 0.4)])
    canvas.turned([(-1.0, 0.09), (-0.93, 0.115), (-0.86, 0.1), (-0.42, 0.1), (-0.3, 0.13)], foil, 0.6)
    canvas.box(-0.12, -0.84, 0.12, -0.8, mixed(foil, BLACK, 0.4), 0.01)
    return -body, 0.2, body, 0.72


def _wine_bottle(canvas: Canvas, colour: Colour, chance: random.Random) -> Area:
    body = chance.uniform(0.25, 0.29)
    _bottle(canvas, colour, [(-0.36, 0.09), (-0.26, 0.2), (-0.18, body)], body)
    cap = chance.choice([(110, 20, 35), BLACK, (60, 70, 90), GOLD, (196, 160, 120)])
    canvas.turned([(-0.97, 0.09), (-0.62, 0.09)], cap, 0.3)
    return -body, 0.05, body, 0.66


def _burgundy_bottle(canvas: Canvas, colour: Colour, chance: random.Random) -> Area:
    _bottle(canvas, colour, [(-0.42, 0.1), *_SHOULDER[1:]], 0.29)
    canvas.turned([(-0.97, 0.09), (-0.6, 0.09)], chance.choice([(120, 25, 35), BLACK, GOLD]), 0.3)
    return -0.29, 0.18, 0.29, 0.7


def _flask(canvas: Canvas, colour: Colour, chance: random.Random) -> Area:
    body = chance.uniform(0.34, 0.44)
    canvas.turned(
        [(-0.7, 0.1), (-0.42, 0.1), (-0.3, body * 0.9), (-0.22, body), (0.82, body), (0.88, body * 0.92)], colour, 0.55
    )
    canvas.turned([(-0.9, 0.13), (-0.68, 0.13)], chance.choice([(90, 60, 35), BLACK, GOLD, WHITE]), 0.2)
    return -body, -0.05, body, 0.55


def _slender_bottle(canvas: Canvas, colour: Colour, chance: random.Random) -> Area:
    body = chance.uniform(0.17, 0.22)
    canvas.turned([(-0.9, 0.06), (-0.4, 0.07), (-0.15, body), (0.9, body), (0.95, body * 0.9)], colour, 0.5)
    canvas.turned([(-1.0, 0.075), (-0.78, 0.075)], chance.choice([BLACK, (130, 40, 40), GOLD, (60, 90, 60)]), 0.2)
    return -body, 0.1, body, 0.7


def _sauce_bottle(canvas: Canvas, colour: Colour, chance: random.Random) -> Area:
    body = chance.uniform(0.26, 0.32)
    canvas.turned(
        [(-0.6, 0.1), (-0.35, body * 0.8), (-0.1, body), (0.85, body * 0.95), (0.9, body * 0.85)], colour, 0.3
    )
    canvas.turned(
        [(-0.82, 0.06), (-0.72, 0.13), (-0.58, 0.14)], chance.choice([WHITE, BLACK, (200, 40, 40), (40, 110, 60)]), 0.2
    )
    return -body, -0.05, body, 0.6


def _jar(canvas: Canvas, colour: Colour, chance: random.Random) -> Area:
    body = chance.uniform(0.42, 0.52)
    canvas.turned([(-0.5, body * 0.86), (-0.38, body), (0.62, body), (0.7, body * 0.92)], colour, 0.45)
    lid = chance.choice([GOLD, WHITE, (170, 40, 40), (50, 60, 55)])
    canvas.turned([(-0.7, body * 0.86), (-0.48, body * 0.9)], lid, 0.3)
    return -body, -0.18, body, 0.45


def _tin(canvas: Canvas, colour: Colour, chance: random.Random) -> Area:
    body = chance.uniform(0.36, 0.55)
    top = -body * chance.uniform(0.9, 1.4)
    canvas.turned([(top, body), (-top, body)], colour, 0.3)
    for edge in (top, -top):
        canvas.turned([(edge - 0.03, body * 1.02), (edge + 0.03, body * 1.02)], (190, 192, 196), 0.4)
    canvas.disc(0, top, body, (205, 207, 210), 0.16)
    return -body, top * 0.6, body, -top * 0.7


def _box(canvas: Canvas, colour: Colour, chance: random.Random) -> Area:
    half, tall = chance.uniform(0.42, 0.62), chance.uniform(0.45, 0.75)
    canvas.box(half - 0.02, -tall + 0.05, half + 0.16, tall - 0.04, mixed(colour, BLACK, 0.4), 0.01)
    canvas.box(-half, -tall, half, tall, colour, 0.02, 0.18)
    canvas.box(-half, tall - 0.25, half, tall - 0.1, mixed(colour, WHITE, 0.55), 0.01)
    return -half, -tall + 0.1, half, tall * 0.2


def _gift_box(canvas: Canvas, colour: Colour, chance: random.Random) -> Area:
    canvas.box(-0.36, -0.95, 0.36, 0.95, mixed(colour, BLACK, 0.2), 0.02, 0.3)
    canvas.box(-0.36, -0.95, 0.36, -0.86, GOLD, 0.01)
    if chance.random() < 0.6:
        canvas.turned([(-0.62, 0.06), (-0.3, 0.07), (-0.1, 0.16), (0.4, 0.17), (0.44, 0.15)], (38, 66, 44), 0.5)
        canvas.turned([(-0.66, 0.06), (-0.36, 0.07)], GOLD, 0.5)
    return -0.36, 0.45, 0.36, 0.86


def _bar(canvas: Canvas, colour: Colour, chance: random.Random) -> Area:
    canvas.box(-0.48, -0.9, 0.48, 0.6, colour, 0.02, 0.15)
    canvas.box(-0.44, 0.55, 0.44, 0.95, (70, 42, 28), 0.02)
    for column in range(4):
        canvas.box(-0.42 + column * 0.215, 0.63, -0.24 + column * 0.215, 0.9, (92, 58, 38), 0.03, 0.25)
    canvas.box(-0.48, -0.9, 0.48, -0.78, mixed(colour, GOLD, 0.7), 0.01)
    return -0.48, -0.65, 0.48, 0.15


def _ballotin(canvas: Canvas, colour: Colour, chance: random.Random) -> Area:
    canvas.turned([(-0.4, 0.62), (0.65, 0.5)], colour, 0.05)
    canvas.turned([(-0.5, 0.64), (-0.36, 0.63)], mixed(colour, BLACK, 0.25), 0.05)
    ribbon = chance.choice([GOLD, (180, 40, 60), WHITE])
    canvas.box(-0.06, -0.5, 0.06, 0.65, ribbon, 0.01)
    for side in (-0.16, 0.16):
        canvas.disc(side, -0.56, 0.16, ribbon, 0.6, 0.2)
    return -0.5, 0.05, 0.5, 0.5


def _truffles(canvas: Canvas, colour: Colour, chance: random.Random) -> None:
    canvas.disc(0, 0.15, 0.95, (228, 226, 220), 0.6)
    canvas.disc(0, 0.13, 0.78, (240, 239, 234), 0.6)
    for _ in range(9):
        u, v = chance.uniform(-0.55, 0.55), chance.uniform(-0.2, 0.4)
        canvas.disc(u, v, chance.uniform(0.13, 0.18), mixed(colour, (90, 60, 40), chance.random()), 0.95, 0.35)


def _biscuits(canvas: Canvas, colour: Colour, chance: random.Random) -> None:
    for row in range(4):
        for column in range(3):
            u, v = -0.55 + column * 0.55 + chance.uniform(-0.06, 0.06), -0.7 + row * 0.45
            canvas.box(u - 0.23, v - 0.17, u + 0.23, v + 0.17, mixed(colour, (150, 90, 50), 0.25), 0.06, 0.2)
            for dot in (-0.1, 0.0, 0.1):
                canvas.disc(u + dot, v, 0.025, mixed(colour, BLACK, 0.35))


def _bag(canvas: Canvas, colour: Colour, chance: random.Random) -> Area:
    canvas.turned([(-0.85, 0.44), (-0.75, 0.46), (-0.3, 0.56), (0.5, 0.58), (0.85, 0.5)], colour, 0.12)
    canvas.stripes(-0.46, -0.85, 0.46, -0.74, mixed(colour, BLACK, 0.35), 0.05, 0.0)
    canvas.disc(0, 0.52, 0.24, mixed(colour, chance.choice([WHITE, BLACK]), 0.6), 0.8)
    return -0.5, -0.5, 0.5, 0.15


def _cup(canvas: Canvas, colour: Colour, chance: random.Random) -> Area | None:
    glass = chance.random() < 0.5
    canvas.turned([(-0.5, 0.5), (0.55, 0.36), (0.6, 0.34)], mixed(colour, WHITE, 0.5 if glass else 0.1), 0.4)
    if glass:
        canvas.turned([(0.0, 0.44), (0.5, 0.37)], mixed(colour, (150, 60, 80), 0.5), 0.3)
    for _ in range(5):
        canvas.disc(
            chance.uniform(-0.28, 0.28), -0.52 + chance.uniform(-0.1, 0.04), 0.2, mixed(colour, WHITE, 0.25), 0.9, 0.2
        )
    return None if glass else (-0.38, -0.15, 0.38, 0.4)


def _tub(canvas: Canvas, colour: Colour, chance: random.Random) -> Area:
    canvas.turned([(-0.35, 0.62), (0.55, 0.5)], colour, 0.2)
    canvas.turned([(-0.52, 0.66), (-0.34, 0.66)], mixed(colour, WHITE, 0.5), 0.2)
    return -0.5, -0.15, 0.5, 0.4


def _plate(canvas: Canvas, colour: Colour, chance: random.Random) -> None:
    canvas.disc(0, 0.05, 0.95, (232, 231, 228), 0.7)
    canvas.disc(0, 0.04, 0.7, (246, 245, 243), 0.7)
    for _ in range(14):
        tint = mixed(
            colour, chance.choice([(90, 130, 60), (240, 220, 170), (150, 60, 40), WHITE]), chance.random() * 0.7
        )
        canvas.disc(chance.gauss(0, 0.24), 0.02 + chance.gauss(0, 0.14), chance.uniform(0.07, 0.2), tint, 0.7, 0.2)


def _tray(canvas: Canvas, colour: Colour, chance: random.Random) -> Area:
    canvas.box(-0.85, -0.62, 0.85, 0.62, (45, 45, 50), 0.08, 0.2)
    canvas.box(-0.76, -0.53, 0.76, 0.53, mixed(colour, CREAM, 0.4), 0.06)
    for _ in range(18):
        tint = mixed(colour, chance.choice([(90, 130, 60), CREAM, (150, 60, 40)]), chance.random() * 0.8)
        canvas.disc(chance.uniform(-0.62, 0.62), chance.uniform(-0.4, 0.4), chance.uniform(0.08, 0.17), tint, 0.8, 0.2)
    canvas.box(-0.85, -0.2, 0.85, 0.25, mixed(colour, WHITE, 0.75), 0.01)
    return -0.7, -0.18, 0.7, 0.23


def _wheel(canvas: Canvas, colour: Colour, chance: random.Random) -> Area | None:
    canvas.turned([(0.05, 0.75), (0.42, 0.75)], mixed(colour, (170, 130, 70), 0.3), 0.05)
    canvas.disc(0, 0.42, 0.75, mixed(colour, (170, 130, 70), 0.35), 0.42)
    canvas.disc(0, 0.05, 0.75, colour, 0.42)
    if chance.random() < 0.5:
        for _ in range(8):
            u, v = chance.uniform(-0.5, 0.5), 0.05 + chance.uniform(-0.15, 0.15)
            canvas.disc(u, v, chance.uniform(0.03, 0.08), mixed(colour, BLACK, 0.2), 0.45)
        return None
    return -0.45, -0.13, 0.45, 0.2


def _slices(canvas: Canvas, colour: Colour, chance: random.Random) -> None:
    canvas.box(-0.9, -0.6, 0.9, 0.6, (196, 150, 104), 0.05, 0.15)
    for number in range(7):
        u, v = -0.55 + number * 0.18, chance.uniform(-0.12, 0.12)
        canvas.disc(u, v, 0.34, mixed(colour, WHITE, 0.55), 1.05)
        canvas.disc(u, v, 0.3, mixed(colour, (160, 40, 50), 0.3), 1.05, 0.1)


def _carton(canvas: Canvas, colour: Colour, chance: random.Random) -> Area:
    canvas.box(0.33, -0.62, 0.5, 0.9, mixed(colour, BLACK, 0.35), 0.01)
    canvas.box(-0.36, -0.62, 0.36, 0.92, colour, 0.01, 0.1)
    canvas.turned([(-0.85, 0.3), (-0.6, 0.37)], mixed(colour, WHITE, 0.4), 0.0)
    canvas.disc(0.1, -0.72, 0.1, WHITE, 0.7, 0.2)
    for _ in range(2):
        canvas.disc(chance.uniform(-0.15, 0.15), 0.55, 0.2, mixed(colour, (255, 220, 60), 0.5), 1, 0.3)
    return -0.36, -0.4, 0.36, 0.25


GROCERY_SHAPES: dict[str, Painter] = {
    "foil_bottle": _foil_bottle,
    "wine_bottle": _wine_bottle,
    "burgundy_bottle": _burgundy_bottle,
    "flask": _flask,
    "slender_bottle": _slender_bottle,
    "sauce_bottle": _sauce_bottle,
    "jar": _jar,
    "tin": _tin,
    "box": _box,
    "gift_box": _gift_box,
    "bar": _bar,
    "ballotin": _ballotin,
    "truffles": _truffles,
    "biscuits": _biscuits,
    "bag": _bag,
    "cup": _cup,
    "tub": _tub,
    "plate": _plate,
    "tray": _tray,
    "wheel": _wheel,
    "slices": _slices,
    "carton": _carton,
}

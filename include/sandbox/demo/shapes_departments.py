"""Other things to photograph, by the names of the vocabulary."""

from __future__ import annotations

import math
import random

from include.sandbox.demo.canvas import BLACK, CREAM, GOLD, WHITE, Area, Canvas, Colour, Painter, mixed


def _cushion(canvas: Canvas, colour: Colour, chance: random.Random) -> None:
    canvas.box(-0.75, -0.7, 0.75, 0.7, colour, 0.2, 0.2)
    other = mixed(colour, chance.choice([WHITE, BLACK, GOLD, (40, 90, 120)]), 0.6)
    if chance.random() < 0.5:
        canvas.stripes(-0.66, -0.6, 0.66, 0.6, other, chance.uniform(0.12, 0.35), chance.choice([0.0, 0.5, 1.0]))
    else:
        for _ in range(12):
            canvas.disc(
                chance.uniform(-0.55, 0.55), chance.uniform(-0.5, 0.5), chance.uniform(0.05, 0.14), other, 1, 0.1
            )


def _curtain(canvas: Canvas, colour: Colour, chance: random.Random) -> None:
    canvas.box(-0.95, -0.98, 0.95, -0.9, (120, 90, 60), 0.02)
    for start in (-0.9, 0.08):
        canvas.box(start, -0.9, start + 0.82, 0.95, colour, 0.01, 0.1)
        canvas.stripes(start, -0.9, start + 0.82, 0.95, mixed(colour, BLACK, 0.3), chance.uniform(0.12, 0.2), 0.0)


def _bed(canvas: Canvas, colour: Colour, chance: random.Random) -> None:
    canvas.box(-0.95, -0.75, 0.95, -0.15, (120, 84, 56), 0.06, 0.1)
    canvas.box(-0.95, -0.2, 0.95, 0.8, colour, 0.06, 0.15)
    canvas.stripes(
        -0.9, -0.1, 0.9, 0.75, mixed(colour, WHITE, 0.45), chance.uniform(0.1, 0.3), chance.choice([0.0, 0.5, 1.0])
    )
    for side in (-0.47, 0.47):
        canvas.box(side - 0.36, -0.42, side + 0.36, -0.06, mixed(colour, WHITE, 0.7), 0.12, 0.15)


def _blanket(canvas: Canvas, colour: Colour, chance: random.Random) -> None:
    canvas.box(-0.7, -0.6, 0.7, 0.6, colour, 0.08, 0.15)
    for row in range(5):
        for column in range(6):
            canvas.disc(
                -0.55 + column * 0.22, -0.44 + row * 0.22, 0.045, mixed(colour, chance.choice([WHITE, GOLD]), 0.8)
            )


def _baby_suit(canvas: Canvas, colour: Colour, chance: random.Random) -> Area:
    for side in (-1, 1):
        canvas.box(min(side * 0.3, side * 0.85), -0.6, max(side * 0.3, side * 0.85), -0.28, colour, 0.1)
        canvas.box(side * 0.24 - 0.2, 0.3, side * 0.24 + 0.2, 0.88, colour, 0.1)
    canvas.box(-0.44, -0.7, 0.44, 0.5, mixed(colour, WHITE, 0.1), 0.12, 0.1)
    canvas.disc(0, -0.72, 0.17, mixed(colour, BLACK, 0.12), 0.6)
    canvas.disc(0, 0.2, 0.16, mixed(colour, chance.choice([(240, 120, 90), (90, 130, 190), GOLD]), 0.7), 1, 0.2)
    return -0.3, -0.4, 0.3, -0.1


def _baby_bottle(canvas: Canvas, colour: Colour, chance: random.Random) -> None:
    canvas.turned([(-0.4, 0.22), (0.8, 0.26), (0.85, 0.23)], (236, 240, 242), 0.4)
    canvas.turned([(-0.05, 0.23), (0.78, 0.25)], (250, 248, 240), 0.2)
    canvas.turned([(-0.58, 0.24), (-0.38, 0.25)], colour, 0.2)
    canvas.turned([(-0.88, 0.05), (-0.78, 0.07), (-0.66, 0.19), (-0.58, 0.2)], (232, 200, 150), 0.3)
    for tick in range(6):
        canvas.box(0.02, 0.0 + tick * 0.12, 0.16, 0.015 + tick * 0.12, mixed(colour, BLACK, 0.5), 0.0)


def _watch(canvas: Canvas, colour: Colour, chance: random.Random) -> None:
    strap = chance.choice([BLACK, (110, 70, 40), colour, (190, 192, 196)])
    canvas.box(-0.22, -1.0, 0.22, 1.0, strap, 0.05, 0.25)
    canvas.disc(0, 0, 0.56, mixed(chance.choice([GOLD, (200, 202, 206)]), BLACK, 0.15), 1, 0.1)
    canvas.disc(0, 0, 0.48, chance.choice([WHITE, BLACK, colour, CREAM]))
    mark = chance.choice([GOLD, (120, 120, 124)])
    for hour in range(12):
        angle = hour * math.pi / 6
        canvas.disc(0.4 * math.sin(angle), 0.4 * math.cos(angle), 0.03, mark)
    for reach, turn in ((0.26, chance.uniform(0, 6.28)), (0.36, chance.uniform(0, 6.28))):
        for step in range(12):
            canvas.disc(reach * step / 12 * math.sin(turn), reach * step / 12 * math.cos(turn), 0.022, mark)


def _vase(canvas: Canvas, colour: Colour, chance: random.Random) -> None:
    waist = chance.uniform(0.12, 0.25)
    canvas.turned([(-0.5, 0.2), (-0.3, waist), (0.2, 0.42), (0.6, 0.36), (0.9, 0.22)], colour, 0.5)
    if chance.random() < 0.6:
        for _ in range(7):
            tint = chance.choice([(200, 60, 90), (240, 200, 80), (230, 230, 225), (90, 140, 80)])
            canvas.disc(chance.uniform(-0.4, 0.4), chance.uniform(-0.95, -0.5), 0.15, tint, 0.9, 0.3)


def _frame(canvas: Canvas, colour: Colour, chance: random.Random) -> None:
    canvas.box(-0.75, -0.85, 0.75, 0.85, mixed(colour, (90, 60, 30), 0.5), 0.02, 0.2)
    canvas.box(-0.62, -0.72, 0.62, 0.72, WHITE, 0.01)
    canvas.box(-0.48, -0.58, 0.48, 0.58, mixed(colour, (150, 190, 220), 0.6), 0.0)
    canvas.disc(chance.uniform(-0.2, 0.2), -0.2, 0.14, (246, 220, 120))
    canvas.box(-0.48, 0.1, 0.48, 0.58, mixed(colour, (70, 110, 70), 0.6), 0.0, 0.3)


def _candle(canvas: Canvas, colour: Colour, chance: random.Random) -> Area:
    canvas.turned([(-0.25, 0.4), (0.75, 0.4), (0.8, 0.36)], colour, 0.35)
    canvas.disc(0, -0.25, 0.4, mixed(colour, WHITE, 0.6), 0.22)
    canvas.disc(0, -0.52, 0.1, (255, 214, 120), 2.0)
    canvas.disc(0, -0.46, 0.05, (255, 246, 220), 2.0)
    return -0.38, 0.1, 0.38, 0.5


def _mug(canvas: Canvas, colour: Colour, chance: random.Random) -> Area:
    canvas.ring(0.52, 0.05, 0.3, 0.11, mixed(colour, BLACK, 0.2))
    canvas.turned([(-0.55, 0.46), (0.6, 0.44), (0.66, 0.38)], colour, 0.35)
    canvas.disc(0, -0.55, 0.46, mixed(colour, WHITE, 0.4), 0.2)
    canvas.disc(0, -0.53, 0.4, (92, 60, 42), 0.17)
    return -0.35, -0.2, 0.35, 0.35


def _plates(canvas: Canvas, colour: Colour, chance: random.Random) -> None:
    for number in range(chance.randint(2, 4)):
        v = 0.4 - number * 0.16
        canvas.disc(0, v, 0.9, mixed(colour, BLACK, 0.12), 0.36)
        canvas.disc(0, v - 0.03, 0.9, mixed(colour, WHITE, 0.35), 0.36)
        canvas.disc(0, v - 0.03, 0.6, mixed(colour, WHITE, 0.6), 0.34)


def _pan(canvas: Canvas, colour: Colour, chance: random.Random) -> None:
    canvas.box(0.4, -0.12, 1.2, 0.06, BLACK, 0.06, 0.1)
    canvas.disc(-0.2, 0, 0.72, mixed(colour, BLACK, 0.2), 0.95)
    canvas.disc(-0.2, 0, 0.62, mixed(colour, (50, 50, 52), 0.7), 0.95, 0.12)


def _pump_bottle(canvas: Canvas, colour: Colour, chance: random.Random) -> Area:
    body = chance.uniform(0.28, 0.36)
    canvas.turned([(-0.3, body * 0.7), (-0.18, body), (0.85, body), (0.9, body * 0.9)], colour, 0.35)
    canvas.turned([(-0.5, 0.12), (-0.29, 0.13)], mixed(colour, WHITE, 0.6), 0.3)
    canvas.box(-0.05, -0.8, 0.05, -0.48, (225, 225, 225), 0.02)
    canvas.box(-0.34, -0.86, 0.1, -0.74, (232, 232, 232), 0.04, 0.1)
    return -body, 0.05, body, 0.65


def _tube(canvas: Canvas, colour: Colour, chance: random.Random) -> Area:
    canvas.turned([(-0.9, 0.38), (-0.2, 0.34), (0.6, 0.24)], colour, 0.3)
    canvas.turned([(0.6, 0.2), (0.9, 0.19)], chance.choice([WHITE, GOLD, mixed(colour, BLACK, 0.4)]), 0.3)
    return -0.3, -0.7, 0.3, 0.1


def _lipstick(canvas: Canvas, colour: Colour, chance: random.Random) -> None:
    canvas.turned([(0.05, 0.2), (0.9, 0.2)], chance.choice([BLACK, GOLD, (60, 40, 60)]), 0.5)
    canvas.turned([(-0.25, 0.16), (0.05, 0.16)], GOLD, 0.6)
    canvas.turned([(-0.8, 0.03), (-0.62, 0.12), (-0.25, 0.13)], mixed(colour, (190, 30, 70), 0.5), 0.3)


def _cream_jar(canvas: Canvas, colour: Colour, chance: random.Random) -> Area:
    canvas.turned([(-0.1, 0.6), (0.5, 0.58), (0.56, 0.5)], mixed(colour, WHITE, 0.3), 0.4)
    canvas.turned([(-0.45, 0.6), (-0.1, 0.62)], chance.choice([GOLD, WHITE, (200, 202, 206)]), 0.4)
    return -0.5, 0.0, 0.5, 0.4


def _laptop(canvas: Canvas, colour: Colour, chance: random.Random) -> None:
    canvas.box(-0.8, -0.75, 0.8, 0.3, (36, 37, 40), 0.04)
    canvas.box(-0.73, -0.68, 0.73, 0.22, mixed(colour, (90, 150, 210), 0.5), 0.01, 0.35)
    canvas.turned([(0.3, 0.8), (0.62, 0.98), (0.66, 0.98)], (150, 153, 158), 0.1)
    canvas.stripes(-0.72, 0.34, 0.72, 0.5, (60, 62, 66), 0.09, 0.0)


def _mouse(canvas: Canvas, colour: Colour, chance: random.Random) -> None:
    canvas.disc(0, 0.05, 0.5, colour, 1.45, 0.25)
    canvas.box(-0.012, -0.65, 0.012, 0.0, mixed(colour, BLACK, 0.6), 0.0)
    canvas.box(-0.05, -0.45, 0.05, -0.18, mixed(colour, WHITE, 0.4), 0.05)


def _keyboard(canvas: Canvas, colour: Colour, chance: random.Random) -> None:
    canvas.box(-1.0, -0.4, 1.0, 0.42, mixed(colour, BLACK, 0.3), 0.04)
    for row in range(4):
        for column in range(11):
            u, v = -0.93 + column * 0.17, -0.33 + row * 0.17
            canvas.box(u, v, u + 0.14, v + 0.14, mixed(colour, WHITE, 0.25), 0.02)
    canvas.box(-0.5, 0.34, 0.4, 0.4, mixed(colour, WHITE, 0.25), 0.02)


def _usb_stick(canvas: Canvas, colour: Colour, chance: random.Random) -> None:
    canvas.box(-0.2, -0.9, 0.2, -0.35, (200, 202, 206), 0.02, 0.2)
    for side in (-0.09, 0.09):
        canvas.box(side - 0.04, -0.78, side + 0.04, -0.66, (70, 72, 76), 0.0)
    canvas.box(-0.3, -0.4, 0.3, 0.85, colour, 0.08, 0.25)


DEPARTMENT_SHAPES: dict[str, Painter] = {
    "cushion": _cushion,
    "curtain": _curtain,
    "bed": _bed,
    "blanket": _blanket,
    "baby_suit": _baby_suit,
    "baby_bottle": _baby_bottle,
    "watch": _watch,
    "vase": _vase,
    "frame": _frame,
    "candle": _candle,
    "mug": _mug,
    "plates": _plates,
    "pan": _pan,
    "pump_bottle": _pump_bottle,
    "tube": _tube,
    "lipstick": _lipstick,
    "cream_jar": _cream_jar,
    "laptop": _laptop,
    "mouse": _mouse,
    "keyboard": _keyboard,
    "usb_stick": _usb_stick,
}

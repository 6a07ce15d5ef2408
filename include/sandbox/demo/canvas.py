"""A canvas for drawn photos, with a few primitives in the coordinates of the thing that is drawn.

u runs to the right, v down, the thing about within -1 to 1 on both axes; the canvas turns and scales them,
so that edges are smooth without drawing at a larger size.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
from PIL import ImageColor

Plane = npt.NDArray[np.float32]
Colour = tuple[float, float, float]


def colour_of(text: str) -> Colour:
    """`#1f3d2b` as red, green, blue in 0 to 255."""
    red, green, blue = ImageColor.getrgb(text)[:3]
    return float(red), float(green), float(blue)


def mixed(colour: Colour, other: Colour, share: float) -> Colour:
    """The colour with a share (0 to 1) of another."""
    red, green, blue = (a + (b - a) * share for a, b in zip(colour, other, strict=True))
    return red, green, blue


WHITE: Colour = (250.0, 248.0, 244.0)
BLACK: Colour = (24.0, 22.0, 22.0)
GOLD: Colour = (205.0, 170.0, 90.0)
CREAM: Colour = (238.0, 228.0, 205.0)


class Canvas:
    """A picture, red, green and blue in 0 to 255, painted in the object's coordinates."""

    def __init__(self, pixels: Plane, centre: tuple[float, float], scale: float, degrees: float) -> None:
        """`pixels` is float32 (height, width, 3) and painted in place; `scale` is pixels per unit."""
        self.pixels = pixels
        self.scale = scale
        self.centre = centre
        self.bottom = -1.0
        """The lowest v that was painted so far."""
        self._cos, self._sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))

    def to_pixels(self, u: float, v: float) -> tuple[float, float]:
        """Where a point of the object is in the picture: x, y."""
        x = self.centre[0] + self.scale * (u * self._cos - v * self._sin)
        y = self.centre[1] + self.scale * (u * self._sin + v * self._cos)
        return x, y

    def _window(self, u0: float, v0: float, u1: float, v1: float) -> tuple[Plane, Plane, Plane] | None:
        """The part of the picture around a rectangle of the object, and u and v of its pixels."""
        self.bottom = max(self.bottom, v1)
        corners = [self.to_pixels(u, v) for u in (u0, u1) for v in (v0, v1)]
        height, width = self.pixels.shape[:2]
        left, right = (int(f(x for x, _ in corners)) for f in (min, max))
        top, bottom = (int(f(y for _, y in corners)) for f in (min, max))
        left, top, right, bottom = max(left - 1, 0), max(top - 1, 0), min(right + 2, width), min(bottom + 2, height)
        if left >= right or top >= bottom:
            return None
        x = (np.arange(left, right) - self.centre[0])[None, :]
        y = (np.arange(top, bottom) - self.centre[1])[:, None]
        u = ((x * self._cos + y * self._sin) / self.scale).astype(np.float32)
        v = ((y * self._cos - x * self._sin) / self.scale).astype(np.float32)
        return self.pixels[top:bottom, left:right], u, v

    def _blend(self, pixels: Plane, inside: Plane, colour: Colour, shade: Plane | None = None) -> None:
        alpha = np.clip(inside * np.float32(self.scale) + np.float32(0.5), 0, 1)[..., None]
        paint = np.asarray(colour, dtype=np.float32)
        if shade is not None:
            paint = paint * shade[..., None]
        pixels += (paint - pixels) * alpha

    def box(
        self, u0: float, v0: float, u1: float, v1: float, colour: Colour, radius: float = 0.02, slope: float = 0.0
    ) -> None:
        """A rectangle with round corners; `slope` darkens it towards the right."""
        found = self._window(u0, v0, u1, v1)
        if found is None:
            return
        pixels, u, v = found
        du = np.abs(u - (u0 + u1) / 2) - ((u1 - u0) / 2 - radius)
        dv = np.abs(v - (v0 + v1) / 2) - ((v1 - v0) / 2 - radius)
        outside = np.hypot(np.maximum(du, 0), np.maximum(dv, 0)) + np.minimum(np.maximum(du, dv), 0)
        shade = 1 - slope * (u - u0) / (u1 - u0) if slope else None
        self._blend(pixels, radius - outside, colour, shade)

    def disc(self, u: float, v: float, radius: float, colour: Colour, flat: float = 1.0, light: float = 0.0) -> None:
        """A disc, or an ellipse of height `flat`; `light` makes it a ball lit from the upper left."""
        found = self._window(u - radius, v - radius * flat, u + radius, v + radius * flat)
        if found is None:
            return
        pixels, uu, vv = found
        du, dv = uu - np.float32(u), (vv - np.float32(v)) / np.float32(flat)
        distance = np.hypot(du, dv)
        shade = 1 + light * (0.4 - (du + dv) / radius - distance / radius) if light else None
        self._blend(pixels, (np.float32(radius) - distance) * np.float32(min(flat, 1)), colour, shade)

    def ring(self, u: float, v: float, radius: float, width: float, colour: Colour) -> None:
        """A ring of the given line width."""
        found = self._window(u - radius - width, v - radius - width, u + radius + width, v + radius + width)
        if found is not None:
            pixels, uu, vv = found
            self._blend(pixels, width / 2 - np.abs(np.hypot(uu - u, vv - v) - radius), colour)

    def turned(self, profile: Sequence[tuple[float, float]], colour: Colour, gloss: float = 0.35) -> None:
        """A body as from a lathe: (v, half width) from top to bottom, lit from the left, with a highlight."""
        heights, halves = zip(*profile, strict=True)
        widest = max(halves)
        found = self._window(-widest, heights[0], widest, heights[-1])
        if found is None:
            return
        pixels, u, v = found
        half = np.interp(v, heights, halves).astype(np.float32)
        across = np.clip(u / np.maximum(half, np.float32(1e-3)), -1, 1)
        shade = 1.12 - 0.55 * across**2 - 0.22 * across + gloss * np.exp(-(((across + 0.45) / 0.13) ** 2))
        inside = np.minimum(half - np.abs(u), np.minimum(v - heights[0], heights[-1] - v))
        self._blend(pixels, inside.astype(np.float32), colour, shade.astype(np.float32))

    def stripes(self, u0: float, v0: float, u1: float, v1: float, colour: Colour, period: float, tilt: float) -> None:
        """Stripes within a rectangle; `tilt` 0 is upright, 1 lies flat."""
        found = self._window(u0, v0, u1, v1)
        if found is not None:
            pixels, u, v = found
            wave = np.sin((u * (1 - tilt) + v * tilt) * np.float32(2 * math.pi / period)) * np.float32(period / 6)
            edge = np.minimum(np.minimum(u - u0, u1 - u), np.minimum(v - v0, v1 - v))
            self._blend(pixels, np.minimum(wave, edge), colour)


Area = tuple[float, float, float, float]
"""A rectangle of the thing: u0, v0, u1, v1."""

Painter = Callable[[Canvas, Colour, random.Random], Area | None]
"""Paints a thing in a colour and returns where its printed label may be, if it has one."""

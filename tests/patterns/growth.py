"""How the time of some work grows with the length of a text; small texts tell it before large ones take for ever."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable

_LARGEST = 16_384
"""Characters of the longest text: what takes a nanosecond for each pair of them takes a tenth of a second."""
_SHORT_SECONDS = 0.002
"""Work that takes no more at the end of the ladder has not grown with the square: no machine is that fast."""
_STEPS = (4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 28, 32)
"""Repetitions to begin with: time that doubles with each repetition shows while it is milliseconds."""
_WORSE_THAN_LINEAR = 2.2
"""Times that the growth may be of that of the text: a quadratic one is four times it from n to 4 n."""
_ROUNDS = 50
"""Most measurements before work is said to grow too fast: other processes of the machine slow down some, and none is
made faster by them."""
_FEWEST_ROUNDS = 4
"""Measurements before work is said not to: were the short text's first ones slowed down, the long one's would seem
little."""
_PAUSE_SECONDS = 0.02
"""Between two of them, so that one busy moment of the machine is not all of them."""
_BEYOND_DOUBT = 50


def grows_too_fast(work: Callable[[str], object], text_of: Callable[[int], str], largest: int = _LARGEST) -> str | None:
    """What was measured, if the CPU time of `work(text_of(n))` grows faster than n; None if it does not.

    `text_of` gives the text with n repetitions of a piece; the last one tried has `largest` characters, or a few more.
    E.g. `"from 512 to 2048 pieces: 3.10 to 50.20 ms"`.
    """
    seconds: dict[int, float] = {}
    for number in _ladder(text_of, largest):
        seconds[number] = _seconds(work, text_of(number))
        if seconds[number] < _SHORT_SECONDS:
            continue
        smaller = max((one for one in seconds if 4 * one <= number), default=min(seconds))
        if smaller != number and _is_worse(work, text_of, smaller, number):
            return f"from {smaller} to {number} pieces: {seconds[smaller] * 1e3:.2f} to {seconds[number] * 1e3:.2f} ms"
    return None


def _ladder(text_of: Callable[[int], str], largest: int) -> list[int]:
    """Numbers of pieces, up to a text of `largest` characters or a little more."""
    numbers = list(_STEPS)
    while len(text_of(numbers[-1])) < largest:
        numbers.append(2 * numbers[-1])
    return [number for number in numbers if number <= _STEPS[0] or len(text_of(number)) < 2 * largest]


def _is_worse(work: Callable[[str], object], text_of: Callable[[int], str], smaller: int, larger: int) -> bool:
    short, long = text_of(smaller), text_of(larger)
    allowed = _WORSE_THAN_LINEAR * len(long) / len(short)
    least_short = least_long = float("inf")
    for round_number in range(1, _ROUNDS + 1):
        least_short = min(least_short, *(_seconds(work, short) for _ in range(3)))
        least_long = min(least_long, _seconds(work, long))
        if least_long <= _SHORT_SECONDS:
            return False
        if round_number >= _FEWEST_ROUNDS and least_long <= allowed * least_short:
            return False
        if least_long > _BEYOND_DOUBT * allowed * least_short:
            break
        time.sleep(_PAUSE_SECONDS)
    return True


def _seconds(work: Callable[[str], object], text: str) -> float:
    # What a search finds is many objects, and Python would look through all those of the test process for garbage.
    collects = gc.isenabled()
    gc.disable()
    try:
        started = time.thread_time()
        work(text)
        return time.thread_time() - started
    finally:
        if collects:
            gc.enable()

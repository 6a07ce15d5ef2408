"""What is slow holds no place that others wait for, and nothing is lost or done twice."""

from __future__ import annotations

import threading
import time
from collections import Counter
from itertools import islice

import pytest

from include.sources.overtaking import overtaking


def test_every_item_comes_once_whatever_the_numbers() -> None:
    for count, at_once in ((0, 3), (1, 3), (500, 4)):
        items = [str(number) for number in range(count)]
        done = overtaking(len, items, at_once=at_once, at_most=2 * at_once, slow_seconds=1, tick_seconds=1)
        assert Counter(pair for pair in done if pair) == Counter((item, len(item)) for item in items)


def test_slow_items_are_overtaken_and_the_others_stay_at_their_number() -> None:
    release = threading.Event()
    lock = threading.Lock()
    quick_now = most_quick = 0

    def work(item: str) -> str:
        nonlocal quick_now, most_quick
        if item.startswith("slow"):
            release.wait(10)
            return item
        with lock:
            quick_now += 1
            most_quick = max(most_quick, quick_now)
        time.sleep(0.001)
        with lock:
            quick_now -= 1
        return item

    items = ["slow 1", "slow 2", *(f"quick {number}" for number in range(50)), "slow 3"]
    done = overtaking(work, items, at_once=2, at_most=6, slow_seconds=0.05, tick_seconds=5)
    first = [pair[0] for pair in islice((pair for pair in done if pair), 50)]
    assert all(item.startswith("quick") for item in first)
    assert most_quick <= 2
    release.set()
    assert sorted(pair[0] for pair in done if pair) == ["slow 1", "slow 2", "slow 3"]


def test_who_waits_is_told_that_nothing_came() -> None:
    release = threading.Event()
    done = overtaking(lambda _item: release.wait(10), ["a"], at_once=1, at_most=1, slow_seconds=1, tick_seconds=0.01)
    assert next(done) is None
    release.set()
    assert [pair for pair in done if pair] == [("a", True)]


def test_an_exception_reaches_the_caller() -> None:
    with pytest.raises(ValueError, match="invalid literal"):
        list(overtaking(int, ["1", "b", "3"], at_once=1, at_most=1, slow_seconds=1, tick_seconds=1))


def test_a_caller_that_stops_ends_the_work() -> None:
    asked: list[str] = []
    done = overtaking(
        asked.append,
        [str(n) for n in range(1000)],
        at_once=2,
        at_most=2,
        slow_seconds=1,
        tick_seconds=1,
    )
    next(done)
    done.close()  # type: ignore[attr-defined]
    time.sleep(0.05)
    reached = len(asked)
    time.sleep(0.05)
    assert reached == len(asked) < 1000

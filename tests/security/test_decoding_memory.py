"""Threads that decode share a budget: never more than it is taken, everybody gets a turn, nobody keeps a share."""

from __future__ import annotations

import io
import threading
import time

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from PIL import Image

from include.security import decoding_memory
from include.security.decoding_memory import MemoryBudget, decoding_bytes


@hypothesis_settings(max_examples=20, deadline=None)
@given(st.lists(st.integers(0, 250), min_size=1, max_size=30))
def test_no_more_than_the_limit_is_taken_and_everybody_ends(wanted: list[int]) -> None:
    budget = MemoryBudget(100)
    lock = threading.Lock()
    taken = highest = ended = 0

    def work(size: int) -> None:
        nonlocal taken, highest, ended
        with budget.share(size):
            with lock:
                taken += min(size, 100)
                highest = max(highest, taken)
            with lock:
                taken -= min(size, 100)
                ended += 1

    threads = [threading.Thread(target=work, args=(size,)) for size in wanted]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=10)
    assert ended == len(wanted)
    assert highest <= 100


def test_who_wants_more_than_there_is_is_alone() -> None:
    budget = MemoryBudget(100)
    entered = threading.Event()

    def enter() -> None:
        with budget.share(1):
            entered.set()

    with budget.share(10**12):
        other = threading.Thread(target=enter)
        other.start()
        assert not entered.wait(0.05)
    assert entered.wait(5)
    other.join()


def test_a_large_share_is_not_overtaken_for_ever_by_small_ones() -> None:
    budget = MemoryBudget(100)
    order: list[str] = []

    def take(name: str, size: int) -> None:
        with budget.share(size):
            order.append(name)

    threads = []
    with budget.share(60):
        for name, size in (("large", 100), ("small", 10)):
            threads.append(threading.Thread(target=take, args=(name, size)))
            threads[-1].start()
            deadline = time.monotonic() + 5
            while len(budget._waiting) < len(threads) and time.monotonic() < deadline:
                time.sleep(0.001)
        assert order == []  # the small one would fit, but the large one came first
    for thread in threads:
        thread.join(timeout=5)
    assert order == ["large", "small"]


def test_a_share_ends_with_an_exception() -> None:
    budget = MemoryBudget(100)
    for _ in range(3):
        with pytest.raises(ValueError, match="damaged"), budget.share(100):
            raise ValueError("damaged")


@pytest.mark.parametrize(
    ("kind", "mode", "options", "least"),
    [
        ("PNG", "L", {}, 1),
        ("PNG", "RGBA", {}, 4),
        ("WEBP", "RGB", {}, 16),
        ("GIF", "P", {}, 4),
        ("TIFF", "CMYK", {}, 12),
        ("JPEG", "RGB", {}, 4),
        ("JPEG", "RGB", {"progressive": True}, 10),
        ("JPEG", "CMYK", {"progressive": True}, 12),
    ],
)
def test_a_photo_is_charged_for_what_its_decoder_takes(
    kind: str, mode: str, options: dict[str, bool], least: int
) -> None:
    stream = io.BytesIO()
    Image.new(mode, (100, 100)).save(stream, kind, **options)
    with Image.open(stream) as image:
        assert decoding_bytes(image, 10_000) >= least * 10_000


def test_a_jpeg_that_is_asked_for_a_smaller_size_is_charged_for_all_its_pixels_only_if_they_come_in_several_scans() -> (
    None
):
    charges = []
    for is_progressive in (False, True):
        stream = io.BytesIO()
        Image.new("RGB", (800, 800)).save(stream, "JPEG", progressive=is_progressive)
        with Image.open(stream) as image:
            image.draft("RGB", (100, 100))
            charges.append(decoding_bytes(image, 800 * 800))
            image.load()
    assert charges == [4 * 100 * 100, 4 * 100 * 100 + 6 * 800 * 800]


def test_memory_of_large_shares_is_given_back_when_half_of_the_budget_was_freed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    given_back: list[int] = []
    budget = MemoryBudget(100 * 1024**2)
    monkeypatch.setattr(decoding_memory, "_give_back", lambda: given_back.append(budget._taken))
    for mebibytes in (4, 8) * 20 + (30, 30, 30, 30):
        with budget.share(mebibytes * 1024**2):
            pass
    # Twice, and each time before the share is anybody else's.
    assert given_back == [30 * 1024**2] * 2

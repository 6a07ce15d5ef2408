"""The budget of pixels that threads decode at the same time."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from PIL import ImageFile

from include.features.image import decode
from include.features.image.decode import decode_photo
from include.features.image.pixel_budget import PixelBudget
from tests.features.image.networks import quarters


def test_threads_together_never_hold_more_than_the_limit() -> None:
    budget, lock = PixelBudget(), threading.Lock()
    held, seen = 0, []

    def hold(pixels: int) -> None:
        nonlocal held
        with budget.hold(pixels, 100):
            with lock:
                held += pixels
                seen.append(held)
            with lock:
                held -= pixels

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(hold, [1, 30, 60, 99, 100, 45] * 200))
    assert len(seen) == 1_200
    assert max(seen) <= 100


def test_a_photo_waits_until_there_is_room_and_one_over_the_limit_until_it_is_alone() -> None:
    budget = PixelBudget()
    began = threading.Event()

    def hold(pixels: int) -> None:
        with budget.hold(pixels, 100):
            began.set()

    for pixels in (50, 150):
        began.clear()
        with ThreadPoolExecutor(1) as pool:
            with budget.hold(60, 100):
                pool.submit(hold, pixels)
                assert not began.wait(0.1)
            assert began.wait(5)


def test_what_cannot_be_decoded_leaves_the_budget_as_it_was() -> None:
    whole = quarters(side=256)
    assert decode_photo(whole[: len(whole) // 2], (8, 8), 256**2) is None
    assert decode._pixels_in_memory._held == 0


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "TIFF", "GIF"])
def test_photos_are_decoded_only_while_they_hold_their_pixels(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    held_while_loading = []
    load_prepare = ImageFile.ImageFile.load_prepare

    def noted(photo: ImageFile.ImageFile) -> None:
        held_while_loading.append(decode._pixels_in_memory._held)
        load_prepare(photo)

    monkeypatch.setattr(ImageFile.ImageFile, "load_prepare", noted)
    assert decode_photo(quarters(kind=kind, side=64), (8, 8), 64**2) is not None
    assert set(held_while_loading) <= {64**2}
    assert held_while_loading

"""Photos streamed from the packed files: all of them, in a known order, few at a time."""

from __future__ import annotations

import hashlib
import threading
from pathlib import Path

import numpy as np
import pytest

from include.errors import ConfigurationError
from include.features.image.decode import decode_photo
from include.models.cnn import photo_stream
from include.models.cnn.labelled_photos import LabelledPhotos
from include.models.cnn.photo_stream import PhotoStream
from include.storage.lake import Lake
from tests.models.cnn.drawn_photos import drawn_photo, pack

SIZE = (24, 24)


def stream_of(lake: Lake, target_of: dict[str, int], seed: int = 0, shuffle_buffer: int = 12) -> PhotoStream:
    return PhotoStream(
        lake, target_of, SIZE, threads=2, max_pixels=10**8, batch_size=8, shuffle_buffer=shuffle_buffer, seed=seed
    )


def numbered_lake(folder: Path, count: int) -> tuple[Lake, dict[str, int]]:
    """A lake of so many photos; the label's index of each is its number."""
    lake = Lake(str(folder))
    hashes = pack(lake, "numbered", [drawn_photo("watches", number) for number in range(count)], row_group_rows=16)
    return lake, {photo: number for number, photo in enumerate(hashes)}


def joined(batches: list[list[int]]) -> list[int]:
    return [target for batch in batches for target in batch]


def targets_of(batches: object) -> list[list[int]]:
    return [targets.tolist() for _, targets in batches]  # type: ignore[attr-defined]


def test_each_photo_comes_once_in_the_order_of_the_files(photos: LabelledPhotos, lake: Lake) -> None:
    stream = stream_of(lake, photos.target_of)
    batches = list(stream.in_order())
    assert [len(targets) for _, targets in batches] == [8] * 6
    assert stream.batches == stream.steps == 6
    assert np.concatenate([targets for _, targets in batches]).tolist() == photos.targets.tolist()
    pixels, targets = batches[0]
    assert (pixels.dtype, pixels.shape, targets.dtype) == (np.uint8, (8, *SIZE, 3), np.int64)
    expected = decode_photo(drawn_photo("champagne", 0), SIZE, 10**6)
    assert any((pixels == expected).all(axis=(1, 2, 3)))


def test_only_photos_that_are_wanted_come(photos: LabelledPhotos, lake: Lake) -> None:
    wanted = {photo: number for number, photo in enumerate(photos.hashes[3:40:7])}
    assert sorted(joined(targets_of(stream_of(lake, wanted).in_order()))) == list(range(len(wanted)))


def test_an_epoch_is_drawn_from_its_number_and_the_seed_alone(tmp_path: Path) -> None:
    lake, target_of = numbered_lake(tmp_path, 50)
    first = targets_of(stream_of(lake, target_of).epoch(3))
    assert first == targets_of(stream_of(lake, target_of).epoch(3))
    assert first != targets_of(stream_of(lake, target_of).epoch(4))
    assert first != targets_of(stream_of(lake, target_of, seed=1).epoch(3))
    assert [len(batch) for batch in first] == [8] * 6  # the two that are left come in other epochs
    seen = joined(first)
    assert len(set(seen)) == 48
    assert seen != sorted(seen)


def test_every_photo_comes_in_some_epoch(tmp_path: Path) -> None:
    lake, target_of = numbered_lake(tmp_path, 23)
    stream = stream_of(lake, target_of)
    seen = {target for number in range(12) for batch in targets_of(stream.epoch(number)) for target in batch}
    assert seen == set(range(23))


@pytest.mark.parametrize("count", [64, 320])
def test_no_more_photos_are_decoded_ahead_than_a_few_batches(
    count: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lake, target_of = numbered_lake(tmp_path, count)
    lock, decoded, most, used = threading.Lock(), 0, 0, 0

    def counting(*given: object, **options: object) -> np.ndarray | None:
        nonlocal decoded, most
        with lock:
            decoded += 1
            most = max(most, decoded - used)
        return decode_photo(*given, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(photo_stream, "decode_photo", counting)
    for _, targets in stream_of(lake, target_of).epoch(0):
        used += len(targets)
    assert (decoded, used) == (count, count)
    assert 8 <= most <= 8 * 3  # two threads and the network hold a batch each


def test_a_network_that_stops_early_leaves_no_thread(tmp_path: Path) -> None:
    lake, target_of = numbered_lake(tmp_path, 64)
    before = threading.active_count()
    batches = stream_of(lake, target_of).in_order()
    next(batches)
    batches.close()  # type: ignore[attr-defined]
    assert threading.active_count() == before


def test_a_photo_that_cannot_be_decoded_is_left_out(tmp_path: Path) -> None:
    lake = Lake(str(tmp_path))
    contents = [drawn_photo("watches", 0), b"not a photo", drawn_photo("watches", 1)]
    hashes = pack(lake, "damaged", contents)  # type: ignore[arg-type]
    target_of = {photo: number for number, photo in enumerate(hashes)}
    assert targets_of(stream_of(lake, target_of).in_order()) == [[0, 2]]
    with pytest.raises(ConfigurationError, match="None of 1 photos can be decoded"):
        list(stream_of(lake, {hashes[1]: 0}).in_order())


def test_a_photo_that_is_not_in_the_lake_is_a_clear_error(photos: LabelledPhotos, lake: Lake) -> None:
    absent = hashlib.sha256(b"elsewhere").hexdigest()
    with pytest.raises(ConfigurationError, match=r"1 of 49 labelled photos are not in .*images: import"):
        stream_of(lake, {**photos.target_of, absent: 0})
    with pytest.raises(ConfigurationError):
        stream_of(lake, {})

"""Photos from the packed Parquet files, decoded in threads, a few batches ahead of the network.

What is in memory does not grow with the number of photos, apart from their hashes: one row group and a shuffle
buffer of encoded photos, and the decoded pixels of at most `threads + 1` batches. The order of an epoch is decided by
the seed and the epoch's number alone, so that a training that goes on after a kill sees what it would have seen.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice

import numpy as np

from include.errors import ConfigurationError
from include.features.image.decode import decode_photo
from include.storage.lake import Lake
from include.storage.layers import Layer

logger = logging.getLogger(__name__)

Photo = tuple[bytes, int]
Batch = tuple[np.ndarray, np.ndarray]


class PhotoStream:
    """Batches of some photos of the lake, as often as one wants."""

    def __init__(
        self,
        lake: Lake,
        target_of: Mapping[str, int],
        size: tuple[int, int],
        *,
        threads: int,
        max_pixels: int,
        batch_size: int,
        shuffle_buffer: int,
        seed: int,
    ) -> None:
        """`target_of` has the label's index of each photo by the SHA-256 of its bytes; `size` is (height, width).
        Photos of more than `max_pixels` pixels are not decoded.

        Looks the photos up in the lake by their hashes, without reading them. Raises ConfigurationError if any is
        missing there.
        """
        self._lake = lake
        self._target_of = target_of
        self._size = size
        self._batch_size = batch_size
        self._shuffle_buffer = shuffle_buffer
        self._seed = seed
        self._threads = threads
        self._max_pixels = max_pixels
        self._row_groups = _find(lake, target_of)

    def __len__(self) -> int:
        """Number of photos."""
        return len(self._target_of)

    @property
    def steps(self) -> int:
        """Batches of an epoch in training: all are full, unless there is only one."""
        return max(1, len(self) // self._batch_size)

    @property
    def batches(self) -> int:
        """Batches that hold each photo once."""
        return -(-len(self) // self._batch_size)

    def epoch(self, number: int) -> Iterator[Batch]:
        """The batches of one epoch of training, in an order of its own, all full; `steps` of them."""
        order = np.random.default_rng((self._seed, number))
        row_groups = order.permutation(len(self._row_groups)).tolist()
        return islice(self._decoded(self._shuffled(self._encoded(row_groups), order)), self.steps)

    def in_order(self) -> Iterator[Batch]:
        """Each photo once, always in the same order; the last batch may be smaller."""
        return self._decoded(self._encoded(list(range(len(self._row_groups)))))

    def _encoded(self, row_groups: list[int]) -> Iterator[Photo]:
        for number in row_groups:
            path, row_group, wanted = self._row_groups[number]
            with self._lake.parquet_file(path) as file:
                content = file.read_row_group(row_group, columns=["sha256", "bytes"])
            for row, photo in wanted:
                yield content["bytes"][row].as_py(), self._target_of[photo]

    def _shuffled(self, photos: Iterator[Photo], order: np.random.Generator) -> Iterator[Photo]:
        buffer = list(islice(photos, self._shuffle_buffer))
        for photo in photos:
            place = int(order.integers(len(buffer)))
            yield buffer[place]
            buffer[place] = photo
        while buffer:
            yield buffer.pop(int(order.integers(len(buffer))))

    def _decoded(self, photos: Iterator[Photo]) -> Iterator[Batch]:
        """RGB pixels uint8 (photos, height, width, 3) and label indices int64 (photos,).

        A photo that cannot be decoded is left out of its batch; ConfigurationError if none can be.
        """
        waiting: deque[Future[Batch]] = deque()
        decoded = 0
        with ThreadPoolExecutor(self._threads, thread_name_prefix="photo-stream") as pool:
            try:
                while True:
                    while len(waiting) < self._threads and (batch := list(islice(photos, self._batch_size))):
                        waiting.append(pool.submit(self._decode, batch))
                    if not waiting:
                        break
                    pixels, targets = waiting.popleft().result()
                    decoded += len(targets)
                    if len(targets):
                        yield pixels, targets
            finally:
                for future in waiting:
                    future.cancel()
        if not decoded:
            raise ConfigurationError(f"None of {len(self)} photos can be decoded: fetch or import them again.")

    def _decode(self, batch: list[Photo]) -> Batch:
        pixels = np.empty((len(batch), *self._size, 3), dtype=np.uint8)
        targets = np.empty(len(batch), dtype=np.int64)
        count = 0
        for content, target in batch:
            photo = decode_photo(content, self._size, self._max_pixels)
            if photo is not None:
                pixels[count], targets[count] = photo, target
                count += 1
        return pixels[:count], targets[:count]


def _find(lake: Lake, target_of: Mapping[str, int]) -> list[tuple[str, int, list[tuple[int, str]]]]:
    """Path, number of the row group, and (row, hash) of the photos wanted there; each photo in one place only."""
    missing = set(target_of)
    found: list[tuple[str, int, list[tuple[int, str]]]] = []
    for path in lake.list_files(Layer.IMAGES, ".parquet"):
        if not missing:
            break
        with lake.parquet_file(path) as file:
            for row_group in range(file.num_row_groups):
                hashes = file.read_row_group(row_group, columns=["sha256"])["sha256"].to_pylist()
                wanted = []
                for row, photo in enumerate(hashes):
                    if photo in missing:
                        missing.remove(photo)
                        wanted.append((row, photo))
                if wanted:
                    found.append((path, row_group, wanted))
    if missing or not target_of:
        raise ConfigurationError(
            f"{len(missing)} of {len(target_of)} labelled photos are not in {lake.url(Layer.IMAGES)}: import the "
            "catalogue again, with its folder of photos."
        )
    return found

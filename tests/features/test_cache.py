"""The embedding cache."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from include.errors import CuveeError
from include.features.cache import ROW_GROUP_ROWS, EmbeddingCache
from include.schema import embeddings_schema, text_hash
from include.settings import PROJECT_ROOT
from include.storage.lake import Lake


def hashes_of(count: int, first: int = 0) -> list[str]:
    return [text_hash(str(number)) for number in range(first, first + count)]


def vectors_of(hashes: list[str], dimensions: int = 4) -> np.ndarray:
    """A vector that follows from its hash."""
    seeds = [np.random.default_rng(int(content_hash[:8], 16)) for content_hash in hashes]
    return np.array([seed.normal(size=dimensions) for seed in seeds], dtype=np.float32).reshape(-1, dimensions)


def content_of(lake: Lake) -> dict[str, bytes]:
    return {path: lake.read_bytes(path) for path in lake.list_files("embeddings")}


def test_what_was_put_is_got_in_the_order_asked(any_lake: Lake) -> None:
    hashes = hashes_of(5)
    cache = EmbeddingCache(any_lake, "encoder-1")
    cache.put(hashes[:3], vectors_of(hashes[:3]))
    cache.put(hashes[3:], vectors_of(hashes[3:]))

    asked = [hashes[4], None, "0" * 64, hashes[0], hashes[0]]
    vectors, usable = EmbeddingCache(any_lake, "encoder-1").get(asked)

    assert vectors.dtype == np.float32
    assert usable.tolist() == [True, False, False, True, True]
    np.testing.assert_array_equal(vectors[[0, 3, 4]], vectors_of([hashes[4], hashes[0], hashes[0]]))
    assert np.isnan(vectors[1:3]).all()


def test_missing_hashes_come_once_in_the_order_asked(any_lake: Lake) -> None:
    hashes = hashes_of(4)
    cache = EmbeddingCache(any_lake, "encoder-1")
    assert cache.missing([hashes[2], None, hashes[0], hashes[2]]) == [hashes[2], hashes[0]]
    cache.put(hashes[:2], vectors_of(hashes[:2]))
    assert cache.missing([hashes[3], hashes[0], None, hashes[2]]) == [hashes[3], hashes[2]]
    assert EmbeddingCache(any_lake, "encoder-2").missing(hashes[:2]) == hashes[:2]


def test_putting_twice_leaves_the_same_files(any_lake: Lake) -> None:
    hashes = hashes_of(3)
    EmbeddingCache(any_lake, "encoder-1").put(hashes, vectors_of(hashes))
    once = content_of(any_lake)
    EmbeddingCache(any_lake, "encoder-1").put(hashes[::-1], vectors_of(hashes[::-1]))
    assert content_of(any_lake) == once
    assert len(once) == 1


def test_the_files_have_the_schema_of_the_layer(lake: Lake) -> None:
    EmbeddingCache(lake, "encoder-1").put(hashes_of(3), vectors_of(hashes_of(3)))
    (path,) = lake.list_files("embeddings")
    assert path.startswith("embeddings/encoder=encoder-1/part-")
    assert pq.read_schema(lake.full_path(path)).equals(embeddings_schema(4))


def test_files_with_vectors_as_lists_are_read_as_well(lake: Lake) -> None:
    hashes = sorted(hashes_of(3))
    vectors = pa.array(vectors_of(hashes).tolist(), pa.list_(pa.float32()))
    table = pa.table({"content_hash": hashes, "vector": vectors}).replace_schema_metadata({"dimensions": "4"})
    with lake.open_write("embeddings/encoder=encoder-1/part-0.parquet") as stream:
        pq.write_table(table, stream)
    found, usable = EmbeddingCache(lake, "encoder-1").get(hashes)
    assert usable.all()
    np.testing.assert_array_equal(found, vectors_of(hashes))


def test_hashes_may_come_as_arrow_holds_them(lake: Lake) -> None:
    hashes = [*hashes_of(2), None]
    cache = EmbeddingCache(lake, "encoder-1")
    cache.put(hashes_of(2), vectors_of(hashes_of(2)))
    for held in (pa.array(hashes), pa.chunked_array([hashes[:1], hashes[1:]]), pa.chunked_array([], pa.string())):
        vectors, usable = cache.get(held)
        expected, expected_usable = cache.get(held.to_pylist())
        np.testing.assert_array_equal(vectors, expected)
        assert usable.tolist() == expected_usable.tolist()
        assert cache.missing(held) == []


def test_overlapping_puts_agree_on_one_vector(lake: Lake) -> None:
    hashes = hashes_of(3)
    cache = EmbeddingCache(lake, "encoder-1")
    cache.put(hashes[:2], np.zeros((2, 4), dtype=np.float32))
    cache.put(hashes[1:], np.ones((2, 4), dtype=np.float32))
    first, usable = cache.get(hashes)
    again, _ = EmbeddingCache(lake, "encoder-1").get(hashes)
    assert usable.all()
    np.testing.assert_array_equal(first, again)


def test_content_that_cannot_be_encoded_is_known_and_unusable(lake: Lake) -> None:
    hashes = hashes_of(3)
    vectors = vectors_of(hashes)
    vectors[0], vectors[1, 2] = np.nan, np.inf
    cache = EmbeddingCache(lake, "encoder-1")
    cache.put(hashes, vectors)
    assert cache.missing(hashes) == []
    found, usable = cache.get(hashes)
    assert usable.tolist() == [False, False, True]
    assert np.isnan(found[:2]).all()


def test_an_empty_cache_gives_rows_of_the_width_that_was_named(lake: Lake) -> None:
    assert EmbeddingCache(lake, "encoder-1", dimensions=7).get(hashes_of(2))[0].shape == (2, 7)
    vectors, usable = EmbeddingCache(lake, "encoder-1").get(hashes_of(2))
    assert vectors.shape == (2, 0)
    assert not usable.any()
    assert EmbeddingCache(lake, "encoder-1", dimensions=7).get([])[0].shape == (0, 7)


def test_putting_nothing_writes_nothing(lake: Lake) -> None:
    EmbeddingCache(lake, "encoder-1").put([], np.empty((0, 4), dtype=np.float32))
    assert lake.list_files("embeddings") == []


def test_vectors_of_two_widths_are_refused(lake: Lake) -> None:
    cache = EmbeddingCache(lake, "encoder-1")
    cache.put(hashes_of(2), vectors_of(hashes_of(2), dimensions=4))
    cache.put(hashes_of(2, first=2), vectors_of(hashes_of(2, first=2), dimensions=5))
    with pytest.raises(CuveeError, match=r"\[4, 5\] dimensions"):
        cache.get(hashes_of(1))
    with pytest.raises(ValueError, match="as many rows"):
        cache.put(hashes_of(2), vectors_of(hashes_of(3)))
    with pytest.raises(ValueError, match="identity"):
        EmbeddingCache(lake, "../elsewhere")


def test_only_the_row_groups_that_hold_wanted_rows_are_read(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    hashes = hashes_of(3 * ROW_GROUP_ROWS)
    cache = EmbeddingCache(lake, "encoder-1")
    cache.put(hashes, vectors_of(hashes))
    wanted = [sorted(hashes)[ROW_GROUP_ROWS + 5], sorted(hashes)[ROW_GROUP_ROWS + 7]]
    read: list[int] = []
    plain = pq.ParquetFile.read_row_group

    def spy(file: pq.ParquetFile, group: int, **options: object) -> object:
        read.append(group)
        return plain(file, group, **options)

    monkeypatch.setattr(pq.ParquetFile, "read_row_group", spy)
    vectors, usable = cache.get(wanted)
    assert usable.all()
    assert read == [1]
    np.testing.assert_array_equal(vectors, vectors_of(wanted))


puts = st.lists(st.lists(st.integers(0, 30), min_size=1, max_size=8), max_size=6)


@hypothesis_settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(puts, st.lists(st.integers(0, 40) | st.none(), max_size=20))
def test_a_cache_answers_like_a_dictionary(
    tmp_path_factory: pytest.TempPathFactory, put: list[list[int]], asked: list[int | None]
) -> None:
    cache = EmbeddingCache(Lake(str(tmp_path_factory.mktemp("lake"))), "encoder-1", dimensions=4)
    known: set[int] = set()
    for numbers in put:
        hashes = [text_hash(str(number)) for number in numbers]
        cache.put(hashes, vectors_of(hashes))
        known.update(numbers)
    keys = [None if number is None else text_hash(str(number)) for number in asked]
    vectors, usable = cache.get(keys)
    assert usable.tolist() == [number in known for number in asked]
    if usable.any():
        present = [key for key, use in zip(keys, usable, strict=True) if use and key]
        np.testing.assert_array_equal(vectors[usable], vectors_of(present))
    absent = dict.fromkeys(number for number in asked if number is not None and number not in known)
    assert cache.missing(keys) == [text_hash(str(number)) for number in absent]


def put_shifted(root: str, first: int) -> None:
    """In a process of its own: hashes that overlap with those of the other writers."""
    cache = EmbeddingCache(Lake(root), "encoder-1")
    for start in range(first, first + 20, 2):
        cache.put(hashes_of(10, start), vectors_of(hashes_of(10, start)))


def test_writers_at_the_same_time_do_not_disturb_each_other(lake: Lake) -> None:
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=put_shifted, args=(lake.root, first)) for first in (0, 0, 4)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(timeout=60)
    assert [writer.exitcode for writer in writers] == [0, 0, 0]
    hashes = hashes_of(32)
    vectors, usable = EmbeddingCache(lake, "encoder-1").get(hashes)
    assert usable.all()
    np.testing.assert_array_equal(vectors, vectors_of(hashes))


def test_a_writer_killed_in_the_middle_leaves_the_old_state(lake: Lake) -> None:
    old = hashes_of(3)
    EmbeddingCache(lake, "encoder-1").put(old, vectors_of(old))
    before = {path: lake.read_bytes(path) for path in lake.list_files("embeddings")}
    code = (
        "import sys, time, numpy as np, pyarrow.parquet as pq\n"
        "from include.features.cache import EmbeddingCache\n"
        "from include.storage.lake import Lake\n"
        "def half(table, stream, **options):\n"
        "    stream.write(b'PAR1half'); stream.flush(); print('half written', flush=True); time.sleep(60)\n"
        "pq.write_table = half\n"
        "EmbeddingCache(Lake(sys.argv[1]), 'encoder-1').put(['f' * 64], np.ones((1, 4), dtype=np.float32))\n"
    )
    writer = subprocess.Popen(
        [sys.executable, "-c", code, lake.root], stdout=subprocess.PIPE, text=True, cwd=PROJECT_ROOT
    )
    assert writer.stdout is not None
    assert writer.stdout.readline().strip() == "half written"
    os.kill(writer.pid, signal.SIGKILL)
    writer.wait(timeout=30)
    writer.stdout.close()

    assert {path: lake.read_bytes(path) for path in lake.list_files("embeddings")} == before
    cache = EmbeddingCache(lake, "encoder-1")
    assert cache.missing([*old, "f" * 64]) == ["f" * 64]
    cache.put(["f" * 64], np.ones((1, 4), dtype=np.float32))
    assert cache.missing([*old, "f" * 64]) == []

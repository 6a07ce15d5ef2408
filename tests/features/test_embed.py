"""Embedding what is missing."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from include.features import embed
from include.features.cache import EmbeddingCache
from include.features.embed import embed_missing_photos, embed_missing_texts
from include.schema import text_hash
from include.storage.lake import Lake
from tests.features.text.encoders import fit

TEXTS = ["Champagne brut", "Vinaigre de champagne", "Moutarde au champagne", "Analog watch for men"]


class CountingEncoder:
    """Bytes to a vector of their length and first byte; counts what it encodes; `bad` bytes cannot be decoded."""

    identity = "counting-1"
    dimensions = 2

    def __init__(self) -> None:
        self.encoded: list[bytes] = []

    def encode(self, photos: Sequence[bytes]) -> np.ndarray:
        self.encoded.extend(photos)
        rows = [[np.nan] * 2 if photo.startswith(b"bad") else [len(photo), photo[0]] for photo in photos]
        return np.array(rows, dtype=np.float32).reshape(-1, 2)


def keyed(photos: Sequence[bytes]) -> Iterator[tuple[str, bytes]]:
    return ((hashlib.sha256(photo).hexdigest(), photo) for photo in photos)


def test_texts_are_encoded_once(lake: Lake) -> None:
    encoder = fit(TEXTS)
    cache = EmbeddingCache(lake, encoder.identity)
    documents = {text_hash(text): text for text in TEXTS}
    assert embed_missing_texts(cache, encoder, dict(list(documents.items())[:2])) == 2
    assert embed_missing_texts(cache, encoder, documents | {text_hash(""): ""}) == 2
    files = {path: lake.read_bytes(path) for path in lake.list_files("embeddings")}
    assert embed_missing_texts(EmbeddingCache(lake, encoder.identity), encoder, documents) == 0
    assert {path: lake.read_bytes(path) for path in lake.list_files("embeddings")} == files

    vectors, usable = cache.get(list(documents))
    assert usable.all()
    np.testing.assert_allclose(vectors, encoder.encode(TEXTS), atol=1e-6)


def test_photos_are_encoded_once_and_the_undecodable_not_again(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embed, "PHOTO_CHUNK", 3)
    monkeypatch.setattr(embed, "PHOTOS_PER_FILE", 4)
    encoder = CountingEncoder()
    photos = [bytes([65 + number]) * (number + 1) for number in range(8)] + [b"bad photo", b"A"]
    assert embed_missing_photos(EmbeddingCache(lake, encoder.identity), encoder, keyed(photos)) == 9
    assert sorted(encoder.encoded) == sorted(set(photos))
    assert len(lake.list_files("embeddings")) == 2

    assert embed_missing_photos(EmbeddingCache(lake, encoder.identity), encoder, keyed(photos)) == 0
    assert len(encoder.encoded) == 9

    vectors, usable = EmbeddingCache(lake, encoder.identity).get([key for key, _ in keyed(photos)])
    assert usable.tolist() == [True] * 8 + [False, True]
    assert vectors[3].tolist() == [4, ord("D")]


def test_staged_embeddings_are_taken_over_and_the_files_are_those_of_one_run(
    lake: Lake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embed, "PHOTO_CHUNK", 3)
    monkeypatch.setattr(embed, "PHOTOS_PER_FILE", 12)
    monkeypatch.setattr(embed, "STAGED_PHOTOS", 3)
    photos = [bytes([65 + number]) * (number + 1) for number in range(20)] + [b"bad photo"]
    whole = Lake(str(tmp_path / "whole"))
    embed_missing_photos(EmbeddingCache(whole, "counting-1"), CountingEncoder(), keyed(photos))

    def killed_after(count: int) -> Iterator[tuple[str, bytes]]:
        yield from islice(keyed(photos), count)
        raise KeyboardInterrupt

    for count, encoded in ((8, 6), (17, 9), (21, 6)):
        encoder = CountingEncoder()
        staged = EmbeddingCache(lake, "counting-1", root="staging/embeddings")
        with pytest.raises(KeyboardInterrupt):
            embed_missing_photos(EmbeddingCache(lake, "counting-1"), encoder, killed_after(count), staged)
        assert len(encoder.encoded) == encoded
    encoder = CountingEncoder()
    staged = EmbeddingCache(lake, "counting-1", root="staging/embeddings")
    assert embed_missing_photos(EmbeddingCache(lake, "counting-1"), encoder, keyed(photos), staged) == 0
    state = [{path: kept.read_bytes(path) for path in kept.list_files("embeddings")} for kept in (lake, whole)]
    assert state[0] == state[1]


def test_a_chunk_of_photos_is_bounded_in_bytes(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embed, "CHUNK_BYTES", 250)
    sizes: list[int] = []

    class Noting(CountingEncoder):
        def encode(self, photos: Sequence[bytes]) -> np.ndarray:
            sizes.append(len(photos))
            return super().encode(photos)

    photos = [bytes([number]) * 100 for number in range(7)]
    assert embed_missing_photos(EmbeddingCache(lake, "counting-1"), Noting(), keyed(photos)) == 7
    assert sizes == [3, 3, 1]


def test_no_photos_are_no_files(lake: Lake) -> None:
    assert embed_missing_photos(EmbeddingCache(lake, "counting-1"), CountingEncoder(), iter(())) == 0
    assert lake.list_files("embeddings") == []

"""Embedding what is not embedded yet."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from include.features.cache import EmbeddingCache

if TYPE_CHECKING:
    from include.features.image import ImageEncoder
    from include.features.text import TextEncoder

logger = logging.getLogger(__name__)

TEXT_CHUNK = 10_000
"""Texts encoded and written at a time."""

PHOTO_CHUNK = 256
"""Photos looked up at a time, and so held in memory at once: some 10 to 60 MB."""

CHUNK_BYTES = 64 * 1024**2
"""Photos of a chunk in bytes: it ends with the photo that exceeds this."""

PHOTOS_PER_FILE = 4_096
"""New photo embeddings written at a time."""

STAGED_PHOTOS = 512
"""New photo embeddings staged at a time: what a killed task has to compute again at most."""

STAGED_SECONDS = 15.0
"""Time after which they are staged however few they are."""


def embed_missing_texts(cache: EmbeddingCache, encoder: TextEncoder, documents: Mapping[str, str]) -> int:
    """Encode the documents that the cache lacks, and cache them; returns how many.

    `documents` has the document by its hash (`schema.text_hash`); empty documents are left out.
    """
    missing = cache.missing([content_hash for content_hash, text in documents.items() if text])
    for start in range(0, len(missing), TEXT_CHUNK):
        chunk = missing[start : start + TEXT_CHUNK]
        cache.put(chunk, encoder.encode([documents[content_hash] for content_hash in chunk]))
    return len(missing)


def embed_missing_photos(
    cache: EmbeddingCache,
    encoder: ImageEncoder,
    photos: Iterable[tuple[str, bytes]],
    staged: EmbeddingCache | None = None,
) -> int:
    """Decode and encode the photos that the cache lacks, and cache them; returns how many were encoded.

    `photos` gives (SHA-256 of the bytes, bytes); it is read to its end, a chunk at a time, in this thread.
    A photo that cannot be decoded is cached as unusable and not tried again. The cache gets them in files of
    `PHOTOS_PER_FILE`; with `staged`, a cache of the same encoder, they are kept there until then, and a rerun takes
    them over, so that the files are the same whether or not the process was killed.
    """
    fresh: dict[str, np.ndarray] = {}
    unstaged: dict[str, np.ndarray] = {}
    embedded = 0
    written = time.monotonic()
    for chunk in _chunks(photos):
        absent = [sha256 for sha256 in cache.missing(list(chunk)) if sha256 not in fresh]
        missing = absent if staged is None else staged.missing(absent)
        encoded = dict(zip(missing, encoder.encode([chunk[sha256] for sha256 in missing]), strict=True))
        embedded += len(missing)
        fresh.update(_in_order(absent, encoded, staged))
        if len(fresh) >= PHOTOS_PER_FILE:
            _put(cache, fresh)
            fresh, unstaged = {}, {}
        elif staged is not None:
            unstaged.update(encoded)
            if len(unstaged) >= STAGED_PHOTOS or time.monotonic() - written >= STAGED_SECONDS:
                _put(staged, unstaged)
                unstaged = {}
                written = time.monotonic()
    _put(cache, fresh)
    return embedded


def _in_order(
    hashes: Sequence[str], encoded: Mapping[str, np.ndarray], staged: EmbeddingCache | None
) -> dict[str, np.ndarray]:
    """Vectors of photos that are encoded or staged, in the order of `hashes`."""
    known = [sha256 for sha256 in hashes if sha256 not in encoded]
    taken_over = dict(zip(known, staged.get(known)[0], strict=True)) if staged is not None and known else {}
    return {sha256: encoded[sha256] if sha256 in encoded else taken_over[sha256] for sha256 in hashes}


def _chunks(photos: Iterable[tuple[str, bytes]]) -> Iterator[dict[str, bytes]]:
    chunk: dict[str, bytes] = {}
    count = size = 0
    for sha256, content in photos:
        chunk[sha256] = content
        count += 1
        size += len(content)
        if count == PHOTO_CHUNK or size >= CHUNK_BYTES:
            yield chunk
            chunk, count, size = {}, 0, 0
    if chunk:
        yield chunk


def _put(cache: EmbeddingCache, fresh: Mapping[str, np.ndarray]) -> None:
    if not fresh:
        return
    vectors: Sequence[np.ndarray] = list(fresh.values())
    unusable = int(np.isnan(np.stack(vectors)[:, 0]).sum())
    if unusable:
        logger.warning("photos that cannot be decoded: count=%d of=%d", unusable, len(fresh))
    cache.put(list(fresh), np.stack(vectors))

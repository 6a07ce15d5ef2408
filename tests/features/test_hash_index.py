"""The index of hashes finds what is there, where it is."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from include.features.hash_index import HashIndex
from include.schema import text_hash

# Many begin alike, some are shorter than the index's key, and one has a zero where the key is filled up.
_hashes = st.sampled_from(["", "a", "a\x00", "a" * 8, "b", "é" * 5]) | st.text("ab", min_size=8, max_size=12)


def index_of(hashes: list[str]) -> HashIndex:
    return HashIndex(pa.array(hashes, pa.large_string()))


@given(st.lists(_hashes), st.lists(_hashes))
def test_a_hash_is_found_at_its_first_place_or_not_at_all(hashes: list[str], wanted: list[str]) -> None:
    found = index_of(hashes).find(pa.array(wanted, pa.string()))
    assert found.tolist() == [hashes.index(one) if one in hashes else -1 for one in wanted]


def test_all_of_many_hashes_are_found() -> None:
    hashes = [text_hash(str(number)) for number in range(20_000)]
    strangers = pa.array([text_hash(f"x{number}") for number in range(100)])
    index = index_of(hashes)
    np.testing.assert_array_equal(index.find(pa.array(hashes)), np.arange(20_000))
    assert (index.find(strangers) == -1).all()

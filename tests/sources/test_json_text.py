from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from include.sources.json_text import parse_json

UNHURRIED = settings(deadline=None, max_examples=60)


@pytest.mark.parametrize("broken", [b"", b"{", b"NaN", b"[-Infinity]", b'"\xff"', b"[" * 100_000, b"1" * 5_000])
def test_what_is_not_json_is_a_value_error(broken: bytes) -> None:
    with pytest.raises(ValueError, match=r".*"):
        parse_json(broken)


def test_half_a_character_becomes_the_replacement_character() -> None:
    assert parse_json(rb'{"a\ud83d": ["\ud83d", "\ud83d\ude00", "\uDE00x"]}') == {"a�": ["�", "😀", "�x"]}


def test_a_byte_order_mark_is_no_part_of_the_text() -> None:
    assert parse_json(b"\xef\xbb\xbf{}") == {}


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@UNHURRIED
@given(JSON)
def test_what_was_written_is_read(value: object) -> None:
    assert parse_json(json.dumps(value).encode()) == value


@UNHURRIED
@given(st.text(alphabet=st.characters(exclude_categories=())))
def test_every_text_read_can_be_encoded(text: str) -> None:
    parse_json(json.dumps(text).encode()).encode()

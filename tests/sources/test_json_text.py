from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from include.nesting import MAX_DEPTH, TOO_DEEP
from include.sources.json_text import MAX_DIGITS, parse_json, shown, to_json

UNHURRIED = settings(deadline=None, max_examples=60)


BROKEN = [b"", b"{", b"NaN", b"[-Infinity]", b'"\xff"', b"[" * 100_000, b"[" * 70 + b"}" * 70, b"[" * 9_000 + b"}"]


@pytest.mark.parametrize("broken", BROKEN, ids=len)
def test_what_is_not_json_is_a_value_error(broken: bytes) -> None:
    with pytest.raises(ValueError, match=r".*"):
        parse_json(broken)


def test_half_a_character_becomes_the_replacement_character() -> None:
    assert parse_json(rb'{"a\ud83d": ["\ud83d", "\ud83d\ude00", "\uDE00x"]}') == {"a�": ["�", "😀", "�x"]}


def test_a_byte_order_mark_is_no_part_of_the_text() -> None:
    assert parse_json(b"\xef\xbb\xbf{}") == {}


OVERFLOWING = ["1e999", "1E+400", "9" * 501, "1" * 5_000, "-" + "9" * 501, "-1e999", "9" * 400 + ".5"]


@pytest.mark.parametrize("number", OVERFLOWING, ids=len)
def test_a_number_that_overflows_is_infinite_and_stays_a_number_when_it_is_written(number: str) -> None:
    value = parse_json(f'{{"a": [{number}], "b": "Infinity, NaN"}}'.encode())
    assert value["a"] == [-math.inf if number.startswith("-") else math.inf]
    assert to_json(value) == f'{{"a": [{"-" * number.startswith("-")}1e999], "b": "Infinity, NaN"}}'
    assert parse_json(to_json(value).encode()) == value


def test_a_number_of_the_longest_digits_is_exact_wherever_it_stands() -> None:
    longest = int("9" * MAX_DIGITS)
    for offset in range(120):
        assert parse_json(b" " * offset + str(longest).encode()) == longest
        assert parse_json(b" " * offset + b"9" * (MAX_DIGITS + 1)) == math.inf


@pytest.mark.parametrize("value", [math.nan, [math.inf, 'a "NaN" \\" Infinity']])
def test_what_is_no_json_is_written_as_json(value: Any) -> None:
    json.loads(to_json(value), parse_constant=pytest.fail)


@pytest.mark.parametrize("opening, closing", [("[", "]"), ('{"a": ', "}"), ('["]", {"[": ', "}]")])
def test_text_nested_without_end_is_read_but_for_what_is_too_deep(opening: str, closing: str) -> None:
    text = f'{{"deep": {opening * 100_000}1{closing * 100_000}, "after": 1}}'
    value = parse_json(text.encode())
    assert value["after"] == 1
    depth = 0
    part: Any = value["deep"]
    while not isinstance(part, str):
        part = part[-1] if isinstance(part, list) else next(iter(part.values()))
        depth += 1
    assert (part, depth) == (TOO_DEEP, MAX_DEPTH - 1)


def test_quotes_without_end_take_no_longer_than_their_length() -> None:
    with pytest.raises(ValueError, match="not closed"):
        parse_json(b"[" * 100_000 + b'"' + b'\\"' * 500_000)


LONG = [10**5_000, -(10**5_000), math.inf, "x" * 10**6, {"a": 1}, [1], None, True, b"x"]


@pytest.mark.parametrize("value", LONG, ids=type)
def test_a_value_is_shown_in_few_characters(value: Any) -> None:
    assert len(shown(value)) < 80


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

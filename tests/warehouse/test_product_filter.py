"""Whatever stands in a URL is a query of products, or is left out and said."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.warehouse.product_cursor import Cursor
from include.warehouse.product_filter import FACET_NAMES, MOST_PAIRS, MOST_VALUES, ProductFilter, ProductQuery

_NAMES = ["text", "day_from", "day_to", "confidence_from", "confidence_to", "sort", "at", "column", *FACET_NAMES]
_anything = st.text(st.characters(), max_size=300) | st.sampled_from(
    ["", " ", "\0", "\ud800", "nan", "inf", "-1", "1e999", "9" * 5_000, "0001-01-01", "9999-12-31", "2026-02-30", "W1"]
)


@given(st.lists(st.tuples(st.sampled_from(_NAMES) | _anything, _anything), max_size=30))
def test_no_url_raises_and_what_is_left_can_be_stored_and_sent(pairs: list[tuple[str, str]]) -> None:
    asked, ignored = ProductQuery.parse(pairs)
    again, nothing = ProductQuery.parse(asked.pairs())
    assert (again, nothing) == (asked, [])
    for name, value in asked.pairs():
        assert "\0" not in value
        assert (name + value).encode()
    assert all(sentence.isprintable() for sentence in ignored)


@given(
    st.builds(
        Cursor,
        st.sampled_from(["surest", "least_sure"]),
        st.floats(0, 1, width=32),
        st.integers(0, 2**31 - 1),
        st.booleans(),
    )
    | st.builds(Cursor, st.sampled_from(["newest", "oldest"]), st.dates(), st.integers(0, 2**31 - 1), st.booleans())
)
def test_a_cursor_is_read_as_it_was_written_and_only_in_its_order(cursor: Cursor) -> None:
    assert Cursor.decode(cursor.encode(), cursor.sort) == cursor
    others = {"newest", "oldest", "surest", "least_sure"} - {cursor.sort}
    assert [Cursor.decode(cursor.encode(), other) for other in others] == [None] * 3


@given(st.text() | st.binary().map(lambda raw: __import__("base64").urlsafe_b64encode(raw).decode()))
def test_no_text_breaks_the_reading_of_a_cursor(text: str) -> None:
    found = Cursor.decode(text, "surest")
    assert found is None or 0 <= found.key <= 1


@pytest.mark.parametrize(
    "place",
    [
        '["surest",1e400,1,0]', '["surest",NaN,1,0]', f'["surest",{"9" * 400},1,0]', '["surest",true,1,2]',
        '["surest",0.5,2147483648,0]', '["surest",0.5,-1,0]', '["surest",0.5,1.0,0]', '["surest",0.5,true,0]',
        '["surest"]', "{}", "1", "[" * 3_000, '["surest","0.5",1,0]', '["surest",null,1,0]', '["surest",0.5,1,[]]',
    ],
)  # fmt: skip
def test_a_forged_cursor_is_none(place: str) -> None:
    import base64

    assert Cursor.decode(base64.urlsafe_b64encode(place.encode()).decode().rstrip("="), "surest") is None


def test_a_url_becomes_a_filter() -> None:
    asked, ignored = ProductQuery.parse(
        [
            ("text", "crémant"), ("label", "champagne"), ("label", "vinegar"), ("label", "champagne"),
            ("day_from", "2026-01-05"), ("confidence_to", "0,5"), ("sort", "least_sure"), ("column", "url"), ("x", "y"),
        ]
    )  # fmt: skip
    assert ignored == []
    assert asked.filter == ProductFilter(
        text="crémant",
        values={"label": ("champagne", "vinegar")},
        day_from=date(2026, 1, 5),
        confidence_to=0.5,
    )
    assert (asked.sort, asked.columns) == ("least_sure", ("url",))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("day_from", "soon"), ("day_to", "2026-02-30"), ("confidence_from", "1.5"), ("confidence_from", "nan"),
        ("sort", "random()"), ("column", "password"), ("at", "x"), ("label", "a\0b"), ("text", "x" * 201),
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_left_out_and_named(name: str, value: str) -> None:
    asked, ignored = ProductQuery.parse([(name, value)])
    assert asked == ProductQuery()
    assert len(ignored) == 1
    assert ignored[0].startswith(f"{name}: ")


def test_a_url_without_end_is_cut() -> None:
    asked, ignored = ProductQuery.parse([("label", str(number)) for number in range(10 * MOST_PAIRS)])
    assert len(asked.filter.values["label"]) == MOST_VALUES
    assert ignored[-1] == f"all that follows the first {MOST_PAIRS} conditions"

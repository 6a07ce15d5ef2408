"""When a manner applies: by number, never by chance, and never so that trying again is of no use."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.errors import ConfigurationError
from include.sandbox.manners import ALL_MANNERS, RESPONSE_MANNERS, Manner, Manners

NAMES = tuple(RESPONSE_MANNERS)
manner_texts = st.builds(
    Manner,
    name=st.sampled_from(sorted(ALL_MANNERS)),
    first=st.integers(0, 9),
    every=st.integers(0, 9),
    one_in=st.integers(1, 9),
    path=st.sampled_from(["", "/api", "/images/products"]),
    seconds=st.floats(0, 60).map(lambda seconds: round(seconds, 3)),
    megabytes=st.integers(1, 99),
)


@given(manner_texts)
def test_a_manner_reads_what_it_prints(manner: Manner) -> None:
    assert Manner.parse(str(manner)) == manner


@pytest.mark.parametrize(
    "text", ["", "politeness", "slow:seconds", "slow:seconds=x", "slow:colour=red", "slow:seconds=-1", "slow:one_in=0"]
)
def test_a_wrong_manner_is_refused_with_what_there_is(text: str) -> None:
    with pytest.raises(ConfigurationError, match=r"no manner|is not one of|counts are positive"):
        Manner.parse(text)


def test_first_n_requests_are_struck_and_then_none() -> None:
    manners = Manners(["rate_limit:first=2"])
    struck = [manners.strike("/api", NAMES, "/api") is not None for _ in range(6)]
    assert struck == [True, True, False, False, False, False]


def test_every_third_request_is_struck() -> None:
    manners = Manners(["rate_limit"])
    struck = [manners.strike("/api", NAMES, f"/api?{number}") is not None for number in range(7)]
    assert struck == [True, False, False, True, False, False, True]


def test_with_every_manner_on_a_second_try_of_an_address_always_gets_through() -> None:
    manners = Manners([f"{name}:every=1" for name in NAMES])
    for number in range(50):
        address = f"/api?{number}"
        assert manners.strike("/api", NAMES, address) is not None
        assert manners.strike("/api", NAMES, address) is None


def test_a_manner_with_a_path_strikes_only_there() -> None:
    manners = Manners(["unavailable:every=1,path=/images"])
    assert manners.strike("/api/v2/search", NAMES, "a") is None
    assert manners.strike("/images/1.jpg", (), "b") is not None


def test_the_same_records_are_picked_each_time_and_one_in_one_is_all() -> None:
    codes = [str(number) for number in range(1000)]
    quarter = [code for code in codes if Manner("null_keys").picks(code)]
    assert quarter == [code for code in codes if Manner("null_keys").picks(code)]
    assert 150 < len(quarter) < 350
    assert all(Manner("null_keys", one_in=1).picks(code) for code in codes)


def test_replacing_manners_begins_counting_again() -> None:
    manners = Manners(["slow:first=1"])
    assert manners.strike("/api", NAMES) is not None
    assert manners.strike("/api", NAMES) is None
    manners.replace(["slow:first=1"])
    assert manners.strike("/api", NAMES) is not None

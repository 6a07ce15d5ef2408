"""When a fault applies: by number, never by chance, and never so that trying again is of no use."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.errors import ConfigurationError
from include.sandbox.faults import ALL_FAULTS, RESPONSE_FAULTS, Fault, Faults

NAMES = tuple(RESPONSE_FAULTS)
fault_texts = st.builds(
    Fault,
    name=st.sampled_from(sorted(ALL_FAULTS)),
    first=st.integers(0, 9),
    every=st.integers(0, 9),
    one_in=st.integers(1, 9),
    path=st.sampled_from(["", "/api", "/images/products"]),
    seconds=st.floats(0, 60).map(lambda seconds: round(seconds, 3)),
    megabytes=st.integers(1, 99),
)


@given(fault_texts)
def test_a_fault_reads_what_it_prints(fault: Fault) -> None:
    assert Fault.parse(str(fault)) == fault


@pytest.mark.parametrize(
    "text", ["", "politeness", "slow:seconds", "slow:seconds=x", "slow:colour=red", "slow:seconds=-1", "slow:one_in=0"]
)
def test_a_wrong_fault_is_refused_with_what_there_is(text: str) -> None:
    with pytest.raises(ConfigurationError, match=r"no fault|is not one of|counts are positive"):
        Fault.parse(text)


def test_first_n_requests_are_struck_and_then_none() -> None:
    faults = Faults(["rate_limit:first=2"])
    injected = [faults.fault_for("/api", NAMES, "/api") is not None for _ in range(6)]
    assert injected == [True, True, False, False, False, False]


def test_every_third_request_is_struck() -> None:
    faults = Faults(["rate_limit"])
    injected = [faults.fault_for("/api", NAMES, f"/api?{number}") is not None for number in range(7)]
    assert injected == [True, False, False, True, False, False, True]


def test_with_every_fault_on_a_second_try_of_an_address_always_gets_through() -> None:
    faults = Faults([f"{name}:every=1" for name in NAMES])
    for number in range(50):
        address = f"/api?{number}"
        assert faults.fault_for("/api", NAMES, address) is not None
        assert faults.fault_for("/api", NAMES, address) is None


def test_a_fault_with_a_path_is_injected_only_there() -> None:
    faults = Faults(["unavailable:every=1,path=/images"])
    assert faults.fault_for("/api/v2/search", NAMES, "a") is None
    assert faults.fault_for("/images/1.jpg", (), "b") is not None


def test_the_same_records_are_picked_each_time_and_one_in_one_is_all() -> None:
    codes = [str(number) for number in range(1000)]
    quarter = [code for code in codes if Fault("null_keys").picks(code)]
    assert quarter == [code for code in codes if Fault("null_keys").picks(code)]
    assert 150 < len(quarter) < 350
    assert all(Fault("null_keys", one_in=1).picks(code) for code in codes)


def test_replacing_faults_begins_counting_again() -> None:
    faults = Faults(["slow:first=1"])
    assert faults.fault_for("/api", NAMES) is not None
    assert faults.fault_for("/api", NAMES) is None
    faults.replace(["slow:first=1"])
    assert faults.fault_for("/api", NAMES) is not None

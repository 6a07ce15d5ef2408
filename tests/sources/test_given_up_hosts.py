"""A host is given up for its silence alone."""

from __future__ import annotations

import logging

import pytest

from include.sources.given_up_hosts import FAILURES, GivenUpHosts

DEAD, WELL = "https://dead.example/a.jpg", "https://well.example/a.jpg"


def test_a_host_that_never_answers_is_given_up_and_the_others_are_not(caplog: pytest.LogCaptureFixture) -> None:
    hosts = GivenUpHosts(patience_seconds=0)
    with caplog.at_level(logging.WARNING):
        for number in range(FAILURES + 5):
            assert hosts.is_given_up(DEAD) == (number >= FAILURES)
            hosts.record(DEAD, answered=False)
            hosts.record(WELL, answered=True)
    assert not hosts.is_given_up(WELL)
    assert not hosts.is_given_up(DEAD.replace("https", "http"))
    (warning,) = (record.message for record in caplog.records if "dead.example" in record.message)
    assert f"host='dead.example:https' failed={FAILURES} " in warning


def test_a_host_of_which_a_part_hangs_is_not_given_up() -> None:
    hosts = GivenUpHosts(patience_seconds=0)
    for number in range(2_000):
        hosts.record(DEAD, answered=number % FAILURES == 0)  # only one in twenty is answered
    assert not hosts.is_given_up(DEAD)


def test_a_short_outage_gives_no_host_up() -> None:
    hosts = GivenUpHosts(patience_seconds=60)
    assert not hosts.is_given_up(DEAD)
    for _ in range(10 * FAILURES):
        hosts.record(DEAD, answered=False)
    assert not hosts.is_given_up(DEAD)


@pytest.mark.parametrize("url", ["http://[::1", "http://a:b:c/", "http://", "x:" + "y" * 100_000, "http://h:99999/"])
def test_no_address_is_too_odd(url: str) -> None:
    hosts = GivenUpHosts(patience_seconds=0)
    for _ in range(FAILURES):
        hosts.record(url, answered=False)
    assert hosts.is_given_up(url)

"""The check of the platform never makes a page wait, runs once for all who look, and is kept for a minute."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from include.errors import WarehouseUnreachable
from include.pages.web import checks
from include.pages.web.checks import Checks
from tests.pages.web.hosts import SmallHost

SECONDS = 10


class Clock:
    """A clock that a test turns."""

    def __init__(self) -> None:
        self.seconds = 1_000.0

    def monotonic(self) -> float:
        return self.seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(checks, "time", made)
    return made


class SlowHost(SmallHost):
    """A host whose check ends when a test lets it, and that counts its checks."""

    def __init__(self) -> None:
        super().__init__(found=["the alias is wrong"])
        self.may_end = threading.Event()
        self.calls = 0

    def problems(self) -> list[str]:
        self.calls += 1
        assert self.may_end.wait(SECONDS)
        return self.found


def test_one_check_runs_for_all_who_ask_and_is_kept_for_a_minute(clock: Clock) -> None:
    host = SlowHost()
    watch = Checks(host)
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: watch.newest(), range(8)))
    assert len({id(answer) for answer in answers}) == 1
    host.may_end.set()
    assert list(answers[0].result(SECONDS)) == host.found
    clock.seconds += 59
    assert watch.newest() is answers[0]
    clock.seconds += 2
    assert list(watch.newest().result(SECONDS)) == host.found
    assert host.calls == 2


def test_the_batches_page_does_not_wait_for_it_and_leads_to_it(viewer: TestClient, host: SmallHost) -> None:
    def never() -> list[str]:
        raise AssertionError("the page waited for the check")

    host.problems = never  # type: ignore[method-assign]
    page = viewer.get("batches").text
    assert '<a href="./checks" data-load>Check now</a>' in page


def test_problems_are_listed_and_their_texts_never_run(viewer: TestClient, host: SmallHost) -> None:
    host.found = ["first <script>alert(1)</script>", "second \u202eproblem"]
    page = viewer.get("checks").text
    assert "2 problems" in page
    assert "first &lt;script&gt;" in page
    assert "\u202e" not in page
    assert "data-answer" in page


def test_no_problem_is_said_as_well(viewer: TestClient) -> None:
    assert "all agrees" in viewer.get("checks").text


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (WarehouseUnreachable("the warehouse is down"), "the check itself stopped: the warehouse is down"),
        (RuntimeError("secret-word"), "run `python -m include check` in a shell"),
    ],
)
def test_a_check_that_fails_says_so_and_the_next_is_made_anew(
    viewer: TestClient, host: SmallHost, clock: Clock, error: Exception, said: str
) -> None:
    works: Callable[[], list[str]] = host.problems  # type: ignore[assignment]

    def fails() -> list[str]:
        raise error

    host.problems = fails  # type: ignore[method-assign]
    page = viewer.get("checks").text
    assert said in page
    assert "secret-word" not in page
    host.problems = works  # type: ignore[method-assign]
    clock.seconds += 61
    assert "all agrees" in viewer.get("checks").text


def test_a_check_that_hangs_gives_an_answer_all_the_same(application: FastAPI, viewer: TestClient) -> None:
    slow = SlowHost()
    application.state.checks = Checks(slow, wait=0.05)
    page = viewer.get("checks").text
    assert "still going on" in page
    slow.may_end.set()
    application.state.checks.newest().result(SECONDS)
    assert "the alias is wrong" in viewer.get("checks").text
    assert slow.calls == 1

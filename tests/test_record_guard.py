"""Whatever a record makes our code do, the batch goes on without it, or names it and stops."""

from __future__ import annotations

import contextlib
import logging
import re
import signal
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from include.errors import RecordTooSlow
from include.record_guard import RecordGuard
from include.schema import Product, Rejection


def raw_records(count: int) -> Iterator[tuple[str, Any]]:
    for number in range(count):
        yield f"file:{number}", {"code": str(number)}


def parsed(raw: dict[str, Any], _position: str) -> Product | None:
    number = int(raw["code"])
    if number % 10 == 3:
        raise ZeroDivisionError(number)
    if number % 10 == 4:
        raise RecursionError
    return None if number % 10 == 5 else Product("shop", raw["code"])


def test_every_record_comes_out_once_and_what_raises_is_set_aside(caplog: pytest.LogCaptureFixture) -> None:
    with RecordGuard("shop") as guard:
        records = list(guard.read_each(raw_records(30), parsed))
    assert len(records) == 27, "three were passed over"
    rejected = [record for record in records if isinstance(record, Rejection)]
    assert [record.position for record in rejected] == [f"file:{n}" for n in (3, 4, 13, 14, 23, 24)]
    assert {record.reasons for record in rejected} == {("unreadable",)}
    assert rejected[0].raw == {"code": "3"}
    assert "ZeroDivisionError" in rejected[0].detail


def test_one_warning_has_the_count_the_kinds_and_the_first_traceback(caplog: pytest.LogCaptureFixture) -> None:
    with RecordGuard("shop") as guard:
        list(guard.read_each(raw_records(30), parsed))
    (told,) = caplog.records
    assert told.levelno == logging.WARNING
    assert "6 records of source=shop" in told.getMessage()
    assert "{'ZeroDivisionError': 3, 'RecursionError': 3}" in told.getMessage()
    assert "file:3" in told.getMessage()
    assert "in parsed" in caplog.text, "the traceback"


def test_nothing_is_told_of_a_batch_that_is_read(caplog: pytest.LogCaptureFixture) -> None:
    with RecordGuard("shop") as guard:
        assert len(list(guard.read_each(raw_records(3), parsed))) == 3
    assert caplog.records == []


@pytest.mark.parametrize("stop", [MemoryError, KeyboardInterrupt, SystemExit])
def test_what_concerns_the_process_passes(stop: type[BaseException]) -> None:
    def fails(_raw: Any, _position: str) -> None:
        raise stop

    guard = RecordGuard("shop")
    with pytest.raises(stop):
        list(guard.read_each(raw_records(1), fails))
    with pytest.raises(stop):
        guard.each([(1,)], lambda _value: fails(1, ""), otherwise=None)


def test_an_error_of_the_file_itself_is_not_one_of_a_record() -> None:
    def damaged() -> Iterator[tuple[str, Any]]:
        yield "file:1", {"code": "1"}
        raise OSError("damaged")

    with pytest.raises(OSError, match="damaged"):
        list(RecordGuard("shop").read_each(damaged(), parsed))


def test_rows_on_which_a_function_fails_get_what_stands_for_nothing(caplog: pytest.LogCaptureFixture) -> None:
    with RecordGuard("texts") as guard:
        found = guard.each([("a", 2), ("b\x1b", "x"), ("c", 3)], lambda text, times: text * int(times), otherwise="")
    assert found == ["aa", "", "ccc"]
    (told,) = caplog.records
    assert "row 2: b" in told.getMessage()
    assert "\x1b" not in told.getMessage()


HANGS = re.compile(r"(?:a|a)*b")


def hangs(raw: dict[str, Any], _position: str) -> None:
    if raw["code"] == "7":
        HANGS.match("a" * 40)  # doubles with each letter: many hours, in one call


def test_a_record_that_hangs_fails_the_batch_and_is_named() -> None:
    guard = RecordGuard("shop")
    started = time.monotonic()
    with pytest.raises(RecordTooSlow, match=r"shop: the record at 'file:7' took more than 0.2 s"), guard.watched(0.2):
        list(guard.read_each(raw_records(10), hangs))
    assert time.monotonic() - started < 20
    assert signal.getitimer(signal.ITIMER_VIRTUAL) == (0.0, 0.0)


def test_a_row_that_hangs_is_named_by_its_place_and_text() -> None:
    guard = RecordGuard("texts")
    with pytest.raises(RecordTooSlow, match="row 2: Champagne"), guard.watched(0.2):
        guard.each(
            [("x",), ("Champagne",)], lambda text: HANGS.match("a" * 40) if text != "x" else None, otherwise=None
        )


def test_a_guard_on_the_way_does_not_keep_the_watchdog_back() -> None:
    def stubborn(raw: dict[str, Any], position: str) -> None:
        with contextlib.suppress(Exception):
            hangs(raw, position)

    guard = RecordGuard("shop")
    with pytest.raises(RecordTooSlow), guard.watched(0.2):
        list(guard.read_each(raw_records(10), stubborn))


def test_many_records_take_as_long_as_they_like_together() -> None:
    def busy(_raw: Any, _position: str) -> None:
        until = time.thread_time() + 0.02
        while time.thread_time() < until:
            pass

    guard = RecordGuard("shop")
    with guard.watched(0.2):
        list(guard.read_each(raw_records(25), busy))


def test_a_long_batch_says_how_far_it_is(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    def busy(_raw: Any, _position: str) -> None:
        until = time.thread_time() + 0.02
        while time.thread_time() < until:
            pass

    monkeypatch.setattr("include.record_guard.PROGRESS_SECONDS", 0.15)
    caplog.set_level(logging.INFO)
    guard = RecordGuard("shop")
    with guard.watched(0.2):
        list(guard.read_each(raw_records(25), busy))
    assert 1 <= len(caplog.records) <= 4
    assert re.search(r"reading source=shop at=file:\d+ records=0", caplog.text)


def test_waiting_is_no_work() -> None:
    guard = RecordGuard("shop")
    with guard.watched(0.05):
        list(guard.read_each(raw_records(1), lambda _raw, _position: time.sleep(0.2)))


def test_the_timer_of_others_comes_back() -> None:
    def handler(*_: object) -> None:
        pass

    before = signal.signal(signal.SIGVTALRM, handler)
    try:
        with RecordGuard("shop").watched():
            assert signal.getsignal(signal.SIGVTALRM) is not handler
        assert signal.getsignal(signal.SIGVTALRM) is handler
    finally:
        signal.signal(signal.SIGVTALRM, before)


def test_in_another_thread_records_are_read_without_a_watch() -> None:
    found: list[Any] = []

    def read() -> None:
        with RecordGuard("shop") as guard, guard.watched(0.1):
            found.extend(guard.read_each(raw_records(3), parsed))

    thread = threading.Thread(target=read)
    thread.start()
    thread.join()
    assert len(found) == 3

"""Progress of long work is told; short work says nothing."""

from __future__ import annotations

import logging

import pytest

from include import progress
from include.progress import with_progress


def test_long_work_tells_how_far_it_is_every_ten_seconds(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    now = 0.0

    def clock() -> float:
        nonlocal now
        return now

    monkeypatch.setattr(progress.time, "monotonic", clock)
    for _ in with_progress(range(2_500), "read rows of shop.csv"):
        now += 1 / 128
    messages = [record.getMessage() for record in caplog.records]
    assert messages == ["read rows of shop.csv: 1,280 so far"]


def test_short_work_says_nothing_and_passes_everything_on(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    assert list(with_progress(iter("abc"), "read")) == ["a", "b", "c"]
    assert caplog.records == []

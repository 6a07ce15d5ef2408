"""Ages and durations are told in their largest unit."""

from __future__ import annotations

from datetime import timedelta

import pytest

from include.pages.web.clock import age_text, duration_text
from tests.pages.web.batch_rows import NOW


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-5, "0 seconds"), (0.4, "0 seconds"), (1, "1 second"), (59, "59 seconds"), (60, "1 minute"),
        (3_599, "59 minutes"), (7_200, "2 hours"), (86_400, "1 day"), (1_050_000, "12 days"),
    ],
)  # fmt: skip
def test_an_age_is_told_in_its_largest_unit(seconds: float, text: str) -> None:
    assert age_text(NOW - timedelta(seconds=seconds), NOW) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.04, "0.0 s"), (3.21, "3.2 s"), (59.7, "59.7 s"), (60, "1 min 0 s"), (245, "4 min 5 s"), (7_800, "2 h 10 min")],
)
def test_a_duration_is_told_in_two_units_at_most(seconds: float, text: str) -> None:
    assert duration_text(seconds) == text

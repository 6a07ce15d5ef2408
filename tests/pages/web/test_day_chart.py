"""The chart's columns are as high as what came in, and say in words what they show."""

from __future__ import annotations

from typing import Any

import pytest

from include.pages.web.day_chart import HEIGHT, PARTS, day_chart
from include.pages.web.days import Day, DayState
from include.warehouse.batch_history import StoredBatch
from tests.pages.web.batch_rows import day


def counted(ago: int, **counts: Any) -> Day:
    """A published day with counts."""
    stored = StoredBatch("edamam", day(ago), "daily", "published", **counts)
    return Day("edamam", day(ago), DayState.PUBLISHED, stored)


def test_the_highest_column_fills_the_chart_and_the_others_are_in_proportion() -> None:
    days = [
        counted(3, accepted=60, reviewed=20, unchanged=10, quarantined=10),
        counted(2, accepted=25),
        Day("edamam", day(1), DayState.NEVER),
    ]
    chart = day_chart("edamam", days)
    assert chart.most == 100
    heights = [sum(piece.height for piece in column.pieces) for column in chart.columns]
    assert heights == pytest.approx([HEIGHT, HEIGHT / 4, 0])
    assert [piece.part for piece in chart.columns[0].pieces] == list(PARTS)
    assert [piece.top for piece in chart.columns[0].pieces] == pytest.approx([32, 16, 8, 0])


def test_a_column_says_everything_in_words() -> None:
    shown = day_chart("edamam", [counted(1, accepted=1_200, reviewed=3, quarantined=0)]).columns[0]
    assert shown.words == f"{day(1)}: published, 1,200 accepted, 3 to review"


def test_a_month_without_a_record_has_no_columns_and_its_troubled_days_come_newest_first() -> None:
    chart = day_chart("edamam", [Day("edamam", day(ago), DayState.NEVER) for ago in (3, 2, 1)])
    assert chart.most == 0
    assert [column.pieces for column in chart.columns] == [(), (), ()]
    assert [one.day for one in chart.troubled] == [day(1), day(2), day(3)]
    assert day_chart("edamam", []).columns == ()

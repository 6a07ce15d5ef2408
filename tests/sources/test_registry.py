"""The registry of sources tells what DAG files need without loading a source."""

from __future__ import annotations

from include.sources import LISTING_SOURCES, SOURCE_NAMES, get_source


def test_the_sources_that_list_everything_each_day_are_those_that_say_so() -> None:
    assert {name for name in SOURCE_NAMES if not get_source(name).incremental} == LISTING_SOURCES

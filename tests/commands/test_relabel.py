"""What `relabel` prints."""

from __future__ import annotations

import io

from rich.console import Console

from include.commands.relabel import print_relabelling
from include.warehouse.relabel_summary import RelabelSummary
from tests.pages.test_relabel_report import drawn_summary


def printed(summary: RelabelSummary) -> str:
    stream = io.StringIO()
    print_relabelling(summary, Console(file=stream, width=200))
    return stream.getvalue()


def test_it_prints_the_counts_and_the_commonest_changes() -> None:
    text = printed(drawn_summary())
    assert "version 3 relabelled 1,250 products: 70 got another label, 40 are accepted now" in text
    assert "champagne, review" in text and "vinegar, accepted" in text


def test_it_says_when_there_was_nothing_to_do_or_something_is_left() -> None:
    assert printed(drawn_summary(relabelled=0)) == "nothing to relabel with version 3\n"
    assert "7 products came meanwhile" in printed(drawn_summary(others=7, changes=[]))

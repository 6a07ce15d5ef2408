"""The page of a relabelling."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from include.pages.relabel_report import SHOWN_CHANGES, render, write_relabel_report
from include.storage.lake import Lake
from include.warehouse.relabel_summary import RelabelSummary


def drawn_summary(**changes: Any) -> RelabelSummary:
    """A relabelling with a name that wants to be HTML."""
    example = {"product_id": "openfoodfacts:3", "confidence_before": 0.61, "confidence_after": 0.987}
    summary: dict[str, Any] = {
        "version": "3", "previous_versions": {"1": 10, "2": 1_240}, "others": 0, "human": 4,
        "relabelled": 1_250, "relabelled_by_source": {"edamam": 50, "openfoodfacts": 1_200}, "label_changed": 70,
        "accepted_to_review": 5, "review_to_accepted": 40, "human_contradicted": 1,
        "labels": [{"label": "champagne", "before": 900, "after": 870}, {"label": "vinegar", "before": 0, "after": 30}],
        "changes": [
            {
                "label_before": "champagne", "label_after": "vinegar", "decision_before": "review",
                "decision_after": "accepted", "products": 30,
                "examples": [{**example, "name": "<script>alert(1)</script>\u202e"}, {**example, "name": None}],
            }
        ],
    }  # fmt: skip
    return summary | changes  # type: ignore[return-value]


def test_the_page_tells_what_changed_and_escapes_what_strangers_wrote() -> None:
    page = render(drawn_summary())
    assert "<script" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;[U+202E]" in page
    assert "Vinegar or dressing" in page and "1,250" in page and "0.61 → 0.99" in page
    assert "10 from version 1" in page
    assert "Open Food Facts" in page and "Edamam" in page, "whose data it is"
    assert "✓ complete" in page


def test_the_page_needs_nothing_from_elsewhere() -> None:
    page = render(drawn_summary())
    assert not re.search(r"(?:src=|@import|url\()", page)
    assert "default-src 'none'" in page


def test_it_says_what_is_left_and_when_there_was_nothing_to_do() -> None:
    assert "7 products have the label of another version" in render(drawn_summary(others=7))
    nothing = drawn_summary(
        relabelled=0, label_changed=0, labels=[], changes=[], previous_versions={}, relabelled_by_source={}
    )
    assert "nothing to relabel" in render(nothing) and "No product of the warehouse" in render(nothing)
    left = render(nothing | {"others": 7})  # type: ignore[arg-type]
    assert "7 left" in left and "nothing to relabel" not in left and "No product of the warehouse" not in left
    assert render(drawn_summary(changes=[])).count("None.") == 2


def test_many_kinds_of_change_are_cut_on_the_page_only(tmp_path: Path) -> None:
    [change] = drawn_summary()["changes"]
    many = drawn_summary(changes=[change] * (SHOWN_CHANGES + 20))
    lake = Lake(str(tmp_path))
    path = write_relabel_report(lake, many)
    assert path == "reports/relabel/version=3/index.html"
    assert f"The {SHOWN_CHANGES} commonest of {SHOWN_CHANGES + 20} kinds" in lake.read_bytes(path).decode()
    assert json.loads(lake.read_bytes("reports/relabel/version=3/summary.json")) == many


def test_the_same_relabelling_gives_the_same_bytes(tmp_path: Path) -> None:
    lake = Lake(str(tmp_path))
    first = lake.read_bytes(write_relabel_report(lake, drawn_summary()))
    assert lake.read_bytes(write_relabel_report(lake, drawn_summary())) == first

"""Text from outside is harmless in a message, on a terminal and in a spreadsheet."""

from __future__ import annotations

import pytest

from include.security.quoting import printable, shortened, spreadsheet_safe


@pytest.mark.parametrize(
    "text", ["=1", "+1", "-1", "@a", "\t=1", "\r=1", "\n=1", "  =1", "\uff1d1", "=cmd|' /C calc'!A0"]
)
def test_what_a_spreadsheet_would_run_is_text(text: str) -> None:
    assert spreadsheet_safe(text) == f"'{text}"


@pytest.mark.parametrize("text", ["", " ", "Champagne = brut", "3017620422003", "é", '{"a": "=1"}', "'=1"])
def test_other_text_stays_as_it_is(text: str) -> None:
    assert spreadsheet_safe(text) == text


def test_control_characters_and_direction_marks_are_replaced() -> None:
    assert printable("a\x1b[31m\u202eb\n", keep="\n") == "a\ufffd[31m\ufffdb\n"
    assert shortened("x" * 200) == "x" * 119 + "…"

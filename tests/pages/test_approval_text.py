"""What a person reads before approving is short, plain Markdown, whatever stands in the names."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest
from markdown_it import MarkdownIt
from markdown_it.token import Token

from include.models.promotion.judgement import Judgement
from include.pages.approval_text import LONGEST, comparison_markdown
from tests.pages.judgements import BROKEN, CLAUSES, EVIL, draw_candidate, draw_first, draw_promotion, draw_refusal


def parts(text: str) -> list[Token]:
    """What a reader of Markdown with tables sees, inner parts included."""
    tokens = MarkdownIt("commonmark").enable("table").parse(text)
    return [part for token in tokens for part in (token, *(token.children or []))]


def tables(text: str) -> list[list[list[str]]]:
    """The tables as rows of cells, as they are read."""
    found: list[list[list[str]]] = []
    tokens = MarkdownIt("commonmark").enable("table").parse(text)
    for before, token in pairwise(tokens):
        if before.type == "table_open":
            found.append([])
        elif before.type == "tr_open":
            found[-1].append([])
        if before.type in ("th_open", "td_open"):
            found[-1][-1].append("".join(child.content for child in token.children or []))
    return found


@pytest.mark.parametrize("judgement", [draw_promotion(), draw_refusal(), draw_first()], ids=lambda one: one.as_of)
def test_it_has_the_scores_of_both_and_every_clause(judgement: Judgement) -> None:
    text = comparison_markdown(judgement)
    scores, clauses = tables(text)
    assert len(text) < LONGEST
    assert len(scores) == 7
    assert {len(row) for row in scores} == {4 if judgement.champion else 2}
    assert [tuple(row) for row in clauses[1:]] == [
        ("✓" if clause.holds else "✗", clause.name, clause.found, clause.wanted)
        for clause in sorted(judgement.judged.clauses, key=lambda clause: clause.holds)
    ]
    assert f"reports/retraining/day={judgement.as_of}/" in text


def test_it_says_what_a_yes_does() -> None:
    text = comparison_markdown(draw_promotion())
    assert text.startswith("**Version 4 may become champion in place of version 2: all 4 clauses of the gate hold.")
    assert "+0.008 to +0.052 (95 % interval" in text


def test_names_of_strangers_are_text_and_leave_the_tables_whole() -> None:
    clause = replace(BROKEN[0], name=EVIL, found=EVIL, wanted=EVIL)
    judgement = replace(draw_promotion(), candidates=(draw_candidate(EVIL, "4", 0.97, (*CLAUSES, clause)),))
    text = comparison_markdown(judgement)
    found = {part.type for part in parts(text)}
    assert not {"html_block", "html_inline", "link_open", "heading_open", "image"} & found
    assert "{{" not in text  # Airflow fills in templates
    assert [len(row) for row in tables(text)[1]] == [4] * 6
    assert "<script>alert(1)</script>" in tables(text)[1][1][1]


def test_it_stays_short_however_much_the_gate_found() -> None:
    clauses = tuple(replace(BROKEN[0], name=f"{number} {EVIL * 3}", found=EVIL * 30, wanted=EVIL * 9)
                    for number in range(10))  # fmt: skip
    judgement = replace(draw_promotion(), candidates=(draw_candidate("n" * 900, "4", 0.97, clauses),))
    text = comparison_markdown(judgement)
    assert 1_000 < len(text) < LONGEST
    assert [len(row) for row in tables(text)[1]] == [4] * 11

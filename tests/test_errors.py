"""The last line of a failed task's log: what failed, why, and what to do, in one sentence."""

from __future__ import annotations

import inspect

import pytest

from include import errors
from include.errors import BatchRejected, CuveeError, DayRefused, SourceError, reason_and_next_step

KINDS = [kind for kind in vars(errors).values() if inspect.isclass(kind) and issubclass(kind, CuveeError)]


@pytest.mark.parametrize("kind", KINDS)
def test_every_expected_failure_has_a_next_step_that_ends_a_sentence(kind: type[CuveeError]) -> None:
    assert kind.next_step
    assert not kind.next_step.endswith(".")
    assert ". " not in kind.next_step


def test_the_sentence_has_the_first_sentence_of_the_reason_and_the_step() -> None:
    error = BatchRejected("the batch of edamam was rejected.\nBroken: max_rejected. See the page")
    line = reason_and_next_step("edamam.validate", error)
    assert line.startswith("edamam.validate failed: the batch of edamam was rejected; next: open the validation report")
    assert line.count(". ") == 0
    assert "\n" not in line


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        ("today is 2026-01-05 (UTC). Choose another", "today is 2026-01-05 (UTC)"),
        ("http://a.example/x.gz: got 3.5 of 4 MB", "http://a.example/x.gz: got 3.5 of 4 MB"),
        ("x" * 2000, "x" * 499 + "…"),
    ],
)
def test_addresses_numbers_and_long_reasons_stay_one_sentence(message: str, reason: str) -> None:
    assert reason_and_next_step("t", DayRefused(message)) == f"t failed: {reason}; next: {DayRefused.next_step}."


def test_what_nobody_expected_has_a_reason_and_a_step_too() -> None:
    assert reason_and_next_step("t", None).startswith("t failed: it was killed or timed out; next: clear")
    assert reason_and_next_step("t", ValueError()).startswith("t failed: ValueError; next: clear")
    assert reason_and_next_step("t", KeyError("a")).startswith("t failed: 'a'; next: clear")
    assert "the source is well" in reason_and_next_step("t", SourceError("down"))

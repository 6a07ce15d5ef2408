"""Double-encoded text is told from text that only looks odd, in time in proportion to its length."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from include.sources.catalogue.damaged_text import EncodingEvidence
from tests.patterns.growth import grows_too_fast


def evidence_of(*lines: str) -> EncodingEvidence:
    """The evidence of a file with these lines."""
    evidence = EncodingEvidence()
    for number, line in enumerate(lines, start=1):
        evidence.feed(number, line)
    return evidence


def double_encoded(text: str, encoding: str) -> str:
    """A text as it is after its UTF-8 was read in another encoding."""
    return text.encode().decode(encoding, "ignore")


@pytest.mark.parametrize("encoding", ["cp1252", "latin-1"])
def test_text_that_was_read_in_another_encoding_is_found(encoding: str) -> None:
    found = evidence_of("Brut", double_encoded("Rosé d'Épernay, ±5 °C", encoding))
    assert found.is_double_encoded
    assert found.first_double_encoded[0] == 2


@pytest.mark.parametrize("text", ["CAFÉ»", "Øl på fad", "Шампанское «Советское»", "ŒUFS À LA NEIGE", "5 °C ±1"])
def test_text_that_only_looks_odd_is_not(text: str) -> None:
    assert not evidence_of(text).is_double_encoded


def test_real_texts_are_not_double_encoded(shared_data: Path) -> None:
    with (shared_data / "openfoodfacts" / "products.jsonl").open(encoding="utf-8") as stream:
        names = [json.loads(line).get("product_name") or "" for line in stream]
    names = [name for name in names if not name.isascii()]
    assert len(names) > 1_000
    assert [name for name in names if evidence_of(name).is_double_encoded] == []
    for encoding in ("cp1252", "latin-1"):
        tens = [names[start : start + 10] for start in range(0, len(names) - 10, 10)]
        assert all(evidence_of(*(double_encoded(name, encoding) for name in ten)).is_double_encoded for ten in tens)


@pytest.mark.parametrize("piece", ["Ã©", "Ã", "â€", "\x80", "ï»¿", "ÃƒÂ©", "ш", "€", "\xa0"])
def test_a_long_run_takes_time_in_proportion_and_the_example_stays_short(piece: str) -> None:
    assert grows_too_fast(evidence_of, lambda n: piece * n) is None
    assert len(evidence_of(piece * 10_000).first_double_encoded[1]) <= 20

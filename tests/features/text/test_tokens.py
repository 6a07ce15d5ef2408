"""Words of documents, and what is remembered of them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from include.features.text import tokens
from include.features.text.cleaning import MAX_DOCUMENT_CHARACTERS
from include.features.text.tokens import Tokenizer
from tests.patterns.growth import grows_too_fast


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The chunks that spaCy is asked for, of a process that has not seen any yet."""
    chunks: list[str] = []
    learn = tokens._KnownChunks._learn

    def note_and_learn(known: tokens._KnownChunks, unknown: set[str]) -> None:
        chunks.extend(sorted(unknown))
        learn(known, unknown)

    tokens._known_chunks.cache_clear()
    monkeypatch.setattr(tokens._KnownChunks, "_learn", note_and_learn)
    yield chunks
    tokens._known_chunks.cache_clear()


def test_words_are_in_lower_case_without_accents_elisions_and_punctuation() -> None:
    assert Tokenizer().split(["Rosé d'Épernay, (brut)", "l’huile --"]) == [
        ["rose", "d", "epernay", "brut"],
        ["l", "huile"],
    ]


LETTERS = st.text(st.characters(categories=["L"]), min_size=1, max_size=12)
DIGITS = st.text("0123456789", min_size=1, max_size=14)


@settings(max_examples=300, deadline=None)
@given(LETTERS | DIGITS | st.text("xXdDoOpPvV", min_size=1, max_size=4))
def test_spacy_never_splits_letters_alone_or_digits_alone(chunk: str) -> None:
    assert [token.text for token in tokens._blank_language().tokenizer(chunk)] == [chunk]


def test_what_one_tokenizer_has_learnt_another_knows(asked: list[str]) -> None:
    assert Tokenizer().split(["Brut Rosé", "Rosé"]) == [["brut", "rose"], ["rose"]]
    assert Tokenizer().split(["Brut Blanc"]) == [["brut", "blanc"]]
    assert asked == ["Brut", "Rosé", "Blanc"]


def test_no_more_than_so_many_chunks_are_remembered(asked: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tokens, "_REMEMBERED_CHUNKS", 3)
    tokenizer = Tokenizer()
    for _ in range(2):
        assert tokenizer.split(["Brut Rosé"]) == [["brut", "rose"]]
    assert asked == ["Brut", "Rosé"]
    assert tokenizer.split(["Blanc de Blancs"]) == [["blanc", "de", "blancs"]]
    assert tokenizer.split(["Rosé"]) == [["rose"]]
    assert asked == ["Brut", "Rosé", "Blanc", "Blancs", "de", "Rosé"]


def test_a_document_without_a_space_is_not_remembered_for_ever(
    asked: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tokens, "_REMEMBERED_CHARACTERS", 10)
    tokenizer = Tokenizer()
    assert tokenizer.split(["x" * 20]) == [["x" * 20]]
    assert tokenizer.split(["Brut Rosé"]) == [["brut", "rose"]]
    assert len(tokens._known_chunks(tokenizer.words).tokens_of({"Brut"})) == 2


@pytest.mark.parametrize("piece", ["!", "(", "$", "+", "'", "l'", "'s", "…", "😀", "a.", "5kg", "-", "1", "é"])
def test_a_long_row_of_signs_is_split_in_proportion_to_its_length(piece: str) -> None:
    tokenizer = Tokenizer()

    def split(text: str) -> None:
        tokens._known_chunks.cache_clear()
        tokenizer.split([text])

    # Affixes are looked for in the ends of a chunk: what is no longer than that takes less.
    beyond_affixes = tokens._LONGEST_AFFIX
    assert grows_too_fast(split, lambda n: piece * (beyond_affixes + n), MAX_DOCUMENT_CHARACTERS // 2) is None


def test_affixes_of_a_long_chunk_are_taken_off_as_of_a_short_one() -> None:
    long = "x" * 300
    assert Tokenizer().split([f"(l'{long}…)", f"«{long}!!»", "!" * 200 + "brut" + "?" * 200]) == [
        ["l", long],
        [long],
        ["brut"],
    ]

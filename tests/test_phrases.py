"""Phrases in a text: found as one would by hand, in time in proportion to the text."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from include.phrases import found, made_of
from include.plain_words import plain_words
from tests.patterns.growth import grows_too_fast

_phrases = st.lists(
    st.sampled_from(["a", "b", "ab", "a b", "b a", "a b a", "ab*", "b a*", "*", "é", "1 2 sec"]), min_size=1
)
_texts = st.lists(st.sampled_from(["a", "b", "ab", "abc", "bad", "1", "12a", "é", "2", "sec", "²a", "٣x"])).map(
    " ".join
)


def can_be_parted(words: list[str], phrases: list[str]) -> bool:
    """Whether words are the phrases, one after the other, by trying all ways."""
    if not words:
        return True
    if words[0][0].isdecimal() and can_be_parted(words[1:], phrases):
        return True
    for phrase in phrases:
        asked = plain_words(phrase).split() or [""]
        *before, last = asked
        given_words = words[: len(asked)]
        if len(given_words) == len(asked) and given_words[:-1] == before:
            is_last = given_words[-1].startswith(last) if phrase.endswith("*") else given_words[-1] == last
            if is_last and can_be_parted(words[len(asked) :], phrases):
                return True
    return False


@given(_phrases, _texts)
def test_made_of_is_what_trying_all_ways_finds(phrases: list[str], text: str) -> None:
    test = made_of(phrases)
    words = plain_words(text)
    assert test is not None
    assert bool(test(words)) == (bool(words.split()) and can_be_parted(words.split(), phrases))


def test_phrases_without_words_are_no_test() -> None:
    assert made_of(["!", "-"]) is None
    assert found(["!"]) is None


def test_a_text_of_ambiguous_phrases_takes_time_in_proportion() -> None:
    dosage = made_of(["extra", "extra brut", "brut", "brut nature", "champagne", "ab*", "*a"])
    assert dosage is not None
    for piece in (" extra brut", " a", " abx", " 1", " champagne brut nature"):
        assert grows_too_fast(dosage, lambda n, piece=piece: f" champagne{piece * n} zzzz ") is None

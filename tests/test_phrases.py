"""Phrases in a text: found as one would by hand, in time in proportion to the text."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from include.phrases import PhraseFinder, PhraseSequence
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
def test_a_sequence_is_what_trying_all_ways_finds(phrases: list[str], text: str) -> None:
    words = plain_words(text)
    assert PhraseSequence(phrases).matches(words) == (bool(words.split()) and can_be_parted(words.split(), phrases))


def occurs(phrase: str, text: str) -> bool:
    """Whether a phrase stands in a text, by comparing it with the words at every position."""
    *before, last = plain_words(phrase).split() or [""]
    words = text.split()
    parts = [words[start : start + len(before) + 1] for start in range(len(words) - len(before))]
    return any(
        part[:-1] == before and (part[-1].startswith(last) if phrase.endswith("*") else part[-1] == last)
        for part in parts
    )


@given(_phrases, _texts)
def test_phrases_are_found_anywhere_at_the_start_and_at_the_end(phrases: list[str], text: str) -> None:
    bits = {phrase: 1 << number for number, phrase in enumerate(dict.fromkeys(phrases))}
    words = plain_words(text)
    each = words.split()
    for phrase, bit in bits.items():
        size = len(plain_words(phrase).split()) or 1
        first, last = (" ".join(part) if len(each) >= size else "" for part in (each[:size], each[-size:]))
        assert bool(PhraseFinder(bits).find(words) & bit) == occurs(phrase, words)
        assert bool(PhraseFinder({}, at_start=bits).find(words) & bit) == occurs(phrase, first)
        assert bool(PhraseFinder({}, at_end=bits).find(words) & bit) == occurs(phrase, last)


def test_phrases_without_words_are_found_nowhere() -> None:
    assert PhraseFinder({"!": 1, "-": 2}).find(" ") == 0
    assert PhraseFinder({"!": 1}, {"!": 2}, {"!": 4}).find(" a b ") == 0
    assert not PhraseSequence(["!", "-"]).matches(" a ")


def test_a_text_of_ambiguous_phrases_takes_time_in_proportion() -> None:
    dosage = PhraseSequence(["extra", "extra brut", "brut", "brut nature", "champagne", "ab*", "*a"])
    for piece in (" extra brut", " a", " abx", " 1", " champagne brut nature"):
        assert grows_too_fast(dosage.matches, lambda n, piece=piece: f" champagne{piece * n} zzzz ") is None

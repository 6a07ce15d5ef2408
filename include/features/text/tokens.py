"""Words of French and English product texts.

One tokenizer for both languages: spaCy's language-neutral rules (which split off punctuation, hyphens and
the English `'s`) with French elision added (`l'huile` → `l'`, `huile`). Guessing the language first would
make one name yield other words in another sentence, and a name alone rarely shows its language; spaCy's
French rules besides take more than a second to build.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from threading import Lock
from typing import Any

from include.errors import ConfigurationError
from include.features.text.lemmas import load_lemmas, tables_version

AS_WRITTEN, LEMMAS = "as-written", "lemmas"

TOKENS_VERSION = "1"
"""Part of every text encoder's identity: raise it when the same text would give other tokens."""

_ELISION = r"(?i:(?:l|d|j|m|n|s|t|c|qu|jusqu|lorsqu|puisqu)['’](?=\w))"
_REMEMBERED_CHUNKS = 50_000
"""Distinct chunks whose tokens are kept: about 15 MB at most. Texts repeat their words, so nearly all are found."""
_REMEMBERED_CHARACTERS = 1_000_000
"""Characters of those chunks: a word has ten, and a chunk without spaces can be a whole document."""
_LONGEST_AFFIX = 64
"""Characters at the ends of a chunk in which a prefix or suffix is looked for: spaCy's rules need a few."""
_LONGEST_ADDRESS = 1_000
"""Characters of a web address; spaCy's pattern for them takes time in the square of their number."""

_ONE_AT_A_TIME = Lock()
"""Held while chunks are learnt: spaCy's memory zones are not for several threads."""


class Tokenizer:
    """Splits documents into words in lower case without accents: `Rosé d'Épernay` → `rose`, `d`, `epernay`.

    Accents go because capitals on labels rarely carry them. Tokens without a letter or digit are dropped.
    """

    def __init__(self, words: str = AS_WRITTEN) -> None:
        """`words` is `as-written` or `lemmas`, or what `self.words` of another tokenizer was.

        Raises ConfigurationError if the lemmas, or that version of them, are not installed.
        """
        self.words = words if words == AS_WRITTEN else f"{LEMMAS}-{tables_version()}"
        """What words are: `as-written`, or lemmas with the version of their tables, e.g. `lemmas-1.0.5`."""
        if words not in (AS_WRITTEN, LEMMAS, self.words):
            raise ConfigurationError(f"words are {words!r}, but {self.words!r} is what is installed here: train again")

    def split(self, documents: Sequence[str]) -> list[list[str]]:
        """The tokens of each document, in order."""
        # spaCy's rules never look across a space, so each distinct chunk is tokenized once.
        chunks = [document.split() for document in documents]
        known = _known_chunks(self.words).tokens_of(set().union(*chunks))
        return [[token for chunk in line for token in known[chunk]] for line in chunks]


class _KnownChunks:
    """The tokens of chunks seen so far, for all tokenizers of a kind: folds of a training repeat each other's words."""

    def __init__(self, words: str) -> None:
        self._lemma = None if words == AS_WRITTEN else load_lemmas().lemma
        self._tokens: dict[str, tuple[str, ...]] = {}
        self._characters = 0

    def tokens_of(self, chunks: set[str]) -> Mapping[str, tuple[str, ...]]:
        """A mapping that has at least these chunks."""
        with _ONE_AT_A_TIME:
            unknown = chunks.difference(self._tokens)
            characters = self._characters + sum(map(len, unknown))
            if len(self._tokens) + len(unknown) > _REMEMBERED_CHUNKS or characters > _REMEMBERED_CHARACTERS:
                self._tokens, unknown = {}, chunks  # a new mapping: others may be reading the one before
                characters = sum(map(len, unknown))
            self._characters = characters
            self._learn(unknown)
            return self._tokens

    def _learn(self, chunks: Iterable[str]) -> None:
        language, lemma = _blank_language(), self._lemma
        with language.memory_zone():  # else spaCy keeps every string it ever saw
            for chunk in chunks:
                # Nothing in spaCy's rules splits letters from letters, or digits from digits: half the time for most.
                is_whole = chunk.isalpha() or (chunk.isascii() and chunk.isdigit())
                written = [chunk] if is_whole else [token.text for token in language.tokenizer(chunk)]
                words = (_fold(word if lemma is None else lemma(word.lower())) for word in written)
                self._tokens[chunk] = tuple(word for word in words if word)


@cache
def _known_chunks(words: str) -> _KnownChunks:
    return _KnownChunks(words)


@cache
def _blank_language() -> Any:
    import spacy
    from spacy.util import compile_prefix_regex

    language = spacy.blank("xx")
    prefix_search = compile_prefix_regex([*language.Defaults.prefixes, _ELISION]).search
    suffix_search, url_match = language.tokenizer.suffix_search, language.tokenizer.url_match
    # Affixes are taken off one by one: of a long row of signs, each time the whole would be searched.
    language.tokenizer.prefix_search = lambda chunk: prefix_search(chunk[:_LONGEST_AFFIX])
    language.tokenizer.suffix_search = lambda chunk: suffix_search(chunk[-_LONGEST_AFFIX:])
    language.tokenizer.url_match = lambda chunk: url_match(chunk) if len(chunk) <= _LONGEST_ADDRESS else None
    return language


def _fold(word: str) -> str:
    """Lower case without accents and outer apostrophes; "" where no letter or digit is left."""
    folded = word.lower()
    if not folded.isascii():
        decomposed = unicodedata.normalize("NFKD", folded)
        folded = "".join(character for character in decomposed if not unicodedata.combining(character))
    folded = folded.strip("'’")
    return folded if folded.isalnum() or any(map(str.isalnum, folded)) else ""

"""Lemmas of English and French words: `bouteilles` → `bouteille`, `watches` → `watch`.

The tables are those of spaCy, in the package `spacy-lookups-data` (94 MB), which only who wants lemmas installs. As
for tokens, no language is guessed: a form that has different lemmas in the two languages stays as it is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from include.errors import ConfigurationError

LANGUAGES = ("en", "fr")
_PACKAGE = "spacy-lookups-data"


class Lemmas:
    """Looks words up in tables of several languages."""

    def __init__(self, tables: Sequence[Mapping[str, str | list[str]]]) -> None:
        """A table has one lemma per form in lower case, or several with the commonest first."""
        self._tables = tables

    def lemma(self, word: str) -> str:
        """The lemma of a word in lower case; the word itself where no language, or more than one, has another."""
        found = [lemma for table in self._tables if (lemma := table.get(word)) is not None]
        lemmas = {lemma if isinstance(lemma, str) else lemma[0] for lemma in found}
        return lemmas.pop() if len(lemmas) == 1 else word


def tables_version() -> str:
    """Version of the installed tables; raises ConfigurationError if there are none."""
    try:
        return version(_PACKAGE)
    except PackageNotFoundError as error:
        raise ConfigurationError(
            f"Lemmas need spaCy's tables, which are not installed: `pip install {_PACKAGE}`, or set "
            "CUVEE_TEXT_WORDS=as-written and train again."
        ) from error


@lru_cache(maxsize=1)
def load_lemmas() -> Lemmas:
    """The lemmas of spaCy's tables, read once in a process (0.5 s); raises ConfigurationError if there are none."""
    from spacy.util import load_language_data, registry

    tables_version()
    tables: list[Any] = [load_language_data(registry.lookups.get(language)["lemma_lookup"]) for language in LANGUAGES]
    return Lemmas(tables)

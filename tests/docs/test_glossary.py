"""Every term of the glossary is one that the code or another page uses."""

from __future__ import annotations

import re
from functools import lru_cache

import pytest

from tests.docs.documents import dag_pages, markdown_pages, page
from tests.docs.references import source_files

GLOSSARY = "docs/glossary.md"


@lru_cache(maxsize=1)
def texts() -> str:
    """All code and all other pages, with line ends, underscores and hyphens as single spaces, in lower case."""
    others = [document.text for document in [*markdown_pages(), *dag_pages()] if document.name != GLOSSARY]
    return re.sub(r"[\s_#-]+", " ", "\n".join([*source_files().values(), *others])).lower()


def terms() -> list[str]:
    return [row[0] for table in page(GLOSSARY).tables() for row in table[1:]]


def is_used(term: str) -> bool:
    return re.search(rf"(?<![a-z]){re.escape(term.lower())}(?:e?s|ies)?(?![a-z])", texts()) is not None


@pytest.mark.parametrize("term", terms())
def test_a_term_of_the_glossary_occurs_in_the_code_or_on_another_page(term: str) -> None:
    assert is_used(term)


def test_the_glossary_has_its_terms_once_with_a_meaning_and_a_link() -> None:
    rows = [row for table in page(GLOSSARY).tables() for row in table[1:]]
    assert len(rows) >= 30
    assert len({row[0] for row in rows}) == len(rows)
    assert all(len(meaning) > 20 and "](" in more for _term, meaning, more in rows)


def test_a_term_that_nobody_uses_is_noticed() -> None:
    assert not is_used("content gruop")

"""Lemmas of English and French words."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError
from pathlib import Path

import pytest

from include.errors import ConfigurationError
from include.features.text import lemmas, load_text_encoder, tokens
from include.features.text.lemmas import Lemmas
from tests.features.text.encoders import fit

TABLES = Lemmas(
    [
        {"watches": "watch", "bottles": "bottle", "rose": "rise", "on": "on"},
        {"bouteilles": ["bouteille"], "rose": ["rose", "roser"], "on": ["on"]},
    ]
)


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small tables stand for the package, which the project does not require."""
    monkeypatch.setattr(tokens, "load_lemmas", lambda: TABLES)
    monkeypatch.setattr(tokens, "tables_version", lambda: "1.0")


@pytest.mark.parametrize(
    ("form", "lemma"),
    [("watches", "watch"), ("bouteilles", "bouteille"), ("rose", "rose"), ("on", "on"), ("épernay", "épernay")],
)
def test_a_form_has_the_lemma_on_which_the_languages_agree(form: str, lemma: str) -> None:
    assert TABLES.lemma(form) == lemma


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize("kind", ["tfidf", "tfidf-svd", "word-vectors"])
def test_with_lemmas_singular_and_plural_are_one(kind: str, tmp_path: Path) -> None:
    documents = ["Bouteilles de champagne", "Analog watches", "Bouteille"]
    encoder = fit(documents, kind, words="lemmas")
    encoder.save(tmp_path)
    first, second = load_text_encoder(tmp_path).encode(["BOUTEILLES", "bouteille"])
    assert first.tobytes() == second.tobytes()
    assert encoder.identity != fit(documents, kind).identity


@pytest.mark.usefixtures("installed")
def test_a_model_made_with_other_tables_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fit(["Bouteilles de champagne"], "tfidf", words="lemmas").save(tmp_path)
    monkeypatch.setattr(tokens, "tables_version", lambda: "2.0")
    with pytest.raises(ConfigurationError, match="train again"):
        load_text_encoder(tmp_path)


def test_without_the_tables_it_is_said_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(_: str) -> str:
        raise PackageNotFoundError

    monkeypatch.setattr(lemmas, "version", absent)
    with pytest.raises(ConfigurationError, match="pip install spacy-lookups-data"):
        fit(["champagne"], "tfidf", words="lemmas")

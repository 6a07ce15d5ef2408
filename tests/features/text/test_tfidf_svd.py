"""The text encoder."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from include.errors import ConfigurationError
from include.features.text import TextEncoder, document, load_text_encoder
from include.settings import PROJECT_ROOT
from tests.features.text.encoders import fit

FIVE = [
    "Champagne Brut Impérial Moët & Chandon",
    "Vinaigre de champagne, moutarde",
    "Analog Watch for Men",
    "Cotton Bedsheet, double",
    "Truffes au marc de Champagne",
]


@pytest.fixture(scope="module")
def encoder() -> TextEncoder:
    return fit(FIVE)


@pytest.fixture(scope="module")
def real_documents(shared_data: Path) -> tuple[list[str], list[str]]:
    """Documents of the real catalogue and their departments."""
    with (shared_data / "flipkart" / "flipkart_com-ecommerce_sample.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    documents = [document(row["product_name"], row["brand"], row["description"], None) for row in rows]
    return documents, [json.loads(row["product_category_tree"])[0].split(">>")[0].strip() for row in rows]


def test_a_tiny_corpus_gives_vectors_of_length_one(encoder: TextEncoder) -> None:
    vectors = encoder.encode(FIVE)
    assert vectors.shape == (5, encoder.dimensions)
    assert vectors.dtype == np.float32
    assert encoder.dimensions <= 5
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, rtol=1e-5)


def test_a_text_without_known_terms_has_a_vector_of_zeros(encoder: TextEncoder) -> None:
    vectors = encoder.encode(["", "...", "日本酒"])
    assert vectors.shape == (3, encoder.dimensions)
    assert not vectors.any()


def test_accents_capitals_and_elision_make_no_difference(encoder: TextEncoder) -> None:
    plain, labelled = encoder.encode(["truffes au marc de champagne", "TRUFFES au Marc d’CHAMPÂGNE"])
    assert plain @ labelled > 0.9 * np.linalg.norm(plain) * np.linalg.norm(labelled)


def test_nothing_to_learn_from_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="without a single word"):
        fit(["", "!!!"])


def test_fitting_twice_gives_the_same_encoder(encoder: TextEncoder) -> None:
    again = fit(FIVE)
    assert again.identity == encoder.identity
    np.testing.assert_array_equal(again.encode(FIVE), encoder.encode(FIVE))
    assert fit(FIVE[:4]).identity != encoder.identity


def test_saving_and_loading_keeps_every_vector_and_the_identity(encoder: TextEncoder, tmp_path: Path) -> None:
    encoder.save(tmp_path)
    first = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    loaded = load_text_encoder(tmp_path)
    loaded.save(tmp_path)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == first
    assert loaded.identity == encoder.identity
    np.testing.assert_array_equal(loaded.encode(FIVE), encoder.encode(FIVE))


def test_a_damaged_or_changed_encoder_is_refused(encoder: TextEncoder, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="missing or damaged"):
        load_text_encoder(tmp_path)
    encoder.save(tmp_path)
    description = tmp_path / "text_encoder.json"
    description.write_text(description.read_text(encoding="utf-8").replace("champagne", "champigne"), encoding="utf-8")
    with pytest.raises(ConfigurationError, match="train again"):
        load_text_encoder(tmp_path)


def test_what_is_unknown_in_a_document_shortens_its_vector(encoder: TextEncoder) -> None:
    known, half_known = encoder.encode(["analog watch for men", "analog watch zyx wvu"])
    assert 0 < np.linalg.norm(half_known) < np.linalg.norm(known) < 1.001


@hypothesis_settings(max_examples=50, deadline=None)
@given(st.lists(st.text(max_size=200), max_size=5))
def test_any_text_can_be_encoded(encoder: TextEncoder, documents: list[str]) -> None:
    vectors = encoder.encode(documents)
    assert vectors.shape == (len(documents), encoder.dimensions)
    assert np.isfinite(vectors).all()


def test_a_document_has_the_same_vector_in_any_batch(encoder: TextEncoder) -> None:
    together = encoder.encode(FIVE)
    alone = np.vstack([encoder.encode([text]) for text in FIVE])
    np.testing.assert_allclose(together, alone, atol=1e-6)


def test_real_products_are_told_apart_by_a_linear_classifier(real_documents: tuple[list[str], list[str]]) -> None:
    from sklearn.linear_model import LogisticRegression

    documents, departments = real_documents
    learn, test = slice(0, None, 2), slice(1, None, 2)
    encoder = fit(documents[learn])
    assert encoder.dimensions == 256
    classifier = LogisticRegression(C=20, max_iter=1000).fit(encoder.encode(documents[learn]), departments[learn])
    assert classifier.score(encoder.encode(documents[test]), departments[test]) > 0.88


def test_loading_and_encoding_import_no_heavy_library(encoder: TextEncoder, tmp_path: Path) -> None:
    encoder.save(tmp_path)
    code = (
        "import sys; from pathlib import Path; from include.features.text import load_text_encoder; "
        f"load_text_encoder(Path({str(tmp_path)!r})).encode(['champagne']); "
        "print([name for name in ('sklearn', 'pandas', 'tensorflow') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=PROJECT_ROOT, check=True)
    assert done.stdout.strip() == "[]"


def test_a_documents_vector_is_the_same_to_the_last_bit_whatever_stands_beside_it() -> None:
    documents = [f"champagne brut numéro {number} maison du {number * 7 % 13} vignoble" for number in range(60)]
    encoder = fit(documents, dimensions=16)
    together = encoder.encode(documents)
    alone = np.vstack([encoder.encode([document]) for document in documents])
    backwards = encoder.encode(documents[::-1])[::-1]
    assert together.tobytes() == alone.tobytes() == np.ascontiguousarray(backwards).tobytes()

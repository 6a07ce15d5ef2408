"""Every text encoder, by its spec: what they all promise."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from include.errors import ConfigurationError
from include.features.cache import EmbeddingCache
from include.features.embed import embed_missing_texts
from include.features.text import TextEncoder, load_text_encoder
from include.schema import text_hash
from include.settings import PROJECT_ROOT
from include.storage.lake import Lake
from tests.features.text.encoders import fit
from tests.features.text.networks import write_pipeline, write_sentence_encoder

DOCUMENTS = [
    "champagne brut\nchampagne brut from Reims; Colour: gold; Volume: 75 cl",
    "champagne vinegar\nvinegar of champagne for salads",
    "analog watch for men\nanalog watch; Strap: steel; Ideal For: men",
    "watch for men\nwater resistant watch; Strap: leather",
]
SMALL = {"dimensions": 8, "vocabulary": 20}
KINDS = ("bag-of-words", "tfidf", "tfidf-svd", "word-vectors", "spacy", "sentence")


@pytest.fixture(scope="module")
def specs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("models")
    targets = {
        "spacy": f"spacy:{write_pipeline(folder / 'pipeline')}",
        "sentence": f"sentence:{write_sentence_encoder(folder / 'network')}",
    }
    return {kind: targets.get(kind, kind) for kind in KINDS}


@pytest.fixture(scope="module")
def encoders(specs: dict[str, str]) -> dict[str, TextEncoder]:
    return {kind: fit(DOCUMENTS, spec, **SMALL) for kind, spec in specs.items()}


@pytest.mark.parametrize("kind", KINDS)
def test_vectors_have_length_one_and_nothing_is_zeros(encoders: dict[str, TextEncoder], kind: str) -> None:
    vectors = encoders[kind].encode([*DOCUMENTS, ""])
    assert vectors.shape == (5, encoders[kind].dimensions)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), [1, 1, 1, 1, 0], rtol=1e-5)
    assert encoders[kind].encode([]).shape == (0, encoders[kind].dimensions)


@pytest.mark.parametrize("kind", sorted({*KINDS} - {"word-vectors"}))  # four documents teach it nothing
def test_like_is_near_like(encoders: dict[str, TextEncoder], kind: str) -> None:
    brut, vinegar, for_men, watch = encoders[kind].encode(DOCUMENTS)
    assert for_men @ watch > for_men @ brut
    assert for_men @ watch > for_men @ vinegar


@pytest.mark.parametrize("kind", KINDS)
def test_saved_and_loaded_it_is_the_same_and_saving_again_changes_nothing(
    encoders: dict[str, TextEncoder], kind: str, tmp_path: Path
) -> None:
    encoders[kind].save(tmp_path)
    first = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    loaded = load_text_encoder(tmp_path)
    loaded.save(tmp_path)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == first
    assert loaded.identity == encoders[kind].identity
    assert loaded.dimensions == encoders[kind].dimensions
    np.testing.assert_array_equal(loaded.encode(DOCUMENTS), encoders[kind].encode(DOCUMENTS))


@pytest.mark.parametrize("kind", KINDS)
def test_fitted_twice_it_is_the_same(encoders: dict[str, TextEncoder], specs: dict[str, str], kind: str) -> None:
    assert fit(DOCUMENTS, specs[kind], **SMALL).identity == encoders[kind].identity


def test_no_two_encoders_share_an_identity_and_each_can_name_a_cache(
    encoders: dict[str, TextEncoder], lake: Lake
) -> None:
    assert len({encoder.identity for encoder in encoders.values()}) == len(KINDS)
    for encoder in encoders.values():
        cache = EmbeddingCache(lake, encoder.identity)
        assert embed_missing_texts(cache, encoder, {text_hash(text): text for text in DOCUMENTS}) == len(DOCUMENTS)


def test_the_spec_chooses(specs: dict[str, str]) -> None:
    for kind, spec in specs.items():
        assert fit(DOCUMENTS, spec, **SMALL).identity.startswith(f"{kind}-")


@pytest.mark.parametrize("spec", ["", "bert", "tfidf:3", "spacy", "sentence:", "word-vectors:fr"])
def test_a_spec_that_names_no_encoder_is_refused(spec: str) -> None:
    with pytest.raises(ConfigurationError, match="not understood"):
        fit(DOCUMENTS, spec, **SMALL)


@pytest.mark.parametrize("kind", ["bag-of-words", "tfidf", "tfidf-svd", "word-vectors"])
def test_without_a_word_there_is_nothing_to_learn(kind: str) -> None:
    with pytest.raises(ConfigurationError, match="without a single word"):
        fit(["", "!!!"], kind, **SMALL)


@pytest.mark.parametrize("kind", ["bag-of-words", "tfidf", "tfidf-svd", "word-vectors"])
def test_what_was_learnt_loads_and_encodes_without_the_libraries_that_learnt_it(
    encoders: dict[str, TextEncoder], kind: str, tmp_path: Path
) -> None:
    encoders[kind].save(tmp_path)
    code = (
        "import sys; from pathlib import Path; from include.features.text import load_text_encoder; "
        f"load_text_encoder(Path({str(tmp_path)!r})).encode(['champagne']); "
        "heavy = ('sklearn', 'gensim', 'pandas', 'tensorflow', 'onnxruntime', 'tokenizers', 'huggingface_hub'); "
        "print([name for name in heavy if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=PROJECT_ROOT, check=True)
    assert done.stdout.strip() == "[]"

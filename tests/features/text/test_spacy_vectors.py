"""Word vectors of a spaCy pipeline."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from include.errors import ConfigurationError
from include.features.text import load_text_encoder
from tests.features.text.encoders import fit
from tests.features.text.networks import EMBEDDINGS, WORDS, write_pipeline


def test_a_word_alone_has_its_own_vector_and_a_common_word_counts_less(tmp_path: Path) -> None:
    spec = f"spacy:{write_pipeline(tmp_path)}"
    encoder = fit(["watch men", "watch brut", "watch analog"], spec)
    own = {word: EMBEDDINGS[WORDS.index(word)] for word in ("watch", "men")}
    alone, both = encoder.encode(["watch", "watch men"])
    np.testing.assert_allclose(alone, own["watch"] / np.linalg.norm(own["watch"]), rtol=1e-5)
    weights = np.linalg.lstsq(np.stack([own["watch"], own["men"]]).T, both, rcond=None)[0]
    assert 0 < weights[0] < weights[1]


def test_a_pipeline_that_is_not_installed_is_named_with_the_command_that_installs_it() -> None:
    with pytest.raises(ConfigurationError, match="python -m spacy download fr_core_news_md"):
        fit(["champagne"], "spacy:fr_core_news_md")


def test_a_pipeline_without_vectors_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="no word vectors"):
        fit(["champagne"], f"spacy:{write_pipeline(tmp_path, vectors=False)}")


def test_a_pipeline_whose_vectors_changed_is_refused_at_load(tmp_path: Path) -> None:
    pipeline = write_pipeline(tmp_path / "pipeline")
    fit(["champagne"], f"spacy:{pipeline}").save(tmp_path / "saved")
    vectors = pipeline / "vocab" / "vectors"
    numbers = np.load(vectors, allow_pickle=False)
    with vectors.open("wb") as stream:
        np.save(stream, numbers * 2)
    with pytest.raises(ConfigurationError, match="was changed"):
        load_text_encoder(tmp_path / "saved")

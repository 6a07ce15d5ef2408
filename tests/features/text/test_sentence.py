"""Sentence encoders in ONNX."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest

from include.errors import ConfigurationError
from include.features.text import load_text_encoder
from include.features.text.sentence import SentenceEncoder
from tests.features.text.encoders import fit
from tests.features.text.networks import EMBEDDINGS, WORDS, write_sentence_encoder


def expected(*words: str) -> np.ndarray:
    total = EMBEDDINGS[[WORDS.index(word) for word in words]].sum(axis=0)
    return total / np.linalg.norm(total)


@pytest.mark.parametrize("fixed_padding", [False, True])
def test_a_vector_per_token_is_averaged_without_the_padding(tmp_path: Path, fixed_padding: bool) -> None:
    encoder = SentenceEncoder.fit(str(write_sentence_encoder(tmp_path, fixed_padding=fixed_padding)), download=False)
    vectors = encoder.encode(["watch", "Champagne brut", "analog watch men"])
    np.testing.assert_allclose(vectors[0], expected("watch"), atol=1e-6)
    np.testing.assert_allclose(vectors[1], expected("champagne", "brut"), atol=1e-6)
    np.testing.assert_allclose(vectors[2], expected("analog", "watch", "men"), atol=1e-6)


def test_the_networks_own_pooled_output_is_taken_at_its_word(tmp_path: Path) -> None:
    encoder = SentenceEncoder.fit(str(write_sentence_encoder(tmp_path, pooled=True)), download=False)
    np.testing.assert_allclose(encoder.encode(["brut watch"])[0], expected("brut", "watch"), atol=1e-6)


def test_the_tokenizers_own_limit_counts(tmp_path: Path) -> None:
    encoder = SentenceEncoder.fit(str(write_sentence_encoder(tmp_path, fixed_padding=True)), download=False)
    np.testing.assert_array_equal(*encoder.encode(["brut watch men", "brut watch men vinegar vinegar"]))


def test_order_and_company_do_not_matter(tmp_path: Path) -> None:
    encoder = SentenceEncoder.fit(str(write_sentence_encoder(tmp_path)), download=False)
    texts = [" ".join(WORDS[2 + number % 6] for number in range(count % 9 + 1)) for count in range(70)]
    alone = np.vstack([encoder.encode([text]) for text in texts])
    np.testing.assert_allclose(encoder.encode(texts), alone, atol=1e-6)


def test_a_saved_encoder_needs_nothing_of_the_folder_it_came_from(tmp_path: Path) -> None:
    source = write_sentence_encoder(tmp_path / "source")
    encoder = SentenceEncoder.fit(str(source), download=False)
    encoder.save(tmp_path / "saved")
    vectors = encoder.encode(["champagne"])
    for path in source.iterdir():
        path.unlink()
    np.testing.assert_array_equal(load_text_encoder(tmp_path / "saved").encode(["champagne"]), vectors)


def test_other_weights_are_another_encoder_and_changed_weights_are_refused(tmp_path: Path) -> None:
    source = write_sentence_encoder(tmp_path / "source")
    first = SentenceEncoder.fit(str(source), download=False)
    first.save(tmp_path / "saved")
    saved = tmp_path / "saved" / "text_model.onnx"
    saved.write_bytes(saved.read_bytes() + b"\0")
    with pytest.raises(ConfigurationError, match="was changed"):
        load_text_encoder(tmp_path / "saved")
    other = write_sentence_encoder(tmp_path / "other", pooled=True)
    assert SentenceEncoder.fit(str(other), download=False).identity != first.identity


def test_what_is_missing_is_said(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="does not exist"):
        fit([], f"sentence:{tmp_path / 'absent'}")
    with pytest.raises(ConfigurationError, match=r"needs tokenizer\.json"):
        fit([], f"sentence:{tmp_path}")


def test_a_hub_name_is_never_downloaded_unasked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(ConfigurationError, match="CUVEE_DOWNLOAD_MODELS=true"):
        fit([], "sentence:somebody/some-encoder")
    assert not list(tmp_path.iterdir())


def test_what_is_no_sentence_encoder_is_refused(tmp_path: Path) -> None:
    source = write_sentence_encoder(tmp_path)
    model = onnx.load(source / "model.onnx")
    model.graph.input[0].name = model.graph.node[0].input[1] = "pixels"
    onnx.save(model, source / "model.onnx")
    with pytest.raises(ConfigurationError, match="is no sentence encoder"):
        SentenceEncoder.fit(str(source), download=False)
    (source / "model.onnx").write_bytes(b"not a network")
    with pytest.raises(ConfigurationError, match="cannot be opened"):
        SentenceEncoder.fit(str(source), download=False)
    (source / "model.onnx_data").write_bytes(b"weights")
    with pytest.raises(ConfigurationError, match="second file"):
        SentenceEncoder.fit(str(source), download=False)

"""Small sentence encoders and a small spaCy pipeline, made where a test needs them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

WORDS = ("[PAD]", "[UNK]", "champagne", "brut", "vinegar", "analog", "watch", "men")
EMBEDDINGS = np.random.default_rng(1).normal(size=(len(WORDS), 6)).astype(np.float32)


def write_sentence_encoder(folder: Path, *, pooled: bool = False, fixed_padding: bool = False) -> Path:
    """A network that looks words up in `EMBEDDINGS`: a vector per token, or if `pooled` the sum over all tokens."""
    folder.mkdir(parents=True, exist_ok=True)
    nodes = [helper.make_node("Gather", ["table", "input_ids"], ["last_hidden_state"])]
    outputs = [helper.make_tensor_value_info("last_hidden_state", TensorProto.FLOAT, ["batch", "tokens", 6])]
    if pooled:
        nodes.append(helper.make_node("ReduceSum", ["last_hidden_state", "axis"], ["sentence_embedding"], keepdims=0))
        outputs.append(helper.make_tensor_value_info("sentence_embedding", TensorProto.FLOAT, ["batch", 6]))
    inputs = [
        helper.make_tensor_value_info(name, TensorProto.INT64, ["batch", "tokens"])
        for name in ("input_ids", "attention_mask")
    ]
    weights = [numpy_helper.from_array(EMBEDDINGS, "table"), numpy_helper.from_array(np.array([1]), "axis")]
    graph = helper.make_graph(nodes, "words", inputs, outputs, weights if pooled else weights[:1])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.save(model, folder / "model.onnx")
    write_tokenizer(folder, fixed_padding=fixed_padding)
    return folder


def write_tokenizer(folder: Path, *, fixed_padding: bool) -> None:
    """Whitespace, lower case, `WORDS`; with `fixed_padding` as some exports have it: everything 16 tokens long."""
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers

    tokenizer = Tokenizer(models.WordLevel({word: number for number, word in enumerate(WORDS)}, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    if fixed_padding:
        tokenizer.enable_padding(length=16, pad_id=0, pad_token="[PAD]")
        tokenizer.enable_truncation(3)
    tokenizer.save(str(folder / "tokenizer.json"))


def write_pipeline(folder: Path, *, vectors: bool = True) -> Path:
    """A spaCy pipeline with the vectors of `WORDS`."""
    import spacy

    language = spacy.blank("en")
    if vectors:
        language.vocab.reset_vectors(width=6)
        for word, vector in zip(WORDS, EMBEDDINGS, strict=True):
            language.vocab.set_vector(word, vector)
    language.to_disk(folder)
    assert json.loads((folder / "meta.json").read_text(encoding="utf-8"))["lang"] == "en"
    return folder

"""Sentence encoders in ONNX, from a local folder or from the local cache of the Hugging Face hub.

The folder is what sentence-transformers and their exports write: `model.onnx` (or `onnx/model.onnx`) and
`tokenizer.json`. A network that gives one vector per text needs no pooling; one vector per token is averaged
over the tokens that are no padding (Reimers and Gurevych, 2019). A saved encoder contains the network.
"""

from __future__ import annotations

import hashlib
import logging
import re
import shutil
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import numpy as np

from include.errors import ConfigurationError
from include.features.text.stored import StoredEncoder
from include.features.vectors import unit_length

logger = logging.getLogger(__name__)

MAX_TOKENS = 256
"""Largest number of tokens of a document, unless the tokenizer's limit is lower: most were trained on no more."""

_MODEL_FILES = ("model.onnx", "onnx/model.onnx")
_TOKENIZER_FILE = "tokenizer.json"
_SAVED_MODEL, _SAVED_TOKENIZER = "text_model.onnx", "text_tokenizer.json"
_BATCH = 32
_THREADS = 2
_PADDING_TOKENS = ("[PAD]", "<pad>")
_POOLED_OUTPUTS = ("sentence_embedding", "embeddings")
_INPUTS = frozenset({"input_ids", "attention_mask", "token_type_ids"})


class SentenceEncoder(StoredEncoder):
    """A network and its tokenizer; both are loaded when the first document comes."""

    kind = "sentence"

    def __init__(self, model: Path, tokenizer: Path, max_tokens: int) -> None:
        """The files are hashed here, and opened when they are needed."""
        self._model, self._tokenizer_file, self._max_tokens = model, tokenizer, max_tokens
        self._hashes = {"model": _sha256(model), "tokenizer": _sha256(tokenizer)}

    @classmethod
    def fit(cls, spec: str, *, download: bool) -> Self:
        """The encoder in the folder `spec`, or of that name on the hub; nothing is learnt from documents.

        A name is looked for in the local cache, and downloaded only with `download`. Raises
        ConfigurationError that names what is missing.
        """
        folder = _folder_of(spec, download=download)
        model = next((folder / name for name in _MODEL_FILES if (folder / name).is_file()), None)
        if model is None or not (folder / _TOKENIZER_FILE).is_file():
            raise ConfigurationError(
                f"{folder} is no sentence encoder: it needs {_TOKENIZER_FILE} and one of {', '.join(_MODEL_FILES)}. "
                "Export one with `optimum-cli export onnx --model NAME FOLDER`."
            )
        if list(model.parent.glob(f"{model.name}*data")):
            raise ConfigurationError(
                f"{model} keeps its weights in a second file: save it as one, "
                "`onnx.save(onnx.load(PATH), PATH, save_as_external_data=False)`."
            )
        encoder = cls(model, folder / _TOKENIZER_FILE, MAX_TOKENS)
        logger.info("loaded sentence encoder: folder=%s dimensions=%d", folder, encoder.dimensions)
        return encoder

    @cached_property
    def dimensions(self) -> int:
        """Length of a vector."""
        return int(self._embed([""]).shape[1])

    def encode(self, documents: Sequence[str]) -> np.ndarray:
        """Vectors of length 1, float32 (documents, dimensions); zeros for an empty document."""
        vectors = np.zeros((len(documents), self.dimensions), dtype=np.float32)
        # Texts of like length together: a batch is padded to its longest.
        order = sorted((row for row, text in enumerate(documents) if text.strip()), key=lambda i: len(documents[i]))
        for start in range(0, len(order), _BATCH):
            rows = order[start : start + _BATCH]
            vectors[rows] = self._embed([documents[row] for row in rows])
        return unit_length(vectors)

    def state(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """Hashes of the files, and how texts are prepared."""
        return {**self._hashes, "max_tokens": self._max_tokens}, {}

    @classmethod
    def from_state(cls, description: Mapping[str, Any], arrays: Mapping[str, np.ndarray], folder: Path) -> Self:
        """The encoder whose files lie in the folder."""
        return cls(folder / _SAVED_MODEL, folder / _SAVED_TOKENIZER, description["max_tokens"])

    def save_files(self, folder: Path) -> None:
        """Copy the network and the tokenizer: a model version needs nothing from elsewhere."""
        for source, name in ((self._model, _SAVED_MODEL), (self._tokenizer_file, _SAVED_TOKENIZER)):
            if source.resolve() != (folder / name).resolve():
                shutil.copyfile(source, folder / name)

    def _embed(self, documents: Sequence[str]) -> np.ndarray:
        """The network's vectors, float32 (documents, dimensions)."""
        read = self._tokenizer.encode_batch(list(documents))
        given = {
            "input_ids": [one.ids for one in read],
            "attention_mask": [one.attention_mask for one in read],
            "token_type_ids": [one.type_ids for one in read],
        }
        session, output = self._session
        inputs = {place.name: np.array(given[place.name], dtype=np.int64) for place in session.get_inputs()}
        found = np.asarray(session.run([output], inputs)[0], dtype=np.float32)
        if found.ndim == 2:
            return found
        mask = np.array(given["attention_mask"], dtype=np.float32)[:, :, None]
        return np.asarray((found * mask).sum(axis=1) / np.maximum(mask.sum(axis=1), 1), dtype=np.float32)

    @cached_property
    def _tokenizer(self) -> Any:
        from tokenizers import Tokenizer

        try:
            tokenizer = Tokenizer.from_file(str(self._tokenizer_file))
        except Exception as error:
            raise ConfigurationError(f"{self._tokenizer_file} is no tokenizer: {error}") from error
        own_limit = (tokenizer.truncation or {}).get("max_length", self._max_tokens)
        tokenizer.enable_truncation(min(own_limit, self._max_tokens))
        padding = next((token for token in _PADDING_TOKENS if tokenizer.token_to_id(token) is not None), None)
        if tokenizer.padding is not None:  # not to a fixed length
            tokenizer.enable_padding(pad_id=tokenizer.padding["pad_id"], pad_token=tokenizer.padding["pad_token"])
        elif padding is not None:
            tokenizer.enable_padding(pad_id=tokenizer.token_to_id(padding), pad_token=padding)
        else:
            tokenizer.enable_padding()  # token 0, which the mask hides
        return tokenizer

    @cached_property
    def _session(self) -> tuple[Any, str]:
        """The network, and the name of the output that is the embedding."""
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = _THREADS
        try:
            session = onnxruntime.InferenceSession(str(self._model), options, providers=["CPUExecutionProvider"])
        except Exception as error:
            raise ConfigurationError(f"{self._model} cannot be opened as an ONNX network: {error}") from error
        taken = [place.name for place in session.get_inputs()]
        given = [place.name for place in session.get_outputs() if len(place.shape) in (2, 3)]
        if not {"input_ids"} <= set(taken) <= _INPUTS or not given:
            raise ConfigurationError(
                f"{self._model} is no sentence encoder: it takes {taken}, where input_ids, attention_mask and "
                "token_type_ids are expected, and must give a vector per text or per token."
            )
        return session, next((name for name in _POOLED_OUTPUTS if name in given), given[0])


def _folder_of(spec: str, *, download: bool) -> Path:
    folder = Path(spec).expanduser()
    if folder.is_dir():
        return folder
    if not re.fullmatch(r"[\w.-]+/[\w.-]+", spec) or spec.startswith("."):
        raise ConfigurationError(f"The folder {folder} of the sentence encoder does not exist.")
    from huggingface_hub import snapshot_download

    try:
        found = snapshot_download(
            spec,
            allow_patterns=[*_MODEL_FILES, f"{_MODEL_FILES[0]}_data", _TOKENIZER_FILE],
            local_files_only=not download,
        )
    except Exception as error:
        raise ConfigurationError(
            f"The sentence encoder {spec!r} is neither a folder nor in the local cache of the Hugging Face hub"
            + (f", and could not be downloaded ({type(error).__name__})" if download else "")
            + ". With network, set CUVEE_DOWNLOAD_MODELS=true; without, copy its model.onnx and tokenizer.json into a "
            "folder and name that: CUVEE_TEXT_ENCODER=sentence:FOLDER."
        ) from error
    return Path(found)


def _sha256(path: Path) -> str:
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise ConfigurationError(f"The sentence encoder's file {path} cannot be read: {error}") from error

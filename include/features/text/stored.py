"""The stored form of a fitted text encoder: kind and terms as JSON, numbers as `.npz`; nothing that can run code."""

from __future__ import annotations

import hashlib
import json
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np

from include.errors import ConfigurationError
from include.features.text.cleaning import CLEANING_VERSION
from include.features.text.tokens import TOKENS_VERSION

DESCRIPTION_FILE = "text_encoder.json"
ARRAYS_FILE = "text_encoder.npz"

_FORMAT = 2


class StoredEncoder(ABC):
    """A text encoder defined by its state: the same state gives the same identity and vectors."""

    kind: ClassVar[str]
    """Name of the encoder in its description, e.g. `tfidf-svd`."""

    @abstractmethod
    def state(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """All that was learnt: what JSON can hold, and arrays."""

    @classmethod
    @abstractmethod
    def from_state(cls, description: Mapping[str, Any], arrays: Mapping[str, np.ndarray], folder: Path) -> Self:
        """The encoder of a state; `folder` is where it was saved, for the files of `save_files`."""

    @property
    @abstractmethod
    def dimensions(self) -> int:
        """Length of a vector."""

    @abstractmethod
    def encode(self, documents: Sequence[str]) -> np.ndarray:
        """See `TextEncoder.encode`."""

    @cached_property
    def identity(self) -> str:
        """Kind and SHA-256 of the state and of the versions of cleaning and tokens, e.g. `tfidf-svd-3f9c…`."""
        description, arrays = self.state()
        digest = hashlib.sha256(f"{_FORMAT}|{CLEANING_VERSION}|{TOKENS_VERSION}|".encode())
        digest.update(json.dumps(description, sort_keys=True).encode())
        for name in sorted(arrays):
            digest.update(f"|{name}|{arrays[name].dtype.str}|{arrays[name].shape}|".encode())
            digest.update(np.ascontiguousarray(arrays[name]).data)
        return f"{self.kind}-{digest.hexdigest()[:32]}"

    def save(self, folder: Path) -> None:
        """Write `text_encoder.json`, `text_encoder.npz` and what else the kind needs into a folder, made if absent."""
        folder.mkdir(parents=True, exist_ok=True)
        description, arrays = self.state()
        self.save_files(folder)
        with (folder / ARRAYS_FILE).open("wb") as stream:
            np.savez(stream, **arrays)  # type: ignore[arg-type]
        content = {"format": _FORMAT, "kind": self.kind, "identity": self.identity, "state": description}
        (folder / DESCRIPTION_FILE).write_text(json.dumps(content), encoding="utf-8")

    def save_files(self, folder: Path) -> None:  # noqa: B027 (most kinds have none)
        """Write further files of this kind of encoder, e.g. a network."""


def load_stored(folder: Path, kinds: Mapping[str, type[StoredEncoder]]) -> StoredEncoder:
    """The encoder that `StoredEncoder.save` wrote, one of the given kinds.

    Raises ConfigurationError if files are missing or damaged, or were written by a version of the project
    whose cleaning or tokens differ.
    """
    try:
        content = json.loads((folder / DESCRIPTION_FILE).read_text(encoding="utf-8"))
        if content["format"] != _FORMAT:
            raise ValueError(f"written in format {content['format']}, this program reads {_FORMAT}")
        with np.load(folder / ARRAYS_FILE, allow_pickle=False) as stored:
            arrays = dict(stored)
        encoder = kinds[content["kind"]].from_state(content["state"], arrays, folder)
        identity = encoder.identity
    except ConfigurationError:
        raise
    except Exception as error:
        raise ConfigurationError(
            f"The text encoder in {folder} is missing or damaged ({type(error).__name__}: {error}): train again."
        ) from error
    if identity != content["identity"]:
        raise ConfigurationError(
            f"The text encoder in {folder} was changed, or made with another version of the text cleaning: train again."
        )
    return encoder

"""Which text encoder to fit, and how."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class TextEncoderChoice:
    """A text encoder and the parameters of its fit; each kind of encoder uses those that concern it."""

    spec: str
    """The kind of encoder; see the table in `include/features/text/__init__.py`."""
    words: Literal["as-written", "lemmas"]
    """What is counted."""
    dimensions: int
    """Dimensions of `tfidf-svd` and `word-vectors`; fewer with fewer documents or terms."""
    vocabulary: int
    """Terms, and so dimensions, of `bag-of-words` and `tfidf`."""
    seed: int
    download: bool
    """Whether a sentence encoder that is not in the local cache may be downloaded."""

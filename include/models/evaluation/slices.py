"""Parts of the products on which a classifier may be worse than on average."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from include.models.evaluation.language import guess_language

SHORT_TEXT_CHARACTERS = 60
LEAST_PRODUCTS = 20
"""Slices with fewer products are not reported."""


def slice_rows(
    documents: Sequence[str],
    has_photo: np.ndarray,
    has_brand: np.ndarray,
    languages: Sequence[str | None],
    sources: Sequence[str],
) -> Mapping[str, np.ndarray]:
    """Positions of the products of each slice, by its name; slices of fewer than twenty products are left out.

    `languages` are the sources' own two-letter codes, None where unknown: then the language is guessed.
    """
    spoken = np.array(
        [known or guess_language(text) or "" for known, text in zip(languages, documents, strict=True)], dtype=object
    )
    lengths = np.array([len(text) for text in documents])
    masks = {
        "no photo": ~has_photo,
        "no brand": ~has_brand,
        f"short text (under {SHORT_TEXT_CHARACTERS} characters)": lengths < SHORT_TEXT_CHARACTERS,
        "French": spoken == "fr",
        "English": spoken == "en",
        "no language told": spoken == "",
    }
    names = np.array(sources, dtype=object)
    masks |= {f"source {source}": names == source for source in sorted(set(sources))}
    return {name: np.flatnonzero(mask) for name, mask in masks.items() if mask.sum() >= LEAST_PRODUCTS}

"""Parts of the products on which a classifier may be weaker than its mean tells."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from include.models.evaluation.language import guess_language

SHORT_TEXT_CHARACTERS = 60
LEAST_PRODUCTS = 20
"""Fewer products say nothing worth a line."""


def slice_rows(
    documents: Sequence[str],
    has_photo: np.ndarray,
    has_brand: np.ndarray,
    languages: Sequence[str | None],
    sources: Sequence[str],
) -> Mapping[str, np.ndarray]:
    """Positions of the products of each slice, by its name; slices of fewer than twenty products are left out.

    `languages` are the sources' own two-letter codes, None where they say nothing: then the words decide.
    """
    spoken = np.array(
        [told or guess_language(text) or "" for told, text in zip(languages, documents, strict=True)], dtype=object
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

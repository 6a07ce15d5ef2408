"""Slices by what a product lacks, its language and its source."""

from __future__ import annotations

import numpy as np
import pytest

from include.models.evaluation.language import guess_language
from include.models.evaluation.slices import slice_rows


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Montre analogique pour les hommes avec un bracelet en cuir", "fr"),
        ("Vinaigre d'alcool à la framboise, sans sucres ajoutés", "fr"),
        ("Analog watch for men with a leather strap and the box", "en"),
        ("Thé vert de Chine", "fr"),
        ("Champagne brut", None),
        ("", None),
    ],
)
def test_small_words_tell_the_language(text, language):
    assert guess_language(text) == language


def test_slices_are_cut_by_what_products_lack_and_small_ones_are_left_out():
    documents = ["a watch for the men with the leather strap that is made for you and yours " * 2] * 30 + ["Brut"] * 25
    has_photo = np.arange(55) < 30
    has_brand = np.ones(55, dtype=bool)
    has_brand[:5] = False
    found = slice_rows(documents, has_photo, has_brand, [None] * 30 + ["fr"] * 25, ["shop"] * 30 + ["facts"] * 25)
    assert {name: rows.tolist() for name, rows in found.items()} == {
        "no photo": list(range(30, 55)),
        "short text (under 60 characters)": list(range(30, 55)),
        "French": list(range(30, 55)),
        "English": list(range(30)),
        "source facts": list(range(30, 55)),
        "source shop": list(range(30)),
    }

"""What names the category goes from every text, and nothing else does."""

from __future__ import annotations

from include.models.evaluation.category_words import category_words, stem, without_words

PATHS = [
    "Home Furnishing >> Curtains & Accessories >> Curtains >> Elegance Polyester Door Curtain",
    "Home Furnishing >> Bath Linen >> Towels",
    "Home Furnishing >> Bath Linen >> Towels",
    "Watches >> Wrist Watches >> Alfajr Watches",
    "Kitchen & Dining >> Coffee Mugs >> Printland Coffee Mugs",
    "Kitchen & Dining >> Coffee Mugs >> Prithish Coffee Mugs",
    None,
]


def test_words_of_departments_and_shared_branches_are_masked_in_any_inflection():
    stems = category_words(PATHS, ["Home decor & festive needs"])
    text = "Prithish Coffee Mug for the home\nA WATCH, and two towels; festive décor: mugs"
    assert without_words([text], stems) == ["Prithish   for the \nA , and two ;  : "]


def test_the_last_level_that_is_a_product_of_its_own_stays():
    stems = category_words(PATHS)
    assert without_words(["Elegance polyester door curtain by Alfajr"], stems) == [
        "Elegance polyester door curtain by Alfajr"
    ]


def test_a_plural_is_the_same_word():
    assert [stem(word) for word in ("Watches", "watch", "Mugs", "glass", "Glasses", "boxes")] == [
        "watch", "watch", "mug", "glass", "glass", "box",
    ]  # fmt: skip


def test_no_categories_mask_nothing():
    assert without_words(["Champagne brut", ""], category_words([None, ""])) == ["Champagne brut", ""]

"""The vocabulary covers the taxonomy, fills every template, and leaves some products hard to tell."""

from __future__ import annotations

import pytest

from include.sandbox.demo.photos import SHAPES
from include.sandbox.demo.text import load_vocabulary, seeded
from include.taxonomy import load_taxonomy

VOCABULARY = load_vocabulary()
LABELS = VOCABULARY.labels


def test_every_label_of_the_taxonomy_can_be_drawn() -> None:
    assert set(LABELS) == set(load_taxonomy().labels)


@pytest.mark.parametrize("label", LABELS)
def test_every_template_is_filled(label: str) -> None:
    for number in range(150):
        text = VOCABULARY.draw(label, seeded(label, number))
        written = f"{text.name}|{text.brand}|{text.description}|{text.ingredients}|{text.quantity}"
        assert "{" not in written
        assert "}" not in written
        assert text.name.strip()
        assert text.shape in SHAPES


@pytest.mark.parametrize("label", [label for label in LABELS if VOCABULARY.is_fed(label)])
def test_products_of_the_feed_pass_the_champagne_filter(label: str) -> None:
    taxonomy = load_taxonomy()
    for number in range(60):
        text = VOCABULARY.draw(label, seeded("feed", label, number), "champagne")
        assert taxonomy.is_champagne_product(text.name, text.ingredients, list(text.tags))


@pytest.mark.parametrize("label", [label for label in LABELS if VOCABULARY.is_fed(label)])
def test_category_tags_lead_to_the_label(label: str) -> None:
    for number in range(20):
        text = VOCABULARY.draw(label, seeded("tags", label, number))
        assert load_taxonomy().label_from_tags(text.tags) == label


def test_the_same_chance_draws_the_same_text() -> None:
    assert VOCABULARY.draw("sauce", seeded(1, "x")) == VOCABULARY.draw("sauce", seeded(1, "x"))
    assert VOCABULARY.draw("sauce", seeded(1, "x")) != VOCABULARY.draw("sauce", seeded(1, "y"))


def test_kinds_share_their_words() -> None:
    def words(label: str) -> set[str]:
        texts = [VOCABULARY.draw(label, seeded("words", label, number)) for number in range(100)]
        return {word.lower() for text in texts for word in f"{text.name} {text.brand}".split()}

    for label, other in (("champagne", "sparkling_wine"), ("home_decor", "home_furnishing"), ("baby_care", "beauty")):
        assert len(words(label) & words(other)) >= 5

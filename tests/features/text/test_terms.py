"""Terms of documents."""

from __future__ import annotations

import numpy as np

from include.features.text import document
from include.features.text.terms import TermSpace, attribute_names


def test_attribute_names_are_found_where_a_list_has_them() -> None:
    assert attribute_names("Mug\nA fine mug; Ideal For: men; Thread Count: 160; 12:30; http://x.org; Note: a: b") == [
        "ideal for",
        "thread count",
        "note",
    ]
    assert attribute_names("Mug: large") == ["mug"]
    assert attribute_names("what it says: of itself, in the middle of a long sentence that has no semicolon") != []
    assert attribute_names("") == []


def test_attribute_names_survive_the_making_of_a_document() -> None:
    assert attribute_names(document("Mug", None, "Buy Mug from Flipkart.com; Ideal For: men; GSM: 20", None)) == [
        "ideal for",
        "gsm",
    ]


def test_each_kind_of_term_speaks_equally_loud() -> None:
    documents = ["mug red; Colour: red; Size: large", "mug blue; Colour: blue; Size: small", "mug"]
    space = TermSpace.learn(documents, {"words": 50, "characters": 50, "attributes": 50})
    weighed = space.weigh([*documents, "lentils"]).toarray() ** 2
    np.testing.assert_allclose(weighed.sum(axis=1), [1, 1, 1, 0], rtol=1e-5)
    of_words = weighed[:, : len(space.kinds[0].terms)].sum(axis=1)
    np.testing.assert_allclose(of_words, [1 / 3, 1 / 3, 1 / 2, 0], rtol=1e-5)


def test_rare_terms_weigh_more_and_a_bag_of_words_counts() -> None:
    documents = ["mug red", "mug blue", "mug blue blue"]
    weighed = TermSpace.learn(documents, {"words": 50}).weigh(["mug red"]).toarray()[0]
    counted = TermSpace.learn(documents, {"words": 50}, plain=True)
    terms = counted.kinds[0].terms
    assert weighed[terms.index("red")] > weighed[terms.index("mug")]
    row = counted.weigh(["blue blue mug"]).toarray()[0]
    assert row[terms.index("blue")] == 2 * row[terms.index("mug")]


def test_the_vocabulary_is_bounded_by_the_commonest() -> None:
    space = TermSpace.learn(["mug red", "mug blue", "mug green"], {"words": 2})
    assert space.size == 2
    assert "mug" in space.kinds[0].terms

"""Gold stays gold, training stays training, and no content stands on both sides, whatever comes later."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from include.models.data.gold_set import GOLD, LEFT_OUT, TRAINING, Assignment, assign, is_drawn
from include.schema import text_hash

SHARE = 0.3
TEXT = st.one_of(st.none(), st.integers(0, 12).map(lambda number: text_hash(f"text {number}")))
PHOTO = st.one_of(st.none(), st.integers(0, 12).map(lambda number: text_hash(f"photo {number}")))
PRODUCTS = st.dictionaries(st.integers(0, 25).map(lambda number: f"shop:{number}"), st.tuples(TEXT, PHOTO))


def divide(products: dict[str, tuple[str | None, str | None]], known: dict[str, bool] | None = None) -> Assignment:
    texts, photos = ([content[part] for content in products.values()] for part in (0, 1))
    return assign(list(products), texts, photos, SHARE, known or {})


def contents(products: dict[str, tuple[str | None, str | None]], parts: list[str], wanted: str) -> set[str]:
    rows = zip(products.values(), parts, strict=True)
    return {content for pair, part in rows if part == wanted for content in pair if content}


@settings(deadline=None)
@given(st.lists(PRODUCTS, min_size=1, max_size=4))
def test_over_any_weeks_no_content_of_gold_is_ever_trained_on(weeks: list[dict]) -> None:
    sides: dict[str, bool] = {}
    ever_gold: set[str] = set()
    ever_trained: set[str] = set()
    products: dict[str, tuple[str | None, str | None]] = {}
    gold_products: set[str] = set()
    trained_products: set[str] = set()
    for week in weeks:
        products |= week  # new products, and new content of known ones
        assignment = divide(products, sides)
        sides = dict(assignment.sides)
        ever_gold |= contents(products, assignment.parts, GOLD)
        ever_trained |= contents(products, assignment.parts, TRAINING)
        gold_products |= {key for key, part in zip(products, assignment.parts, strict=True) if part == GOLD}
        trained_products |= {key for key, part in zip(products, assignment.parts, strict=True) if part == TRAINING}
    assert not ever_gold & ever_trained
    assert not gold_products & trained_products


@settings(deadline=None)
@given(PRODUCTS)
def test_assigning_again_with_the_stored_sides_changes_nothing(products: dict) -> None:
    first = divide(products)
    again = divide(products, dict(first.sides))
    assert (again.parts, again.groups, again.sides) == (first.parts, first.groups, first.sides)
    assert LEFT_OUT not in first.parts, "nothing is torn before anything is known"


@settings(deadline=None)
@given(PRODUCTS)
def test_the_order_of_products_does_not_matter(products: dict) -> None:
    backwards = dict(reversed(products.items()))
    ahead = dict(zip(products, divide(products).parts, strict=True))
    assert ahead == dict(zip(backwards, divide(backwards).parts, strict=True))


def test_about_the_wanted_share_of_groups_is_gold_whatever_their_size() -> None:
    def share_of(size: int) -> float:
        rows = {f"shop:{n}": (text_hash(f"{n}"), text_hash(f"photo {n // size}")) for n in range(4000)}
        return divide(rows).parts.count(GOLD) / len(rows)

    assert abs(share_of(1) - SHARE) < 0.03
    assert abs(share_of(10) - SHARE) < 0.08


def test_a_product_between_gold_and_training_is_left_out_and_moves_neither() -> None:
    names = [text_hash(str(number)) for number in range(200)]
    old = {f"shop:{number}": (name, None) for number, name in enumerate(names)}
    first = divide(old)
    gold, trained = names[first.parts.index(GOLD)], names[first.parts.index(TRAINING)]
    both = old | {"shop:a": (gold, text_hash("new photo")), "shop:b": (trained, text_hash("new photo"))}
    second = divide(both, dict(first.sides))
    assert second.parts[:200] == first.parts
    assert second.parts[200:] == [LEFT_OUT, LEFT_OUT]


def test_a_new_product_with_a_known_text_joins_its_side() -> None:
    old = {f"shop:{number}": (text_hash(str(number)), None) for number in range(50)}
    first = divide(old)
    gold = text_hash(str(first.parts.index(GOLD)))
    second = divide(old | {"shop:new": (gold, text_hash("photo"))}, dict(first.sides))
    assert second.parts[-1] == GOLD
    assert second.groups[-1] == second.groups[first.parts.index(GOLD)]


def test_who_is_gold_is_the_same_on_every_machine() -> None:
    assert [is_drawn(f"t{number}", 0.5) for number in range(8)] == [
        True, False, False, True, True, False, False, True,
    ]  # fmt: skip

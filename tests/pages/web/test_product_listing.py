"""The list of products as its address describes it."""

from __future__ import annotations

from include.pages.web.product_listing import (
    SHOWN_CHOICES,
    Address,
    address_of,
    amount,
    chosen_parts,
    facets_of,
    first_page,
    toggled,
)
from include.warehouse.product_counts import Count
from include.warehouse.product_filter import ProductQuery


def asked(*pairs: tuple[str, str]) -> ProductQuery:
    query, ignored = ProductQuery.parse(pairs)
    assert ignored == []
    return query


def counted(**counts: int) -> list[tuple[str, Count]]:
    return [(value, Count(products, True)) for value, products in counts.items()]


def test_the_address_of_a_query_reads_as_the_same_query() -> None:
    pairs = [("label", "juice"), ("label", "vinegar"), ("flags", "short_code"), ("text", "brut"), ("sort", "surest")]
    address = address_of(asked(*pairs).pairs())
    assert address["label"] == ["juice", "vinegar"]
    again = [(name, value) for name, values in address.items() for value in values]
    assert asked(*again) == asked(*pairs)


def test_a_value_is_added_and_taken_away_again() -> None:
    address: Address = {"label": ["juice"], "text": ["brut"]}
    added = toggled(address, "label", "vinegar")
    assert added == {"label": ["juice", "vinegar"], "text": ["brut"]}
    assert toggled(added, "label", "vinegar") == address
    assert toggled(address, "label", "juice") == {"text": ["brut"]}
    assert address == {"label": ["juice"], "text": ["brut"]}


def test_rare_choices_are_folded_but_a_chosen_one_stays_in_sight() -> None:
    counts = counted(**{f"label_{number:02}": 100 - number for number in range(SHOWN_CHOICES + 3)})
    chosen = counts[-1][0]
    [facet] = facets_of(asked(("label", chosen)), {"label": counts})
    assert len(facet.choices) == SHOWN_CHOICES + 1
    assert [choice.name for choice in facet.choices if choice.is_chosen] == [chosen.replace("_", " ")]
    assert len(facet.more) == 2


def test_a_chosen_value_that_no_product_has_can_still_be_taken_away() -> None:
    [facet] = facets_of(asked(("label", "bottle_opener")), {"label": counted(juice=3)})
    [choice] = [choice for choice in facet.choices if choice.is_chosen]
    assert (choice.count, choice.address) == ("0", {})


def test_each_part_of_the_filter_can_be_taken_away() -> None:
    query = asked(("text", "brut"), ("decision", "review"), ("confidence_from", "0.5"), ("photo_status", "ok"))
    parts = {part.text: part.address for part in chosen_parts(query)}
    assert set(parts) == {"“brut”", "decision: for review", "confidence from 0.5", "photo: has a photo"}
    assert parts["“brut”"] == {"decision": ["review"], "confidence_from": ["0.5"], "photo_status": ["ok"]}
    assert all(len(address) == len(parts) - 1 for address in parts.values())


def test_another_choice_leads_to_the_first_page_of_the_same_order() -> None:
    assert first_page(asked(("sort", "surest"), ("label", "juice"))) == {"label": ["juice"], "sort": ["surest"]}


def test_an_estimate_is_called_one() -> None:
    assert amount(Count(2_048, True)) == "2,048"
    assert amount(Count(560_000, False)) == "about 560,000"

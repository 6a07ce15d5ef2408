"""The list of products as its address describes it: what is chosen, and the addresses of every next step."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from include.pages.web.product_words import FACETS, RANGES, value_name
from include.warehouse.product_counts import Count
from include.warehouse.product_filter import ProductQuery

Address = dict[str, list[str]]
"""Parameters of an address with their values: `{"label": ["juice", "vinegar"], "sort": ["surest"]}`."""

SHOWN_CHOICES = 12
"""Choices of a facet that are shown at once, the commonest; the others are folded below them."""


@dataclass(frozen=True)
class Choice:
    """One value of a facet."""

    name: str
    count: str
    """How many products have it, e.g. `1,204` or `about 31,000`."""
    is_chosen: bool
    address: Address
    """Address of the list with the value chosen, or no longer chosen."""


@dataclass(frozen=True)
class Facet:
    """One property of products, with how many have each of its values."""

    title: str
    choices: list[Choice]
    more: list[Choice]
    """Rarer values."""


@dataclass(frozen=True)
class Chosen:
    """One part of the filter, with the address of the list without it."""

    text: str
    address: Address


def address_of(pairs: Iterable[tuple[str, str]]) -> Address:
    """An address from the pairs of a query."""
    address: Address = {}
    for name, value in pairs:
        address.setdefault(name, []).append(value)
    return address


def first_page(asked: ProductQuery) -> Address:
    """The address of the list's first page."""
    return {name: values for name, values in address_of(asked.pairs()).items() if name != "at"}


def toggled(address: Address, parameter: str, value: str) -> Address:
    """The address with a value added to a parameter, or taken from it where it is there."""
    before = address.get(parameter, [])
    after = [one for one in before if one != value] if value in before else [*before, value]
    return {name: values for name, values in (address | {parameter: after}).items() if values}


def facets_of(asked: ProductQuery, counts: Mapping[str, Sequence[tuple[str, Count]]]) -> list[Facet]:
    """The facets of the page from their values with counts, most first; chosen values stay in sight."""
    address = first_page(asked)
    found = []
    for parameter, title in FACETS.items():
        chosen = asked.filter.values.get(parameter, ())
        counted = {value: count for value, count in counts.get(parameter, ()) if value}
        counted |= {value: Count(0, True) for value in chosen if value not in counted}
        choices = [
            Choice(value_name(parameter, value), amount(count), value in chosen, toggled(address, parameter, value))
            for value, count in counted.items()
        ]
        first = [choice for place, choice in enumerate(choices) if place < SHOWN_CHOICES or choice.is_chosen]
        if choices:
            found.append(Facet(title, first, [choice for choice in choices if choice not in first]))
    return found


def chosen_parts(asked: ProductQuery) -> list[Chosen]:
    """Each part of the filter, for people to see and to take away."""
    address = first_page(asked)
    return [
        Chosen(_part_text(parameter, value), toggled(address, parameter, value))
        for parameter, value in asked.filter.pairs()
    ]


def amount(count: Count) -> str:
    """How many, for people: `2,048`, or `about 560,000` for an estimate."""
    return f"{count.products:,}" if count.is_exact else f"about {count.products:,}"


def _part_text(parameter: str, value: str) -> str:
    if parameter == "text":
        return f"“{value}”"
    if parameter in RANGES:
        return f"{RANGES[parameter]} {value}"
    return f"{FACETS.get(parameter, parameter).lower()}: {value_name(parameter, value)}"

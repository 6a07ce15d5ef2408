"""The attribution of the data that a page shows: who provides it, and under which terms."""

from __future__ import annotations

from collections.abc import Iterable

ATTRIBUTIONS: dict[str, tuple[str, str]] = {
    "openfoodfacts": (
        "Data: Open Food Facts contributors, ODbL 1.0; photos CC BY-SA 3.0",
        "https://world.openfoodfacts.org/terms-of-use",
    ),
    "edamam": ("Data: Edamam food database", "https://developer.edamam.com/edamam-docs-food-api"),
    "flipkart": (
        "Data: Flipkart product sample, CC BY-SA 4.0; photos remain their sellers'",
        "https://creativecommons.org/licenses/by-sa/4.0/",
    ),
}
"""Beginning of a source's name → owner of the data, and address of the terms."""


def attribution(source: str) -> tuple[str, str]:
    """Owner of a source's data, and address of the terms (may be empty)."""
    return next(iter(attributions([source])), (f"Data: as its provider allows, see the terms of {source}", ""))


def attributions(sources: Iterable[str]) -> list[tuple[str, str]]:
    """The owner of the data and the address of the terms, once each and in order, for every source that is known."""
    return sorted({terms for source in sources for name, terms in ATTRIBUTIONS.items() if source.startswith(name)})

"""Where products come from: food APIs by day, and catalogue files.

source = get_source("openfoodfacts")
source.fetch(day, landing, connection, http)
for record in source.read(day, landing): ...
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from include.errors import ConfigurationError

if TYPE_CHECKING:
    from include.sources.source import Source

SOURCE_NAMES: tuple[str, ...] = ("openfoodfacts", "edamam")
LISTING_SOURCES = frozenset({"edamam"})
"""Sources that list everything each day (`incremental` is False): what is new depends on the day before."""


def get_source(name: str) -> Source:
    """The API source of that name; ConfigurationError lists the known ones for any other name."""
    if name == "openfoodfacts":
        from include.sources.openfoodfacts import OpenFoodFacts

        return OpenFoodFacts()
    if name == "edamam":
        from include.sources.edamam import Edamam

        return Edamam()
    raise ConfigurationError(f"unknown source {name!r}; the known ones are: {', '.join(SOURCE_NAMES)}")


__all__ = ["LISTING_SOURCES", "SOURCE_NAMES", "get_source"]

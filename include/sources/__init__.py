"""Where products come from: food APIs by day, and catalogue files.

source = get_source("openfoodfacts")
source.fetch(day, landing, connection, http)
for record in source.read(day, landing): ...
"""

from __future__ import annotations

from include.errors import ConfigurationError
from include.sources.source import Source

SOURCE_NAMES: tuple[str, ...] = ("openfoodfacts", "edamam")


def get_source(name: str) -> Source:
    """The API source of that name; ConfigurationError lists the known ones for any other name."""
    if name == "openfoodfacts":
        from include.sources.openfoodfacts import OpenFoodFacts

        return OpenFoodFacts()
    if name == "edamam":
        from include.sources.edamam import Edamam

        return Edamam()
    raise ConfigurationError(f"unknown source {name!r}; the known ones are: {', '.join(SOURCE_NAMES)}")


__all__ = ["SOURCE_NAMES", "Source", "get_source"]

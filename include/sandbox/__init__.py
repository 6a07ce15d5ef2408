"""A local replacement for the Open Food Facts and Edamam APIs, with faults on demand and a demo catalogue to serve.

Import its functions, or `SandboxServer` for tests; each function loads what it needs when it is called.
It imports errors and plain words, and nothing else of the platform: the APIs that it replaces do not know it either.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from include.sandbox.catalogue import FoodCatalogue


def open_food_catalogue(replay: Path | None, first_day: date, days: int = 3) -> FoodCatalogue:
    """The records of a folder, replayed over the days, or the drawn demo catalogue without a folder.

    Raises ConfigurationError if the folder holds no records or the number of days is out of range.
    """
    if replay is not None:
        from include.sandbox.replay import ReplayCatalogue

        return ReplayCatalogue(replay, first_day, days)
    from include.sandbox.demo.demo_catalogue import DemoCatalogue

    return DemoCatalogue(first_day, days)


def serve(
    replay: Path | None,
    first_day: date,
    days: int = 3,
    port: int = 8099,
    *,
    host: str = "127.0.0.1",
    faults: Iterable[str] = (),
) -> None:
    """Serve both food APIs until the process is stopped.

    Raises ConfigurationError if the port is taken, the folder holds no records, or a fault is unknown.
    """
    from include.sandbox.server import serve_catalogue

    serve_catalogue(open_food_catalogue(replay, first_day, days), faults, host=host, port=port)


def write_demo_catalogue(folder: Path) -> Path:
    """Write the labelled demo catalogue (CSV and photos) into a folder; the path of the CSV."""
    from include.sandbox.demo.training_catalogue import write_demo_catalogue as write

    return write(folder)

"""What a catalogue gives to the sandbox: dated product records, Edamam hints and photos."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Protocol

from starlette.requests import Request

Record = dict[str, Any]
"""A JSON object as an API serves it. Addresses of photos are paths (`/images/…`) until they are served."""

SECONDS_PER_DAY = 86_400


@dataclass(frozen=True, slots=True)
class DatedRecord:
    """A product record and the moment of its change, which decides its delta file."""

    moment: int
    """Unix seconds."""
    record: Record


class FoodCatalogue(Protocol):
    """Products of the days `first_day` to `last_day`; the same on every call."""

    first_day: date
    last_day: date

    def records(self) -> Sequence[DatedRecord]:
        """All Open Food Facts records, oldest first; a product that changed twice is there twice."""

    def edamam_hints(self) -> Sequence[Record]:
        """All hints of the Edamam parser, in its order: `{"food": {…}, "measures": […]}`."""

    def photo(self, path: str) -> bytes | None:
        """The photo served at a path such as `/images/products/…/front_fr.4.400.jpg`, or None."""


def midnight(day: date) -> int:
    """Unix seconds of the first moment of a day, UTC."""
    return int(datetime.combine(day, time(), UTC).timestamp())


def days_between(first_day: date, last_day: date) -> Iterator[date]:
    """All days from first to last, both included."""
    for offset in range((last_day - first_day).days + 1):
        yield first_day + timedelta(days=offset)


def photo_path(code: str, image: str, revision: int) -> str:
    """The path of a selected photo: `/images/products/388/123/456/7890/front_fr.4.400.jpg`.

    The code is zero-filled to 13 digits and split 3/3/3/rest.
    """
    digits = code.zfill(13)
    return f"/images/products/{digits[:3]}/{digits[3:6]}/{digits[6:9]}/{digits[9:]}/{image}.{revision}.400.jpg"


def host_of(request: Request) -> str:
    """The address under which a request came, e.g. `http://127.0.0.1:8099`; served addresses start with it."""
    return str(request.base_url).rstrip("/")


def with_host(value: Any, host: str) -> Any:
    """A copy of a record in which every photo path is an address of this host."""
    if isinstance(value, Mapping):
        return {key: with_host(item, host) for key, item in value.items()}
    if isinstance(value, list):
        return [with_host(item, host) for item in value]
    if isinstance(value, str) and value.startswith(("/images/", "/food-img/")):
        return host + value
    return value

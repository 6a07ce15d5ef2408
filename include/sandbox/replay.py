"""Real product records from a folder, served as if they had changed on the days asked for."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

from include.errors import ConfigurationError
from include.sandbox.catalogue import SECONDS_PER_DAY, DatedRecord, Record, midnight
from include.sandbox.delta import DAYS_KEPT

_PRODUCTS = Path("openfoodfacts", "products.jsonl")
_ANSWERS = Path("openfoodfacts", "raw_json")
_PARSER = Path("edamam", "parser_champagne.json")
_PHOTOS = Path("openfoodfacts", "images")
_PHOTO_ADDRESS = re.compile(r"https?://[^/\s]+(/(?:images|food-img)/\S+)")
_FIRST_CHANGE = 3_600
_LAST_CHANGE = 82_800


class ReplayCatalogue:
    """The records of a folder laid out as `openfoodfacts/products.jsonl`, `openfoodfacts/raw_json/*.json`
    and `edamam/parser_*.json`, each of which may be absent but the first.

    Rows whose `_extract` is `champagne_rows` (or that speak of champagne, where there is no `_extract`) are
    spread evenly over the days and come first on each; the others follow, so that a filter has work. A
    code is served once. Nothing is invented but the moment of the change, which replaying has to move:
    evenly spread over the day, the same on every call. Photos point to the sandbox, which has those below
    `openfoodfacts/images` and answers 404 for the rest.
    """

    def __init__(self, folder: Path, first_day: date, days: int = 3) -> None:
        """Check the folder without reading it; raises ConfigurationError that states what is expected."""
        if not 1 <= days <= DAYS_KEPT:
            raise ConfigurationError(f"records can be replayed over 1 to {DAYS_KEPT} days, not {days}")
        if not (folder / _PRODUCTS).is_file():
            raise ConfigurationError(f"no records to replay: {folder / _PRODUCTS} is not there")
        self._folder = folder.resolve()
        self.first_day = first_day
        self.last_day = first_day + timedelta(days=days - 1)
        self._days = days

    def records(self) -> Sequence[DatedRecord]:
        """All records, oldest first."""
        return self._records

    @cached_property
    def _records(self) -> list[DatedRecord]:
        champagne: list[Record] = []
        others: list[Record] = []
        codes: set[str] = set()
        for row in self._rows():
            code = str(row.get("code"))
            if code not in codes:
                codes.add(code)
                (champagne if _is_champagne(row) else others).append(row)
        dated: list[DatedRecord] = []
        for number in range(self._days):
            of_day = [*_share(champagne, number, self._days), *_share(others, number, self._days)]
            start = midnight(self.first_day + timedelta(days=number))
            for position, row in enumerate(of_day):
                moment = start + _FIRST_CHANGE + position * (_LAST_CHANGE - _FIRST_CHANGE) // len(of_day)
                dated.append(DatedRecord(*_replayed(row, start, moment)))
        return sorted(dated, key=lambda record: record.moment)

    def _rows(self) -> Iterator[Record]:
        path = self._folder / _PRODUCTS
        with path.open(encoding="utf-8") as lines:
            for number, line in enumerate(lines, 1):
                if line.strip():
                    yield _parse(line, f"{path}:{number}")
        for answer in sorted((self._folder / _ANSWERS).glob("*.json")):
            yield from _products_in(_parse(answer.read_text(encoding="utf-8"), str(answer)))

    def edamam_hints(self) -> Sequence[Record]:
        """The hints of all recorded parser answers, in the order of the files."""
        return self._hints

    @cached_property
    def _hints(self) -> list[Record]:
        answers = sorted((self._folder / _PARSER.parent).glob("parser_*.json"))
        parsed = [_parse(answer.read_text(encoding="utf-8"), str(answer)) for answer in answers]
        return [_with_local_photos(hint) for answer in parsed for hint in answer.get("hints", [])]

    def photo(self, path: str) -> bytes | None:
        """A photo below `openfoodfacts/images`, laid out as at the source; None if it is not there."""
        root = self._folder / _PHOTOS
        file = (self._folder / "openfoodfacts" / path.lstrip("/")).resolve()
        return file.read_bytes() if file.is_relative_to(root) and file.is_file() else None


def _parse(text: str, place: str) -> Any:
    try:
        parsed = json.loads(text)
    except json.JSONDecodeError as error:
        raise ConfigurationError(f"{place} is not JSON ({error.msg}); repair the line or remove it") from error
    if not isinstance(parsed, dict):
        raise ConfigurationError(f"{place} is not a JSON object")
    return parsed


def _products_in(answer: Any) -> Iterator[Record]:
    """The products anywhere inside a recorded answer: those of a search, of a read by code, of several."""
    if isinstance(answer, Mapping):
        if "code" in answer and "product" not in answer and "products" not in answer:
            yield dict(answer)
        else:
            for value in answer.values():
                yield from _products_in(value)
    elif isinstance(answer, list):
        for value in answer:
            yield from _products_in(value)


def _is_champagne(row: Record) -> bool:
    if "_extract" in row:
        return bool(row["_extract"] == "champagne_rows")
    return "champagne" in f"{row.get('product_name')} {row.get('ingredients_text')}".lower()


def _share(rows: Sequence[Record], number: int, parts: int) -> Sequence[Record]:
    return rows[number * len(rows) // parts : (number + 1) * len(rows) // parts]


def _replayed(row: Record, start: int, moment: int) -> tuple[int, Record]:
    """The row as it is served: a change time of its own is kept where it lies in the day."""
    own = row.get("last_modified_t")
    if isinstance(own, int) and start <= own < start + SECONDS_PER_DAY:
        moment = own
    served = {key: _with_local_photos(value) for key, value in row.items() if key != "_extract"}
    return moment, served | {"last_modified_t": moment}


def _with_local_photos(value: Any) -> Any:
    """A copy in which the address of every photo is only its path, which the sandbox completes with its own host."""
    if isinstance(value, dict):
        return {key: _with_local_photos(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_with_local_photos(item) for item in value]
    address = _PHOTO_ADDRESS.fullmatch(value) if isinstance(value, str) else None
    return address[1] if address else value

"""Records changed at random, one field at a time: its type, size, depth, characters or range of numbers.

Which fields there are to change is not listed but seen: `fields_read` gives a parser records that note what is asked of
them, so that a field that the code comes to read is changed from then on.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterable
from typing import Any

from hypothesis import strategies as st

Path = tuple[str, ...]
"""Keys from the record to a field, e.g. `("images", "front_fr", "rev")`."""
_PLACEHOLDER = "@ the mutated field @"


class _Noting(dict[str, Any]):
    """An object that notes which of its fields are looked at."""

    def __init__(self, content: dict[str, Any], path: Path, seen: set[Path]) -> None:
        super().__init__({key: _noting(value, (*path, key), seen) for key, value in content.items()})
        self._path = path
        self._seen = seen

    def _note(self, key: Any) -> None:
        if isinstance(key, str):
            self._seen.add((*self._path, key))

    def get(self, key: Any, default: Any = None) -> Any:
        self._note(key)
        return super().get(key, default)

    def __getitem__(self, key: Any) -> Any:
        self._note(key)
        return super().__getitem__(key)

    def __contains__(self, key: Any) -> bool:
        self._note(key)
        return super().__contains__(key)

    def items(self) -> Any:
        for key in self:
            self._note(key)
        return super().items()


def _noting(value: Any, path: Path, seen: set[Path]) -> Any:
    if isinstance(value, dict):
        return _Noting(value, path, seen)
    if isinstance(value, list):
        return [_noting(inner, (*path, "[]"), seen) for inner in value]
    return value


def fields_read(parse: Callable[[Any], object], records: Iterable[dict[str, Any]]) -> list[Path]:
    """The fields that `parse` looks at in any of the records, in a fixed order."""
    seen: set[Path] = set()
    for record in records:
        parse(_Noting(record, (), seen))
    return sorted(path for path in seen if "[]" not in path)


def changed(record: dict[str, Any], path: Path, text: str) -> bytes:
    """The record as a line of JSON in which the field at `path` is the JSON text `text`, whatever that is."""
    mutated = copy.deepcopy(record)
    place = mutated
    for key in path[:-1]:
        if not isinstance(place.get(key), dict):
            place[key] = {}
        place = place[key]
    place[path[-1]] = _PLACEHOLDER
    return json.dumps(mutated).replace(json.dumps(_PLACEHOLDER), text, 1).encode()


def nested(depth: int, opening: str = "[", closing: str = "]", inside: str = '"\\u0000"') -> str:
    """A JSON text of lists or objects in each other."""
    return opening * depth + inside + closing * depth


NUMBERS = [
    "0", "-1", "-0.0", "1.5", "1e999", "-1e999", "1e308", "1e-400", "1e19", "9007199254740993", "18446744073709551616",
    "9" * 500, "9" * 501, "-" + "9" * 5_000, "0." + "1" * 5_000, "1773446400000", "4102444800", "253402300800",
]  # fmt: skip
TEXTS = [
    "", " ", "\x00", "a\x00b", "\u202egpj.exe", "\ud800", "\ud83d\ude00", "\u00ad", "\u200b", "\ufeff", "\x1b[2J",
    "Champagne", "champagne " * 3_000, "x" * 60_000, "3.00E+12", "9" * 4_500, "1e999", "NaN", "en:wines",
    "https://x.org/a",
    "https://x.org/\x00", "https://x.org/" + "a" * 3_000, "http://[::1", "&amp;" * 200,
    "<b>" * 200, "_" * 500, "fr", "\u0661",
]  # fmt: skip
DEPTHS = [2, 30, 62, 63, 64, 65, 66, 200, 400, 600, 900, 1_500, 20_000]


def _text(depth: int, kind: str) -> str:
    return nested(depth) if kind == "list" else nested(depth, '{"a": ', "}", "1e999")


hostile_json: st.SearchStrategy[str] = st.one_of(
    st.sampled_from(["null", "true", "false", "{}", "[]", '[""]', "[null]", "[1]", '{"": null}', "[[]]"]),
    st.sampled_from(NUMBERS),
    st.sampled_from(TEXTS).map(json.dumps),
    st.builds(_text, st.sampled_from(DEPTHS), st.sampled_from(["list", "object"])),
    st.text(st.characters(exclude_categories=()), max_size=60).map(json.dumps),
    st.integers().map(str),
    st.floats(allow_nan=False, allow_infinity=False).map(json.dumps),
    st.sampled_from([10, 300, 20_000]).map(lambda size: json.dumps([f"en:tag-{number}" for number in range(size)])),
    st.sampled_from([10, 300, 20_000]).map(lambda size: json.dumps({f"front_{number}": {} for number in range(size)})),
    st.sampled_from(NUMBERS).map(lambda number: f'[{number}, "a"]'),
    st.sampled_from(NUMBERS).map(lambda number: f'{{"front_fr": {{"rev": {number}}}, "400": {number}}}'),
    st.sampled_from(["NaN", "Infinity", "-Infinity", "{", "]", '"', "01", "'a'", "undefined"]),
)
"""JSON texts of every type, size, depth and range, and texts that are none."""


def parts(paths: list[Path]) -> list[Path]:
    """The paths, and the beginning of each: an object that is read is replaced as a whole, too."""
    return sorted({path[:length] for path in paths for length in range(1, len(path) + 1)})

"""JSON lines: one object per line, as in the dumps of food APIs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from include.errors import CatalogueRefused
from include.sources.catalogue.damaged_text import EncodingEvidence
from include.sources.catalogue.row_file import Row
from include.sources.catalogue.text_file import TextFile
from include.sources.json_text import parse_json

SAMPLED_LINES = 1_000
"""Lines whose keys make up the columns: keys differ from line to line."""


@dataclass(frozen=True)
class JsonLinesFile:
    """A checked file of objects."""

    file: TextFile
    columns: tuple[str, ...]

    @classmethod
    def open(cls, file: TextFile) -> JsonLinesFile:
        """Read the file once to its end; CatalogueRefused if its first lines are no objects, or its text is damaged.

        A line that is no object is set aside alone if others are: dumps of millions of lines have such.
        """
        evidence = EncodingEvidence()
        columns: dict[str, None] = {}
        sampled = objects = 0
        first = (0, "")
        for number, line in file.lines():
            evidence.feed(number, line)
            if not line.strip() or sampled >= SAMPLED_LINES:
                continue
            row = _parsed(line)
            first = first if sampled else (number, line)
            sampled += 1
            if isinstance(row, dict):
                objects += 1
                columns |= dict.fromkeys(row)
        if not objects or not _begins_an_object(first[1]):
            raise CatalogueRefused(f"{file.path.name}: line {first[0]}: {_what_it_is(first[1])}")
        if evidence.is_double_encoded:
            number, example = evidence.first_double_encoded
            raise CatalogueRefused(
                f"{file.path.name}: line {number}: double-encoded text ({example!r}); "
                "expected text that was saved once, as UTF-8: export it again"
            )
        return cls(file, tuple(columns))

    def rows(self) -> Iterator[tuple[int, Row | str]]:
        """Line number, and the object without its null and empty values, or the text if it is no object."""
        for number, line in self.file.lines():
            if not line.strip():
                continue
            row = _parsed(line)
            if isinstance(row, dict):
                yield number, {key: value for key, value in row.items() if value is not None and value != ""}
            else:
                yield number, line.rstrip("\r\n")


def _parsed(line: str) -> Any:
    """The JSON value of a line; None if it has none."""
    try:
        return parse_json(line.encode())
    except ValueError:
        return None


def _begins_an_object(line: str) -> bool:
    """Whether a line is an object, or would be but for a damage inside; false of the first line of one over several."""
    return isinstance(_parsed(line), dict) or (line.lstrip().startswith("{") and line.rstrip().endswith("}"))


def _what_it_is(line: str) -> str:
    if line.lstrip().startswith("["):
        return "a JSON list; expected one JSON object per line (`jq -c '.[]' FILE` makes it)"
    return "not a whole JSON object; expected one per line (`jq -c . FILE` makes it)"

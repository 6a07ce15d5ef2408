"""CSV and its relatives, refused whole if one row does not fit the header."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from include.errors import CatalogueRefused
from include.sources.catalogue.damaged_text import EncodingEvidence
from include.sources.catalogue.row_file import Row
from include.sources.catalogue.text_file import MAX_LINE_CHARACTERS, TextFile

DELIMITERS = {",": "commas", ";": "semicolons", "\t": "tabs"}
Quoting = Literal[0, 3]
_QUOTINGS: tuple[Quoting, ...] = (csv.QUOTE_MINIMAL, csv.QUOTE_NONE)


@dataclass(frozen=True)
class DelimitedFile:
    """A checked file of rows and columns."""

    file: TextFile
    delimiter: str
    quoting: Quoting
    """`csv.QUOTE_MINIMAL`, or `csv.QUOTE_NONE` for tab-separated files in which a quote is a character like others."""
    header: tuple[str, ...]

    @classmethod
    def open(cls, file: TextFile) -> DelimitedFile:
        """Read the file once to its end; CatalogueRefused names every kind of damage with its first line.

        Refused: a header of one column, no rows, ragged rows, a quote that is not closed, double-encoded
        text, Windows-1252 that is another script.
        """
        first_line = file.first_line()
        delimiter = max(DELIMITERS, key=lambda candidate: _width(first_line, candidate))
        # A tab file that does not fit with quotes may be one that does not know them.
        quotings = _QUOTINGS if delimiter == "\t" else _QUOTINGS[:1]
        found = [_Findings(file, delimiter, quoting) for quoting in quotings]
        for findings in found:
            findings.read()
            if not findings.problems():
                return cls(file, delimiter, findings.quoting, findings.header)
        raise CatalogueRefused(f"{file.path.name}: {'; '.join(found[0].problems())}")

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns; those without a name are left out."""
        return tuple(name for name in self.header if name)

    def rows(self) -> Iterator[tuple[int, Row | str]]:
        """First line of each row, and its non-empty values, stripped; the first of columns with one name counts."""
        lines = (line for _, line in self.file.lines())
        records = _records(lines, self.delimiter, self.quoting)
        next(records)
        # Backwards, so that the first of several columns with one name is the one that stays.
        places = [(place, name) for place, name in enumerate(self.header) if name][::-1]
        for line, values in records:
            if len(values) != len(self.header):
                raise CatalogueRefused(f"{self.file.path.name}: line {line}: the file changed while it was read")
            yield line, {name: text for place, name in places if (text := values[place].strip())}


def _records(lines: Iterator[str], delimiter: str, quoting: Quoting) -> Iterator[tuple[int, list[str]]]:
    """Line on which each record starts, and its values; blank lines are no records."""
    csv.field_size_limit(MAX_LINE_CHARACTERS)  # of the process; 128 Ki by default, less than some descriptions
    reader = csv.reader(lines, delimiter=delimiter, quoting=quoting, strict=True)
    start = 1
    try:
        for values in reader:
            if values:
                yield start, values
            start = reader.line_num + 1
    except csv.Error as error:
        raise _MalformedRecord(start, reader.line_num, str(error)) from error


class _MalformedRecord(Exception):
    """A record that starts on line `start` breaks the format on line `line`."""

    def __init__(self, start: int, line: int, reason: str) -> None:
        super().__init__(reason)
        self.start = start
        self.line = line
        self.reason = reason


class _Findings:
    """What one pass over a file finds; constant memory."""

    def __init__(self, file: TextFile, delimiter: str, quoting: Quoting) -> None:
        self.quoting = quoting
        self.header: tuple[str, ...] = ()
        self._file = file
        self._delimiter = delimiter
        self._rows = 0
        self._ragged = 0
        self._first_ragged = (0, 0)
        self._malformed: _MalformedRecord | None = None
        self._evidence = EncodingEvidence()

    def read(self) -> None:
        lines = self._lines()
        try:
            for line, values in _records(lines, self._delimiter, self.quoting):
                if not self.header:
                    self.header = tuple(name.strip() for name in values)
                    continue
                self._rows += 1
                if len(values) != len(self.header):
                    self._ragged += 1
                    self._first_ragged = self._first_ragged if self._ragged > 1 else (line, len(values))
        except _MalformedRecord as malformed:
            self._malformed = malformed
            for _ in lines:  # the encoding is judged by the whole file
                pass

    def _lines(self) -> Iterator[str]:
        for number, line in self._file.lines():
            self._evidence.feed(number, line)
            yield line

    def problems(self) -> list[str]:
        """One sentence for each kind of damage, in the order of the first line that has it."""
        found = sorted([*self._shape_problems(), *self._encoding_problems()])
        return [f"line {line}: {sentence}" for line, sentence in found]

    def _shape_problems(self) -> Iterator[tuple[int, str]]:
        separated, width, malformed = DELIMITERS[self._delimiter], len(self.header), self._malformed
        if malformed:
            columns = f"{width} columns separated by {separated}, as in the header, and " if width else ""
            yield (
                malformed.line,
                (
                    f"malformed ({malformed.reason}) in the row that starts on line {malformed.start}; "
                    f"expected {columns}every quote that opens to close"
                ),
            )
        elif width < 2:
            choices = ", ".join(DELIMITERS.values())
            yield 1, f"one column found ({self.header[0][:80]!r}); expected a header of columns separated by {choices}"
            return
        elif not self._rows:
            yield 2, "the file has a header and no rows; expected at least one row"
        if self._ragged:
            line, found = self._first_ragged
            more = f" ({self._ragged - 1} more rows do not fit either)" if self._ragged > 1 else ""
            yield line, f"ragged: {found} columns separated by {separated}; expected {width} as in the header{more}"

    def _encoding_problems(self) -> Iterator[tuple[int, str]]:
        evidence, is_windows = self._evidence, self._file.encoding == "cp1252"
        if evidence.is_double_encoded:
            line, example = evidence.first_double_encoded
            found = "broken UTF-8" if is_windows else "double-encoded text"
            yield line, f"{found} ({example!r}); expected text that was saved once, as UTF-8: export it again"
        elif is_windows and evidence.is_another_script:
            found = "neither UTF-8 nor a text in Windows-1252"
            yield evidence.first_long_run, f"{found}; expected UTF-8: save the file as UTF-8"


def _width(line: str, delimiter: str) -> int:
    try:
        return len(next(csv.reader([line], delimiter=delimiter)))
    except csv.Error:
        return line.count(delimiter) + 1

"""A catalogue file, recognised by its content and checked to its end before the first record comes out."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from include.errors import CatalogueRefused, ConfigurationError
from include.record_guard import RecordGuard
from include.schema import Product, Rejection
from include.sources import SOURCE_NAMES
from include.sources.catalogue import flipkart, openfoodfacts_export
from include.sources.catalogue.columns import ColumnMapping, listed
from include.sources.catalogue.delimited import DelimitedFile
from include.sources.catalogue.flipkart import parse_flipkart_row
from include.sources.catalogue.json_lines import JsonLinesFile
from include.sources.catalogue.openfoodfacts_export import is_openfoodfacts, parse_export_row
from include.sources.catalogue.parquet_rows import ParquetRows
from include.sources.catalogue.plain import parse_plain_row
from include.sources.catalogue.row_file import Row, RowFile
from include.sources.catalogue.text_file import ACCEPTED, TextFile

Kind = Literal["flipkart", "openfoodfacts", "plain"]
KINDS: tuple[Kind, ...] = get_args(Kind)

_FLIPKART_COLUMNS = ("uniq_id", "product_name", "product_category_tree")
_ATTRIBUTIONS: dict[Kind, str] = {
    "flipkart": flipkart.ATTRIBUTION,
    "openfoodfacts": openfoodfacts_export.ATTRIBUTION,
    "plain": "",
}
_REFUSED_SIGNATURES = {
    b"PK\x03\x04": "an Excel workbook or another zip archive",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook",
    b"%PDF": "a PDF document",
    b"SQLite format 3": "a SQLite database",
}
_SOURCE_NAME = re.compile(r"[a-z0-9][a-z0-9_.-]{0,62}")


@dataclass(frozen=True)
class Catalogue:
    """A file that was found whole. `read` may be called any number of times and gives the same records."""

    path: Path
    source: str
    """Name under which its products are kept, e.g. `flipkart`."""
    kind: Kind
    photo_folder: Path | None
    """Folder that paths in `image_url` are relative to; None if there is none."""
    columns: tuple[str, ...]
    mapping: ColumnMapping | None
    """The columns that mean something, for the kind `plain`."""
    attribution: str
    """One sentence with the licence, to be shown where people see the data; empty where it is not known."""
    file: RowFile

    def read(self, guard: RecordGuard | None = None) -> Iterator[Product | Rejection]:
        """One record for each row of the file, in order, whatever the row is; memory does not grow.

        `guard` is that of the batch, if the records go further than here.
        """
        if guard is None:
            with RecordGuard(self.source) as own:
                yield from self.read(own)
            return
        rows = ((f"{self.path.name}:{number}", row) for number, row in self.file.rows())
        yield from guard.read_each(rows, self._record)

    def _record(self, row: Row | str, position: str) -> Product | Rejection:
        if isinstance(row, str):
            detail = "the line is not a JSON object"
            return Rejection(self.source, None, ("not_json",), detail, {"text": row[:10_000]}, position)
        if self.kind == "flipkart":
            return parse_flipkart_row(row, self.source, position)
        if self.kind == "openfoodfacts":
            return parse_export_row(row, self.source, position)
        assert self.mapping is not None  # noqa: S101
        return parse_plain_row(row, self.mapping, self.source, position)


def open_catalogue(
    path: Path,
    mapping: ColumnMapping | None = None,
    source: str | None = None,
    kind: str | None = None,
    photo_folder: Path | None = None,
) -> Catalogue:
    """Recognise a catalogue file and read it once to its end, so that nothing is imported of a damaged one.

    `mapping` makes it a plain catalogue; without one, the kind is found by the columns, and the columns
    of a plain catalogue by their names. `source` is the file's name by default (`flipkart` for Flipkart
    files); `photo_folder` is `images` beside the file by default, where that exists.

    Raises CatalogueRefused for a file that is absent, empty, ragged, wrongly encoded, cut short, of
    another format, or whose columns say nothing, with the line and what was expected; ConfigurationError
    for an unknown kind or a source name that cannot be part of a path.
    """
    if kind is not None and kind not in KINDS:
        raise ConfigurationError(f"unknown kind of catalogue {kind!r}; the known ones are: {', '.join(KINDS)}")
    if source is not None and not _SOURCE_NAME.fullmatch(source):
        raise ConfigurationError(f"source {source!r}: expected up to 63 small letters, digits, '_', '-' and '.'")
    file = _open_rows(path)
    found = _kind_of(file.columns, path.name, kind, mapping)
    if found == "plain":
        mapping = mapping or _guessed(file.columns, path.name)
        mapping.check(file.columns, path.name)
    return Catalogue(
        path=path,
        source=source or default_source(path, found),
        kind=found,
        photo_folder=photo_folder or _photos_beside(path),
        columns=file.columns,
        mapping=mapping,
        attribution=_ATTRIBUTIONS[found],
        file=file,
    )


def _open_rows(path: Path) -> RowFile:
    try:
        with path.open("rb") as stream:
            start = stream.read(16)
    except OSError as error:
        raise CatalogueRefused(f"{path}: cannot be read ({error.strerror}); expected a catalogue file") from error
    for signature, description in _REFUSED_SIGNATURES.items():
        if start.startswith(signature):
            raise CatalogueRefused(f"{path.name}: this is {description}; save it as CSV in UTF-8. {ACCEPTED}")
    if start.startswith(b"PAR1"):
        return ParquetRows.open(path)
    file = TextFile.open(path)
    if file.first_line().lstrip().startswith(("{", "[")):
        return JsonLinesFile.open(file)
    return DelimitedFile.open(file)


def _kind_of(columns: Sequence[str], file_name: str, kind: str | None, mapping: ColumnMapping | None) -> Kind:
    is_flipkart = set(_FLIPKART_COLUMNS) <= set(columns)
    if kind == "plain" or (kind is None and mapping is not None):
        return "plain"
    if mapping is not None:
        raise ConfigurationError(f"a column mapping is for plain catalogues; leave out the kind {kind!r}")
    if kind in (None, "flipkart") and is_flipkart:
        return "flipkart"
    if (kind is None and is_openfoodfacts(columns)) or (kind == "openfoodfacts" and "code" in columns):
        return "openfoodfacts"
    if kind is None:
        return "plain"
    expected = ", ".join(_FLIPKART_COLUMNS) if kind == "flipkart" else "code"
    raise CatalogueRefused(f"{file_name}: line 1: expected the columns {expected} of kind {kind}. {listed(columns)}")


def _guessed(columns: Sequence[str], file_name: str) -> ColumnMapping:
    mapping = ColumnMapping.guess(columns)
    if mapping is None:
        raise CatalogueRefused(
            f"{file_name}: line 1: cannot tell which columns hold the id and the name; expected a header with names "
            f"like product_id and product_name, or a column mapping like id=sku,name=title. {listed(columns)}"
        )
    return mapping


def default_source(path: Path, kind: str | None) -> str:
    """Name of a source that was given none: `flipkart` for that kind, else the file's name as far as it can be one."""
    if kind == "flipkart":
        return kind
    stem = path.name.split(".", 1)[0].lower()
    name = re.sub(r"[^a-z0-9]+", "_", stem).strip("_")[:50] or "catalogue"
    # The feeds' own days must not be overwritten by a file that happens to have their name.
    return f"{name}_file" if name in SOURCE_NAMES else name


def _photos_beside(path: Path) -> Path | None:
    return next((folder for name in ("images", "Images") if (folder := path.parent / name).is_dir()), None)

"""Writes the tables of `docs/` that follow from the code: `python -m tests.docs.write_reference`.

A page holds a mark `<!-- written by …: NAME -->`, the table, and `<!-- end -->`. All else on the page is
written by people and stays as it is. A test fails when a page is not what this program would write.
"""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Callable, Iterable, Sequence
from datetime import date
from pathlib import Path
from typing import Any, get_args, get_origin

import pyarrow as pa
from pydantic import SecretStr
from pydantic.fields import FieldInfo
from sqlalchemy import Table
from sqlalchemy.dialects import postgresql

from include.quality.reasons import FLAGS, REASONS
from include.schema import LABELS, PRODUCTS, QUARANTINE
from include.settings import PROJECT_ROOT, Settings
from include.warehouse.search_tables import METADATA
from include.warehouse.tables import FACT_COMMENTS, quarantined_products
from tests.docs.import_graph import Code

COMMAND = "python -m tests.docs.write_reference"
_BLOCK = re.compile(rf"(<!-- written by {re.escape(COMMAND)}: (?P<name>[\w-]+) -->\n).*?(<!-- end -->)", re.S)
_TYPES = {bool: "`true` or `false`", int: "whole number", float: "number", date: "date, e.g. `2026-01-31`"}
_AS_PREDICTED = {
    "label": "Label predicted for the product on that day; people's decisions are kept in the warehouse only",
    "department": "Department of the label",
    "confidence": "Calibrated probability of the label, 0 to 1",
}
"""The lake knows no human labels, so what the warehouse says of these columns does not hold there."""
_BOUNDS = {"ge": "at least", "gt": "more than", "le": "at most", "lt": "less than"}


def markdown_table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table in Markdown, with a line end after each row."""
    lines = [header, ["---"] * len(header), *rows]
    return "".join(f"| {' | '.join(map(_cell, line))} |\n" for line in lines)


def _cell(text: str) -> str:
    """Text that stays one cell, and in which `<name>` is not taken for HTML; what stands in backticks is safe."""
    outside = [part if place % 2 else part.replace("<", "&lt;") for place, part in enumerate(text.split("`"))]
    return "`".join(outside).replace("|", "&#124;")


def variable_of(name: str, field: FieldInfo) -> str:
    """The environment variable of a setting."""
    return str(field.validation_alias or f"CUVEE_{name.upper()}")


def settings() -> str:
    """Every setting, under the group headings of the class."""
    groups: dict[str, list[str]] = {}
    for line in inspect.getsource(Settings).splitlines():
        if heading := re.fullmatch(r" {4}# (.+)", line):
            groups[heading[1]] = []
        elif (setting := re.match(r" {4}(\w+):", line)) and setting[1] in Settings.model_fields:
            groups[list(groups)[-1]].append(setting[1])
    sections = []
    for heading, names in groups.items():
        fields = ((name, Settings.model_fields[name]) for name in names)
        rows = [
            (f"`{variable_of(name, field)}`", _default(field.default), _kind(field), field.description or "")
            for name, field in fields
        ]
        sections.append(f"## {heading}\n\n{markdown_table(('variable', 'default', 'value', 'meaning'), rows)}")
    return "\n" + "\n".join(sections) + "\n"


def _default(value: Any) -> str:
    if isinstance(value, Path):
        return f"`{value.relative_to(PROJECT_ROOT)}` in the project"
    if isinstance(value, SecretStr):
        value = value.get_secret_value()
    if isinstance(value, tuple):
        value = ",".join(value)
    if isinstance(value, bool):
        value = str(value).lower()
    return "empty" if value in (None, "") else f"`{value}`"


def _kind(field: FieldInfo) -> str:
    annotation = field.annotation
    if get_origin(annotation) is tuple:
        return "names, comma-separated"
    options = [option for option in get_args(annotation) if option is not type(None)]
    kind = options[0] if options else annotation
    words = "secret text" if kind is SecretStr else "folder" if kind is Path else _TYPES.get(kind, "text")
    limits = [
        f"{word} {getattr(bound, key)}"
        for bound in field.metadata
        for key, word in _BOUNDS.items()
        if getattr(bound, key, None) is not None
    ]
    return ", ".join([words, *limits])


def warehouse_tables() -> str:
    """Every table of the warehouse, the one that analysts read first."""
    sections = []
    for table in METADATA.tables.values():
        rows = [(f"`{column.name}`", _sql_type(table, column.name), column.comment or "") for column in table.columns]
        keys = ", ".join(f"`{column.name}`" for column in table.primary_key)
        text = f"### {table.name}\n\n{table.comment}. Key: {keys}.\n\n"
        sections.append(text + markdown_table(("column", "type", "meaning"), rows))
    return "\n" + "\n".join(sections) + "\n"


def _sql_type(table: Table, name: str) -> str:
    column = table.columns[name]
    words = column.type.compile(dialect=postgresql.dialect()).lower().replace(" with time zone", "")
    words = words.replace("timestamp", "timestamptz")
    return f"`{words}`" + (", may be null" if column.nullable else "")


def _columns(schema: pa.Schema, meanings: dict[str, str]) -> str:
    rows = [(f"`{field.name}`", arrow_type(field), meanings[field.name]) for field in schema]
    return "\n" + markdown_table(("column", "type", "meaning"), rows) + "\n"


def arrow_type(field: pa.Field) -> str:
    """The type of a column as the pages write it."""
    name = str(field.type).replace("element: ", "").replace("item: ", "")
    return f"`{name}`" + (", may be null" if field.nullable else "")


def products_columns() -> str:
    """The columns of the layer `products`."""
    return _columns(PRODUCTS, FACT_COMMENTS)


def labels_columns() -> str:
    """The columns that the layer `labels` has beyond those of `products`."""
    added = pa.schema([field for field in LABELS if field.name not in PRODUCTS.names])
    return _columns(added, FACT_COMMENTS | _AS_PREDICTED)


def quarantine_columns() -> str:
    """The columns of the layer `quarantine`."""
    return _columns(QUARANTINE, {column.name: column.comment or "" for column in quarantined_products.columns})


def _codes(header: str, sentences: dict[str, str]) -> str:
    # The character itself would be a damaged letter on the page.
    rows = [(f"`{code}`", sentence.replace("\ufffd", "U+FFFD")) for code, sentence in sentences.items()]
    return "\n" + markdown_table((header, "meaning"), rows) + "\n"


def reasons() -> str:
    """The reason codes of the quarantine."""
    return _codes("reason", REASONS)


def flags() -> str:
    """The flags of products."""
    return _codes("flag", FLAGS)


def packages() -> str:
    """The packages of `include/`, what each is for, and which others it imports."""
    code = Code.read(PROJECT_ROOT)
    rows = [
        (f"`{name}`", code.summary(f"include.{name}"), ", ".join(f"`{other}`" for other in others) or "none")
        for name, imported in code.arrows("include").items()
        if f"include.{name}" in code.packages
        for others in [sorted(other for other in imported if f"include.{other}" in code.packages)]
    ]
    return "\n" + markdown_table(("package", "what is in it", "it imports"), rows) + "\n"


PARTS: dict[str, Callable[[], str]] = {
    "settings": settings,
    "warehouse-tables": warehouse_tables,
    "products-columns": products_columns,
    "labels-columns": labels_columns,
    "quarantine-columns": quarantine_columns,
    "reasons": reasons,
    "flags": flags,
    "packages": packages,
}


def parts_of(text: str) -> list[str]:
    """Names of the parts that a page has."""
    return [match["name"] for match in _BLOCK.finditer(text)]


def rewritten(text: str) -> str:
    """A page with its parts as they follow from the code now; KeyError for a part that nobody writes."""
    return _BLOCK.sub(lambda match: f"{match[1]}{PARTS[match['name']]()}{match[3]}", text)


def main() -> None:
    """Write the parts into the pages, and say which pages have changed."""
    for path in sorted((PROJECT_ROOT / "docs").rglob("*.md")):
        text = path.read_text(encoding="utf-8")
        if rewritten(text) != text:
            path.write_text(rewritten(text), encoding="utf-8")
            sys.stdout.write(f"{path.relative_to(PROJECT_ROOT)} rewritten\n")


if __name__ == "__main__":
    main()

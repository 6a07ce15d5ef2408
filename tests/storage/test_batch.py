"""Where a batch's files are; and nobody but `include.storage` writes the name of a layer."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from include.storage.batch import Batch, source_folder
from include.storage.layers import Layer

INCLUDE = Path(__file__).resolve().parents[2] / "include"
BATCH = Batch("openfoodfacts", date(2026, 1, 31))

PATH_LITERAL = re.compile(f"(?:{'|'.join(Layer)})/|(?:{'|'.join(layer for layer in Layer if '/' in layer)})$")
"""How a path in the lake begins; names of one word mean other things, too, such as columns."""
LAKE_METHODS = {
    "exists", "list_files", "file_sizes", "delete", "open_read", "open_write", "replace", "read_bytes", "write_bytes",
    "parquet_writer", "write_parquet", "read_parquet", "parquet_file", "full_path", "url", "folder", "file",
    "staged_folder", "staged_file",
}  # fmt: skip


def test_a_batch_is_a_folder_in_each_layer() -> None:
    assert BATCH.folder(Layer.LANDING) == "landing/source=openfoodfacts/day=2026-01-31"
    assert BATCH.file(Layer.LABELS) == "labels/source=openfoodfacts/day=2026-01-31/part-00000.parquet"
    assert BATCH.file(Layer.IMAGES, 7) == "images/source=openfoodfacts/day=2026-01-31/part-00007.parquet"
    assert BATCH.staged_folder(Layer.IMAGES) == "staging/images/source=openfoodfacts/day=2026-01-31"
    assert BATCH.staged_file(Layer.LABELS, 2) == "staging/labels/source=openfoodfacts/day=2026-01-31/part-00002.parquet"
    assert BATCH.folder(Layer.PRODUCTS).startswith(source_folder(Layer.PRODUCTS, "openfoodfacts") + "/")
    assert str(BATCH) == "openfoodfacts 2026-01-31"


def literals(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Line and text of each string that begins like a path in the lake, or is a layer's name given to the lake."""
    documentation = {
        id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in documentation:
            if PATH_LITERAL.match(node.value):
                yield node.lineno, node.value
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in LAKE_METHODS:
            for argument in node.args:
                if isinstance(argument, ast.Constant) and argument.value in set(Layer):
                    yield node.lineno, str(argument.value)


@pytest.mark.parametrize(
    "code", ['lake.list_files("images")', 'path = f"products/source={source}"', 'REPORTS = "reports/validation"']
)
def test_a_literal_is_found(code: str) -> None:
    assert list(literals(ast.parse(code)))


def test_layers_are_named_in_one_place() -> None:
    found = [
        f"{path.relative_to(INCLUDE)}:{line}: {text!r}"
        for path in sorted(INCLUDE.rglob("*.py"))
        if not path.is_relative_to(INCLUDE / "storage") and not path.is_relative_to(INCLUDE / "sandbox")
        for line, text in literals(ast.parse(path.read_text()))
    ]
    assert found == [], "use include.storage.layers"

"""The codes that rows carry and the sentences that people read."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from include.quality.reasons import FLAGS, REASONS, describe_flag, describe_reason, fields_of
from tests.conftest import PROJECT_ROOT

CODE = re.compile(r"[a-z][a-z_]+")
SOURCES = PROJECT_ROOT / "include" / "sources"


def rejection_codes(file: Path) -> set[str]:
    """Reason codes that a module writes.

    They stand in `Rejection(…, ("code",), …)`, in `UnusableRow("code", …)` or `_Unusable("code", …)`, and in
    `return "code", "a sentence"`.
    """
    found: list[ast.expr] = []
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Rejection":
            values = [*node.args, *(keyword.value for keyword in node.keywords)]
            found += [element for value in values if isinstance(value, ast.Tuple) for element in value.elts]
        elif isinstance(node, ast.Call) and getattr(node.func, "id", "").lstrip("_").startswith("Unusable"):
            found += node.args[:1]
        elif isinstance(node, ast.Return) and isinstance(node.value, ast.Tuple) and len(node.value.elts) == 2:
            found += node.value.elts[:1]
    texts = (node.value for node in found if isinstance(node, ast.Constant))
    return {text for text in texts if isinstance(text, str) and CODE.fullmatch(text)}


def test_every_code_is_a_code_and_has_one_whole_sentence() -> None:
    for code, sentence in {**REASONS, **FLAGS}.items():
        assert CODE.fullmatch(code), code
        assert sentence[0].isupper()
        assert sentence.endswith("."), sentence


def test_codes_that_sources_write_are_described() -> None:
    files = sorted(SOURCES.rglob("*.py"))
    written = {code: file.name for file in files for code in rejection_codes(file)}
    assert set(written) >= {"wrong_type", "no_id", "no_name"}, "the search for codes no longer finds them"
    assert {code: name for code, name in written.items() if code not in REASONS} == {}


def test_unknown_codes_are_named_rather_than_an_error() -> None:
    assert "brand_new" in describe_reason("brand_new")
    assert describe_flag("brand_new") == "brand new"


@pytest.mark.parametrize(
    ("reasons", "detail", "fields"),
    [
        (["no_name"], "no name", ["name"]),
        (
            ["code_damaged", "no_name"],
            "code is '3E+12': a spreadsheet has rounded the barcode; no name",
            ["id", "name"],
        ),
        (["no_text"], "", ["name", "description", "ingredients"]),
        (["text_too_long"], "brand has 5,000 characters, at most 4,000 are taken", ["brand"]),
        (["control_characters"], "quantity holds U+202E; brand holds U+0007", ["quantity", "brand"]),
        (["wrong_type"], "categories_tags is a number, not a list of texts", ["categories_tags"]),
        (["wrong_type"], "column 'Unique Id' holds a list, not an id", ["Unique Id"]),
        (["wrong_type"], "column 'brand' holds a list, not text", ["brand"]),
        (["wrong_type"], "code is a list, not text", ["id"]),
        (["wrong_type"], "the record is a list, not an object", []),
        (["not_json"], "the line is not JSON", []),
        (["something_new"], "brand is odd", []),
    ],
)
def test_the_fields_of_a_rejection_are_read_off_its_reasons_and_its_detail(
    reasons: list[str], detail: str, fields: list[str]
) -> None:
    assert fields_of(reasons, detail) == fields

"""The codes that rows carry and the sentences that people read."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from include.quality.reasons import FLAGS, REASONS, describe_flag, describe_reason
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

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
    """Reason codes that a module writes: `Rejection(…, ("code",), …)` and `_Unusable("code", …)` calls."""
    codes: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.Call):
            continue
        name = getattr(node.func, "id", "")
        arguments: list[ast.expr] = []
        if name == "Rejection":
            tuples = [*node.args, *(keyword.value for keyword in node.keywords if keyword.arg == "reasons")]
            arguments = [element for value in tuples if isinstance(value, ast.Tuple) for element in value.elts]
        elif name in {"_Unusable", "Unusable"}:
            arguments = node.args[:1]
        codes.update(
            argument.value
            for argument in arguments
            if isinstance(argument, ast.Constant) and isinstance(argument.value, str)
        )
    return codes


def test_every_code_is_a_code_and_has_one_whole_sentence() -> None:
    for code, sentence in {**REASONS, **FLAGS}.items():
        assert CODE.fullmatch(code), code
        assert sentence[0].isupper()
        assert sentence.endswith("."), sentence


def test_codes_that_sources_write_are_described() -> None:
    files = sorted(SOURCES.rglob("*.py"))
    written = {code: file.name for file in files for code in rejection_codes(file)}
    assert "wrong_type" in written, "the search for codes in include/sources finds nothing any more"
    assert {code: name for code, name in written.items() if code not in REASONS} == {}


def test_unknown_codes_are_named_rather_than_an_error() -> None:
    assert "brand_new" in describe_reason("brand_new")
    assert describe_flag("brand_new") == "brand new"

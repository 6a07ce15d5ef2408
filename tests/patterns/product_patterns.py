"""Every pattern of the product, found in its source, with the ways in which it is used."""

from __future__ import annotations

import ast
import importlib
import re
from collections import defaultdict, deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).resolve().parents[2]
_METHODS = ("search", "match", "fullmatch", "sub", "subn", "split", "findall", "finditer")
_CALLED = re.compile(rf"\b([A-Z_0-9]+)\.({'|'.join(_METHODS)})\b")


@dataclass(frozen=True)
class Found:
    """One call of `re` in the source."""

    place: str
    """File and the innermost function or name, e.g. `include/sources/feed.py:_WORD`."""
    pattern: re.Pattern[Any] | None
    """None where it is known only when the program runs."""
    methods: tuple[str, ...]
    """E.g. `("fullmatch",)`."""


def product_files() -> list[Path]:
    """The product's Python files."""
    return sorted(path for folder in ("include", "dags") for path in (PROJECT / folder).rglob("*.py"))


@lru_cache(maxsize=1)
def patterns_in_source() -> list[Found]:
    """Every call of a function of `re`; compiled patterns with the methods that are called on their names."""
    texts = {path: path.read_text(encoding="utf-8") for path in product_files()}
    trees = {path: ast.parse(text) for path, text in texts.items() if "import re\n" in text}
    called = {path: set(_CALLED.findall(text)) for path, text in texts.items()}
    found = []
    for path, tree in trees.items():
        importers = [other for other, text in texts.items() if f"from {_module(path)} import" in text]
        methods: Mapping[str, set[str]] = defaultdict(set)
        for name, method in chain.from_iterable(called[one] for one in (path, *importers)):
            methods[name].add(method)
        found += _in_file(path, tree, methods)
    return found


def uses(pattern: re.Pattern[Any], methods: tuple[str, ...]) -> Iterator[tuple[str, Callable[[str], object]]]:
    """The ways in which a pattern is used, each as what is done with a text."""
    nothing, given = ("", str) if isinstance(pattern.pattern, str) else (b"", str.encode)
    for method in methods:
        if method in ("sub", "subn"):
            yield method, lambda text: pattern.sub(nothing, given(text))
        elif method == "finditer":
            yield method, lambda text: deque(pattern.finditer(given(text)), maxlen=0)  # seen, and not kept
        else:
            use = getattr(pattern, method)
            yield method, lambda text, use=use: use(given(text))


def _in_file(path: Path, tree: ast.Module, methods: Mapping[str, set[str]]) -> Iterator[Found]:
    relative = path.relative_to(PROJECT)
    module_level = {
        id(node.value): node.targets[0].id
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
    }
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    for call in ast.walk(tree):
        if not _is_of_re(call):
            continue
        assert isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute)
        name = module_level.get(id(call))
        around = [one.name for one in functions if one.lineno <= call.lineno <= (one.end_lineno or 0)]
        place = f"{relative}:{name or (around[-1] if around else call.lineno)}"
        if call.func.attr != "compile":
            yield Found(place, _constant(call), (call.func.attr,))
        elif name is None:
            yield Found(place, _constant(call), ("search",))
        else:
            pattern = _constant(call) or getattr(importlib.import_module(_module(path)), name)
            yield Found(place, pattern, tuple(sorted(methods[name])) or ("search",))


def _module(path: Path) -> str:
    return ".".join(path.relative_to(PROJECT).with_suffix("").parts)


def _is_of_re(node: ast.AST) -> bool:
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and isinstance(node.func.value, ast.Name)
        and node.func.value.id == "re"
        and node.func.attr in ("compile", *_METHODS)
    )


def _constant(call: ast.Call) -> re.Pattern[Any] | None:
    """The pattern of a call, if it is written there."""
    pattern, *others = call.args
    if not (isinstance(pattern, ast.Constant) and isinstance(pattern.value, str | bytes)):
        return None
    written = [keyword.value for keyword in call.keywords if keyword.arg == "flags"]
    written += others[:1] if isinstance(call.func, ast.Attribute) and call.func.attr == "compile" else []
    flags = [getattr(re, node.attr) for one in written for node in ast.walk(one) if isinstance(node, ast.Attribute)]
    return re.compile(pattern.value, sum(flags))

"""What a page says about the project, found and compared with the code: one function for each kind of reference.

Each takes pages, and returns every reference it found and the wrong ones, so that a test can tell "all right"
from "nothing found".
"""

from __future__ import annotations

import importlib.util
import re
import shlex
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import typer.main

from include.cli import app
from include.settings import Settings
from include.storage.layers import Layer
from include.warehouse.search_tables import METADATA
from tests.conftest import PROJECT_ROOT
from tests.docs.documents import Document, dag_files, dag_ids
from tests.docs.write_reference import variable_of

VARIABLES_BESIDE_SETTINGS = {"CUVEE_LOG_LEVEL", "CUVEE_SHARED_DATA"}
"""Read by the command line and by the tests alone; they are on the settings page, in a table of their own."""
FOREIGN_NAMES = {"pg_dump", "depends_on_past", "up_for_reschedule"}
"""Programs and words of others, in backticks."""
PAGES_OF_AIRFLOW = {"plugin/cuvee"}
"""Where links on a DAG's documentation lead to in Airflow's UI, relative to its own address."""
LAYERS = {layer.split("/")[0] for layer in Layer}
_COMMAND = re.compile(r"python -m include\b(?!\.)(?P<rest>[^`<\n]*)")
_MODULE = re.compile(r"python -m (?P<module>[a-z_][\w.]*)")
_MAKE = re.compile(r"(?:^|[\s(])make (?P<target>[a-z][a-z-]*)(?P<rest>(?: [A-Z]+=\S+)*)")
_VARIABLE = re.compile(r"\bCUVEE_[A-Z0-9_]+\b")
_SNAKE_CASE = re.compile(r"[a-z][a-z0-9]*(?:_[a-z0-9]+)+")
_DOTTED = re.compile(r"(?P<table>[a-z_]+)\.(?P<column>[a-z_0-9]+)")
_DAG_MENTION = re.compile(r"`([a-z_]+)` DAG\b|\bDAGs? `([a-z_]+)`|--dag-id (\S+)|\bdags (?:trigger|(?:un)?pause) (\w+)")
_TABLE_MENTION = re.compile(r"\btables? `(\w+)`|`(\w+)` table\b|\b(?:from|join|update|into) ([a-z_]+_[a-z_]+)\b", re.I)
_SOURCE_FOLDERS = ("include", "dags", "plugins", "docker", ".ci")
_SOURCE_SUFFIXES = {".py", ".yaml", ".yml", ".example", ".toml", ".html", ""}


@dataclass
class Found:
    """References of one kind: all of them, and a sentence for each that is wrong."""

    references: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    def add(self, page: str, reference: str, problem: str | None) -> None:
        """Note one reference; `problem` is None where it is right."""
        self.references.append(reference)
        if problem:
            self.wrong.append(f"{page}: {reference!r}: {problem}")


@lru_cache(maxsize=1)
def source_files() -> dict[str, str]:
    """The project's code and configuration, by path: what runs, not what tests it."""
    paths = [path for folder in _SOURCE_FOLDERS for path in (PROJECT_ROOT / folder).rglob("*") if path.is_file()]
    paths += [PROJECT_ROOT / name for name in ("Makefile", "airflow_settings.yaml", "pyproject.toml")]
    return {
        str(path.relative_to(PROJECT_ROOT)): path.read_text(encoding="utf-8")
        for path in sorted(paths)
        if path.suffix in _SOURCE_SUFFIXES and "__pycache__" not in path.parts
    }


@lru_cache(maxsize=1)
def words_of_the_code() -> frozenset[str]:
    """Every identifier-like word of the code and configuration."""
    return frozenset(word for text in source_files().values() for word in re.findall(r"\w+", text))


@lru_cache(maxsize=1)
def make_names() -> tuple[frozenset[str], frozenset[str]]:
    """Targets and variables of the Makefile."""
    text = (PROJECT_ROOT / "Makefile").read_text(encoding="utf-8")
    targets = re.findall(r"^([a-z][a-z-]*):", text, re.M)
    return frozenset(targets), frozenset(re.findall(r"^([A-Z]+) \??:?=", text, re.M))


@lru_cache(maxsize=1)
def expected_dag_ids() -> frozenset[str]:
    """The ids of the project's DAGs."""
    return frozenset(name for tree in dag_files().values() for name in dag_ids(tree))


def setting_variables() -> set[str]:
    """The environment variable of every setting."""
    return {variable_of(name, info) for name, info in Settings.model_fields.items()}


def commands(texts: Iterable[tuple[str, str]]) -> Found:
    """`python -m include COMMAND …` and `$(RUN) COMMAND …` in texts given as (page, text)."""
    found = Found()
    for page, text in texts:
        for match in _COMMAND.finditer(re.sub(r"\$\(RUN\)", "python -m include", text)):
            rest = re.split(r"\s#|[;|&]|\)\"|\$\(", match["rest"])[0]
            found.add(page, f"python -m include{rest}".rstrip(), _command_problem(rest))
    return found


def _command_problem(rest: str) -> str | None:
    group = typer.main.get_command(app)
    try:
        words = shlex.split(rest)
    except ValueError:  # the other quote stands behind the end of the code
        words = rest.replace('"', " ").replace("'", " ").split()
    words = [word.strip(".,:;)\"'") for word in words]
    if not words or not re.fullmatch(r"[a-z][a-z-]*", words[0]):
        return None if not words or words[0] == "--help" else "this is not a command"
    command = getattr(group, "commands", {}).get(words[0])
    if command is None:
        return "there is no such command"
    options = {"--help", *(name for parameter in command.params for name in parameter.opts if name.startswith("-"))}
    unknown = [word for word in words[1:] if word.startswith("--") and word.split("=")[0] not in options]
    return f"no option {', '.join(unknown)}" if unknown else None


def modules(texts: Iterable[tuple[str, str]]) -> Found:
    """`python -m MODULE` of this project."""
    found = Found()
    for page, text in texts:
        for match in _MODULE.finditer(text):
            name = match["module"].rstrip(".")
            if name.split(".")[0] in ("include", "tests"):
                missing = importlib.util.find_spec(name) is None
                found.add(page, name, "there is no such module" if missing else None)
    return found


def make_targets(pages: Iterable[Document]) -> Found:
    """`make TARGET NAME=value` set as code."""
    targets, variables = make_names()
    found = Found()
    for page in pages:
        for match in (match for line in page.code for match in _MAKE.finditer(line)):
            unknown = [part for part in re.findall(r"([A-Z]+)=", match["rest"]) if part not in variables]
            problem = "there is no such target" if match["target"] not in targets else None
            found.add(page.name, match[0].strip(), problem or (f"no variable {unknown}" if unknown else None))
    return found


def variables(texts: Iterable[tuple[str, str]]) -> Found:
    """`CUVEE_…` anywhere."""
    known = setting_variables() | VARIABLES_BESIDE_SETTINGS
    found = Found()
    for page, text in texts:
        for name in _VARIABLE.findall(text):
            found.add(page, name, None if name in known else "there is no such setting")
    return found


def identifiers(pages: Iterable[Document]) -> Found:
    """Names with an underscore in backticks: each must be a word of the code; `table.column` must exist."""
    found = Found()
    for page in pages:
        for span in page.spans:
            dotted = _DOTTED.fullmatch(span)
            if dotted and dotted["table"] in METADATA.tables:
                columns = METADATA.tables[dotted["table"]].columns
                found.add(page.name, span, None if dotted["column"] in columns else "the table has no such column")
            elif _SNAKE_CASE.fullmatch(span):
                known = span in words_of_the_code() or span in FOREIGN_NAMES
                found.add(page.name, span, None if known else "the code has no such name")
    return found


def dags(pages: Iterable[Document]) -> Found:
    """Names said to be DAGs."""
    found = Found()
    for page in pages:
        for match in _DAG_MENTION.finditer(page.text):
            name = next(group for group in match.groups() if group)
            found.add(page.name, name, None if name in expected_dag_ids() else "there is no such DAG")
    for page in pages:
        for name in (span for span in page.spans if span in expected_dag_ids()):
            found.add(page.name, name, None)
    return found


def tables(pages: Iterable[Document]) -> Found:
    """Names said to be tables, in a sentence or in SQL."""
    known = {*METADATA.tables, "alembic_version"}
    found = Found()
    for page in pages:
        texts = [page.prose, *(block.content for block in page.blocks if block.language != "python")]
        for match in (match for text in texts for match in _TABLE_MENTION.finditer(text)):
            name = next(group for group in match.groups() if group)
            found.add(page.name, name, None if name in known else "there is no such table")
        for name in (span for span in page.spans if span in METADATA.tables):
            found.add(page.name, name, None)
    return found


def links(pages: Iterable[Document]) -> Found:
    """Links and pictures that lead to a file of the project, and to a heading in it."""
    found = Found()
    for page in pages:
        for target in page.links:
            if re.match(r"[a-z]+:", target) or target in PAGES_OF_AIRFLOW:
                continue
            name, _, anchor = target.partition("#")
            path = page.folder / name if name else PROJECT_ROOT / page.name
            found.add(page.name, target, _link_problem(path, anchor))
    return found


def _link_problem(path: Path, anchor: str) -> str | None:
    if not path.exists():
        return "there is no such file"
    if not path.resolve().is_relative_to(PROJECT_ROOT):
        return "the file is not part of the project"
    if anchor and anchor not in Document(path.name, path.read_text(encoding="utf-8"), path.parent).anchors:
        return "the page has no such heading"
    return None


def pictures(pages: Iterable[Document]) -> Found:
    """Pictures: the file must be a PNG, JPEG or SVG with something in it."""
    beginnings = (b"\x89PNG\r\n", b"\xff\xd8\xff", b"<svg", b"<?xml")
    found = Found()
    for page in pages:
        for target in page.pictures:
            path = page.folder / target
            is_picture = path.is_file() and path.read_bytes().startswith(beginnings)
            found.add(page.name, target, None if is_picture else "there is no such picture")
    return found


def paths(pages: Iterable[Document]) -> Found:
    """Paths of the project in backticks, e.g. `include/schema.py`; those with placeholders are passed over."""
    roots = {path.name for path in PROJECT_ROOT.iterdir() if not path.name.startswith(".")}
    found = Found()
    for page in pages:
        for span in page.spans:
            if "/" in span and span.split("/")[0] in roots and re.fullmatch(r"[\w./-]+", span):
                found.add(page.name, span, None if (PROJECT_ROOT / span).exists() else "there is no such file")
    return found


def lake_layers(pages: Iterable[Document]) -> Found:
    """Paths of the lake in backticks, e.g. `lake/products`."""
    found = Found()
    for page in pages:
        for layer in re.findall(r"`(?:\.cuvee/)?lake/([a-z_]+)", page.prose):
            found.add(page.name, layer, None if layer in LAYERS else "the lake has no such layer")
    return found

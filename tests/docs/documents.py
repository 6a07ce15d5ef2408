"""The project's pages, and the parts of a page that can be compared with the code."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.conftest import PROJECT_ROOT

_FENCE = re.compile(r"^(?P<indent> *)```(?P<language>[\w-]*)[^\n]*\n(?P<content>.*?)^(?P=indent)```", re.M | re.S)
_SPAN = re.compile(r"(?<!`)`(?!`)(?P<content>[^`\n]+(?:\n[^`\n]+)?)`(?!`)")
_LINK = re.compile(r"!?\[[^\]]*\]\((?P<target>[^)\s]+)[^)]*\)|(?:src|href)=\"(?P<html>[^\"]+)\"")
_PICTURE = re.compile(r"!\[[^\]]*\]\((?P<target>[^)\s]+)[^)]*\)|<img[^>]*\bsrc=\"(?P<html>[^\"]+)\"")
_HEADING = re.compile(r"^#{1,6} +(?P<title>.+?) *$", re.M)


@dataclass(frozen=True)
class Block:
    """A fenced block: the language after the opening backticks, and what stands between them."""

    language: str
    content: str


@dataclass(frozen=True)
class Document:
    """One page: a Markdown file, or the text that a DAG shows in Airflow."""

    name: str
    """For messages: the path in the project."""
    text: str
    folder: Path
    """Folder that relative links start from."""

    @property
    def blocks(self) -> list[Block]:
        """The fenced blocks, in order."""
        return [Block(match["language"], match["content"]) for match in _FENCE.finditer(self.text)]

    @property
    def prose(self) -> str:
        """The text without its fenced blocks and comments."""
        return re.sub(r"<!--.*?-->", "", _FENCE.sub("", self.text), flags=re.S)

    @property
    def spans(self) -> list[str]:
        """What stands between single backticks."""
        return [" ".join(match["content"].split()) for match in _SPAN.finditer(self.prose)]

    @property
    def code(self) -> list[str]:
        """Everything set as code: spans, and the lines of the blocks."""
        return self.spans + [line.strip() for block in self.blocks for line in block.content.splitlines()]

    @property
    def links(self) -> list[str]:
        """Targets of links and pictures, those to the web included."""
        return [match["target"] or match["html"] for match in _LINK.finditer(_SPAN.sub("", self.prose))]

    @property
    def pictures(self) -> list[str]:
        """Targets of pictures."""
        return [match["target"] or match["html"] for match in _PICTURE.finditer(_SPAN.sub("", self.prose))]

    @property
    def anchors(self) -> set[str]:
        """The headings as the part of a link after `#`, the way code hosts write them."""
        titles = (match["title"].lower() for match in _HEADING.finditer(self.prose))
        return {re.sub(r"[^\w\- ]", "", title).replace(" ", "-") for title in titles}

    def tables(self) -> Iterator[list[list[str]]]:
        """The tables, each a list of rows of cells, header first."""
        rows: list[list[str]] = []
        for line in [*self.prose.splitlines(), ""]:
            if line.startswith("|"):
                cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", line.strip().strip("|"))]
                if set("".join(cells)) - set("-: "):
                    rows.append(cells)
            elif rows:
                yield rows
                rows = []

    def table(self, *header: str) -> list[list[str]]:
        """The rows of the one table with that header; KeyError if there is not exactly one."""
        found = [rows[1:] for rows in self.tables() if rows[0] == list(header)]
        if len(found) != 1:
            raise KeyError(f"{self.name} has {len(found)} tables with the header {header}")
        return found[0]


def page(name: str) -> Document:
    """A Markdown file of the project by its path."""
    path = PROJECT_ROOT / name
    return Document(name, path.read_text(encoding="utf-8"), path.parent)


def markdown_pages() -> list[Document]:
    """README, change log, and every page below docs."""
    names = ["README.md", "CHANGELOG.md"]
    names += sorted(str(path.relative_to(PROJECT_ROOT)) for path in (PROJECT_ROOT / "docs").rglob("*.md"))
    return [page(name) for name in names]


def dag_files() -> dict[str, ast.Module]:
    """The files of `dags/` that define a DAG, by path, as syntax trees: reading them needs no Airflow."""
    trees = {path: ast.parse(path.read_text(encoding="utf-8")) for path in sorted((PROJECT_ROOT / "dags").glob("*.py"))}
    return {str(path.relative_to(PROJECT_ROOT)): tree for path, tree in trees.items() if dag_ids(tree)}


def dag_ids(tree: ast.Module) -> list[str]:
    """The ids that a DAG file gives to `@dag(dag_id=…)`."""
    calls = (node for node in ast.walk(tree) if isinstance(node, ast.Call))
    keywords = (keyword for call in calls for keyword in call.keywords if keyword.arg == "dag_id")
    return [keyword.value.value for keyword in keywords if isinstance(keyword.value, ast.Constant)]


def dag_pages() -> list[Document]:
    """What the DAGs show to the person on call: `doc_md` is the text at the top of the file."""
    return [Document(name, ast.get_docstring(tree) or "", PROJECT_ROOT) for name, tree in dag_files().items()]

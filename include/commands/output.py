"""What all commands print with: text for a person, or one JSON document for a script."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.text import Text

from include.console import PlainConsole
from include.storage.bucket import S3_SCHEME, LakeBucket

if TYPE_CHECKING:
    from include.storage.lake import Lake

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document instead of text.")]
"""The option that every command with a result takes."""

console = PlainConsole()


def print_json(document: Any) -> None:
    """Print a document as one line of JSON; what JSON does not know (dates, decimals) is written as text."""
    sys.stdout.write(json.dumps(document, ensure_ascii=False, default=str) + "\n")


def print_summary(document: Mapping[str, Any], as_json: bool) -> None:
    """Print what a command has done: a line for each entry, or JSON."""
    if as_json:
        print_json(document)
        return
    for key, value in document.items():
        console.print(Text(f"{key.replace('_', ' ')}:", "bold"), str(value))


def print_step(text: str) -> None:
    """Print a line of progress with the time of day in UTC."""
    console.print(Text(f"{datetime.now(UTC):%H:%M:%S}", "dim"), text)


def progress_printer(as_json: bool, prefix: str = "") -> Callable[[str], None]:
    """A function that prints lines of progress with the prefix; it prints nothing where the output is JSON."""

    def print_prefixed(text: str) -> None:
        if not as_json:
            print_step(prefix + text)

    return print_prefixed


def print_page(name: str, lake: Lake, path: str) -> None:
    """Print where a page of the lake is; of one on S3 also a link that a browser opens, for an hour."""
    console.print(f"{name}: {lake.url(path)}")
    if lake.root.startswith(S3_SCHEME):
        console.print(f"  opens for an hour: {LakeBucket(lake.root).link(path, 'text/html')}")


class Elapsed:
    """Prints lines of progress, each with the seconds since it was made."""

    def __init__(self, output: Console = console) -> None:
        self._output = output
        self._started = time.monotonic()

    def print(self, text: str) -> None:
        """Print one line."""
        self._output.print(Text(f"{time.monotonic() - self._started:6.1f} s ", "dim"), text)

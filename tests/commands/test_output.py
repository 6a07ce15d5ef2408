"""What commands print: text for a person, one JSON document for a script."""

from __future__ import annotations

import io
import json
import re
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
import requests
import typer.main
from rich.console import Console

from include.cli import app
from include.commands.output import Elapsed, print_json, print_page, print_summary, progress_printer
from include.storage.lake import Lake


def test_json_is_one_line_and_takes_dates_numbers_of_the_database_and_every_letter(
    capsys: pytest.CaptureFixture[str],
) -> None:
    print_json({"day": date(2026, 1, 5), "share": Decimal("0.5"), "name": "Cuvée 🍾"})
    written = capsys.readouterr().out
    assert written.count("\n") == 1
    assert "Cuvée 🍾" in written
    assert json.loads(written) == {"day": "2026-01-05", "share": "0.5", "name": "Cuvée 🍾"}


def test_a_summary_is_lines_for_a_person_and_a_document_for_a_script(capsys: pytest.CaptureFixture[str]) -> None:
    print_summary({"training_labels": 3, "source": "[bold]x"}, as_json=False)
    assert capsys.readouterr().out == "training labels: 3\nsource: [bold]x\n"
    print_summary({"training_labels": 3}, as_json=True)
    assert json.loads(capsys.readouterr().out) == {"training_labels": 3}


def test_progress_is_printed_for_a_person_only(capsys: pytest.CaptureFixture[str]) -> None:
    progress_printer(as_json=True)("fetch")
    assert capsys.readouterr().out == ""
    progress_printer(as_json=False, prefix="edamam: ")("fetch")
    assert re.fullmatch(r"\d\d:\d\d:\d\d edamam: fetch\n", capsys.readouterr().out)


def test_a_page_is_printed_with_a_link_where_no_browser_could_open_it_otherwise(
    lake: Lake, s3_lake: Lake, capsys: pytest.CaptureFixture[str]
) -> None:
    print_page("report", lake, "reports/x/index.html")
    assert capsys.readouterr().out == f"report: {lake.root}/reports/x/index.html\n"
    s3_lake.write_bytes("reports/x/index.html", b"<p>page</p>")
    print_page("report", s3_lake, "reports/x/index.html")
    first, second = capsys.readouterr().out.splitlines()
    assert first == f"report: {s3_lake.root}/reports/x/index.html"
    assert requests.get(second.split()[-1], timeout=10).content == b"<p>page</p>"


def test_elapsed_time_stands_before_the_text() -> None:
    stream = io.StringIO()
    Elapsed(Console(file=stream, width=80)).print("training")
    assert re.fullmatch(r" +0\.\d s  training\n", stream.getvalue())


def test_every_json_option_of_the_command_line_is_the_same_one() -> None:
    commands: dict[str, Any] = typer.main.get_command(app).commands  # type: ignore[attr-defined]
    helps = [
        parameter.help for command in commands.values() for parameter in command.params if "--json" in parameter.opts
    ]
    assert len(helps) >= 10
    assert set(helps) == {"Print one JSON document instead of text."}

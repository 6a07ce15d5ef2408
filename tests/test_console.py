from __future__ import annotations

import io
import logging
import sys

import pytest
from rich.table import Table
from rich.text import Text

from include.console import PlainConsole, PlainFormatter

HOSTILE = "Champagne [/b] [bold]x[/] [link=http://evil.example]y :smile: \x1b[2J\x1b]0;owned\x07 \u202egnp"
SHOWN = "Champagne [/b] [bold]x[/] [link=http://evil.example]y :smile: \ufffd[2J\ufffd]0;owned\ufffd \ufffdgnp"


def test_text_from_outside_is_shown_as_text() -> None:
    console = PlainConsole()
    with console.capture() as captured:
        console.print(Text("error:", "bold red"), HOSTILE)
    assert captured.get() == f"error: {SHOWN}\n"


def test_a_cell_of_a_table_is_shown_as_text() -> None:
    console = PlainConsole()
    console.width = 200
    table = Table("name")
    table.add_row(HOSTILE)
    with console.capture() as captured:
        console.print(table)
    assert SHOWN in captured.get()


def test_lines_stay_lines() -> None:
    console = PlainConsole()
    with console.capture() as captured:
        console.print("one\n\ttwo")
    assert captured.get().splitlines()[0] == "one"


def test_a_log_record_loses_control_characters_and_secrets_its_traceback_too() -> None:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(PlainFormatter("%(levelname)s %(message)s"))
    logger = logging.getLogger("tests.console")
    logger.addHandler(handler)
    try:
        raise ValueError("https://h/?app_key=geheim\x1b[2J")
    except ValueError:
        logger.exception("asked postgresql://me:geheim@host/x")
    finally:
        logger.removeHandler(handler)
    written = stream.getvalue()
    assert written.startswith("ERROR asked postgresql://me:REDACTED@host/x\n")
    assert "app_key=REDACTED" in written
    assert "geheim" not in written
    assert "\x1b" not in written


def test_an_error_with_markup_is_printed_whole(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from include import cli
    from include.errors import SourceError

    def fail() -> None:
        raise SourceError("https://h/x: 403 [/foo]: refused")

    monkeypatch.setattr(cli, "app", fail)
    monkeypatch.setattr(sys, "argv", ["cuvee"])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 1
    assert capsys.readouterr().err == "error: https://h/x: 403 [/foo]: refused\n"

"""Telling a local Airflow of a new champion."""

from __future__ import annotations

from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from include.local import postgres
from include.local.airflow import LocalAirflow
from include.local.champion_asset import announce_champion
from include.settings import Settings


def test_a_machine_without_the_embedded_postgresql_announces_nothing_and_fails_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def not_installed() -> None:
        raise AssertionError("the embedded PostgreSQL was looked for")

    monkeypatch.setattr(postgres, "_installation", not_installed)
    assert not announce_champion(Settings(state_dir=tmp_path), "2")


def test_an_airflow_that_does_not_answer_is_logged_and_not_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    server = ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler)  # answers 501 to everything
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        monkeypatch.setattr(LocalAirflow, "is_running", lambda _self: True)
        port = server.server_port
        assert not announce_champion(Settings(state_dir=tmp_path, airflow_port=port), "2")
    finally:
        server.shutdown()
        server.server_close()
    assert "version 2, was not announced to Airflow" in caplog.text

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable

import pytest

from include.security import connections
from include.security.connections import resolve
from include.security.deadline import Deadline


@pytest.fixture
def hanging_names(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """A name server that does not answer before the event is set."""
    answered = threading.Event()

    def hang(*_arguments: object, **_options: object) -> list[tuple[object, ...]]:
        answered.wait(20)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("93.184.216.34", 80))]

    monkeypatch.setattr(connections.socket, "getaddrinfo", hang)
    return answered


def test_a_name_server_that_hangs_is_waited_for_no_longer_than_the_deadline(hanging_names: threading.Event) -> None:
    started = time.monotonic()
    with Deadline(0.1), pytest.raises(TimeoutError):
        resolve("x.example", 80)
    assert time.monotonic() - started < 5
    hanging_names.set()


def test_names_that_hang_take_a_bounded_number_of_threads(hanging_names: threading.Event) -> None:
    before = threading.active_count()
    for _ in range(40):
        with Deadline(0.005), pytest.raises(TimeoutError):
            resolve("x.example", 80)
    assert threading.active_count() - before <= 33
    hanging_names.set()
    with Deadline(20):
        assert resolve("x.example", 80) == ["93.184.216.34"]


@pytest.mark.parametrize("failure", [socket.gaierror(-2, "unknown"), UnicodeError("label too long")])
def test_a_name_that_is_not_known_fails_in_the_thread_that_asked(
    monkeypatch: pytest.MonkeyPatch, failure: Exception
) -> None:
    def fail(*_arguments: object, **_options: object) -> list[object]:
        raise failure

    monkeypatch.setattr(connections.socket, "getaddrinfo", fail)
    with Deadline(10), pytest.raises(type(failure)):
        resolve("x.example", 80)


def many(addresses: list[str]) -> Callable[..., list[tuple[object, ...]]]:
    return lambda _host, port, **_options: [
        (socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in addresses
    ]


def test_a_host_of_many_addresses_is_tried_at_a_few(monkeypatch: pytest.MonkeyPatch) -> None:
    from include.sources.photo_download import Downloader

    tried: list[str] = []

    def refuse(address: tuple[str, int], *_arguments: object, **_options: object) -> socket.socket:
        tried.append(address[0])
        raise ConnectionRefusedError

    monkeypatch.setattr(connections.socket, "getaddrinfo", many([f"93.184.216.{number}" for number in range(99)]))
    monkeypatch.setattr(connections, "create_connection", refuse)
    downloader = Downloader({}, allow_private_hosts=False, max_bytes=9, timeout_seconds=9, threads=1)
    with Deadline(10) as deadline:
        assert downloader.get("http://x.example/", deadline).status == "unreachable"
    downloader.close()
    assert tried == [f"93.184.216.{number}" for number in range(4)]

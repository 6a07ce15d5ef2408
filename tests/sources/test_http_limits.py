"""What bounds a request, and where it may lead; `tests/faults` has the servers that behave badly."""

from __future__ import annotations

import gzip
import logging
import socket
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from include.errors import SourceError
from include.pipeline.source_access import http_limits
from include.security import connections
from include.settings import Settings
from include.sources import exchange
from include.sources import http as http_module
from include.sources.http import HttpClient
from tests.faults.server import FaultServer, Visit
from tests.sources.api_server import Answer, ApiServer, as_json
from tests.sources.test_http import Target

PROXY_VARIABLES = ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy", "NO_PROXY",
                   "no_proxy")  # fmt: skip


def hurried(settings: Settings, **changes: object) -> Settings:
    return settings.model_copy(update={"http_deadline_seconds": 0.3, "http_attempts": 2, **changes})


def steady(pieces: int, every: float) -> Callable[[Visit], None]:
    """A gzip file in pieces, with a pause behind each."""

    def behaviour(visit: Visit) -> None:
        content = gzip.compress(bytes(range(256)) * 40, 0)
        visit.head("HTTP/1.1 200 OK", f"Content-Length: {len(content)}")
        size = len(content) // pieces + 1
        for at in range(0, len(content), size):
            visit.send(content[at : at + size])
            visit.server.stopped.wait(every)

    return behaviour


def test_a_file_that_keeps_coming_may_take_longer_than_the_deadline(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(http_module, "SLOWEST_BYTES_PER_SECOND", 500)
    monkeypatch.setattr(exchange, "PROGRESS_SECONDS", 0.1)
    caplog.set_level(logging.INFO)
    target = Target()
    with (
        FaultServer(steady(8, 0.1)) as server,
        HttpClient(http_limits(hurried(settings)), allow_private_hosts=True) as http,
    ):
        started = time.monotonic()
        size = http.download(f"{server.url}/f.gz", target.open)
        assert time.monotonic() - started > 0.5
        assert len(server.paths) == 1
    assert target.content is not None
    assert size == len(target.content)
    assert "receiving: host=127.0.0.1 bytes=" in caplog.text, "who waits is told that something comes"


def test_all_tries_together_have_a_limit_however_many_they_may_be(settings: Settings) -> None:
    patient = settings.model_copy(update={"http_total_seconds": 0.4, "http_attempts": 1_000, "http_backoff_seconds": 0})
    with (
        FaultServer(lambda visit: visit.wait()) as server,
        HttpClient(http_limits(patient), allow_private_hosts=True) as http,
    ):
        started = time.monotonic()
        with pytest.raises(SourceError, match=r"not complete after .* gave up after 1 try$"):
            http.get_text(f"{server.url}/index.txt")
        assert time.monotonic() - started < 5


def test_a_pause_that_would_exceed_the_limit_is_not_waited_for(api: ApiServer, settings: Settings) -> None:
    pauses: list[float] = []
    api.on("/x", Answer(b"", 429, {"Retry-After": "100"}))
    hasty = settings.model_copy(update={"http_total_seconds": 60})
    with (
        HttpClient(http_limits(hasty), allow_private_hosts=True, sleep=pauses.append) as http,
        pytest.raises(SourceError),
    ):
        http.get_json(f"{api.url}/x")
    assert (pauses, api.asked("/x")) == ([], 1)


def test_a_redirect_back_to_the_configured_host_is_followed_wherever_that_is(
    api: ApiServer, settings: Settings
) -> None:
    api.on("/x", Answer(b"", 302, {"Location": f"{api.url}/there"}))
    api.on("/there", as_json([1]))
    with HttpClient(http_limits(settings), allow_private_hosts=False) as http:
        assert http.get_json(f"{api.url}/x") == [1]


@pytest.mark.parametrize("answers", [["127.0.0.1"], ["93.184.216.34", "127.0.0.1"], ["::ffff:127.0.0.1"]])
def test_a_redirect_to_a_name_that_resolves_inside_is_refused_before_anything_is_sent(
    api: ApiServer, settings: Settings, monkeypatch: pytest.MonkeyPatch, answers: list[str]
) -> None:
    asked: list[str] = []
    really = socket.getaddrinfo

    def name_server(host: str, port: int, *arguments: int, **options: int) -> list[tuple]:
        if host == "127.0.0.1":
            return really(host, port, *arguments, **options)
        asked.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in answers]

    monkeypatch.setattr(connections.socket, "getaddrinfo", name_server)
    api.on("/x", Answer(b"", 302, {"Location": f"http://evil.example:{api.url.rpartition(':')[2]}/there"}))
    with (
        HttpClient(http_limits(settings), allow_private_hosts=False) as http,
        pytest.raises(SourceError, match="private address"),
    ):
        http.get_json(f"{api.url}/x")
    assert asked == ["evil.example"], "a name is resolved once"
    assert [request.path for request in api.requests] == ["/x"]


def test_nobodys_stored_credentials_are_sent(
    api: ApiServer, http: HttpClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login me password geheim\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    port = api.url.rpartition(":")[2]
    location = f"http://user:word@127.0.0.1:{port}/there"
    api.on("/x", Answer(b"", 302, {"Location": location, "Set-Cookie": "session=1"}))
    api.on("/there", as_json([1]))
    assert http.get_json(f"{api.url}/x") == [1]
    for request in api.requests:
        assert not {"authorization", "cookie"} & {name.lower() for name in request.headers}


@pytest.fixture
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in PROXY_VARIABLES:
        monkeypatch.delenv(variable, raising=False)


@pytest.mark.usefixtures("no_proxy")
class TestBehindAProxy:
    def test_the_proxy_of_the_environment_is_asked_and_resolves_the_name(
        self, settings: Settings, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with FaultServer(lambda visit: visit.answer(b"[1]")) as proxy, HttpClient(http_limits(settings)) as http:
            monkeypatch.setenv("http_proxy", proxy.url)
            assert http.get_json("http://api.known-to-the-proxy.example/x") == [1]
            assert proxy.paths == ["http://api.known-to-the-proxy.example/x"]

    def test_a_server_that_drips_is_cut_off(self, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
        def drip(visit: Visit) -> None:
            visit.head("HTTP/1.1 200 OK")
            visit.drip(b" " * 500)

        with FaultServer(drip) as proxy, HttpClient(http_limits(hurried(settings))) as http:
            monkeypatch.setenv("http_proxy", proxy.url)
            with pytest.raises(SourceError, match="not complete after"):
                http.get_json("http://api.example/x")

    def test_a_tunnel_that_does_not_open_is_cut_off(self, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
        def drip(visit: Visit) -> None:
            visit.drip(b"HTTP/1.1 200 Connection established\r\n" * 20)

        with FaultServer(drip) as proxy, HttpClient(http_limits(hurried(settings))) as http:
            monkeypatch.setenv("https_proxy", proxy.url)
            with pytest.raises(SourceError, match="not complete after"):
                http.get_json("https://api.example/x")
            assert proxy.paths == ["api.example:443"] * 2

    @pytest.mark.parametrize("place", ["http://10.0.0.1/", "http://[::1]/", "http://93.184.216.34:6379/"])
    def test_a_redirect_inside_is_not_handed_to_the_proxy(
        self, settings: Settings, monkeypatch: pytest.MonkeyPatch, place: str
    ) -> None:
        def redirect(visit: Visit) -> None:
            visit.answer(b"", "302 Found", f"Location: {place}")

        with FaultServer(redirect) as proxy, HttpClient(http_limits(settings)) as http:
            monkeypatch.setenv("http_proxy", proxy.url)
            with pytest.raises(SourceError, match=r"private address|neither 80 nor 443"):
                http.get_json("http://api.example/x")
            assert proxy.paths == ["http://api.example/x"]

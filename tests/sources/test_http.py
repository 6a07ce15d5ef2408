from __future__ import annotations

import gzip
import io
import logging
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest

import include
from include.errors import SourceError
from include.pipeline.source_access import http_limits
from include.settings import PROJECT_ROOT, Settings
from include.sources.http import HttpClient
from include.sources.retrying import LONGEST_RETRY_AFTER_SECONDS
from tests.sources.api_server import Answer, ApiServer, Request, as_json, html

PRODUCT = {"code": "0001", "name": "Cuvée"}


class Target:
    """Where a download goes: keeps what was written by blocks that ended well."""

    def __init__(self) -> None:
        self.content: bytes | None = None
        self.opened = 0

    @contextmanager
    def open(self) -> Iterator[io.BytesIO]:
        self.opened += 1
        stream = io.BytesIO()
        yield stream
        self.content = stream.getvalue()


def test_the_user_agent_names_the_product_its_version_and_the_contact(api: ApiServer, http: HttpClient) -> None:
    api.on("/x", as_json(PRODUCT))
    assert http.get_json(f"{api.url}/x") == PRODUCT
    assert api.requests[0].headers["User-Agent"] == f"Cuvee/{include.__version__} (tests@example.org)"


def test_the_version_is_the_projects_version() -> None:
    project = tomllib.loads((PROJECT_ROOT / "pyproject.toml").read_text())
    assert project["project"]["version"] == include.__version__


def test_commas_in_parameters_are_sent_raw_and_everything_else_is_quoted(api: ApiServer, http: HttpClient) -> None:
    api.on("/x", as_json(PRODUCT))
    http.get_json(f"{api.url}/x", {"fields": "code,brands", "ingr": "a&b c"})
    assert api.requests[0].raw_query == "fields=code,brands&ingr=a%26b+c"


@pytest.mark.parametrize(
    "failure",
    [
        pytest.param(html(503), id="503 with an HTML body"),
        pytest.param(Answer(b"slow down", 429), id="429"),
        pytest.param(as_json({"error": "internal"}, 500), id="500 with JSON"),
        pytest.param(html(200), id="HTML where JSON is expected"),
        pytest.param(Answer(b'{"products": [{"code": "00'), id="truncated JSON"),
        pytest.param(Answer(b""), id="empty body"),
        pytest.param(Answer(b'{"a": 1}', announced=4000), id="body shorter than announced"),
        pytest.param(Answer(drop=True), id="connection dropped"),
        pytest.param(Answer(b'{"a": "\xff"}'), id="not UTF-8"),
        pytest.param(Answer(b'{"a": NaN}'), id="NaN"),
        pytest.param(Answer(b"[" * 100_000), id="nested without end"),
        pytest.param(
            Answer(gzip.compress(b'{"a": 1}' * 50)[:-20], headers={"Content-Encoding": "gzip"}),
            id="truncated gzip body",
        ),
        pytest.param(Answer(b"not gzip", headers={"Content-Encoding": "gzip"}), id="false content encoding"),
    ],
)
def test_a_failure_of_the_server_is_tried_again(api: ApiServer, http: HttpClient, failure: Answer) -> None:
    api.on("/x", failure, failure, as_json(PRODUCT))
    assert http.get_json(f"{api.url}/x") == PRODUCT
    assert api.asked("/x") == 3


def test_a_server_that_keeps_failing_ends_in_an_error_with_url_and_reason(api: ApiServer, http: HttpClient) -> None:
    api.on("/x", html(503))
    with pytest.raises(SourceError, match=rf"{api.url}/x\?page=2.*503 Service Unavailable.*3 tries"):
        http.get_json(f"{api.url}/x", {"page": 2})
    assert api.asked("/x") == 3


def test_a_server_that_does_not_answer_in_time_is_an_error(api: ApiServer, settings: Settings) -> None:
    impatient = settings.model_copy(update={"http_timeout_seconds": 0.1, "http_attempts": 2})
    api.on("/x", Answer(hang=True))
    with (
        HttpClient(http_limits(impatient), allow_private_hosts=True) as http,
        pytest.raises(SourceError, match="time limit"),
    ):
        http.get_json(f"{api.url}/x")
    assert api.asked("/x") == 2


def test_a_server_that_is_not_there_is_an_error(http: HttpClient, api: ApiServer) -> None:
    api.close()
    with pytest.raises(SourceError, match="connection refused"):
        http.get_json(f"{api.url}/x")


@pytest.mark.parametrize(("status", "words"), [(401, "credentials"), (403, "credentials"), (404, "no such page")])
def test_a_refusal_is_not_tried_again(api: ApiServer, http: HttpClient, status: int, words: str) -> None:
    api.on("/x", Answer(b"no", status))
    with pytest.raises(SourceError, match=words):
        http.get_json(f"{api.url}/x")
    assert api.asked("/x") == 1


def test_an_absent_page_is_none_where_that_is_expected(api: ApiServer, http: HttpClient) -> None:
    api.on("/x", as_json({"status": 0}, 404))
    assert http.get_json(f"{api.url}/x", absent_ok=True) is None


def test_retry_after_in_seconds_is_honoured(api: ApiServer, http: HttpClient, pauses: list[float]) -> None:
    api.on("/x", Answer(b"", 429, {"Retry-After": "7"}), as_json(PRODUCT))
    http.get_json(f"{api.url}/x")
    assert pauses == [7.0]


def test_retry_after_as_a_date_counts_by_the_servers_clock(
    api: ApiServer, http: HttpClient, pauses: list[float]
) -> None:
    now = datetime(2001, 2, 3, 4, 5, 6, tzinfo=UTC)
    headers = {"Retry-After": format_datetime(now + timedelta(seconds=30), usegmt=True)}
    api.on("/x", Answer(b"", 503, headers), as_json(PRODUCT))
    http.get_json(f"{api.url}/x")
    assert pauses == [0.0], "http.server sends today as Date, so that moment is long past"

    from include.sources.retrying import retry_after_seconds

    assert retry_after_seconds({**headers, "Date": format_datetime(now, usegmt=True)}) == 30.0


@pytest.mark.parametrize(("value", "pause"), [("86400", LONGEST_RETRY_AFTER_SECONDS), ("soon", 0.0), ("-3", 0.0)])
def test_retry_after_has_a_cap_and_nonsense_is_ignored(
    api: ApiServer, http: HttpClient, pauses: list[float], value: str, pause: float
) -> None:
    api.on("/x", Answer(b"", 429, {"Retry-After": value}), as_json(PRODUCT))
    http.get_json(f"{api.url}/x")
    assert pauses == [pause]


def test_pauses_grow_from_try_to_try(api: ApiServer, settings: Settings) -> None:
    pauses: list[float] = []
    patient = settings.model_copy(update={"http_backoff_seconds": 1.0, "http_attempts": 5})
    api.on("/x", html(503))
    with (
        HttpClient(http_limits(patient), allow_private_hosts=True, sleep=pauses.append) as http,
        pytest.raises(SourceError),
    ):
        http.get_json(f"{api.url}/x")
    assert len(pauses) == 4
    assert all(2**n <= pause <= 2**n + 1 for n, pause in enumerate(pauses))


def test_an_answer_that_is_too_large_is_refused_whatever_it_announces(api: ApiServer, settings: Settings) -> None:
    small = settings.model_copy(update={"http_max_bytes": 1000})
    bomb = gzip.compress(b" " * 1_000_000)
    api.on("/x", Answer(b"[" + b"1," * 1000))
    api.on("/bomb", Answer(bomb, headers={"Content-Encoding": "gzip"}))
    with HttpClient(http_limits(small), allow_private_hosts=True) as http:
        for path in ("/x", "/bomb"):
            with pytest.raises(SourceError, match="larger than the 1000 bytes"):
                http.get_json(f"{api.url}{path}")
            assert api.asked(path) == 1


def test_credentials_appear_in_no_message_and_no_log(
    api: ApiServer, http: HttpClient, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    api.on("/x", html(503))
    with pytest.raises(SourceError) as caught:
        http.get_json(f"{api.url}/x", {"app_id": "s3cretid", "app_key": "s3cretkey", "ingr": "champagne"})
    api.close()
    with pytest.raises(SourceError) as refused:
        http.get_json(f"{api.url}/y", {"app_id": "s3cretid", "app_key": "s3cretkey"})
    assert "ingr=champagne" in str(caught.value)
    assert "app_key=REDACTED" in caplog.text, "the library's own debug lines were looked at"
    for text in (str(caught.value), str(refused.value), caplog.text):
        assert "s3cret" not in text
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None


def test_a_redirect_is_followed_but_not_in_circles(api: ApiServer, http: HttpClient) -> None:
    api.on("/x", Answer(b"", 302, {"Location": "/there"}))
    api.on("/there", as_json(PRODUCT))
    api.on("/circle", Answer(b"", 302, {"Location": "/circle"}))
    assert http.get_json(f"{api.url}/x") == PRODUCT
    with pytest.raises(SourceError, match="redirects"):
        http.get_json(f"{api.url}/circle")


def test_a_redirect_to_a_private_address_is_refused_unless_allowed(api: ApiServer, settings: Settings) -> None:
    api.on("/x", Answer(b"", 302, {"Location": "http://169.254.169.254/latest/meta-data"}))
    with (
        HttpClient(http_limits(settings), allow_private_hosts=False) as http,
        pytest.raises(SourceError, match="private address"),
    ):
        http.get_json(f"{api.url}/x")


@pytest.mark.parametrize("location", ["ftp://example.org/x", "file:///etc/passwd"])
def test_a_redirect_to_another_scheme_is_refused(api: ApiServer, http: HttpClient, location: str) -> None:
    api.on("/x", Answer(b"", 302, {"Location": location}))
    with pytest.raises(SourceError, match="unsafe address"):
        http.get_json(f"{api.url}/x")


def test_a_download_is_kept_byte_for_byte_as_served(api: ApiServer, http: HttpClient) -> None:
    served = gzip.compress(b"one\n") + gzip.compress(b"two\n")
    api.on("/f.gz", Answer(served))
    target = Target()
    assert http.download(f"{api.url}/f.gz", target.open) == len(served)
    assert target.content == served


@pytest.mark.parametrize(
    "failure",
    [
        pytest.param(Answer(gzip.compress(b"line\n" * 1000)[:-9]), id="gzip cut off"),
        pytest.param(Answer(gzip.compress(b"line\n" * 1000)[:20], announced=5000), id="body cut off"),
        pytest.param(html(200), id="HTML instead of gzip"),
        pytest.param(html(503), id="503"),
        pytest.param(Answer(b""), id="empty"),
    ],
)
def test_a_broken_download_is_tried_again_from_the_start(api: ApiServer, http: HttpClient, failure: Answer) -> None:
    whole = gzip.compress(b"line\n" * 1000)
    api.on("/f.gz", failure, Answer(whole))
    target = Target()
    http.download(f"{api.url}/f.gz", target.open)
    assert target.content == whole


def test_a_download_that_stays_broken_leaves_nothing(api: ApiServer, http: HttpClient) -> None:
    api.on("/f.gz", Answer(gzip.compress(b"line\n" * 1000)[:-9]))
    target = Target()
    with pytest.raises(SourceError, match="cut off"):
        http.download(f"{api.url}/f.gz", target.open)
    assert (target.opened, target.content) == (3, None)


def test_a_decompression_bomb_is_refused_at_once(api: ApiServer, http: HttpClient) -> None:
    api.on("/f.gz", Answer(gzip.compress(bytes(4_000_000))))
    target = Target()
    with pytest.raises(SourceError, match="decompresses to more than"):
        http.download(f"{api.url}/f.gz", target.open, max_bytes=100_000)
    assert (target.opened, target.content) == (1, None)


def test_a_full_disk_is_not_blamed_on_the_server(api: ApiServer, http: HttpClient) -> None:
    @contextmanager
    def full_disk() -> Iterator[io.BytesIO]:
        raise OSError(28, "No space left on device")
        yield io.BytesIO()

    api.on("/f.gz", Answer(gzip.compress(b"x")))
    with pytest.raises(OSError, match="No space left"):
        http.download(f"{api.url}/f.gz", full_disk)
    assert api.asked("/f.gz") == 1


def test_loopback_is_rate_limited_unless_the_connection_allows_private_hosts(
    api: ApiServer, settings: Settings
) -> None:
    api.on_call("/x", lambda _request: as_json(PRODUCT))
    folder = Path(settings.state_dir) / "rate_limits"
    with HttpClient(http_limits(settings), allow_private_hosts=True) as http:
        http.get_json(f"{api.url}/x")
        assert not folder.exists()
    with HttpClient(http_limits(settings), allow_private_hosts=False) as http:
        http.get_json(f"{api.url}/x")
        assert [path.name for path in folder.glob("*.sqlite")] == ["127.0.0.1.search.sqlite"]


def test_a_proxy_of_the_environment_is_not_asked_for_loopback(
    api: ApiServer, http: HttpClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    api.on("/x", as_json(PRODUCT))
    assert http.get_json(f"{api.url}/x") == PRODUCT


def test_text_is_text_and_an_html_page_is_a_failure(api: ApiServer, http: HttpClient) -> None:
    pages = iter([html(200), Answer("ligne é\n".encode())])

    def answer(_request: Request) -> Answer:
        return next(pages)

    api.on_call("/index.txt", answer)
    assert http.get_text(f"{api.url}/index.txt") == "ligne é\n"

"""The one HTTP layer for all food APIs: polite, bounded, patient, and silent about credentials.

    with HttpClient(settings) as http:
        answer = http.get_json("https://world.openfoodfacts.org/api/v2/search", {"fields": "code,brands"})

A request is tried again when the connection or the server failed: refused or broken connections, time
limits, 408, 429, 5xx, a body shorter than announced, an HTML page or cut-off JSON where JSON was expected,
a cut-off gzip file. Everything that ends in SourceError names the URL without its secrets, and the reason.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from types import TracebackType
from typing import IO, Any, TypeVar
from urllib.parse import urlencode, urlsplit

import requests
import tenacity
import urllib3

import include
from include.errors import SourceError
from include.settings import Settings
from include.sources.addresses import check_redirect, is_loopback
from include.sources.gzip_check import GzipCheck
from include.sources.json_text import parse_json
from include.sources.rate_limit import Budget, HostRateLimiter
from include.sources.redaction import protect_http_logs, safe_url
from include.sources.retrying import ServerFailure, failure_reason, retry_after_seconds, wait_before_retry

logger = logging.getLogger(__name__)

MAX_REDIRECTS = 5
CHUNK_BYTES = 64 * 1024
MAX_EXPANSION = 16
"""A gzip file may decompress to this many times `http_max_bytes`; product records compress to about a tenth."""
SLOWEST_BYTES_PER_SECOND = 1024
"""A body slower than this, after ten time limits, counts as a server that hangs."""

T = TypeVar("T")
Target = Callable[[], AbstractContextManager[IO[bytes]]]


class HttpClient:
    """Asks one API; use it in one thread, and close it.

    `allow_private_hosts` is the connection's: with it, loopback hosts are not rate limited and redirects to
    private addresses are followed. `sleep` is what pauses between tries.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        allow_private_hosts: bool = False,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        protect_http_logs()
        self.settings = settings
        self._allow_private_hosts = allow_private_hosts
        self._sleep = sleep
        self._limiter = HostRateLimiter(settings.state_dir / "rate_limits", settings.requests_per_minute)
        self._session = _Session(allow_private_hosts)
        self._session.headers["User-Agent"] = f"Cuvee/{include.__version__} ({settings.contact})"

    def __enter__(self) -> HttpClient:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close connections and the shared rate limiter's files."""
        self._session.close()
        self._limiter.close()

    def get_json(
        self,
        url: str,
        params: Mapping[str, str | int] | None = None,
        *,
        budget: Budget = Budget.SEARCH,
        absent_ok: bool = False,
    ) -> Any:
        """The JSON answer of a URL. Commas in `params` are sent raw, as Open Food Facts wants them.

        With `absent_ok`, a 404 gives None. Raises SourceError.
        """

        def read(response: requests.Response) -> Any:
            content = self._read_body(response)
            try:
                return parse_json(content)
            except ValueError:
                if content.lstrip()[:1] == b"<":
                    raise ServerFailure("an HTML page came instead of JSON") from None
                raise ServerFailure(f"the JSON is cut off or broken ({len(content)} bytes)") from None

        return self._with_retries(_full_url(url, params), budget, read, absent_ok=absent_ok)

    def get_text(self, url: str, params: Mapping[str, str | int] | None = None, *, budget: Budget = Budget.FILE) -> str:
        """The text of a URL, in UTF-8. An HTML page is taken for a failure of the server. Raises SourceError."""

        def read(response: requests.Response) -> str:
            content = self._read_body(response)
            if content.lstrip()[:1] == b"<":
                raise ServerFailure("an HTML page came instead of plain text")
            return content.decode("utf-8-sig", "replace")

        text: str = self._with_retries(_full_url(url, params), budget, read)
        return text

    def download(
        self,
        url: str,
        open_target: Target,
        *,
        max_bytes: int | None = None,
        gzipped: bool = True,
        budget: Budget = Budget.FILE,
    ) -> int:
        """Stream a file, byte for byte as served, and return its size in bytes.

        `open_target` opens where it goes, e.g. `lambda: landing.open_write(name)`; it is called once per try
        and must discard what was written when its block raises. With `gzipped`, the file must be one whole
        gzip file; a cut-off one is asked for again. Raises SourceError.
        """
        limit = max_bytes or self.settings.http_max_bytes

        def read(response: requests.Response) -> int:
            check = GzipCheck(MAX_EXPANSION * limit) if gzipped else None
            size = 0
            with open_target() as stream:
                for chunk in self._chunks(response, limit, decode=False):
                    size += len(chunk)
                    stream.write(chunk)
                    if check:
                        _feed(check, chunk, url)
                if check and not check.is_whole:
                    raise ServerFailure(f"the gzip file is cut off after {size} bytes")
            return size

        size: int = self._with_retries(url, budget, read, headers={"Accept-Encoding": "identity"})
        return size

    def _with_retries(
        self,
        url: str,
        budget: Budget,
        read: Callable[[requests.Response], T],
        *,
        headers: Mapping[str, str] | None = None,
        absent_ok: bool = False,
    ) -> Any:
        attempts = tenacity.Retrying(
            retry=tenacity.retry_if_exception_type(ServerFailure),
            stop=tenacity.stop_after_attempt(self.settings.http_attempts),
            wait=wait_before_retry(self.settings.http_backoff_seconds),
            sleep=self._sleep,
            before_sleep=lambda state: _log_retry(url, state),
            reraise=True,
        )
        try:
            return attempts(self._try_once, url, budget, read, headers or {}, absent_ok)
        except ServerFailure as failure:
            reason = str(failure)
        # Outside the except block: the message must not drag along exceptions that quote the whole URL.
        raise SourceError(f"{safe_url(url)}: {reason}; gave up after {self.settings.http_attempts} tries")

    def _try_once(
        self,
        url: str,
        budget: Budget,
        read: Callable[[requests.Response], T],
        headers: Mapping[str, str],
        absent_ok: bool,
    ) -> T | None:
        host = urlsplit(url).hostname or ""
        unlimited = self._allow_private_hosts and is_loopback(host)
        if not unlimited:
            self._limiter.wait_for_turn(host, budget)
        with self._open(url, host, headers) as response:
            if response.status_code == 404 and absent_ok:
                return None
            _check_status(response, url)
            return read(response)

    def _open(self, url: str, host: str, headers: Mapping[str, str]) -> requests.Response:
        # `from None` throughout: the library's exceptions quote the whole URL, credentials included.
        try:
            return self._session.get(
                url,
                headers=dict(headers),
                stream=True,
                timeout=self.settings.http_timeout_seconds,
                proxies={"http": "", "https": ""} if is_loopback(host) else None,
            )
        except requests.TooManyRedirects:
            raise SourceError(f"{safe_url(url)}: more than {MAX_REDIRECTS} redirects") from None
        except (requests.exceptions.InvalidURL, requests.exceptions.InvalidSchema, requests.exceptions.InvalidHeader):
            raise SourceError(
                f"{safe_url(url)}: the address, or the setting CUVEE_CONTACT, cannot be sent in a request"
            ) from None
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
            raise ServerFailure(failure_reason(error)) from None

    def _read_body(self, response: requests.Response) -> bytes:
        return b"".join(self._chunks(response, self.settings.http_max_bytes, decode=True))

    def _chunks(self, response: requests.Response, limit: int, *, decode: bool) -> Iterator[bytes]:
        """The body in chunks; SourceError once it is larger than `limit`, ServerFailure when it breaks or drips."""
        started = time.monotonic()
        size = 0
        chunks = response.raw.stream(CHUNK_BYTES, decode_content=decode)
        while True:
            try:
                chunk = next(chunks, None)
            except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
                raise ServerFailure(failure_reason(error)) from None
            if chunk is None:
                return
            size += len(chunk)
            if size > limit:
                raise SourceError(f"{safe_url(response.url)}: larger than the {limit} bytes accepted")
            yield chunk
            elapsed = time.monotonic() - started
            if elapsed > 10 * self.settings.http_timeout_seconds and size < SLOWEST_BYTES_PER_SECOND * elapsed:
                raise ServerFailure(f"the answer drips: {size} bytes in {elapsed:.0f} s")


class _Session(requests.Session):
    """A session that follows few redirects, and none to a worse place."""

    def __init__(self, allow_private_hosts: bool) -> None:
        super().__init__()
        self.max_redirects = MAX_REDIRECTS
        self._allow_private_hosts = allow_private_hosts

    def get_redirect_target(self, resp: requests.Response) -> str | None:
        target = super().get_redirect_target(resp)
        if target is not None:
            try:
                check_redirect(resp.url, target, allow_private_hosts=self._allow_private_hosts)
            except SourceError:
                resp.close()
                raise
        return target


def _full_url(url: str, params: Mapping[str, str | int] | None) -> str:
    if not params:
        return url
    return f"{url}{'&' if '?' in url else '?'}{urlencode(params, safe=',')}"


def _check_status(response: requests.Response, url: str) -> None:
    status = response.status_code
    if status == 200:
        return
    if status in (408, 429) or status >= 500:
        raise ServerFailure(f"the server answered {status} {response.reason}", retry_after_seconds(response.headers))
    hint = {
        401: "the credentials are missing or wrong",
        403: "access is refused: check the credentials and the contact in the User-Agent",
        404: "there is no such page",
    }.get(status, "the server refuses the request")
    raise SourceError(f"{safe_url(url)}: {status} {response.reason}: {hint}")


def _feed(check: GzipCheck, chunk: bytes, url: str) -> None:
    try:
        check.feed(chunk)
    except ValueError as error:
        raise ServerFailure(f"the gzip file is {error}") from None
    except OverflowError as error:
        raise SourceError(f"{safe_url(url)}: the gzip file {error}") from None


def _log_retry(url: str, state: tenacity.RetryCallState) -> None:
    failure = state.outcome.exception() if state.outcome else None
    pause = state.next_action.sleep if state.next_action else 0.0
    logger.warning("asking again in %.1f s: url=%s try=%d: %s", pause, safe_url(url), state.attempt_number, failure)

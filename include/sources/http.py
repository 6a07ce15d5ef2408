"""The one HTTP layer for all food APIs: polite, bounded, patient, and silent about credentials.

    with HttpClient(limits) as http:
        answer = http.get_json("https://world.openfoodfacts.org/api/v2/search", {"fields": "code,brands"})

A request is tried again when the connection or the server failed: refused or broken connections, time
limits, 408, 429, 5xx, a body shorter than announced, an HTML page or cut-off JSON where JSON was expected,
a cut-off gzip file. Each try has a deadline for the whole of it, and all tries together have one. Everything that ends
in SourceError names the URL without its secrets, and the reason.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from types import TracebackType
from typing import IO, Any, TypeVar
from urllib.parse import urlencode, urlsplit

import tenacity

import include
from include.errors import SourceError
from include.security.addresses import AddressGuard, is_loopback
from include.security.deadline import Deadline
from include.security.expansion import BoundedGunzip
from include.security.quoting import printable, shortened
from include.security.redaction import RedactingFilter, redact, redact_values, safe_url, secret_values
from include.sources.exchange import Answer, Exchanges
from include.sources.json_text import parse_json
from include.sources.limits import HttpLimits
from include.sources.rate_limit import Budget, HostRateLimiter
from include.sources.retrying import Refusal, ServerFailure, retry_after_seconds, wait_before_retry

logger = logging.getLogger(__name__)

MAX_PAGE_BYTES = 8 * 1024**2
"""A page of 100 products has about half a megabyte; as objects, 8 MiB of JSON can fill 300."""
MAX_TEXT_BYTES = 1024**2
"""The index of the delta files has about 15 lines."""
SLOWEST_BYTES_PER_SECOND = 16 * 1024
"""A body that arrives at this rate may take as long as it needs, within the limit for all tries."""
_GZIP_MAGIC = b"\x1f\x8b"

T = TypeVar("T")
Target = Callable[[], AbstractContextManager[IO[bytes]]]


class HttpClient:
    """Asks one API; use it in one thread, and close it.

    `allow_private_hosts` is the connection's: with it, loopback hosts are not rate limited and redirects to
    private addresses are followed. `sleep` is what pauses between tries.
    """

    def __init__(
        self,
        limits: HttpLimits,
        *,
        allow_private_hosts: bool = False,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._limits = limits
        self._allow_private_hosts = allow_private_hosts
        self._sleep = sleep
        self._secrets: set[str] = set()
        self._filter = RedactingFilter(self._secrets)
        self._filter.attach()
        self._limiter = HostRateLimiter(limits.rate_limit_folder, limits.requests_per_minute)
        self._exchanges = Exchanges(
            {"User-Agent": f"Cuvee/{include.__version__} ({limits.contact})"},
            guard=AddressGuard(allow_private=allow_private_hosts),
            timeout_seconds=limits.timeout_seconds,
        )

    def __enter__(self) -> HttpClient:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close connections and the shared rate limiter's files."""
        self._exchanges.close()
        self._limiter.close()
        self._filter.detach()

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

        def read(answer: Answer) -> Any:
            content = answer.content(min(MAX_PAGE_BYTES, self._limits.max_bytes))
            try:
                return parse_json(content)
            except ValueError:
                if content.lstrip()[:1] == b"<":
                    raise ServerFailure("an HTML page came instead of JSON") from None
                raise ServerFailure(f"the JSON is cut off or broken ({len(content)} bytes)") from None

        return self._with_retries(_full_url(url, params), budget, read, absent_ok=absent_ok)

    def get_text(self, url: str, params: Mapping[str, str | int] | None = None, *, budget: Budget = Budget.FILE) -> str:
        """The text of a URL, in UTF-8. An HTML page is taken for a failure of the server. Raises SourceError."""

        def read(answer: Answer) -> str:
            content = answer.content(min(MAX_TEXT_BYTES, self._limits.max_bytes))
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
        gzip file, within the bounds of `include.security.expansion`; a cut-off one is requested again. Raises
        SourceError.
        """

        def read(answer: Answer) -> int:
            gunzip = BoundedGunzip() if gzipped else None
            size = 0
            with open_target() as stream:
                for chunk in answer.chunks(max_bytes or self._limits.max_bytes):
                    size += len(chunk)
                    stream.write(chunk)
                    if gunzip:
                        _check(gunzip, chunk)
                if gunzip and not gunzip.is_whole:
                    raise ServerFailure(f"the gzip file is cut off after {size} bytes")
            return size

        size: int = self._with_retries(url, budget, read, headers={"Accept-Encoding": "identity"})
        return size

    def _with_retries(
        self,
        url: str,
        budget: Budget,
        read: Callable[[Answer], T],
        *,
        headers: Mapping[str, str] | None = None,
        absent_ok: bool = False,
    ) -> Any:
        self._secrets |= secret_values(url)
        seconds = self._limits.total_seconds
        attempts = tenacity.Retrying(
            retry=tenacity.retry_if_exception_type(ServerFailure),
            stop=tenacity.stop_after_attempt(self._limits.attempts) | tenacity.stop_before_delay(seconds),
            wait=wait_before_retry(self._limits.backoff_seconds),
            sleep=self._sleep,
            before_sleep=lambda state: self._log_retry(url, state),
            reraise=True,
        )
        end = time.monotonic() + seconds
        try:
            return attempts(self._try_once, url, budget, read, headers or {}, absent_ok, end)
        except ServerFailure as failure:
            tries = attempts.statistics["attempt_number"]
            reason = f"{failure}; gave up after {tries} {'try' if tries == 1 else 'tries'}"
        except Refusal as refusal:
            reason = str(refusal)
        # Outside the except block: the message must not drag along exceptions that quote the whole URL.
        raise SourceError(f"{self._shown_url(url)}: {self._shown(reason)}")

    def _try_once(
        self,
        url: str,
        budget: Budget,
        read: Callable[[Answer], T],
        headers: Mapping[str, str],
        absent_ok: bool,
        end: float,
    ) -> T | None:
        host = urlsplit(url).hostname or ""
        if not (self._allow_private_hosts and is_loopback(host)):
            self._limiter.wait_for_turn(host, budget)
        deadline = Deadline(
            self._limits.deadline_seconds,
            bytes_per_second=SLOWEST_BYTES_PER_SECOND,
            longest=end - time.monotonic(),
        )
        with self._exchanges.ask(url, deadline, headers) as answer:
            if answer.status == 404 and absent_ok:
                return None
            self._check_status(answer)
            return read(answer)

    def _check_status(self, answer: Answer) -> None:
        status = answer.status
        if status == 200:
            return
        # The server's words last: they may hold anything.
        words = shortened(printable(self._shown(answer.reason)))
        if status in (408, 425, 429) or status >= 500:
            raise ServerFailure(f"the server answered {status} {words}".rstrip(), retry_after_seconds(answer.headers))
        if hint := _UNASKED.get(status, "" if status >= 300 else "not what was asked for"):
            raise ServerFailure(f"the server answered {status}: {hint}")
        hint = _REFUSALS.get(status, "the server refuses the request")
        raise Refusal(f"{status} {words}: {hint}")

    def _shown_url(self, url: str) -> str:
        return redact_values(safe_url(url), self._secrets)

    def _shown(self, text: str) -> str:
        return redact(redact_values(text, self._secrets))

    def _log_retry(self, url: str, state: tenacity.RetryCallState) -> None:
        failure = state.outcome.exception() if state.outcome else None
        pause = state.next_action.sleep if state.next_action else 0.0
        shown = (self._shown_url(url), state.attempt_number, self._shown(str(failure)))
        logger.warning("asking again in %.1f s: url=%s try=%d: %s", pause, *shown)


_UNASKED = {
    204: "it has no content to send",
    205: "it has no content to send",
    206: "a part of the content, though all of it was asked for",
    304: "not modified, though nothing was asked to compare with",
}
_REFUSALS = {
    401: "the credentials are missing or wrong",
    403: "access is refused: check the credentials and the contact in the User-Agent",
    404: "there is no such page",
    410: "there is no such page any more",
}


def _full_url(url: str, params: Mapping[str, str | int] | None) -> str:
    if not params:
        return url
    return f"{url}{'&' if '?' in url else '?'}{urlencode(params, safe=',')}"


def _check(gunzip: BoundedGunzip, chunk: bytes) -> None:
    """Check a chunk of a gzip file."""
    try:
        for number, piece in enumerate(gunzip.feed(chunk)):
            if number == 0 and gunzip.unpacked_bytes == len(piece) and piece.startswith(_GZIP_MAGIC):
                raise ServerFailure("the gzip file holds another gzip file: it was compressed twice on its way")
    except ValueError as error:
        raise ServerFailure(f"the gzip file {error}") from None
    except OverflowError as error:
        raise Refusal(f"the gzip file {error}") from None

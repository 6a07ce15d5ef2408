"""Servers that behave badly, met by every kind of request that the platform makes."""

from __future__ import annotations

import io
import re
import ssl
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache, partial
from pathlib import Path
from unittest import mock

from include.errors import SourceError
from include.pipeline.source_access import http_limits, photo_limits
from include.settings import Settings
from include.sources.http import HttpClient
from include.sources.photos import fetch_photos
from tests.faults.fault import Fault
from tests.faults.logged import logged
from tests.faults.server import FaultServer
from tests.faults.server_bodies import BODY_CASES
from tests.faults.server_case import Case, Target
from tests.faults.server_heads import HEAD_CASES, KEY
from tests.faults.server_redirects import REDIRECT_CASES
from tests.fixtures.certificates import write_certificate

TRIES = 2
DEADLINE_SECONDS = 0.25
"""For servers that hang; the others get all the time that a slow machine needs."""
MESSAGE_CHARACTERS = 1_000
PATHS: dict[Target, str] = {
    "index": "/index.txt",
    "delta": "/delta.json.gz",
    "page": "/page.json",
    "photo": "/photo.jpg",
}


def inject(case: Case) -> str:
    """Ask a server of this case for each kind of content; what came of it, e.g. `"index retried, photo timeout"`."""
    with (
        tempfile.TemporaryDirectory() as folder,
        FaultServer(case.behaviour, context=_context(case.tls), greets=case.greets) as server,
        _trusting(case.tls),
        logged() as log,
        ThreadPoolExecutor(len(case.targets)) as threads,
    ):
        # The certificate names `localhost`, so any other way to write the address is another name.
        url = server.url.replace("localhost", "127.0.0.1") if case.tls == "other name" else server.url
        outcomes = list(threads.map(lambda target: _ask(case, target, url, Path(folder) / target), case.targets))
    # A photo's server is told no key, so it can echo none.
    _check_text(log.getvalue(), secret="" if case.targets == ("photo",) else KEY)
    assert "Traceback" not in log.getvalue(), f"a traceback in the log: {log.getvalue()[-2_000:]}"
    return ", ".join(f"{target} {outcome}" for target, outcome in zip(case.targets, outcomes, strict=True))


def _ask(case: Case, target: Target, url: str, folder: Path) -> str:
    """The outcome of one kind of request; AssertionError if it is not the right one."""
    started = time.monotonic()
    settings = _settings(case, folder)
    if target == "photo":
        (photo,) = fetch_photos([url + PATHS[target]], photo_limits(settings), allow_private_hosts=not case.public_only)
        assert photo.status == case.photo, f"photo: {photo.status} instead of {case.photo}"
        outcome = photo.status
    else:
        outcome, message = _ask_api(url, target, settings, allow_private=not case.public_only)
        assert outcome == case.api, f"{target}: {outcome} instead of {case.api}: {message}"
        if outcome != "ok":
            assert re.search(case.reason, message), f"{target}: the message does not say {case.reason!r}: {message}"
            assert len(message) < MESSAGE_CHARACTERS, f"a message of {len(message)} characters"
            _check_text(message, secret=KEY)
    if case.hangs:
        seconds, limit = time.monotonic() - started, TRIES * DEADLINE_SECONDS + 2
        assert seconds < limit, f"{target}: {seconds:.1f} s instead of {limit}"
    return outcome


def _ask_api(url: str, target: Target, settings: Settings, *, allow_private: bool) -> tuple[str, str]:
    """`ok`, `retried` or `refused`, and the message."""
    address = f"{url}{PATHS[target]}?app_key={KEY}"
    # Nothing of a failed try may be left where it would be read.
    target_file = _Target()
    with HttpClient(http_limits(settings), allow_private_hosts=allow_private, sleep=lambda _seconds: None) as http:
        try:
            if target == "page":
                http.get_json(address)
            elif target == "index":
                http.get_text(address)
            else:
                http.download(address, target_file.open)
        except SourceError as error:
            assert error.__cause__ is None and error.__context__ is None, "the message drags the library's errors along"
            assert target_file.content is None, "what came of a failed download was kept"
            return ("retried" if f"gave up after {TRIES} tries" in str(error) else "refused"), str(error)
    return "ok", ""


def _settings(case: Case, folder: Path) -> Settings:
    patience = DEADLINE_SECONDS if case.hangs else 10.0
    return Settings(
        state_dir=folder,
        http_attempts=TRIES,
        http_backoff_seconds=0,
        http_timeout_seconds=patience,
        http_deadline_seconds=patience,
        photo_deadline_seconds=patience,
        http_max_bytes=4 * 1024**2,
        photo_max_bytes=1024**2,
        photo_threads=1,
    )


def _check_text(text: str, secret: str) -> None:
    """What a person reads is printable, and without the key."""
    assert not secret or (secret not in text and "6b%6B" not in text), "the key is shown"
    assert text.replace("\n", "").replace("\t", "").isprintable(), f"control characters: {text[:200]!r}"


class _Target:
    """Where a download goes: keeps what was written by a block that ended well."""

    content: bytes | None = None

    @contextmanager
    def open(self) -> Iterator[io.BytesIO]:
        stream = io.BytesIO()
        yield stream
        self.content = stream.getvalue()


def _context(kind: str) -> ssl.SSLContext | None:
    if not kind:
        return None
    certificate, key = _certificate(expired=kind == "expired")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return context


@contextmanager
def _trusting(kind: str) -> Iterator[None]:
    """Trust the server's certificate inside the block, except for a server that nobody vouches for."""
    if not kind or kind == "unknown":
        yield
        return
    certificate = str(_certificate(expired=kind == "expired")[0])
    with (
        mock.patch.dict("os.environ", {"REQUESTS_CA_BUNDLE": certificate}),
        mock.patch("include.sources.photo_download.certifi.where", lambda: certificate),
    ):
        yield


@cache
def _certificate(*, expired: bool) -> tuple[Path, Path]:
    """A certificate for `localhost` that vouches for itself, and its key."""
    return write_certificate(Path(tempfile.mkdtemp(prefix="fault-server-")), expired=expired)


FAULTS = [
    Fault(
        case.name,
        partial(inject, case),
        limit_seconds=20.0,
        limit_mib=100.0,
        is_quick=case.is_quick,
    )
    for case in (*HEAD_CASES, *BODY_CASES, *REDIRECT_CASES)
]

"""Photos of products: fetched a few at a time, from the web or from a catalogue's folder, and normalised.

A missing or broken photo is normal. It never raises: the product goes on without one, and the status
is the reason.
"""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from include import __version__
from include.security.decoding_memory import MemoryBudget
from include.sources.given_up_hosts import GivenUpHosts
from include.sources.limits import PhotoLimits
from include.sources.overtaking import overtaking
from include.sources.photo_download import Deadline, Download, Downloader
from include.sources.photo_normalisation import Photo, normalise_photo

__all__ = ["Photo", "fetch_photos", "normalise_photo", "stream_photos"]

logger = logging.getLogger(__name__)

TRIES = 2
SLOW_SECONDS = 5.0
"""A photo that takes longer no longer counts as one of those that are fetched at the same time."""
SLOW_TIMES = 3
"""Times `threads` that are fetched at the same time at most, the slow ones included."""
TICK_SECONDS = 1.0
NOT_ASKED = Photo("unreachable")
"""A photo whose host is given up, or that came after its shard's time; a rerun asks for it."""
_SCHEME = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]*:")


def fetch_photos(
    urls: Sequence[str | None],
    limits: PhotoLimits,
    *,
    allow_private_hosts: bool,
    photo_folder: Path | None = None,
) -> list[Photo]:
    """One photo for each URL, in order, as `stream_photos` fetches them; all of them are held in memory."""
    wanted = [url for url in urls if url]
    stream = stream_photos(wanted, limits, allow_private_hosts=allow_private_hosts, photo_folder=photo_folder)
    photos = dict(arrival for arrival in stream if arrival)
    return [photos[url] if url else Photo("no_url") for url in urls]


def stream_photos(
    urls: Iterable[str],
    limits: PhotoLimits,
    *,
    allow_private_hosts: bool,
    photo_folder: Path | None = None,
) -> Iterator[tuple[str, Photo] | None]:
    """Each distinct URL with its photo, as they come; None whenever nothing came for `TICK_SECONDS`.

    A URL is http(s), or a path inside `photo_folder` (as `images/a.jpg` of a catalogue). Paths that
    lead out of the folder, also through a symbolic link, are `not_found`, as are all paths where no
    folder is given. Trouble that may pass (5xx, 429, a lost connection) gets one more try within
    `limits.deadline_seconds`.

    `limits.threads` photos are fetched at the same time, and slow ones beside them. A host that does not
    answer is given up, and after `limits.shard_seconds` nothing more is requested: those photos are
    `unreachable`, as those of hosts that cannot be found.
    """
    wanted = list(dict.fromkeys(urls))
    threads = limits.threads
    downloader = Downloader(
        {"User-Agent": f"Cuvee/{__version__} ({limits.contact})", "Accept": "image/*"},
        allow_private_hosts=allow_private_hosts,
        max_bytes=limits.max_bytes,
        timeout_seconds=limits.timeout_seconds,
        threads=SLOW_TIMES * threads,
    )
    memory = MemoryBudget(limits.memory_bytes)
    hosts = GivenUpHosts(limits.deadline_seconds)
    end = time.monotonic() + limits.shard_seconds

    def fetch(url: str) -> Photo:
        try:
            if not _SCHEME.match(url):
                download = _read_file(url, photo_folder, limits.max_bytes)
            elif time.monotonic() > end or hosts.is_given_up(url):
                return NOT_ASKED
            else:
                download = _download(url, downloader, limits)
                hosts.record(url, answered=not (download.transient or download.status == "timeout"))
            if download.status != "ok":
                return Photo(download.status)
            return normalise_photo(download.content, limits.max_pixels, memory)
        except Exception:
            logger.exception("a photo failed in a way that was not foreseen; its product goes on without it")
            return Photo("unreachable")

    try:
        yield from overtaking(
            fetch,
            wanted,
            at_once=threads,
            at_most=SLOW_TIMES * threads,
            slow_seconds=min(SLOW_SECONDS, limits.deadline_seconds / 4),
            tick_seconds=TICK_SECONDS,
        )
    finally:
        downloader.close()
    if time.monotonic() > end:
        logger.warning(
            "a shard's photos took all their time, CUVEE_PHOTO_SHARD_SECONDS=%.0f; run the day again for the others",
            limits.shard_seconds,
        )


def _download(url: str, downloader: Downloader, limits: PhotoLimits) -> Download:
    with Deadline(limits.deadline_seconds) as deadline:
        download = downloader.get(url, deadline)
        for _ in range(TRIES - 1):
            if not download.transient or deadline.remaining <= limits.backoff_seconds:
                break
            time.sleep(limits.backoff_seconds)
            download = downloader.get(url, deadline)
    return download


def _read_file(path: str, photo_folder: Path | None, max_bytes: int) -> Download:
    """A file inside `photo_folder`; a leading slash means the folder itself, as in a web server's paths."""
    if photo_folder is None:
        return Download("not_found")
    folder = photo_folder.resolve()
    try:
        file = (folder / path.lstrip("/\\")).resolve()
        if not file.is_relative_to(folder) or not file.is_file():
            return Download("not_found")
        with file.open("rb") as stream:
            content = stream.read(max_bytes + 1)
    except (OSError, ValueError) as error:
        logger.debug("photo file not read: %s", error)
        return Download("not_found")
    return Download("too_large") if len(content) > max_bytes else Download("ok", content)

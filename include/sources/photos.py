"""Photos of products: fetched a few at a time, from the web or from a catalogue's folder, and normalised.

A missing or broken photo is normal. It never raises: the product goes on without one, and the status
says why.
"""

from __future__ import annotations

import logging
import re
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from include import __version__
from include.settings import Settings
from include.sources.photo_download import Deadline, Download, Downloader
from include.sources.photo_normalisation import Photo, normalise_photo

__all__ = ["Photo", "fetch_photos", "normalise_photo"]

logger = logging.getLogger(__name__)

TRIES = 2
_SCHEME = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]*:")


def fetch_photos(
    urls: Sequence[str | None],
    settings: Settings,
    *,
    allow_private_hosts: bool,
    photo_folder: Path | None = None,
) -> list[Photo]:
    """One photo for each URL, in order; the same URL is fetched once.

    A URL is http(s), or a path inside `photo_folder` (as `images/a.jpg` of a catalogue). Paths that
    lead out of the folder, also through a symbolic link, are `not_found`, as are all paths where no
    folder is given. Trouble that may pass (5xx, 429, a lost connection) gets one more try within
    `settings.photo_deadline_seconds`. All photos are held in memory: give a few hundred URLs at a time.
    """
    wanted = list(dict.fromkeys(url for url in urls if url))
    downloader = Downloader(
        {"User-Agent": f"Cuvee/{__version__} ({settings.contact})", "Accept": "image/*"},
        allow_private_hosts=allow_private_hosts,
        max_bytes=settings.photo_max_bytes,
        timeout_seconds=min(settings.http_timeout_seconds, settings.photo_deadline_seconds),
        threads=settings.photo_threads,
    )

    def fetch(url: str) -> Photo:
        try:
            download = (
                _download(url, downloader, settings)
                if _SCHEME.match(url)
                else _read_file(url, photo_folder, settings.photo_max_bytes)
            )
            if download.status != "ok":
                return Photo(download.status)
            return normalise_photo(download.content, settings.photo_max_pixels)
        except Exception:
            logger.exception("a photo failed in a way that was not foreseen; its product goes on without it")
            return Photo("unreachable")

    try:
        with ThreadPoolExecutor(max_workers=settings.photo_threads, thread_name_prefix="photo") as pool:
            photos = dict(zip(wanted, pool.map(fetch, wanted), strict=True))
    finally:
        downloader.close()
    logger.info("photos wanted=%d fetched=%s", len(urls), dict(Counter(photo.status for photo in photos.values())))
    return [photos[url] if url else Photo("no_url") for url in urls]


def _download(url: str, downloader: Downloader, settings: Settings) -> Download:
    with Deadline(settings.photo_deadline_seconds) as deadline:
        download = downloader.get(url, deadline)
        for _ in range(TRIES - 1):
            if not download.transient or deadline.remaining <= settings.http_backoff_seconds:
                break
            time.sleep(settings.http_backoff_seconds)
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

"""Edamam's food database: every food that the parser finds for the search word, page by page.

The API knows no modification times and lists everything each day. Its links to the next page carry the
credentials: they are taken out before anything is landed, and put in from the connection for each request.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterator
from datetime import date
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from include.errors import ConfigurationError, SourceError
from include.schema import Product, Rejection
from include.security.redaction import REDACTED, redact
from include.sources.edamam_record import parse_food
from include.sources.feed import belongs_to_feed, could_belong_to_feed
from include.sources.landing import Landing, unreadable_line
from include.taxonomy import Taxonomy, load_taxonomy

if TYPE_CHECKING:
    from include.sources.connection import SourceConnection
    from include.sources.http import HttpClient

logger = logging.getLogger(__name__)

PARSER_PATH = "/api/food-database/v2/parser"
MAX_PAGES = 1_000
_CREDENTIALS = frozenset({"app_id", "app_key"})
_SHORTEST_SECRET = 16
"""A shorter key is only taken out of query strings: elsewhere it could be part of any word."""


class Edamam:
    """The foods that Edamam's parser finds for the setting `edamam_query`."""

    name = "edamam"
    attribution = "Food data powered by Edamam (https://www.edamam.com), under its terms of use."
    incremental = False

    def fetch(self, day: date, landing: Landing, connection: SourceConnection, http: HttpClient) -> None:
        """Land the answers page by page, each as one JSON line, without credentials.

        Raises ConfigurationError without credentials, SourceError if the API fails or a link to the next page
        leads elsewhere or in a circle.
        """
        _require_credentials(connection)
        query = {"ingr": http.settings.edamam_query}
        asked: list[dict[str, str]] = []
        for number in range(1, MAX_PAGES + 1):
            name = f"page-{number:05d}.json.gz"
            asked.append(query)
            if not landing.has(name):
                landing.write_json_lines(name, [self._page(query, connection, http)])
                logger.info("landed source=%s day=%s file=%s", self.name, day, name)
            page = next((page for _, page in landing.read_json_lines(name)), None)
            following = _next_query(page, connection) if isinstance(page, dict) else None
            if following is None:
                landing.complete({"query": http.settings.edamam_query, "files": _page_names(number)})
                return
            if following in asked:
                raise SourceError(f"{connection.base_url}{PARSER_PATH}: page {number} links back to an earlier page")
            query = following
        raise SourceError(f"{connection.base_url}{PARSER_PATH}: still more after {MAX_PAGES} pages: a narrower query?")

    def read(self, day: date, landing: Landing) -> Iterator[Product | Rejection]:
        """The champagne products of the landed pages, each foodId once, in the order of the API."""
        taxonomy = load_taxonomy()
        seen: set[str] = set()
        for name in landing.manifest()["files"]:
            for _, page in landing.read_json_lines(name):
                if isinstance(page, str):
                    yield unreadable_line(page, self.name, name)
                else:
                    yield from self._foods(page, name, seen, taxonomy)
        logger.info("read source=%s day=%s foods=%d", self.name, day, len(seen))

    def _page(self, query: dict[str, str], connection: SourceConnection, http: HttpClient) -> dict[str, Any]:
        url = f"{connection.base_url}{PARSER_PATH}"
        answer = http.get_json(url, {**query, "app_id": connection.app_id, "app_key": connection.app_key})
        if not isinstance(answer, dict) or not isinstance(answer.get("hints"), list):
            raise SourceError(f"{url}: the answer has no list `hints`: this is not Edamam's food parser")
        return without_credentials(answer, connection)

    def _foods(
        self, page: dict[str, Any], name: str, seen: set[str], taxonomy: Taxonomy
    ) -> Iterator[Product | Rejection]:
        """Hints first; `parsed` repeats the best of them, and is read for what it alone has."""
        for key in ("hints", "parsed"):
            listed = page.get(key)
            for index, entry in enumerate(listed if isinstance(listed, list) else [], start=1):
                food = entry.get("food") if isinstance(entry, dict) else entry
                record = parse_food(food, self.name, f"{name}:{key}:{index}")
                if isinstance(record, Rejection):
                    if key == "hints" and could_belong_to_feed(food, taxonomy):
                        yield record
                elif record.native_id not in seen:
                    seen.add(record.native_id)
                    if belongs_to_feed(record, taxonomy):
                        yield record


def without_credentials(page: dict[str, Any], connection: SourceConnection) -> dict[str, Any]:
    """A page as received, except for credentials: dropped from the next link, replaced wherever else they stand."""
    query = _next_link(page)
    cleaned: dict[str, Any] = json.loads(_scrubbed(json.dumps(page), connection))
    if query is not None:
        address, parameters = query
        kept = [(key, value) for key, value in parameters if key.lower() not in _CREDENTIALS]
        cleaned["_links"]["next"]["href"] = _scrubbed(f"{address}?{urlencode(kept)}", connection)
    return cleaned


def _scrubbed(text: str, connection: SourceConnection) -> str:
    if len(connection.app_key) >= _SHORTEST_SECRET:
        text = re.sub(rf"(?<![A-Za-z0-9]){re.escape(connection.app_key)}(?![A-Za-z0-9])", REDACTED, text)
    return redact(text)


def _next_link(page: dict[str, Any]) -> tuple[str, list[tuple[str, str]]] | None:
    """Address and query of the link to the next page, or None if there is none."""
    links = page.get("_links")
    following = links.get("next") if isinstance(links, dict) else None
    href = following.get("href") if isinstance(following, dict) else None
    if not isinstance(href, str) or not href.strip():
        return None
    address, _, query = href.strip().partition("?")
    return address, parse_qsl(query, keep_blank_values=True)


def _next_query(page: dict[str, Any], connection: SourceConnection) -> dict[str, str] | None:
    """What to ask for the next page, credentials left out; None after the last page.

    Raises SourceError if the link leads to another host than the connection's: credentials go nowhere else.
    """
    link = _next_link(page)
    if link is None or not page.get("hints"):
        return None
    address, parameters = link
    try:
        there, here = urlsplit(address), urlsplit(connection.base_url)
        same = (there.scheme, there.hostname, there.port) == (here.scheme, here.hostname, here.port)
    except ValueError:
        same = False
    if not same:
        raise SourceError(
            f"{connection.base_url}{PARSER_PATH}: the link to the next page leads to another host; not followed, "
            "as it would be given the credentials"
        )
    return {key: value for key, value in parameters if key.lower() not in _CREDENTIALS}


def _page_names(count: int) -> list[str]:
    return [f"page-{number:05d}.json.gz" for number in range(1, count + 1)]


def _require_credentials(connection: SourceConnection) -> None:
    missing = [
        setting
        for value, setting in ((connection.app_id, "CUVEE_EDAMAM_APP_ID"), (connection.app_key, "CUVEE_EDAMAM_APP_KEY"))
        if not value
    ]
    if missing:
        raise ConfigurationError(
            f"Edamam needs credentials: set {' and '.join(missing)}, or login (app id) and password (app key) of the "
            "Airflow connection `edamam`; or leave `edamam` out of CUVEE_DAILY_SOURCES"
        )

"""Edamam's food database: every food that the parser finds for the search word, page by page.

The API knows no modification times and lists everything each day. Its links to the next page carry the
credentials: they are taken out before anything is landed, and put in from the connection for each request.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import date
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from include.errors import ConfigurationError, SourceError
from include.nesting import without_deep_parts
from include.record_guard import RecordGuard
from include.schema import Product, Rejection
from include.security.redaction import redact_values
from include.sources.edamam_record import parse_food
from include.sources.feed import belongs_to_feed, could_belong_to_feed
from include.sources.landing import Landing
from include.taxonomy import load_taxonomy

if TYPE_CHECKING:
    from include.sources.connection import SourceConnection
    from include.sources.http import HttpClient

logger = logging.getLogger(__name__)

PARSER_PATH = "/api/food-database/v2/parser"
MAX_PAGES = 1_000
_CREDENTIALS = frozenset({"app_id", "app_key"})


class Edamam:
    """The foods that Edamam's parser finds for the connection's query."""

    name = "edamam"
    attribution = "Food data powered by Edamam (https://www.edamam.com), under its terms of use."
    incremental = False

    def fetch(self, day: date, landing: Landing, connection: SourceConnection, http: HttpClient) -> None:
        """Land the answers page by page, each as one JSON line, without credentials.

        Raises ConfigurationError without credentials, SourceError if the API fails or a link to the next page
        leads elsewhere or in a circle, or a page or its link cannot be read: that is never taken for the last page.
        """
        _require_credentials(connection)
        query = {"ingr": connection.query}
        asked: list[dict[str, str]] = []
        was_empty = False
        for number in range(1, MAX_PAGES + 1):
            name = f"page-{number:05d}.json.gz"
            asked.append(query)
            if not landing.has(name):
                landing.write_json_lines(name, [self._page(query, connection, http)])
            page = _landed_page(landing, name)
            following = _next_query(page, connection)
            # One page without foods may be a hole; after a second one the API only goes on linking.
            if following is None or (was_empty and not page["hints"]):
                landing.complete({"query": connection.query, "files": _page_names(number)})
                return
            if following in asked:
                raise SourceError(f"{connection.base_url}{PARSER_PATH}: page {number} links back to an earlier page")
            query, was_empty = following, not page["hints"]
        raise SourceError(f"{connection.base_url}{PARSER_PATH}: still more after {MAX_PAGES} pages: a narrower query?")

    def read(self, day: date, landing: Landing, guard: RecordGuard | None = None) -> Iterator[Product | Rejection]:
        """The champagne products of the landed pages, each foodId once, in the order of the API.

        Raises SourceError for a page that cannot be read: its foods must not be missed in silence.
        """
        if guard is None:
            with RecordGuard(self.name) as own:
                yield from self.read(day, landing, own)
            return
        taxonomy = load_taxonomy()
        seen: set[str] = set()

        def read_food(food: Any, position: str) -> Product | Rejection | None:
            record = parse_food(food, self.name, position)
            if isinstance(record, Rejection):
                # `parsed` repeats the best of the hints, and is read for what it alone has.
                is_wanted = ":hints:" in position and could_belong_to_feed(food, taxonomy)
                return record if is_wanted else None
            if record.native_id in seen:
                return None
            seen.add(record.native_id)
            return record if belongs_to_feed(record, taxonomy) else None

        for name in landing.manifest()["files"]:
            yield from guard.read_each(_foods(_landed_page(landing, name), name), read_food)
        logger.info("read source=%s day=%s foods=%d", self.name, day, len(seen))

    def _page(self, query: dict[str, str], connection: SourceConnection, http: HttpClient) -> dict[str, Any]:
        url = f"{connection.base_url}{PARSER_PATH}"
        answer = http.get_json(url, {**query, "app_id": connection.app_id, "app_key": connection.app_key})
        if not isinstance(answer, dict) or not isinstance(answer.get("hints"), list):
            raise SourceError(f"{url}: the answer has no list `hints`: this is not Edamam's food parser")
        return without_credentials(answer, connection)


def _landed_page(landing: Landing, name: str) -> dict[str, Any]:
    """The one page in a landed file; SourceError if it cannot be read, which is not the same as the last page."""
    pages = [page for _, page in landing.read_json_lines(name)]
    if len(pages) != 1 or not isinstance(pages[0], dict) or not isinstance(pages[0].get("hints"), list):
        raise SourceError(
            f"landed page {landing.lake.url(landing.path(name))} cannot be read, and nothing of the day goes on: "
            "fetch the day again"
        )
    return pages[0]


def _foods(page: dict[str, Any], name: str) -> Iterator[tuple[str, Any]]:
    """Position and food of every entry of a page, hints first."""
    for key in ("hints", "parsed"):
        listed = page.get(key)
        for index, entry in enumerate(listed if isinstance(listed, list) else [], start=1):
            yield f"{name}:{key}:{index}", entry.get("food") if isinstance(entry, dict) else entry


def without_credentials(page: dict[str, Any], connection: SourceConnection) -> dict[str, Any]:
    """A page as received, except for our credentials: dropped from the next link, replaced wherever else they stand.

    They are known by their values: the tokens of other people's addresses are part of those and stay.
    """
    query = _next_link(page)
    secrets = (connection.app_id, connection.app_key)
    cleaned: dict[str, Any] = _redacted(without_deep_parts(page), secrets)
    if query is not None:
        address, parameters = query
        kept = [(key, value) for key, value in parameters if key.lower() not in _CREDENTIALS]
        cleaned["_links"]["next"]["href"] = redact_values(f"{address}?{urlencode(kept)}", secrets)
    return cleaned


def _redacted(value: Any, secrets: tuple[str, ...]) -> Any:
    if isinstance(value, str):
        return redact_values(value, secrets)
    if isinstance(value, dict):
        return {redact_values(key, secrets): _redacted(inner, secrets) for key, inner in value.items()}
    if isinstance(value, list):
        return [_redacted(inner, secrets) for inner in value]
    return value


def _next_link(page: dict[str, Any]) -> tuple[str, list[tuple[str, str]]] | None:
    """Address and query of the link to the next page, or None if there is none; SourceError if it cannot be read."""
    links = page.get("_links") or {}
    following = (links.get("next") or {}) if isinstance(links, dict) else None
    href = (following.get("href") or "") if isinstance(following, dict) else None
    if not isinstance(href, str):
        raise SourceError(f"{PARSER_PATH}: the link to the next page is no text: not taken for the last page")
    if not href.strip():
        return None
    address, _, query = href.strip().partition("?")
    return address, parse_qsl(query, keep_blank_values=True)


def _next_query(page: dict[str, Any], connection: SourceConnection) -> dict[str, str] | None:
    """What to ask for the next page, credentials left out; None after the last page.

    Raises SourceError if the link leads to another host than the connection's: credentials go nowhere else.
    """
    link = _next_link(page)
    if link is None:
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

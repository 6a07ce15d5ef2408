"""What every API source offers to the steps of a day, whatever stands behind it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import TYPE_CHECKING, Protocol

from include.schema import Product, Rejection

if TYPE_CHECKING:
    from include.record_guard import RecordGuard
    from include.sources.connection import SourceConnection
    from include.sources.http import HttpClient
    from include.sources.landing import Landing


class Source(Protocol):
    """A food API: `fetch` talks to it and lands files, `read` turns landed files into records."""

    @property
    def name(self) -> str:
        """Name in paths and tables, e.g. `openfoodfacts`."""

    @property
    def attribution(self) -> str:
        """One sentence with the licence, to be shown where people see the data."""

    @property
    def incremental(self) -> bool:
        """Whether a day's files hold that day's changes only; False where the API lists everything each day."""

    def fetch(self, day: date, landing: Landing, connection: SourceConnection, http: HttpClient) -> None:
        """Land the files of a day and mark them complete.

        Resumes: files already landed are not requested again. Raises SourceError when the API fails beyond
        the limits of retries, ConfigurationError when the connection lacks something.
        """

    def read(self, day: date, landing: Landing, guard: RecordGuard | None = None) -> Iterator[Product | Rejection]:
        """The champagne products of a landed day, and what could not be read.

        Streams; one bad record becomes a Rejection and never an exception. `guard` is that of the batch, if the records
        go further than here.
        """

"""Where a food API is and with which credentials it is asked."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import urlsplit

from include.errors import ConfigurationError


@dataclass(frozen=True)
class SourceConnection:
    """Address and credentials of one API; from the settings, or from an Airflow connection.

    Addresses are kept without a trailing slash. ConfigurationError if one is not an http(s) address or
    carries a user name or password. The credentials are left out of the representation.
    """

    base_url: str
    """Open Food Facts: host of the delta files. Edamam: host of the API."""
    search_url: str = ""
    """Open Food Facts only: host of the search and product API; empty means `base_url`."""
    app_id: str = field(default="", repr=False)
    app_key: str = field(default="", repr=False)
    query: str = "champagne"
    """Edamam only: the words to search for."""
    allow_private_hosts: bool = False
    """Whether loopback and private addresses are meant: the sandbox. They are then not rate limited either."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "base_url", _checked_address(self.base_url))
        object.__setattr__(self, "search_url", _checked_address(self.search_url or self.base_url))


def _checked_address(url: str) -> str:
    try:
        parts = urlsplit(url)
        host, port, user = parts.hostname, parts.port, parts.username
    except ValueError:
        host = port = user = None
    if not host or parts.scheme not in ("http", "https"):
        raise ConfigurationError("an API address must look like https://host or http://host:port/path")
    if user is not None or parts.query or parts.fragment:
        raise ConfigurationError(
            f"the address of {host}{f':{port}' if port else ''} carries a user name, a query or a fragment: "
            "give the bare address, and credentials as login and password of the connection"
        )
    return url.rstrip("/")

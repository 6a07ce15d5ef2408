"""Which hosts are this machine or its neighbours, and where a redirect may lead."""

from __future__ import annotations

import ipaddress
import socket
from urllib.parse import urljoin, urlsplit

from include.errors import SourceError
from include.sources.redaction import safe_url


def is_loopback(host: str) -> bool:
    """Whether a host name or address literally means this machine; nothing is resolved."""
    if host.lower() == "localhost" or host.lower().endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def is_private(host: str) -> bool:
    """Whether a host is, or resolves to, an address that is not on the public internet.

    A name that does not resolve is not private: asking it fails anyway.
    """
    try:
        found = {ipaddress.ip_address(host)}
    except ValueError:
        try:
            found = {ipaddress.ip_address(str(info[4][0]).split("%")[0]) for info in socket.getaddrinfo(host, None)}
        except (OSError, UnicodeError):
            return False
    return any(not address.is_global for address in found)


def check_redirect(origin: str, target: str, *, allow_private_hosts: bool) -> None:
    """Raise SourceError if a redirect leads off http(s), from https to http, or to a private address."""
    try:
        there = urlsplit(urljoin(origin, target))
        host = there.hostname or ""
    except ValueError:
        raise SourceError(f"{safe_url(origin)}: redirects to an address that cannot be read") from None
    if there.scheme not in ("http", "https") or (urlsplit(origin).scheme == "https" and there.scheme == "http"):
        raise SourceError(f"{safe_url(origin)}: redirects to an unsafe address ({there.scheme}://{host})")
    if not allow_private_hosts and is_private(host):
        raise SourceError(
            f"{safe_url(origin)}: redirects to the private address {host}; "
            "allow private hosts for this connection if that is meant"
        )

"""Which addresses may be called: one list, and one guard that every connection passes.

    guard = AddressGuard()
    guard.trust("https://world.openfoodfacts.org")  # a person has configured it
    guard.check("photos.example", 443, ["93.184.216.34"])

What is not on the list of Python's own `ipaddress` in one version is in the next; that table counts, too, but
nothing rests on it alone.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Collection
from urllib.parse import urlsplit

IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address

PORTS = frozenset({80, 443})
"""Ports that strangers' addresses may name."""

_NOT_PUBLIC = tuple(
    ipaddress.ip_network(network)
    for network in (
        "0.0.0.0/8",  # this network
        "10.0.0.0/8",  # private
        "100.64.0.0/10",  # shared by customers of one provider
        "127.0.0.0/8",  # this machine
        "169.254.0.0/16",  # this link; where clouds keep their metadata
        "172.16.0.0/12",  # private
        "192.0.0.0/24",  # protocol assignments; some clouds' services
        "192.0.2.0/24",  # documentation
        "192.88.99.0/24",  # relays from IPv6, given up
        "192.168.0.0/16",  # private
        "198.18.0.0/15",  # benchmarks
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, and broadcast
        "2001::/23",  # protocol assignments: Teredo, ORCHID, benchmarks
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4, given up: carries any IPv4 address
        "3ffe::/16",  # 6bone, given up
        "3fff::/20",  # documentation
    )
)
_PUBLIC_IPV6 = ipaddress.ip_network("2000::/3")
"""All global unicast of IPv6. Private (fc00::/7), link (fe80::/10) and site (fec0::/10) addresses, multicast
(ff00::/8), local NAT64 (64:ff9b:1::/48) and those that carry IPv4 (::/96, ::ffff:0:0:0/96) lie outside."""
_CARRY_IPV4 = (ipaddress.ip_network("::ffff:0:0/96"), ipaddress.ip_network("64:ff9b::/96"))
"""Addresses that end in the IPv4 address which is really called: mapped ones, and NAT64's (RFC 6052), which resolvers
of networks without IPv4 give for every host."""


class AddressRefused(Exception):
    """An address must not be called: it is not public, or its port is not one that strangers may name."""


class AddressGuard:
    """What may be called: public addresses at the ports of the web, and what a person has configured.

    With `allow_private` everything may. Used by every connection at the moment when it is made, with the addresses
    it is made to.
    """

    def __init__(self, *, allow_private: bool = False) -> None:
        self.allow_private = allow_private
        self._trusted: set[tuple[str, int]] = set()

    def trust(self, url: str) -> None:
        """Take the host and port of a URL as configured by a person: wherever they lead, they are meant."""
        self._trusted.add(host_and_port(url))

    def trusts(self, host: str, port: int) -> bool:
        """Whether everything may be called under this host and port."""
        return self.allow_private or (host.lower(), port) in self._trusted

    def check(self, host: str, port: int, addresses: Collection[str]) -> None:
        """Raise AddressRefused unless all addresses of a host may be called; its message is fit for people."""
        if self.trusts(host, port):
            return
        if refused := [address for address in addresses if not is_public_address(address)]:
            raise AddressRefused(f"{host} is the private address {refused[0]}")
        if port not in PORTS:
            raise AddressRefused(f"{host} is asked at port {port}, which is neither 80 nor 443")


def is_public_address(address: str) -> bool:
    """Whether an IPv4 or IPv6 address is a public unicast one; one with a zone (`fe80::1%eth0`) never is."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.scope_id is not None:
            return False
        if any(parsed in network for network in _CARRY_IPV4):
            parsed = ipaddress.IPv4Address(int(parsed) & 0xFFFFFFFF)
        elif parsed not in _PUBLIC_IPV6:
            return False
    return parsed.is_global and not any(parsed in network for network in _NOT_PUBLIC)


def is_loopback(host: str) -> bool:
    """Whether a host name or address literally means this machine; nothing is resolved."""
    name = host.lower().rstrip(".")
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def host_and_port(url: str) -> tuple[str, int]:
    """Host, in lower case, and port of an http(s) URL; ValueError if it has none."""
    parts = urlsplit(url)
    if not parts.hostname:
        raise ValueError("an address without a host")
    return parts.hostname.lower(), parts.port or (443 if parts.scheme == "https" else 80)

"""Where a server can lead: redirects of every kind, and TLS that is not what it says."""

from __future__ import annotations

from collections.abc import Callable

from tests.faults.server import Behaviour, Visit
from tests.faults.server_bodies import bomb
from tests.faults.server_case import API, Case
from tests.faults.server_heads import KEY, NOT_COMPLETE, status

PRIVATE = "private address"


def redirect(location: str | bytes | Callable[[Visit], str | bytes], *headers: str, status: int = 302) -> Behaviour:
    """A redirect to a place; after it, everything is proper."""

    def behaviour(visit: Visit) -> None:
        if "moved" in visit.path:
            visit.answer(visit.good)
            return
        there = location(visit) if callable(location) else location
        there = there.encode() if isinstance(there, str) else there
        visit.answer(b"", f"{status} Moved", b"Location: " + there, *headers)

    return behaviour


def moved(visit: Visit) -> str:
    """Another path of the same server and kind."""
    return visit.path.split("?")[0] + "/moved"


def with_body(send: Callable[[Visit], object], *headers: str) -> Behaviour:
    """A redirect whose own body is bad."""

    def behaviour(visit: Visit) -> None:
        if "moved" in visit.path:
            visit.answer(visit.good)
            return
        visit.head("HTTP/1.1 302 Moved", f"Location: {moved(visit)}", *headers)
        send(visit)

    return behaviour


def chain(length: int) -> Behaviour:
    """A row of redirects that ends well."""

    def behaviour(visit: Visit) -> None:
        done = visit.path.count("/again")
        if done == length:
            visit.answer(visit.good)
        else:
            visit.answer(b"", "301 Moved", f"Location: {visit.path.split('?')[0]}/again")

    return behaviour


def inside(host: str) -> Case:
    """A redirect to an address inside our network; `{port}` is a port where somebody listens."""
    return Case(
        f"redirect: to {host}",
        redirect(lambda visit: f"http://{host.format(port=visit.server.port)}/moved"),
        "refused",
        PRIVATE,
        targets=("index",),
        public_only=True,
    )


_INSIDE = (
    "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "192.0.0.192",  # noqa: S104
    "192.88.99.1", "198.18.0.1", "224.0.0.1", "240.0.0.1", "255.255.255.255", "127.0.0.2:{port}", "0:{port}",
    "127.1:{port}", "2130706433:{port}", "0x7f000001:{port}", "0x7f.1:{port}", "0177.0.0.1:{port}", "localhost:{port}",
    "[::1]:{port}", "[::]:{port}", "[::ffff:127.0.0.1]:{port}", "[::ffff:7f00:1]:{port}", "[::127.0.0.1]:{port}",
    "[64:ff9b::127.0.0.1]", "[64:ff9b:1::7f00:1]", "[2002:7f00:1::]", "[2001:0:7f00:1::]", "[fec0::1]", "[fc00::1]",
    "[fe80::1]", "[ff02::1]", "user:word@127.0.0.2:{port}", "example.org@127.0.0.2:{port}", "%31%32%37.0.0.2:{port}",
)  # fmt: skip

REDIRECTS = [
    *(
        Case(f"redirect: by {code}", redirect(moved, status=code), "ok", photo="ok")
        for code in (301, 302, 303, 307, 308)
    ),
    Case("redirect: five times", chain(5), "ok", photo="ok"),
    Case("redirect: six times", chain(6), "refused", "more than 5 redirects"),
    Case("redirect: in a circle", redirect(lambda visit: visit.path), "refused", "more than 5 redirects"),
    Case("redirect: without a place", status("302 Found"), "retried", "cannot be read"),
    Case("redirect: to nowhere", redirect(""), "retried", "cannot be read"),
    Case("redirect: UTF-8 in the place", redirect(lambda visit: moved(visit) + "/é"), "ok", photo="ok"),
    Case("redirect: Latin-1 in the place", redirect(lambda visit: moved(visit).encode() + b"/\xe9\xff"), "ok",
         photo="ok"),
    Case("redirect: a space in the place", redirect(lambda visit: moved(visit) + "/a b"), "ok", photo="ok"),
    Case("redirect: control characters in the place", redirect(lambda visit: moved(visit).encode() + b"/\x01\x1b[2J"),
         "ok", photo="ok"),
    Case("redirect: half an IPv6 address", redirect("http://[::1"), "retried", "cannot be read"),
    Case("redirect: no host", redirect("http:///moved"), "ok", targets=("page",)),
    Case("redirect: port 99999", redirect("http://127.0.0.1:99999/"), "retried", "cannot be read"),
    Case("redirect: a name of 300 letters", redirect("http://" + "a" * 300 + ".example/"), "retried",
         "name is not known"),
    Case("redirect: a word that is no host", redirect("http://exa mple/"), "retried", "name is not known"),
    Case("redirect: a place of 60 KB", redirect(lambda visit: moved(visit) + "/" + "x" * 60_000), "ok", photo="ok"),
    *(
        Case(f"redirect: to {place}", redirect(place), "refused", "unsafe address")
        for place in ("ftp://example.org/x", "file:///etc/passwd", "javascript:alert(1)", "data:text/plain,x",
                      "gopher://127.0.0.1:6379/_x", "HTTPS+UNIX://x/y")
    ),
    Case("redirect: its body is a bomb", with_body(lambda visit: visit.send(bomb(100)), "Content-Encoding: gzip",
         f"Content-Length: {len(bomb(100))}"), "ok", photo="ok"),
    Case("redirect: its body never ends", with_body(lambda visit: visit.for_ever(bytes(65_536))), "ok", photo="ok"),
    Case("redirect: its body drips", with_body(lambda visit: visit.drip(b"x" * 100)), "ok", photo="ok"),
    Case("redirect: its body is announced and never comes", with_body(lambda visit: visit.wait(),
         "Content-Length: 1000"), "ok", photo="ok"),
    Case("redirect: its body is no gzip", with_body(lambda visit: visit.send(b"x" * 100), "Content-Encoding: gzip",
         "Content-Length: 100"), "ok", photo="ok"),
    Case("redirect: its head drips", lambda visit: (visit.send("HTTP/1.1 302 Moved\r\nLocation: "),
         visit.drip(b"/x" * 200)), "retried", NOT_COMPLETE, "timeout", hangs=True),
    Case("redirect: with cookies", redirect(moved, "Set-Cookie: a=b; Domain=.example.org"), "ok", photo="ok"),
    Case("redirect: to a port of services", redirect("http://93.184.216.34:22/"), "refused", "neither 80 nor 443",
         targets=("index",), public_only=True),
    *(
        Case(f"redirect: to another host with the key, {how}", redirect(f"http://127.0.0.2/x?{query}"), "refused",
             "hand it the credentials", targets=API)
        for how, query in {"as it is": f"app_key={KEY}", "encoded": f"u=%2Fx%3Fk%3D%6b%6B{KEY[2:]}"}.items()
    ),
    *map(inside, _INSIDE),
]  # fmt: skip

TLS = [
    Case("TLS: a proper server", lambda visit: visit.answer(visit.good), "ok", photo="ok", tls="trusted"),
    Case("TLS: nobody vouches for it", lambda visit: visit.answer(visit.good), "retried", "TLS", tls="unknown"),
    Case("TLS: the certificate is another's", lambda visit: visit.answer(visit.good), "retried", "TLS",
         tls="other name"),
    Case("TLS: the certificate has expired", lambda visit: visit.answer(visit.good), "retried", "TLS", tls="expired"),
    Case("TLS: leads to plain HTTP", redirect("http://127.0.0.1/x"), "refused", "unsafe address", tls="trusted",
         targets=("index", "page", "delta")),
    Case("TLS: the body drips", lambda visit: (visit.head("HTTP/1.1 200 OK"), visit.drip(visit.good)), "retried",
         NOT_COMPLETE, "timeout", tls="trusted", hangs=True),
    Case("TLS: plain HTTP answers", lambda visit: visit.send("HTTP/1.1 400 Bad\r\n\r\n"), "retried", "TLS|broke",
         greets=True, tls="trusted"),
    Case("TLS: silence instead of a handshake", lambda visit: visit.wait(), "retried", f"{NOT_COMPLETE}|TLS", "timeout",
         greets=True, tls="trusted", hangs=True),
    Case("TLS: a handshake byte by byte", lambda visit: visit.drip(b"\x16\x03\x03\x40\x00\x02" + b"x" * 200), "retried",
         f"{NOT_COMPLETE}|TLS", "timeout", greets=True, tls="trusted", hangs=True),
    Case("TLS: an alert", lambda visit: visit.send(b"\x15\x03\x03\x00\x02\x02\x28"), "retried", "TLS|broke",
         greets=True, tls="trusted"),
    Case("TLS: noise", lambda visit: visit.send(bytes(range(256)) * 9), "retried", "TLS|broke", greets=True,
         tls="trusted"),
]  # fmt: skip

REDIRECT_CASES = [*REDIRECTS, *TLS]

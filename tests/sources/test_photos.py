"""Photos come from strangers' servers: each misbehaviour ends in its status, in bounded time and memory."""

from __future__ import annotations

import io
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from PIL import Image

from include.pipeline.source_access import photo_limits
from include.security import addresses, connections
from include.security.addresses import is_public_address
from include.settings import Settings
from include.sources import photo_download
from include.sources.photos import Photo, fetch_photos
from tests.fixtures.certificates import write_certificate

stream = io.BytesIO()
Image.new("RGB", (30, 20), "crimson").save(stream, "JPEG")
JPEG = stream.getvalue()


class Handler(BaseHTTPRequestHandler):
    """Answers each path with the manner of that name, and remembers what was asked."""

    protocol_version = "HTTP/1.1"
    asked: list[str]
    headers_seen: list[dict[str, str]]
    stop: threading.Event
    failures_left: int

    def log_message(self, *_arguments: object) -> None:
        pass

    def do_GET(self) -> None:
        type(self).asked.append(self.path)
        type(self).headers_seen.append(dict(self.headers))
        manner = getattr(self, "do_" + self.path.strip("/").split("/")[0].split("?")[0], self.do_missing)
        try:
            manner()
        except OSError:
            self.close_connection = True

    def answer(self, body: bytes, status: int = 200, **headers: str) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def until_stopped(self, pause: float) -> Iterator[None]:
        deadline = time.monotonic() + 30
        while not type(self).stop.is_set() and time.monotonic() < deadline:
            yield
            time.sleep(pause)
        self.close_connection = True

    def do_good(self) -> None:
        self.answer(JPEG, Content_Type="text/html")

    def do_missing(self) -> None:
        self.answer(b"gone", 404)

    def do_html(self) -> None:
        self.answer(b"<html><body>Not here</body></html>", Content_Type="image/jpeg")

    def do_empty(self) -> None:
        self.answer(b"")

    def do_forbidden(self) -> None:
        self.answer(b"no", 403)

    def do_flaky(self) -> None:
        type(self).failures_left -= 1
        self.answer(*((b"busy", 503) if self.failures_left >= 0 else (JPEG, 200)))

    def do_cut(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(JPEG)))
        self.end_headers()
        self.wfile.write(JPEG[:100])
        self.close_connection = True

    def do_gzip(self) -> None:
        import gzip

        self.answer(gzip.compress(bytes(5_000_000)), Content_Encoding="gzip")

    def do_declared(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(10**12))
        self.end_headers()
        self.close_connection = True

    def do_endless(self) -> None:
        self.send_response(200)
        self.end_headers()
        for _ in self.until_stopped(0):
            self.wfile.write(bytes(65536))

    def do_drip(self) -> None:
        self.send_response(200)
        self.end_headers()
        for _ in self.until_stopped(0.02):
            self.wfile.write(b"x")

    def do_dripheaders(self) -> None:
        self.send_response(200)
        self.flush_headers()
        for _ in self.until_stopped(0.02):
            self.wfile.write(b"X")

    def do_silent(self) -> None:
        for _ in self.until_stopped(0.02):
            pass

    def do_endlessredirect(self) -> None:
        self.send_response(302)
        self.send_header("Location", "/good")
        self.end_headers()
        for _ in self.until_stopped(0):
            self.wfile.write(bytes(65536))

    def do_loop(self) -> None:
        self.answer(b"", 302, Location="/loop")

    def do_moved(self) -> None:
        self.answer(b"", 301, Location=f"http://{self.headers['Host']}/good")

    def do_inside(self) -> None:
        port = self.headers["Host"].partition(":")[2]
        self.answer(b"", 302, Location=f"http://127.0.0.2:{port}/good")

    def do_file(self) -> None:
        self.answer(b"", 302, Location="file:///etc/passwd")


class Server(ThreadingHTTPServer):
    """A server whose clients leave in the middle, which is no news here."""

    daemon_threads = True

    def handle_error(self, *_arguments: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[type[Handler]]:
    class FreshHandler(Handler):
        asked: list[str] = []  # noqa: RUF012
        headers_seen: list[dict[str, str]] = []  # noqa: RUF012
        stop = threading.Event()
        failures_left = 1

    with Server(("", 0), FreshHandler) as running:
        FreshHandler.port = running.server_address[1]
        FreshHandler.url = f"http://127.0.0.1:{FreshHandler.port}"
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield FreshHandler
        FreshHandler.stop.set()
        running.shutdown()
        thread.join()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(
        state_dir=tmp_path,
        photo_max_bytes=1_000_000,
        photo_threads=4,
        http_timeout_seconds=5,
        http_backoff_seconds=0.01,
        photo_deadline_seconds=10,
    )


@pytest.fixture
def tls_server(server: type[Handler], tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """The address of the same server over TLS, for the name `localhost`, and the certificate to trust."""
    own, secret = write_certificate(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(own, secret)
    with Server(("127.0.0.1", 0), server) as running:
        running.socket = context.wrap_socket(running.socket, server_side=True)
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"https://localhost:{running.server_address[1]}", own
        server.stop.set()
        running.shutdown()
        thread.join()


def hurried(settings: Settings) -> Settings:
    return settings.model_copy(update={"photo_deadline_seconds": 0.4, "http_timeout_seconds": 0.3})


def fetch(url: str, settings: Settings, allow_private_hosts: bool = True) -> Photo:
    return fetch_photos([url], photo_limits(settings), allow_private_hosts=allow_private_hosts)[0]


def test_photos_come_in_the_order_asked_and_each_url_is_asked_once(server: type[Handler], settings: Settings) -> None:
    urls = [None, f"{server.url}/good", "", f"{server.url}/gone", f"{server.url}/good", f"{server.url}/html"]
    photos = fetch_photos(urls, photo_limits(settings), allow_private_hosts=True)
    assert [photo.status for photo in photos] == ["no_url", "ok", "no_url", "not_found", "ok", "not_an_image"]
    assert photos[1].content == photos[4].content == JPEG
    assert sorted(server.asked) == ["/gone", "/good", "/html"]


def test_many_photos_at_once_all_arrive(server: type[Handler], settings: Settings) -> None:
    urls = [f"{server.url}/good/{number}" for number in range(60)]
    assert {photo.status for photo in fetch_photos(urls, photo_limits(settings), allow_private_hosts=True)} == {"ok"}


def test_the_server_learns_who_asks(server: type[Handler], settings: Settings) -> None:
    fetch(f"{server.url}/good", settings)
    assert server.headers_seen[0]["User-Agent"].startswith("Cuvee/")
    assert settings.contact in server.headers_seen[0]["User-Agent"]


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/empty", "not_an_image"),
        ("/html", "not_an_image"),
        ("/gzip", "not_an_image"),
        ("/forbidden", "unreachable"),
        ("/cut", "unreachable"),
        ("/declared", "too_large"),
        ("/endless", "too_large"),
        ("/loop", "unreachable"),
        ("/file", "unreachable"),
        ("/moved", "ok"),
        ("/endlessredirect", "ok"),
    ],
)
def test_a_manner_of_the_server_has_its_status(
    server: type[Handler], settings: Settings, path: str, status: str
) -> None:
    assert fetch(server.url + path, settings).status == status


@pytest.mark.parametrize("path", ["/drip", "/dripheaders", "/silent"])
def test_a_server_that_takes_its_time_is_cut_off(server: type[Handler], settings: Settings, path: str) -> None:
    assert fetch(server.url + path, hurried(settings)).status == "timeout"


def test_a_chunked_drip_is_cut_off_below_the_limit_of_one_wait(server: type[Handler], settings: Settings) -> None:
    patient = settings.model_copy(update={"photo_deadline_seconds": 0.4, "http_timeout_seconds": 60})
    assert fetch(f"{server.url}/drip", patient).status == "timeout"


def test_tls_is_checked_against_the_name_and_cut_off_like_plain_http(
    tls_server: tuple[str, Path], settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    url, certificate = tls_server
    assert fetch(f"{url}/good", settings).status == "unreachable"  # nobody trusts it
    monkeypatch.setattr(photo_download.certifi, "where", lambda: str(certificate))
    assert fetch(f"{url}/good", settings).status == "ok"
    assert fetch(f"{url}/drip", hurried(settings)).status == "timeout"
    assert fetch(f"{url}/dripheaders", hurried(settings)).status == "timeout"
    other_name = url.replace("localhost", "127.0.0.1")
    assert fetch(f"{other_name}/good", settings).status == "unreachable"
    assert fetch(f"{url}/good", settings, allow_private_hosts=False).status == "private_address"


def test_trouble_that_passes_gets_a_second_try_and_no_third(server: type[Handler], settings: Settings) -> None:
    assert fetch(f"{server.url}/flaky", settings).status == "ok"
    server.failures_left = 9
    server.asked.clear()
    assert fetch(f"{server.url}/flaky", settings).status == "unreachable"
    assert len(server.asked) == 2


def test_what_will_not_pass_is_asked_once(server: type[Handler], settings: Settings) -> None:
    fetch(f"{server.url}/forbidden", settings)
    assert len(server.asked) == 1


def test_nobody_listening_is_unreachable(settings: Settings) -> None:
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        assert fetch(f"http://127.0.0.1:{reserved.getsockname()[1]}/a.jpg", settings).status == "unreachable"


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "2130706433", "0x7f.1", "0", "127.1", "[::1]"]
)
def test_loopback_in_any_spelling_is_refused_without_a_request(
    server: type[Handler], settings: Settings, host: str
) -> None:
    photo = fetch(f"http://{host}:{server.port}/good", settings, allow_private_hosts=False)
    assert photo.status == "private_address"
    assert server.asked == []


def test_a_redirect_to_a_private_address_is_refused(
    server: type[Handler], settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(addresses, "PORTS", {server.port})
    monkeypatch.setattr(addresses, "is_public_address", lambda address: address == "127.0.0.1")
    assert fetch(f"{server.url}/good", settings, allow_private_hosts=False).status == "ok"
    assert fetch(f"{server.url}/inside", settings, allow_private_hosts=False).status == "private_address"
    assert server.asked == ["/good", "/inside"]


def answering(*answers: list[str]) -> Callable[..., list[tuple]]:
    """A name server that gives each of the answers once, then the last one for ever."""
    left = list(answers)

    def resolve(_host: str, port: int, *_arguments: object, **_options: object) -> list[tuple]:
        addresses = left.pop(0) if len(left) > 1 else left[0]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in addresses]

    return resolve


def test_one_private_address_among_public_ones_refuses_the_host(
    server: type[Handler], settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections.socket, "getaddrinfo", answering(["127.0.0.1", "93.184.216.34"]))
    photo = fetch(f"http://photos.example:{server.port}/good", settings, allow_private_hosts=False)
    assert photo.status == "private_address"
    assert server.asked == []


def test_the_connection_goes_to_the_address_that_was_checked(
    server: type[Handler], settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name that is public when checked and private when asked again gains nothing: it is not asked again."""
    reached: list[str] = []

    def connect(address: tuple[str, int], *_arguments: object, **_options: object) -> socket.socket:
        reached.append(address[0])
        raise OSError("not in a test")

    monkeypatch.setattr(connections, "create_connection", connect)
    monkeypatch.setattr(connections.socket, "getaddrinfo", answering(["93.184.216.34"], ["127.0.0.1"]))
    photo = fetch("http://photos.example/good", settings, allow_private_hosts=False)
    assert photo.status == "private_address"  # the second try resolved again, and was refused
    assert reached == ["93.184.216.34"]
    assert server.asked == []


@pytest.mark.parametrize(
    "address",
    [
        "10.0.0.1", "172.16.3.4", "192.168.1.1", "127.0.0.1", "169.254.169.254", "100.64.0.1", "0.0.0.0",  # noqa: S104
        "224.0.0.1", "240.0.0.1", "255.255.255.255", "192.0.2.1", "::", "::1", "fe80::1", "fe80::1%eth0", "fc00::1",
        "ff02::1", "::ffff:10.0.0.1", "2002:7f00:1::", "64:ff9b::7f00:1", "2001:db8::1",
    ],
)  # fmt: skip
def test_addresses_that_are_not_public(address: str) -> None:
    assert not is_public_address(address)


@pytest.mark.parametrize(
    "address", ["93.184.216.34", "2606:2800:220:1::1", "::ffff:93.184.216.34", "64:ff9b::5db8:d822"]
)
def test_addresses_that_are_public(address: str) -> None:
    assert is_public_address(address)


@pytest.mark.parametrize(
    "url",
    ["ftp://photos.example/a.jpg", "file:///etc/passwd", "data:image/png;base64,AAAA", "gopher://x", "http://",
     "http:a", "http://[::1", "http://host:99999/", "http://exa mple/", "http://\x00/",
     "http://" + "a" * 70 + ".example/"],
)  # fmt: skip
def test_an_address_that_cannot_be_fetched_is_unreachable(url: str, settings: Settings) -> None:
    assert fetch(url, settings, allow_private_hosts=False).status == "unreachable"


@pytest.fixture
def photo_folder(tmp_path: Path) -> Path:
    folder = tmp_path / "images"
    (folder / "deep").mkdir(parents=True)
    (folder / "a.jpg").write_bytes(JPEG)
    (folder / "deep" / "b.png").write_bytes(JPEG)
    (tmp_path / "secret.jpg").write_bytes(JPEG)
    (folder / "out.jpg").symlink_to(tmp_path / "secret.jpg")
    (folder / "in.jpg").symlink_to(folder / "a.jpg")
    return folder


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("a.jpg", "ok"),
        ("deep/b.png", "ok"),
        ("/deep/b.png", "ok"),
        ("deep/../a.jpg", "ok"),
        ("in.jpg", "ok"),
        ("out.jpg", "not_found"),
        ("../secret.jpg", "not_found"),
        ("absent.jpg", "not_found"),
        ("deep", "not_found"),
        (".", "not_found"),
        ("a\x00.jpg", "not_found"),
        ("a" * 5000, "not_found"),
    ],
)
def test_a_catalogue_photo_comes_from_its_folder_only(
    photo_folder: Path, settings: Settings, path: str, status: str
) -> None:
    photos = fetch_photos([path], photo_limits(settings), allow_private_hosts=False, photo_folder=photo_folder)
    assert [photo.status for photo in photos] == [status]


def test_an_absolute_path_stays_inside_the_folder(photo_folder: Path, settings: Settings) -> None:
    secret = str(photo_folder.parent / "secret.jpg")
    photos = fetch_photos([secret], photo_limits(settings), allow_private_hosts=False, photo_folder=photo_folder)
    assert photos[0].status == "not_found"


def test_a_path_without_a_folder_is_not_found(settings: Settings) -> None:
    assert fetch("/etc/hostname", settings).status == "not_found"


def test_a_photo_file_over_the_limit_is_too_large(photo_folder: Path, settings: Settings) -> None:
    small = settings.model_copy(update={"photo_max_bytes": 100})
    photos = fetch_photos(["a.jpg"], photo_limits(small), allow_private_hosts=False, photo_folder=photo_folder)
    assert photos[0].status == "too_large"


@hypothesis_settings(deadline=None)  # each example starts a thread
@given(st.text(max_size=60))
def test_any_text_for_a_path_gives_a_status(text: str) -> None:
    settings = Settings(http_backoff_seconds=0)
    photos = fetch_photos(
        [text.replace(":", "")], photo_limits(settings), allow_private_hosts=False, photo_folder=Path("/nowhere")
    )
    assert photos[0].status in ("no_url", "not_found")

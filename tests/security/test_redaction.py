from __future__ import annotations

import base64
import html
import json
import time
from collections.abc import Callable
from urllib.parse import quote, quote_plus

import pytest
import urllib3
from hypothesis import given
from hypothesis import strategies as st

from include.security.redaction import LONG_VALUE, RedactingFilter, redact, redact_values, safe_url, secret_values

SECRET = "aB3/+é \"<%9'x&"
ENCODINGS: dict[str, Callable[[str], str]] = {
    "as it is": str,
    "percent": lambda text: quote(text, safe=""),
    "percent, lower case": lambda text: "".join(f"%{byte:02x}" for byte in text.encode()),
    "percent twice": lambda text: quote(quote(text, safe=""), safe=""),
    "percent three times": lambda text: quote(quote(quote(text, safe=""), safe=""), safe=""),
    "form": quote_plus,
    "JSON": lambda text: json.dumps(text)[1:-1],
    "JSON with slashes": lambda text: json.dumps(text)[1:-1].replace("/", "\\/"),
    "JSON by number": lambda text: "".join(f"\\u{ord(character):04X}" for character in text),
    "HTML": html.escape,
    "HTML by number": lambda text: "".join(f"&#{ord(character)};" for character in text),
    "HTML by hexadecimal number": lambda text: "".join(f"&#x{ord(character):X};" for character in text),
}


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("secret", [SECRET, "0123456789abcdef0123456789abcdef", "kk7Qz19X", "ключ-schlüssel"])
def test_a_secret_is_found_in_each_encoding_inside_other_text(encoding: str, secret: str) -> None:
    written = ENCODINGS[encoding](secret)
    for before, after in (("", ""), ("https://h/?next=app_key%3D", "%26x"), ('{"a": "', '"}'), ("word", "word")):
        assert redact_values(before + written + after, [secret]) == f"{before}REDACTED{after}"


@pytest.mark.parametrize("before", [b"", b"i", b"id", b"id:", b"user:"])
@pytest.mark.parametrize("encode", [base64.b64encode, base64.urlsafe_b64encode])
def test_a_secret_is_found_in_base64_wherever_it_begins(before: bytes, encode: Callable[[bytes], bytes]) -> None:
    secret = "kk7Qz19XvB2mN8sT?>~"
    cleaned = redact_values(f"Basic {encode(before + secret.encode() + b'!').decode()}", [secret])
    assert "REDACTED" in cleaned
    hidden = encode(b"\0" * len(before) + secret.encode()).decode()
    assert hidden[6:-6] not in cleaned


@given(st.text(st.characters(codec="utf-8"), min_size=LONG_VALUE, max_size=40), st.sampled_from(sorted(ENCODINGS)))
def test_no_long_secret_survives(secret: str, encoding: str) -> None:
    if encoding == "JSON by number":
        secret = "".join(character for character in secret if ord(character) < 0x10000).ljust(LONG_VALUE, "x")
    assert redact_values(f"({ENCODINGS[encoding](secret)})", [secret]) == "(REDACTED)"


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [("page=42", "page=REDACTED"), ("a 42.", "a REDACTED."), ("page%3D42%26x", "page%3DREDACTED%26x"),
     ("page%253D42", "page%253DREDACTED"), ("\\u003d42", "\\u003dREDACTED"), ("142", "142"), ("42b", "42b"),
     ("a42", "a42")],
)  # fmt: skip
def test_a_short_secret_is_no_part_of_a_longer_word(text: str, cleaned: str) -> None:
    assert redact_values(text, ["42"]) == cleaned


def test_a_secret_inside_a_longer_secret_leaves_no_rest() -> None:
    assert redact_values("0123456789ab", ["0123456789", "0123456789ab"]) == "REDACTED"


def test_no_secret_and_an_empty_one_change_nothing() -> None:
    assert redact_values("text", []) == redact_values("text", [""]) == "text"


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("?app_key=abc&ingr=x", "?app_key=REDACTED&ingr=x"),
        ("?APP_ID=abc", "?APP_ID=REDACTED"),
        ("?X-Amz-Signature=ab%26cd&a=b", "?X-Amz-Signature=REDACTED&a=b"),
        ("next=https%3A%2F%2Fh%3Fapp_key%3Dabc%26ingr%3Dx", "next=https%3A%2F%2Fh%3Fapp_key%3DREDACTED%26ingr%3Dx"),
        ("%253Fapp_key%253Dabc%2526ingr", "%253Fapp_key%253DREDACTED%2526ingr"),
        ('{"token": "abc", "a": "b"}', '{"token": "REDACTED", "a": "b"}'),
        ("postgresql+psycopg://me:p@ss:w@host:5432/x", "postgresql+psycopg://me:REDACTED@host:5432/x"),
        ("https://host/a:b@c and key = value", "https://host/a:b@c and key = value"),
        ("monkey=4 keyboard=5", "monkey=4 keyboard=5"),
    ],
)
def test_secrets_are_known_by_their_names(text: str, cleaned: str) -> None:
    assert redact(text) == cleaned


def test_the_secrets_of_a_url_are_its_values_as_meant() -> None:
    assert secret_values("https://h/x?app_id=a%26b&ingr=c&APP_KEY=d+e&token=") == {"a&b", "d e"}
    assert secret_values("http://[::1") == frozenset()


@pytest.mark.parametrize(
    ("url", "safe"),
    [
        ("https://me:word@host/x?app_key=a#part", "https://host/x?app_key=REDACTED"),
        ("https://host/\x1b[2J\u202e", "https://host/\ufffd[2J\ufffd"),
        ("http://[::1", "(an address that cannot be read)"),
    ],
)
def test_a_url_in_a_message_is_harmless(url: str, safe: str) -> None:
    assert safe_url(url) == safe


def test_a_url_in_a_message_is_short() -> None:
    assert len(safe_url("https://host/" + "x" * 100_000)) <= 500


def test_the_libraries_log_neither_secrets_nor_tracebacks(caplog: pytest.LogCaptureFixture) -> None:
    secrets = {"kk7Qz19X"}
    redacting = RedactingFilter(secrets)
    redacting.attach()
    library = urllib3.connectionpool.log
    try:
        try:
            raise ValueError("kk7Qz19X")
        except ValueError:
            library.warning("%s?app_key=%s said \x1b[31m kk7Qz19X", "https://h/", "other", exc_info=True)
    finally:
        redacting.detach()
    assert caplog.messages == ["https://h/?app_key=REDACTED said \ufffd[31m REDACTED"]
    assert "Traceback" not in caplog.text
    library.warning("kk7Qz19X")
    assert caplog.messages[-1] == "kk7Qz19X"


@pytest.mark.parametrize("unit", ["%25", "app_key", "://", "://a:", "key=", "%3", "\\u00", "&#", "k%6", "=%3d"])
def test_time_grows_with_the_length_of_the_text_and_not_with_its_square(unit: str) -> None:
    def seconds(size: int) -> float:
        text = unit * (size // len(unit))
        best = []
        for _ in range(3):
            started = time.process_time()
            redact(redact_values(text, ["kk7Qz19XvB2mN8sT", "%2525%25", "42"]))
            best.append(time.process_time() - started)
        return min(best)

    assert seconds(80_000) < 12 * seconds(20_000) + 0.02

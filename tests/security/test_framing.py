from __future__ import annotations

from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.security.framing import announced_bytes, content_encoding, redirect_target


@pytest.mark.parametrize(
    ("headers", "length"),
    [({}, None), ({"Content-Length": "0"}, 0), ({"Content-Length": " 12 "}, 12), ({"Content-Length": "5, 5"}, 5),
     ({"Transfer-Encoding": "Chunked", "Content-Length": "x"}, None), ({"Transfer-Encoding": "identity"}, None)],
)  # fmt: skip
def test_the_length_of_a_body(headers: dict[str, str], length: int | None) -> None:
    assert announced_bytes(headers) == length


@pytest.mark.parametrize("value", ["", "-1", "+1", "0x1", "1_0", "5, 6", "5,", "1e3", "٣", "9" * 19, "five\x1b[2J"])
def test_a_length_that_is_none_is_refused_in_printable_words(value: str) -> None:
    with pytest.raises(ValueError, match="announces the length") as caught:
        announced_bytes({"Content-Length": value})
    assert str(caught.value).isprintable()


@pytest.mark.parametrize("value", ["gzip", "gzip, chunked", "chunked, chunked", "rot13"])
def test_transfer_encodings_that_are_read_in_two_ways_are_refused(value: str) -> None:
    with pytest.raises(ValueError, match="unknown transfer encoding"):
        announced_bytes({"Transfer-Encoding": value})


@pytest.mark.parametrize(("value", "encoding"), [("", "identity"), ("GZip", "gzip"), ("x-gzip", "gzip")])
def test_encodings_that_were_asked_for(value: str, encoding: str) -> None:
    assert content_encoding({"Content-Encoding": value}) == encoding


@pytest.mark.parametrize("value", ["br", "zstd", "deflate", "gzip, gzip", "identity, gzip", "x" * 9_000])
def test_encodings_that_nobody_asked_for(value: str) -> None:
    with pytest.raises(ValueError, match="nobody asked for") as caught:
        content_encoding({"Content-Encoding": value})
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize(
    ("location", "target"),
    [
        ("/b", "http://a.example/b"),
        ("//b.example/c", "http://b.example/c"),
        ("/é".encode().decode("latin-1"), "http://a.example/%C3%A9"),
        ("/\xe9 \x1b\x00", "http://a.example/%E9%20%1B%00"),
        ("/a%20b?c=d#e", "http://a.example/a%20b?c=d#e"),
    ],
)
def test_where_a_redirect_leads(location: str, target: str) -> None:
    assert redirect_target("http://a.example/x/y", {"Location": location}) == target


@given(st.text(st.characters(max_codepoint=255), max_size=60))
def test_any_header_leads_to_a_readable_address_or_is_refused(location: str) -> None:
    try:
        target = redirect_target("http://a.example/x", {"Location": location})
    except ValueError:
        return
    assert target.isascii()
    assert target.isprintable()
    assert urlsplit(target).scheme

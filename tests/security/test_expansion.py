from __future__ import annotations

import gzip
import io
import time
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.security import expansion
from include.security.expansion import BoundedGunzip
from include.security.lines import gzip_lines


def unpacked(content: bytes, step: int = 1000, **bounds: int) -> bytes:
    gunzip = BoundedGunzip(**bounds)
    out = b"".join(b"".join(gunzip.feed(content[at : at + step])) for at in range(0, len(content), step))
    if not gunzip.is_whole:
        raise EOFError
    return out


@given(st.lists(st.binary(max_size=300), max_size=5), st.integers(1, 50))
def test_members_come_out_as_one_however_they_are_cut(members: list[bytes], step: int) -> None:
    packed = b"".join(map(gzip.compress, members)) or gzip.compress(b"")
    assert unpacked(packed, step) == b"".join(members)


@pytest.mark.parametrize(
    "content",
    [b"plain", gzip.compress(b"x" * 99)[:-8] + bytes(8), gzip.compress(b"x") + b"rest"],
    ids=["plain", "wrong checksum", "more after its end"],
)
def test_what_is_not_gzip_is_refused(content: bytes) -> None:
    with pytest.raises(ValueError, match="not gzip"):
        unpacked(content)


def test_a_file_that_is_cut_off_is_not_whole() -> None:
    with pytest.raises(EOFError):
        unpacked(gzip.compress(b"x" * 10_000)[:-1])


@pytest.mark.parametrize(
    ("content", "bounds", "words"),
    [
        (b"x" * 2_000, {"max_bytes": 1_999}, "more than the 1999 bytes"),
        (b"\n" * 11, {"max_lines": 10}, "more than the 10 lines"),
        (bytes(3_000_000), {}, "more than 200 times its size"),
    ],
)
def test_what_exceeds_a_bound_is_refused(content: bytes, bounds: dict[str, int], words: str) -> None:
    with pytest.raises(OverflowError, match=words):
        unpacked(gzip.compress(content), **bounds)


@pytest.mark.parametrize("step", [100, 7_000, 10**6])
def test_the_bound_that_is_exceeded_first_does_not_depend_on_how_the_file_arrives(step: int) -> None:
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    blank_lines = b"".join(packer.compress(b"\n" * 10**6) for _ in range(30)) + packer.flush()
    with pytest.raises(OverflowError, match="more than 200 times its size"):
        unpacked(blank_lines, step)


def test_a_bomb_is_refused_before_it_fills_memory() -> None:
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    bomb = b"".join(packer.compress(bytes(10**6)) for _ in range(100)) + packer.flush()
    gunzip = BoundedGunzip()
    with pytest.raises(OverflowError):
        for piece in gunzip.feed(bomb):
            assert len(piece) <= 2**20
    assert gunzip.unpacked_bytes < 25_000_000


def test_parts_without_content_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(expansion, "MAX_MEMBERS", 50)
    assert unpacked(gzip.compress(b"") * 50) == b""
    with pytest.raises(OverflowError, match="50 parts"):
        unpacked(gzip.compress(b"") * 60)


@given(st.lists(st.sampled_from([b"", b"a", b"bb", b" ", b"\r", b"x" * 30, b"{}"]), max_size=30), st.integers(5, 60))
def test_lines_are_numbered_and_those_without_content_left_out(lines: list[bytes], longest: int) -> None:
    content = b"\n".join(lines)
    expected = [(number, line[: longest + 1]) for number, line in enumerate(content.split(b"\n"), 1) if line.strip()]
    assert list(gzip_lines(io.BytesIO(gzip.compress(content)), longest)) == expected


def test_a_line_over_many_blocks_is_cut_and_the_next_one_whole() -> None:
    content = b"a" * 3_000_000 + b"\n" + b"b"
    (first, second) = gzip_lines(io.BytesIO(gzip.compress(content, 0)), 100)
    assert first == (1, b"a" * 101)
    assert second == (2, b"b")


def test_a_million_blank_lines_cost_next_to_nothing() -> None:
    packed = gzip.compress(b"\n" * 1_000_000 + b"{}")
    started = time.process_time()
    assert list(gzip_lines(io.BytesIO(packed), 100)) == [(1_000_001, b"{}")]
    assert time.process_time() - started < 2

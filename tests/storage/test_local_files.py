"""A file of this machine is the old or the new one, whole, whatever happens to its writer."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from include.storage.local_files import replacement, write_file

SLOW_WRITER = """
import sys, time
from pathlib import Path
from include.storage.local_files import replacement
with replacement(Path(sys.argv[1])) as stream:
    stream.write(b"half of")
    stream.flush()
    print("writing", flush=True)
    time.sleep(60)
"""


def test_writing_twice_leaves_the_content_and_no_other_file(tmp_path: Path) -> None:
    for _ in range(2):
        write_file(tmp_path / "deep" / "run.json", "{'é'}")
    assert (tmp_path / "deep" / "run.json").read_bytes() == "{'é'}".encode()
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["run.json"]


def test_a_block_that_raises_leaves_the_old_file_and_no_other(tmp_path: Path) -> None:
    write_file(tmp_path / "a", b"old")
    with pytest.raises(ZeroDivisionError), replacement(tmp_path / "a") as stream:
        stream.write(b"new")
        raise ZeroDivisionError
    assert (tmp_path / "a").read_bytes() == b"old"
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


@pytest.mark.parametrize("existing", [False, True])
def test_a_secret_is_readable_by_its_owner_alone_from_the_first_byte_on(tmp_path: Path, existing: bool) -> None:
    if existing:
        (tmp_path / "secret").write_bytes(b"open to all")
        (tmp_path / "secret").chmod(0o644)
    with replacement(tmp_path / "secret", owner_only=True) as stream:
        assert os.fstat(stream.fileno()).st_mode & 0o777 == 0o600
        stream.write(b"s3cret")
    assert (tmp_path / "secret").stat().st_mode & 0o777 == 0o600


def test_other_files_follow_the_umask(tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        write_file(tmp_path / "plain", b"")
    finally:
        os.umask(before)
    assert (tmp_path / "plain").stat().st_mode & 0o777 == 0o644


def test_a_killed_writer_leaves_the_old_file_and_the_next_one_removes_what_it_left(tmp_path: Path) -> None:
    target = tmp_path / "a"
    write_file(target, b"old")
    writer = subprocess.Popen([sys.executable, "-c", SLOW_WRITER, str(target)], stdout=subprocess.PIPE)
    assert writer.stdout is not None and writer.stdout.readline() == b"writing\n"
    writer.send_signal(signal.SIGKILL)
    writer.wait()
    writer.stdout.close()
    assert target.read_bytes() == b"old"
    assert len(list(tmp_path.iterdir())) == 2
    write_file(target, b"new")
    assert target.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [target]


def test_of_several_writers_at_once_one_is_kept_whole(tmp_path: Path) -> None:
    contents = [bytes([65 + number]) * 200_000 for number in range(8)]
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda content: write_file(tmp_path / "a", content), contents))
    assert (tmp_path / "a").read_bytes() in contents
    assert [path.name for path in tmp_path.iterdir()] == ["a"]

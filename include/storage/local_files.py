"""Files of this machine, replaced whole or not at all.

with replacement(Path("state/run.json")) as stream:
    stream.write(b"{}")
write_file(Path("state/password"), b"secret", owner_only=True)
"""

from __future__ import annotations

import fcntl
import glob
import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO


@contextmanager
def replacement(target: Path, *, owner_only: bool = False) -> Iterator[IO[bytes]]:
    """A stream whose content replaces `target` when the block ends, and leaves it untouched when it raises.

    The content is on the disk before it counts, so that a power cut leaves the old file or the new one. A writer that
    is killed leaves a temporary file, which the next writer of the same path removes. Folders that are missing are
    created. With `owner_only` nobody but the owner may read the file, from its first byte on (mode 0600).
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    _remove_leftovers(target)
    stream = _locked_temporary(target, 0o600 if owner_only else 0o666)
    temporary = Path(stream.name)
    try:
        with stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
            temporary.replace(target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    flush(target.parent)


def write_file(target: Path, content: bytes | str, *, owner_only: bool = False) -> None:
    """Replace a file by `content` (text is written as UTF-8), as `replacement` does."""
    with replacement(target, owner_only=owner_only) as stream:
        stream.write(content.encode() if isinstance(content, str) else content)


def flush(path: Path) -> None:
    """Have the disk hold what was written to a file, or which files a folder names."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _locked_temporary(target: Path, mode: int) -> IO[bytes]:
    """A new file beside `target`, locked for as long as its writer lives."""

    def opener(path: str, flags: int) -> int:
        return os.open(path, flags, mode)

    while True:
        name = target.with_name(f".{target.name}.{uuid.uuid4().hex}.tmp")
        stream = open(name, "xb", opener=opener)  # noqa: SIM115 — Path.open takes no opener
        # Another writer of the same path may have taken it for a leftover before it was locked.
        if _lock(stream) and Path(stream.name).exists():
            return stream
        stream.close()


def _remove_leftovers(target: Path) -> None:
    """Remove temporary files of writers that were killed: those that nobody holds a lock on."""
    for leftover in target.parent.glob(f".{glob.escape(target.name)}.{'[0-9a-f]' * 32}.tmp"):
        try:
            with leftover.open("rb") as stream:
                if _lock(stream):
                    leftover.unlink(missing_ok=True)
        except FileNotFoundError:
            continue


def _lock(stream: IO[bytes]) -> bool:
    try:
        fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True

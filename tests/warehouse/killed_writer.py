"""A process that a test kills while it writes: `python -m tests.warehouse.killed_writer ROOT PATH MEGABYTES`."""

from __future__ import annotations

import sys
import time

from include.storage.lake import Lake


def main(root: str, path: str, megabytes: int) -> None:
    """Write that much of a file, say so, and wait for the end."""
    with Lake(root).open_write(path) as stream:
        for _ in range(megabytes):
            stream.write(b"new" * (1024**2 // 3))
        stream.flush()
        sys.stdout.write("half written\n")
        sys.stdout.flush()
        time.sleep(120)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))

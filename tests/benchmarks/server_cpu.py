"""CPU time of a PostgreSQL server, whose work a process that waits for it does not have in its own."""

from __future__ import annotations

from contextlib import suppress

import psutil

from include.local.postgres import PostgresServer


def server_cpu(server: PostgresServer) -> float:
    """CPU seconds of the server's processes so far, of those that have ended, too."""
    root = psutil.Process(int((server.data / "postmaster.pid").read_text().split()[0]))
    running = 0.0
    for process in root.children(recursive=True):
        with suppress(psutil.NoSuchProcess):  # ended meanwhile: its parent counts it
            times = process.cpu_times()
            running += times.user + times.system
    own = root.cpu_times()
    return running + own.user + own.system + own.children_user + own.children_system

"""CPU time of a PostgreSQL server, whose work a process that waits for it does not have in its own."""

from __future__ import annotations

import psutil

from include.local.postgres import PostgresServer


def server_cpu(server: PostgresServer) -> float:
    """CPU seconds of the server's processes so far, of those that have ended, too."""
    root = psutil.Process(int((server.data / "postmaster.pid").read_text().split()[0]))
    times = [root.cpu_times(), *(child.cpu_times() for child in root.children(recursive=True))]
    ended = times[0].children_user + times[0].children_system
    return ended + sum(one.user + one.system for one in times)

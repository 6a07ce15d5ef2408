"""A lake and a warehouse that several tests start from, each with a copy of its own."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from include.local.postgres import PostgresServer
from tests.fixtures.storage import new_database


@dataclass(frozen=True)
class Prepared:
    """A folder with a lake, and a database, to be copied rather than made again."""

    lake: Path
    database: str
    server: PostgresServer

    def copy(self, lake: Path) -> str:
        """Copy the lake to a folder and the database to a new one; returns the URL of that."""
        shutil.copytree(self.lake, lake)
        return new_database(self.server, self.database)[1]

"""Relabel in this process and kill the process, as `kill -9` would, at a chosen call.

    python -m tests.pipeline.killed_relabelling SETTINGS_JSON VERSION TARGET NTH

TARGET and NTH are as in `killed_step`. Exit code 0 means that the relabelling ended without the call.
"""

from __future__ import annotations

import json
import sys

from pydantic import SecretStr

from include.settings import Settings
from tests.pipeline.killed_step import kill_at
from tests.pipeline.relabelling import relabel


def main() -> None:
    settings_json, version, target, nth = sys.argv[1:]
    given = json.loads(settings_json)
    settings = Settings(**given | {"warehouse_url": SecretStr(given["warehouse_url"])})
    kill_at(target, int(nth))
    relabel(settings, version)


if __name__ == "__main__":
    main()

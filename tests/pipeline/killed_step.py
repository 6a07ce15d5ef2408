"""Run one step of a day in this process and kill the process, as `kill -9` would, at a chosen call.

    python -m tests.pipeline.killed_step STEP SETTINGS_JSON CONNECTION_JSON DAY TARGET NTH

TARGET is `module:Class.method`; the process is killed when that is called for the NTH time, before it does
anything. Exit code 0 means that the step ended without the call.
"""

from __future__ import annotations

import importlib
import json
import os
import signal
import sys
from collections.abc import Callable
from datetime import date
from typing import Any

from pydantic import SecretStr

from include.pipeline.classify import classify
from include.pipeline.embed import embed_images, embed_text
from include.pipeline.fetch import fetch_day
from include.pipeline.publish import publish_day
from include.pipeline.shards import plan_shards
from include.pipeline.validate import validate_day
from include.settings import Settings
from include.sources.connection import SourceConnection
from tests.fixtures.trained import SOURCE


def kill_at(target: str, nth: int) -> None:
    """Replace the target by one that kills this process at its nth call."""
    module_name, path = target.split(":")
    owner: Any = importlib.import_module(module_name)
    *parents, name = path.split(".")
    for parent in parents:
        owner = getattr(owner, parent)
    original = getattr(owner, name)
    calls = 0

    def deadly(*args: Any, **kwargs: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == nth:
            os.kill(os.getpid(), signal.SIGKILL)
        return original(*args, **kwargs)

    setattr(owner, name, deadly)


def run_step(step: str, settings: Settings, connection: SourceConnection, day: date) -> None:
    """Run one step over the whole day."""
    if step == "fetch":
        fetch_day(SOURCE, day, settings, connection)
    elif step == "validate":
        validate_day(SOURCE, day, settings)
    elif step == "publish":
        publish_day(SOURCE, day, settings)
    else:
        per_shard: dict[str, Callable[[Any], object]] = {
            "embed_text": lambda shard: embed_text(shard, settings),
            "embed_images": lambda shard: embed_images(shard, settings, allow_private_hosts=True),
            "classify": lambda shard: classify(shard, settings),
        }
        for shard in plan_shards(SOURCE, day, settings):
            per_shard[step](shard)


def main() -> None:
    step, settings_json, connection_json, day, target, nth = sys.argv[1:]
    given = json.loads(settings_json)
    settings = Settings(**given | {"warehouse_url": SecretStr(given["warehouse_url"])})
    kill_at(target, int(nth))
    run_step(step, settings, SourceConnection(**json.loads(connection_json)), date.fromisoformat(day))


if __name__ == "__main__":
    main()

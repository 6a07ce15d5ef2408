"""What the benchmark `day_200k` runs in a process of its own: a landed day, from validation to the warehouse."""

from __future__ import annotations

import json
import os
import re
import sys
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import TypedDict, TypeVar

from psycopg import sql
from pydantic import SecretStr

from include.local.postgres import PostgresServer
from include.settings import Settings
from include.storage.batch import Batch
from tests.benchmarks.server_cpu import server_cpu
from tests.fixtures.storage import run_as_superuser

_Result = TypeVar("_Result")
SOURCE = "openfoodfacts"


class Spent(TypedDict):
    """What a step took over all shards: CPU seconds of this process and of the server, and the duration."""

    client: float
    server: float
    wall: float


def run_landed_day(state_dir: str, warehouse_url: str, port: str, lake_root: str, day: str) -> None:
    """Run the steps after fetch, shard by shard, and print what each took, how many were labelled, and peak memory.

    What a step is the first to import counts as its own, and the warehouse's checkpoint as publishing.
    """
    settings = Settings(
        state_dir=Path(state_dir), postgres_port=int(port), lake_url=lake_root, warehouse_url=SecretStr(warehouse_url)
    )
    steps = _Steps(PostgresServer(settings))
    labelled = _run(settings, date.fromisoformat(day), steps)
    sys.stdout.write(json.dumps({"steps": steps.spent, "labelled": labelled, "kibibytes": _peak_kibibytes()}) + "\n")


class _Steps:
    def __init__(self, server: PostgresServer) -> None:
        self.server = server
        self.spent: dict[str, Spent] = {}

    def run(self, step: str, work: Callable[[], _Result]) -> _Result:
        client, server, started = _client_cpu(), server_cpu(self.server), time.perf_counter()
        result = work()
        so_far = self.spent.get(step, Spent(client=0, server=0, wall=0))
        self.spent[step] = Spent(
            client=so_far["client"] + _client_cpu() - client,
            server=so_far["server"] + server_cpu(self.server) - server,
            wall=so_far["wall"] + time.perf_counter() - started,
        )
        return result


def _run(settings: Settings, day: date, steps: _Steps) -> int:
    from include.pipeline.daily.classify import classify
    from include.pipeline.daily.embed import embed_images, embed_text
    from include.pipeline.daily.publish import publish_day
    from include.pipeline.daily.shards import plan_shards
    from include.pipeline.daily.validate import validate_day

    validated = steps.run("validate", lambda: validate_day(Batch(SOURCE, day), settings))
    for shard in steps.run("plan", lambda: plan_shards(Batch(SOURCE, day), settings)):
        steps.run("embed_text", lambda shard=shard: embed_text(shard, settings))
        steps.run("embed_images", lambda shard=shard: embed_images(shard, settings))
        steps.run("classify", lambda shard=shard: classify(shard, settings))
    published = steps.run(
        "publish", lambda: publish_day(Batch(SOURCE, day), settings, earlier_steps={"validate": validated})
    )
    steps.run("publish", lambda: run_as_superuser(steps.server, sql.SQL("CHECKPOINT").format()))
    return published["labelled"]


def _client_cpu() -> float:
    told = os.times()
    return told.user + told.system + told.children_user + told.children_system


def _peak_kibibytes() -> int:
    """Largest resident memory of this process; `ru_maxrss` would count what its parent had before the exec."""
    peak = re.search(r"^VmHWM:\s+(\d+) kB$", Path("/proc/self/status").read_text(), re.MULTILINE)
    return int(peak[1]) if peak else 0

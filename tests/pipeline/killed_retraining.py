"""Run a retraining in this process and kill the process, as `kill -9` would, at a chosen call.

    python -m tests.pipeline.killed_retraining SETTINGS_JSON DAY TARGET NTH

For TARGET and NTH see `killed_step`. Exit code 0 means that the retraining ended without the call.
"""

from __future__ import annotations

import json
import sys
from datetime import date

from pydantic import SecretStr

from include.pipeline import retraining as steps
from include.settings import Settings
from tests.pipeline.killed_step import kill_at

CHECKS = [{"name": "told", "cases": 1, "share": 1.0, "required": 1.0, "failures": []}]
"""Behaviour, latency and size are told: they are measured anew in every run."""


def retrain(settings: Settings, as_of: date) -> None:
    """All steps in a row, as the command runs them; nothing when there is nothing to do."""
    with steps.alone_in_training(settings, wait=True):
        plan = steps.plan_retraining(settings, as_of)
        examined = [
            {
                **steps.train_planned(plan, name, settings),
                "examination": {"latency_ms": 1.0, "size_mb": 1.0, "behaviour": CHECKS},
            }
            for name in plan["candidates"]
        ]
        if examined:
            steps.conclude(steps.judge_trained(plan, examined, settings)["path"], settings)  # type: ignore[arg-type]


def main() -> None:
    settings_json, day, target, nth = sys.argv[1:]
    given = json.loads(settings_json)
    settings = Settings(**given | {"warehouse_url": SecretStr(given["warehouse_url"])})
    kill_at(target, int(nth))
    retrain(settings, date.fromisoformat(day))


if __name__ == "__main__":
    main()

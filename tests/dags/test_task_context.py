"""What tasks hand to the warehouse when they fail."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import Engine, text

from include.settings import Settings, load_settings
from tests.dags.conftest import DAGS_FOLDER
from tests.fixtures.trained import FIRST_DAY


@pytest.fixture
def task_context(warehouse_settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    monkeypatch.setenv("CUVEE_WAREHOUSE_URL", warehouse_settings.warehouse_url.get_secret_value())
    monkeypatch.syspath_prepend(str(DAGS_FOLDER))
    load_settings.cache_clear()
    yield importlib.import_module("task_context")
    load_settings.cache_clear()
    sys.modules.pop("task_context", None)


def failure(task_id: str, **params: Any) -> dict[str, Any]:
    return {
        "ti": SimpleNamespace(task_id=task_id),
        "params": params,
        "exception": ValueError("line 7: expected 3 columns"),
        "data_interval_start": datetime.combine(FIRST_DAY, datetime.min.time(), UTC),
    }


@pytest.mark.parametrize(
    ("context", "expected"),
    [
        (failure("edamam.fetch", day=None), ("edamam", "daily", "fetch")),
        (failure("openfoodfacts.label_shard.classify", day=None), ("openfoodfacts", "daily", "classify")),
        (failure("import_file", path="/in/My Shop.csv", source=None, kind=None), ("my_shop", "import", "import_file")),
        (failure("import_file", path="/in/a.csv", source=None, kind="flipkart"), ("flipkart", "import", "import_file")),
        (failure("import_file", path="/in/a.csv", source="shop", kind=None), ("shop", "import", "import_file")),
    ],
)
def test_a_failure_is_recorded_under_the_source_that_a_success_would_have(
    context: dict[str, Any], expected: tuple[str, str, str], task_context: ModuleType, warehouse: Engine
) -> None:
    task_context.record_failed_batch(context)
    with warehouse.connect() as connection:
        (row,) = connection.execute(text("SELECT source, kind, failed_step, status, day, error FROM batches"))
    assert tuple(row) == (*expected, "failed", FIRST_DAY, "line 7: expected 3 columns")

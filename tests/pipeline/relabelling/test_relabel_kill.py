"""A relabelling that is killed anywhere and run again ends as one that was not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from include.settings import Settings
from include.warehouse.engine import open_engine
from tests.fixtures.killing import KILLED, run_killed
from tests.pipeline.prepared import Prepared
from tests.pipeline.relabelling.known_catalogue import final_state, relabel, versions_settings

RENAME = "pathlib:Path.replace"
KILLS = [
    ("include.warehouse.relabelling:read_slice", 1),
    ("include.features.cache:EmbeddingCache.put", 1),
    (RENAME, 2),
    ("pyarrow.parquet:ParquetWriter.write_table", 1),
    ("pyarrow.parquet:ParquetWriter.write_table", 3),
    ("include.pipeline.relabelling.relabel:remove_older_reasons", 1),
    ("include.models.version.artefact:Artefact.predict", 3),
    ("include.warehouse.copying:copy_encoded", 2),
    ("include.warehouse.relabelling:merged_history", 1),
    ("psycopg:Connection.commit", 1),
    ("psycopg:Connection.commit", 2),
    ("include.pipeline.relabelling.relabel:plan_relabelling", 2),
    ("include.warehouse.relabelling:changes_of", 1),
    ("include.storage.lake:Lake.write_bytes", 1),
    ("include.storage.lake:Lake.write_bytes", 2),
]


def copy_of(prepared: Prepared, home: Path, folder: Path) -> Settings:
    """Settings of a copy of a labelled day."""
    return versions_settings(home, folder / "lake", prepared.copy(folder / "lake"))


@pytest.fixture(scope="module")
def untouched(
    labelled_by_first: Prepared, two_versions: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Any, ...]:
    """The final state of a relabelling that nobody killed."""
    settings = copy_of(labelled_by_first, two_versions, tmp_path_factory.mktemp("untouched"))
    relabel(settings, "2")
    with open_engine(settings.warehouse_dsn) as engine:
        return final_state(settings, engine)


@pytest.mark.parametrize(("target", "nth"), KILLS, ids=[f"{t.split('.')[-1]}-{n}" for t, n in KILLS])
def test_a_relabelling_killed_and_run_again_ends_as_if_it_had_not_been(
    target: str,
    nth: int,
    labelled_by_first: Prepared,
    two_versions: Path,
    tmp_path: Path,
    untouched: tuple[Any, ...],
) -> None:
    settings = copy_of(labelled_by_first, two_versions, tmp_path)
    assert run_killed(target, nth, relabel, settings, "2") == KILLED
    with open_engine(settings.warehouse_dsn) as engine:
        with engine.connect() as connection:
            counted = "SELECT count(*) FROM labelled_products WHERE model_version = '2'"
            told = "SELECT coalesce(sum(products), 0) FROM relabellings"
            written = [connection.scalar(text(query)) for query in (counted, told)]
        assert written[0] == written[1], "a shard is written with what is told of it, or not at all"

        relabel(settings, "2")
        assert final_state(settings, engine) == untouched

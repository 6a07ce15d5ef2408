"""The labelled demo catalogue is balanced, readable, and the same bytes on each call."""

from __future__ import annotations

import csv
import hashlib
from collections import Counter
from pathlib import Path

import pytest

from include.sandbox.demo.training_catalogue import COLUMNS, write_demo_catalogue
from include.taxonomy import load_taxonomy

ROWS_PER_LABEL = 5


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The CSV of a small catalogue."""
    return write_demo_catalogue(tmp_path_factory.mktemp("demo") / "catalogue", ROWS_PER_LABEL)


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def digests(folder: Path) -> dict[str, str]:
    return {
        str(file.relative_to(folder)): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in sorted(folder.rglob("*"))
        if file.is_file()
    }


def test_every_label_has_as_many_rows(written: Path) -> None:
    table = rows(written)
    assert set(table[0]) == set(COLUMNS)
    assert Counter(row["category"] for row in table) == dict.fromkeys(load_taxonomy().labels, ROWS_PER_LABEL)
    assert len({row["id"] for row in table}) == len(table)
    assert all(row["name"] for row in table)


def test_most_rows_have_a_photo_and_no_photo_is_without_a_row(written: Path) -> None:
    named = [row["image"] for row in rows(written) if row["image"]]
    there = {file.name for file in (written.parent / "images").iterdir()}
    assert there == set(named)
    assert 0.85 < len(named) / len(rows(written)) < 1


def test_writing_again_leaves_the_same_bytes(written: Path) -> None:
    before = digests(written.parent)
    damaged = written.parent / "images" / next(row["image"] for row in rows(written) if row["image"])
    damaged.write_bytes(b"half a pho")
    assert write_demo_catalogue(written.parent, ROWS_PER_LABEL) == written
    assert digests(written.parent) == before

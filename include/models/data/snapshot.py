"""A training snapshot: the labelled products as of one day, immutable and identified by its content.

    snapshots/snapshot=<id>/part-00000.parquet      rows of `SNAPSHOT`
    snapshots/snapshot=<id>/manifest.json           counts, hashes and the query; written last

The id is a hash of the rows and of the taxonomy: the same labels give the same snapshot on any day, and a snapshot that
was changed afterwards is rejected when it is read.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from include.errors import CuveeError
from include.models.data.gold_set import GOLD, TRAINING
from include.storage.lake import Lake
from include.storage.layers import Layer

logger = logging.getLogger(__name__)

MANIFEST = "manifest.json"

SNAPSHOT = pa.schema(
    [
        pa.field("product_id", pa.string(), nullable=False),
        pa.field("name", pa.string()),
        pa.field("brand", pa.string()),
        pa.field("description", pa.string()),
        pa.field("ingredients", pa.string()),
        pa.field("text_hash", pa.string()),
        pa.field("photo_sha256", pa.string()),
        pa.field("label", pa.string(), nullable=False),
        pa.field("origin", pa.string(), nullable=False),
        pa.field("rule_label", pa.string()),
        pa.field("content_group", pa.string(), nullable=False),
        pa.field("part", pa.string(), nullable=False),
    ]
)
"""`part` is `training` or `gold`; `photo_sha256` is null if the photo has several labels; rows are in the order of
their product ids."""


class SnapshotDamaged(CuveeError):
    """A training snapshot is missing, or its content does not match its id."""


@dataclass(frozen=True)
class Manifest:
    """Content and provenance of a snapshot."""

    snapshot: str
    """Its id, SHA-256 (hex)."""
    as_of: str
    """Last day whose labels are in it, as of when it was first written."""
    products: Mapping[str, int]
    """Rows by part: `training`, `gold`."""
    left_out: Mapping[str, int]
    """Number of labelled products that are not in it, by reason."""
    labels: Mapping[str, Mapping[str, int]]
    """Rows by label and part."""
    origins: Mapping[str, Mapping[str, int]]
    """Rows by origin of the label and part."""
    sources: Mapping[str, Mapping[str, int]]
    """Rows by source and part."""
    taxonomy: str
    """Identity of the taxonomy of the labels."""
    gold_share: float
    files: Mapping[str, str]
    """SHA-256 of each Parquet file, by name."""
    query: Mapping[str, Any]
    """Provenance: files of the lake, and the SQL with its parameters."""
    code_version: str


@dataclass(frozen=True, eq=False)
class Snapshot:
    """A snapshot as it was read from the lake."""

    table: pa.Table
    """Rows of `SNAPSHOT`."""
    manifest: Manifest

    @property
    def training(self) -> pa.Table:
        """The rows that may be trained on."""
        return self.table.filter(pc.equal(self.table["part"], TRAINING))

    @property
    def gold(self) -> pa.Table:
        """The rows that models are evaluated on."""
        return self.table.filter(pc.equal(self.table["part"], GOLD))


def snapshot_id(table: pa.Table, taxonomy_identity: str) -> str:
    """SHA-256 (hex) of the rows, in the order of their product ids, and of the taxonomy."""
    digest = hashlib.sha256(taxonomy_identity.encode())
    for batch in table.to_batches(max_chunksize=10_000):
        digest.update(json.dumps(batch.to_pydict(), sort_keys=True).encode())
    return digest.hexdigest()


def write_snapshot(
    lake: Lake,
    table: pa.Table,
    *,
    as_of: str,
    left_out: Mapping[str, int],
    taxonomy_identity: str,
    gold_share: float,
    query: Mapping[str, Any],
    code_version: str,
) -> Manifest:
    """Write rows of `SNAPSHOT` under their id, unless an undamaged snapshot of this id exists already.

    The manifest is written last: if the process is killed before, `read_snapshot` finds no snapshot.
    """
    number = snapshot_id(table, taxonomy_identity)
    folder = snapshot_folder(number)
    try:
        return read_snapshot(lake, number).manifest
    except SnapshotDamaged:
        pass  # written below, for the first time or again
    file = "part-00000.parquet"
    lake.write_parquet(f"{folder}/{file}", table)
    manifest = Manifest(
        snapshot=number,
        as_of=as_of,
        products=dict(sorted(Counter(table["part"].to_pylist()).items())),
        left_out=dict(sorted(left_out.items())),
        labels=_counted(table["label"], table["part"]),
        origins=_counted(table["origin"], table["part"]),
        sources=_counted(pc.list_element(pc.split_pattern(table["product_id"], ":", max_splits=1), 0), table["part"]),
        taxonomy=taxonomy_identity,
        gold_share=gold_share,
        files={file: hashlib.sha256(lake.read_bytes(f"{folder}/{file}")).hexdigest()},
        query=query,
        code_version=code_version,
    )
    lake.write_bytes(f"{folder}/{MANIFEST}", json.dumps(asdict(manifest), indent=1, sort_keys=True).encode())
    logger.info("snapshot %s: products=%s left_out=%s", number[:12], manifest.products, manifest.left_out)
    return manifest


def read_snapshot(lake: Lake, number: str) -> Snapshot:
    """The snapshot of an id; raises SnapshotDamaged if it is missing or its files were changed."""
    manifest = read_manifest(lake, number)
    tables = []
    for file, expected in manifest.files.items():
        path = f"{snapshot_folder(number)}/{file}"
        if not lake.exists(path) or hashlib.sha256(lake.read_bytes(path)).hexdigest() != expected:
            raise SnapshotDamaged(
                f"{lake.url(path)} is missing or was changed after it was written: restore it, or run the retraining "
                "again, which writes it again"
            )
        tables.append(lake.read_parquet(path))
    return Snapshot(pa.concat_tables(tables), manifest)


def read_manifest(lake: Lake, number: str) -> Manifest:
    """The manifest of a snapshot; raises SnapshotDamaged if there is none."""
    path = f"{snapshot_folder(number)}/{MANIFEST}"
    try:
        return Manifest(**json.loads(lake.read_bytes(path)))
    except (OSError, ValueError, TypeError) as error:
        raise SnapshotDamaged(f"there is no readable training snapshot at {lake.url(path)} ({error})") from error


def snapshot_folder(number: str) -> str:
    """Folder of a snapshot in the lake, e.g. `snapshots/snapshot=3fa9…`."""
    return f"{Layer.SNAPSHOTS}/snapshot={number}"


def _counted(values: pa.ChunkedArray, parts: pa.ChunkedArray) -> dict[str, dict[str, int]]:
    """Rows by value and part, both sorted: `{"champagne": {"gold": 12, "training": 98}}`."""
    counts: dict[str, dict[str, int]] = {}
    for (value, part), count in sorted(Counter(zip(values.to_pylist(), parts.to_pylist(), strict=True)).items()):
        counts.setdefault(value, {})[part] = count
    return counts

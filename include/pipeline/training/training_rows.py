"""The labelled products as they stood at the end of a day, from the lake and from people's decisions.

Everything is read as of a day, so that a week that is run again, or much later, sees what it would have seen then:
files of later days are not opened, and later decisions of people are ignored.
"""

from __future__ import annotations

import logging
from collections import Counter
from dataclasses import dataclass
from datetime import date

import pyarrow as pa
import pyarrow.compute as pc

from include.models.data.trusted_labels import TRUSTED_LABELS, trusted_labels
from include.schema import LABEL_ORIGINS
from include.storage.lake import Lake
from include.storage.layers import Layer
from include.taxonomy import Taxonomy

logger = logging.getLogger(__name__)

TEXTS = ("product_id", "name", "brand", "description", "ingredients")
_WITH_CATEGORIES = (*TEXTS, "category_tags", "source_category")


@dataclass(frozen=True, eq=False)
class LabelledRows:
    """Products with their strongest trusted label."""

    products: pa.Table
    """Columns `TEXTS`, `label` and `origin`, in the order of their product ids."""
    left_out: Counter[str]
    """Products without a place here, by reason."""
    files: list[str]
    """Files of the lake that were read."""


def labelled_rows(lake: Lake, reviews: pa.Table, taxonomy: Taxonomy, as_of: date | None = None) -> LabelledRows:
    """All products that have a trusted label at the end of `as_of` (None: with all days), each once.

    `reviews` has the columns product_id and label: people's decisions, which are stronger than all others. A decision
    on a label that the taxonomy no longer has is left out.
    """
    files = files_until(lake, Layer.PRODUCTS, as_of)
    products = newest_rows(lake, files, _WITH_CATEGORIES)
    known = pc.is_in(reviews["label"], value_set=pa.array(taxonomy.labels))
    left_out = Counter({"label_not_in_taxonomy": reviews.num_rows - pc.sum(known).as_py() if reviews.num_rows else 0})
    human = reviews.filter(known).select(["product_id", "label"])
    human = human.append_column("origin", pa.array(["human"] * human.num_rows, pa.string())).cast(TRUSTED_LABELS)
    labels = strongest(pa.concat_tables([human, trusted_labels(products, taxonomy)]))
    joined = labels.join(products.select(TEXTS), keys="product_id", join_type="inner").sort_by("product_id")
    left_out["reviewed_but_not_in_the_lake"] = (
        human.num_rows - joined.filter(pc.equal(joined["origin"], "human")).num_rows
    )
    left_out["no_trusted_label"] = products.num_rows - joined.num_rows
    return LabelledRows(joined.select([*TEXTS, "label", "origin"]), +left_out, files)


def strongest(labels: pa.Table) -> pa.Table:
    """One row per product of a table with product_id, label and origin: that of the strongest origin."""
    rank = pc.index_in(labels["origin"], value_set=pa.array(LABEL_ORIGINS))
    ordered = labels.append_column("rank", rank).sort_by([("product_id", "ascending"), ("rank", "ascending")])
    ids = ordered["product_id"].combine_chunks()
    if not len(ids):
        return labels
    is_first = pa.concat_arrays([pa.array([True]), pc.not_equal(ids[1:], ids[:-1])])
    return ordered.filter(is_first).select(labels.column_names)


def files_until(lake: Lake, layer: Layer, as_of: date | None) -> list[str]:
    """Parquet files of a layer's days up to `as_of`; days ascend within a source."""
    last = None if as_of is None else f"day={as_of.isoformat()}"
    return [
        path
        for path in lake.list_files(layer, ".parquet")
        if last is None or next(part for part in path.split("/") if part.startswith("day=")) <= last
    ]


def newest_rows(lake: Lake, files: list[str], columns: tuple[str, ...]) -> pa.Table:
    """Of every product the row in the last of the files that has it; only rows that are kept are held in memory."""
    kept: list[pa.Table] = []
    seen = pa.array([], pa.string())
    source = None
    # From the newest day back; a product belongs to one source, so what was seen is forgotten between sources.
    for path in sorted(files, reverse=True):
        if source != (source := path.split("/")[1]):
            seen = pa.array([], pa.string())
        table = lake.read_parquet(path, list(columns))
        fresh = table.filter(pc.invert(pc.is_in(table["product_id"], value_set=seen)))
        seen = pa.concat_arrays([seen, fresh["product_id"].combine_chunks()])
        kept.append(fresh)
    return pa.concat_tables(kept) if kept else pa.table({name: _no_values(name) for name in columns})


def newest_photos(lake: Lake, product_ids: pa.ChunkedArray, as_of: date | None = None) -> list[str | None]:
    """The newest photo's hash of each product, in the order given; None where it has no photo."""
    hashes: dict[str, str] = {}
    for path in files_until(lake, Layer.IMAGES, as_of):
        table = lake.read_parquet(path, ["product_id", "sha256"]).drop_null()
        hashes.update(zip(table["product_id"].to_pylist(), table["sha256"].to_pylist(), strict=True))
    return [hashes.get(product_id) for product_id in product_ids.to_pylist()]


def _no_values(name: str) -> pa.Array:
    from include.schema import PRODUCTS

    return pa.array([], PRODUCTS.field(name).type)

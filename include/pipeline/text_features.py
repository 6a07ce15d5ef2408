"""Features of products' texts, stored by day: the key of the embedding and the rule label.

    readings/source=<source>/day=<day>/part-….parquet        rows of `schema.TEXT_FEATURES`

Extracting them (cleaning a text, applying the rules) costs more than a prediction and depends on the content alone: a
daily batch stores them when it embeds, and classifying and relabelling read them. A file names the version of its
extractor, made of the versions of the cleaning, of the visible characters and of the rules; files of other versions are
ignored.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from contextlib import suppress
from datetime import date

import pyarrow as pa
import pyarrow.compute as pc

from include.characters import CHARACTERS_VERSION
from include.features.text.cleaning import CLEANING_VERSION
from include.record_guard import RecordGuard
from include.rules import RULES_VERSION
from include.schema import TEXT_FEATURES, text_hash
from include.storage.batch import Batch
from include.storage.lake import Lake
from include.storage.layers import Layer
from include.taxonomy import load_taxonomy

logger = logging.getLogger(__name__)

_VERSION_KEY = b"reader"
"""Key in a file's metadata; the name is older than the term."""


def documents_of(products: pa.Table) -> list[str]:
    """The cleaned text of each product, in order; an empty string where it has none, or the program fails on it."""
    from include.features.text import document

    columns = [products[name].to_pylist() for name in ("name", "brand", "description", "ingredients")]
    with RecordGuard("texts") as guard, guard.watched():
        return guard.each(zip(*columns, strict=True), document, otherwise="")


def extract_text_features(products: pa.Table) -> tuple[pa.Table, list[str]]:
    """Rows of `TEXT_FEATURES` for products, in their order, and their cleaned texts, empty where there is none.

    `products` has the columns content_hash, name, brand, description and ingredients.
    """
    from include.models.decision.written_rules import matching_rules

    documents = documents_of(products)
    rules = matching_rules(products)
    columns = [
        products["content_hash"],
        pa.array([text_hash(text) if text else None for text in documents], pa.string()),
        pa.array([rule.label if rule else None for rule in rules], pa.string()),
        pa.array([rule.name if rule else None for rule in rules], pa.string()),
    ]
    return pa.table(columns, schema=TEXT_FEATURES), documents


def text_features_of(lake: Lake, path: str, products: pa.Table) -> pa.Table:
    """Text features of products stored at `path`; extracted and stored now if the current version has none there."""
    with suppress(FileNotFoundError):
        kept = lake.read_parquet(path)
        if _is_current(kept.schema) and kept["content_hash"].equals(products["content_hash"]):
            return _complete(kept)
    features, _documents = extract_text_features(products)
    store_text_features(lake, path, features)
    return features


def store_text_features(lake: Lake, path: str, features: pa.Table) -> None:
    """Write text features as one file, which is replaced if it is there."""
    lake.write_parquet(path, features.replace_schema_metadata({_VERSION_KEY: extractor_version()}))


def stored_text_features(lake: Lake, source: str, days: Iterable[date], wanted: pa.Array | pa.ChunkedArray) -> pa.Table:
    """Stored rows of `TEXT_FEATURES` for the content hashes `wanted`, of the current version and some days.

    A content may come twice, or not at all. Holds one file at a time: a day may have many more than are wanted.
    """
    tables = [TEXT_FEATURES.empty_table()]
    for day in days:
        for path in lake.list_files(Batch(source, day).folder(Layer.TEXT_FEATURES), ".parquet"):
            with suppress(FileNotFoundError):  # outdated: another shard has removed it meanwhile
                table = lake.read_parquet(path)
                if _is_current(table.schema):
                    is_wanted = pc.is_in(table["content_hash"], value_set=wanted)
                    tables.append(_complete(table.filter(is_wanted)))
    return pa.concat_tables(tables).combine_chunks()


def replace_text_features(lake: Lake, batch: Batch, features: pa.Table) -> None:
    """Add text features to those of a day, and remove those of other versions."""
    folder = batch.folder(Layer.TEXT_FEATURES)
    store_text_features(
        lake, f"{folder}/part-{text_hash(' '.join(features['content_hash'].to_pylist()))[:32]}.parquet", features
    )
    for path in lake.list_files(folder, ".parquet"):
        with suppress(FileNotFoundError):  # another shard was first
            with lake.parquet_file(path) as file:
                is_outdated = not _is_current(file.schema_arrow)
            if is_outdated:
                lake.delete(path)
                logger.info("removed text features of another extractor version: path=%s", path)


def _complete(features: pa.Table) -> pa.Table:
    """Rows of `TEXT_FEATURES`, also from a file that was written before the names of rules were kept."""
    if "rule" not in features.column_names:
        features = features.append_column("rule", pa.nulls(features.num_rows, pa.string()))
    return features.select(TEXT_FEATURES.names).cast(TEXT_FEATURES)


def _is_current(schema: pa.Schema) -> bool:
    return bool((schema.metadata or {}).get(_VERSION_KEY) == extractor_version())


def extractor_version() -> bytes:
    """The version of the extractor: text features are the same where it is."""
    return f"{CLEANING_VERSION}-{CHARACTERS_VERSION}-{RULES_VERSION}-{load_taxonomy().identity}".encode()

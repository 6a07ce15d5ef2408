"""What is read of products' texts: the key of the embedding, and what the written rules say; kept by day.

    readings/source=<source>/day=<day>/part-….parquet        rows of `schema.READINGS`

Cleaning a text and asking the rules costs more than a prediction, and gives the same for the same content: a daily
batch keeps what it read when it embeds, and classifying and relabelling find it there. A file names its reader, which
is the versions of the cleaning, of what is seen of characters and of the rules; what another reader wrote does not
count.
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
from include.schema import READINGS, text_hash
from include.storage.lake import Lake
from include.taxonomy import load_taxonomy

logger = logging.getLogger(__name__)

LAYER = "readings"
_READER = b"reader"


def documents_of(products: pa.Table) -> list[str]:
    """The cleaned text of each product, in order; an empty string where it has none, or our own code fails on it."""
    from include.features.text import document

    columns = [products[name].to_pylist() for name in ("name", "brand", "description", "ingredients")]
    with RecordGuard("texts") as guard, guard.watched():
        return guard.each(zip(*columns, strict=True), document, otherwise="")


def read_texts(products: pa.Table) -> tuple[pa.Table, list[str]]:
    """The readings of products, rows of `READINGS` in their order, and their cleaned texts, empty where there is none.

    `products` has the columns content_hash, name, brand, description and ingredients.
    """
    from include.models.decision.written_rules import rule_labels

    documents = documents_of(products)
    hashes = pa.array([text_hash(text) if text else None for text in documents], pa.string())
    said = pa.array(rule_labels(products), pa.string())
    return pa.table([products["content_hash"], hashes, said], schema=READINGS), documents


def readings_of(lake: Lake, path: str, products: pa.Table) -> pa.Table:
    """The readings of products, as they were kept at `path`; where today's reader has not kept them, they are now."""
    with suppress(FileNotFoundError):
        kept = lake.read_parquet(path)
        if _is_of_today(kept.schema) and kept["content_hash"].equals(products["content_hash"]):
            return kept.replace_schema_metadata()
    readings, _documents = read_texts(products)
    keep_readings(lake, path, readings)
    return readings


def keep_readings(lake: Lake, path: str, readings: pa.Table) -> None:
    """Write readings as one file, which is replaced if it is there."""
    lake.write_parquet(path, readings.replace_schema_metadata({_READER: _reader()}))


def kept_readings(lake: Lake, source: str, days: Iterable[date], wanted: pa.Array | pa.ChunkedArray) -> pa.Table:
    """The readings of the content hashes `wanted` that today's reader made on some days, as a table of `READINGS`.

    A content may come twice, or not at all. Holds one file at a time: a day may have many more than are wanted.
    """
    tables = [READINGS.empty_table()]
    for day in days:
        for path in lake.list_files(Lake.partition(LAYER, source, day), ".parquet"):
            with suppress(FileNotFoundError):  # outdated: another shard has removed it meanwhile
                table = lake.read_parquet(path)
                if _is_of_today(table.schema):
                    is_wanted = pc.is_in(table["content_hash"], value_set=wanted)
                    tables.append(table.filter(is_wanted).replace_schema_metadata())
    return pa.concat_tables(tables).combine_chunks()


def replace_readings(lake: Lake, source: str, day: date, readings: pa.Table) -> None:
    """Add readings to those of a day, and remove what another reader left there."""
    folder = Lake.partition(LAYER, source, day)
    keep_readings(
        lake, f"{folder}/part-{text_hash(' '.join(readings['content_hash'].to_pylist()))[:32]}.parquet", readings
    )
    for path in lake.list_files(folder, ".parquet"):
        with suppress(FileNotFoundError):  # another shard was first
            with lake.parquet_file(path) as file:
                is_outdated = not _is_of_today(file.schema_arrow)
            if is_outdated:
                lake.delete(path)
                logger.info("removed readings of an earlier reader: path=%s", path)


def _is_of_today(schema: pa.Schema) -> bool:
    return bool((schema.metadata or {}).get(_READER) == _reader())


def _reader() -> bytes:
    return f"{CLEANING_VERSION}-{CHARACTERS_VERSION}-{RULES_VERSION}-{load_taxonomy().identity}".encode()

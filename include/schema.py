"""The records that travel between packages, and the schema of every Parquet layer of the lake.

`source` and `day` are partition columns: they are in the path (`source=S/day=YYYY-MM-DD`), never
inside a file, so that pandas, DuckDB and Spark read a layer as one dataset without conflict.
The SQL tables derive their shared columns from `LABELS` (see `include/warehouse/tables.py`).
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any, Literal

import pyarrow as pa

Decision = Literal["accepted", "review"]
LabelOrigin = Literal["human", "catalogue", "source_tag", "rule"]
Modality = Literal["text", "photo", "fusion", "none"]

LABEL_ORIGINS: tuple[LabelOrigin, ...] = ("human", "catalogue", "source_tag", "rule")
"""Origins of a trusted label, strongest first. A label that the platform predicted has none of these."""


@dataclass(frozen=True, slots=True)
class Product:
    """One product as a source describes it, normalised. Absent text is None, never an empty string."""

    source: str
    """Name of the source, e.g. `openfoodfacts`."""
    native_id: str
    """The source's own id, as text: a barcode with its leading zeros, an Edamam foodId, a Flipkart uniq_id."""
    name: str | None = None
    brand: str | None = None
    description: str | None = None
    """Generic name or description, as plain text."""
    ingredients: str | None = None
    quantity: str | None = None
    language: str | None = None
    """Two-letter code of the main language, e.g. `fr`."""
    category_tags: tuple[str, ...] = ()
    """Category tags of the source, general to specific, e.g. `("en:wines", "en:champagnes")`."""
    source_category: str | None = None
    """The category in the source's own words, e.g. `Baby Care >> Baby Bath & Skin`."""
    url: str | None = None
    """Page of the product at the source."""
    image_url: str | None = None
    """http(s) URL, or path of a local photo for catalogue files."""
    flags: tuple[str, ...] = ()
    """Remarks that do not reject the record, e.g. `("check_digit_wrong",)`."""
    last_modified: datetime | None = None
    """When the source last changed the record, with time zone UTC."""

    @property
    def product_id(self) -> str:
        """Id across sources, e.g. `openfoodfacts:3018333000014`."""
        return f"{self.source}:{self.native_id}"

    @property
    def content_hash(self) -> str:
        """SHA-256 (hex) of what classifiers and people see of the product; changes exactly when that changes."""
        return content_hash(
            self.name, self.brand, self.description, self.ingredients, self.category_tags, self.image_url
        )

    def to_row(self) -> dict[str, Any]:
        """The record as a row of `PRODUCTS`."""
        # Not by `asdict`, which copies every value and takes several times as long.
        row = {name: getattr(self, name) for name in _FIELDS_IN_ROWS}
        return row | {"product_id": self.product_id, "content_hash": self.content_hash}


_FIELDS_IN_ROWS = tuple(field.name for field in fields(Product) if field.name != "source")


@dataclass(frozen=True, slots=True)
class Rejection:
    """One record set aside, with everything needed to find out why and to bring it back."""

    source: str
    native_id: str | None
    reasons: tuple[str, ...]
    """Reason codes, e.g. `("no_name",)`; the list of codes is in `include/quality/reasons.py`."""
    detail: str
    """One sentence for a person, e.g. `code is '3.00E+12': a spreadsheet has rounded the barcode`."""
    raw: dict[str, Any] = field(default_factory=dict)
    """The record as received, credentials removed."""
    position: str = ""
    """Where it stood: file or page and line, e.g. `products.jsonl:17`. Unique within a source and day."""

    def to_row(self) -> dict[str, Any]:
        """The record as a row of `QUARANTINE`."""
        raw = json.dumps(self.raw, ensure_ascii=False, sort_keys=True, default=str)
        return {
            "rejection_id": text_hash(f"{self.source}|{self.position}|{self.native_id}|{raw}"),
            "native_id": self.native_id,
            "reasons": list(self.reasons),
            "detail": self.detail,
            "raw": raw,
            "position": self.position,
        }


def text_hash(text: str) -> str:
    """SHA-256 of a text as 64 hex digits."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


_encode_json = json.JSONEncoder(ensure_ascii=False).encode  # `json.dumps` makes an encoder for each call


def content_hash(*parts: str | tuple[str, ...] | None) -> str:
    """SHA-256 (hex) of a sequence of values, unambiguous about where one value ends."""
    return text_hash(_encode_json(parts))


PRODUCTS = pa.schema(
    [
        pa.field("product_id", pa.string(), nullable=False),
        pa.field("native_id", pa.string(), nullable=False),
        pa.field("name", pa.string()),
        pa.field("brand", pa.string()),
        pa.field("description", pa.string()),
        pa.field("ingredients", pa.string()),
        pa.field("quantity", pa.string()),
        pa.field("language", pa.string()),
        pa.field("category_tags", pa.list_(pa.string())),
        pa.field("source_category", pa.string()),
        pa.field("url", pa.string()),
        pa.field("image_url", pa.string()),
        pa.field("flags", pa.list_(pa.string())),
        pa.field("last_modified", pa.timestamp("us", tz="UTC")),
        pa.field("content_hash", pa.string(), nullable=False),
    ]
)
"""`lake/products/source=S/day=D/part-00000.parquet`; one row group is one shard of the day."""

QUARANTINE = pa.schema(
    [
        pa.field("rejection_id", pa.string(), nullable=False),
        pa.field("native_id", pa.string()),
        pa.field("reasons", pa.list_(pa.string()), nullable=False),
        pa.field("detail", pa.string(), nullable=False),
        pa.field("raw", pa.string(), nullable=False),
        pa.field("position", pa.string(), nullable=False),
    ]
)
"""`lake/quarantine/source=S/day=D/part-00000.parquet`; `raw` is the record as JSON text."""

IMAGES = pa.schema(
    [
        pa.field("product_id", pa.string(), nullable=False),
        pa.field("image_url", pa.string()),
        pa.field("status", pa.string(), nullable=False),
        pa.field("sha256", pa.string()),
        pa.field("width", pa.int32()),
        pa.field("height", pa.int32()),
        pa.field("bytes", pa.binary()),
    ]
)
"""`lake/images/source=S/day=D/part-NNNNN.parquet`, a row per product of shard NNNNN.

`status` is `ok`, or why there is no photo: `no_url`, `not_found`, `too_large`, `too_many_pixels`,
`not_an_image`, `corrupt`, `private_address`, `timeout`, `unreachable`. `bytes` is a JPEG or PNG,
upright, RGB, or null.
"""


def embeddings_schema(dimensions: int) -> pa.Schema:
    """`lake/embeddings/encoder=ID/part-<hash of its keys>.parquet` of an encoder with so many dimensions.

    The key is the SHA-256 of what was encoded: the cleaned text, or the photo's bytes. A vector is `dimensions` float32
    values, little-endian: `np.frombuffer(vector, "<f4")`. As bytes it is read in a tenth of the time that a list takes,
    for which Parquet stores two levels beside every value.
    """
    return pa.schema(
        [
            pa.field("content_hash", pa.string(), nullable=False),
            pa.field("vector", pa.binary(4 * dimensions), nullable=False),
        ]
    )


TEXT_FEATURES = pa.schema(
    [
        pa.field("content_hash", pa.string(), nullable=False),
        pa.field("text_hash", pa.string()),
        pa.field("rule_label", pa.string()),
        pa.field("rule", pa.string()),
    ]
)
"""`lake/readings/source=S/day=D/part-….parquet`: text features of the products seen on a day.

`text_hash` is the key of the text's embedding, null without text; `rule_label` the rule label, or null; `rule` the name
of the rule that gives it, null as well in files from before it was kept.
"""

PROBABILITY = pa.struct([pa.field("label", pa.string()), pa.field("probability", pa.float32())])

LABELS = pa.schema(
    [
        *(PRODUCTS.field(name) for name in PRODUCTS.names),
        pa.field("photo_status", pa.string(), nullable=False),
        pa.field("photo_sha256", pa.string()),
        pa.field("label", pa.string(), nullable=False),
        pa.field("department", pa.string(), nullable=False),
        pa.field("confidence", pa.float32(), nullable=False),
        pa.field("decision", pa.string(), nullable=False),
        pa.field("top_labels", pa.list_(PROBABILITY), nullable=False),
        pa.field("modality", pa.string(), nullable=False),
        pa.field("model_version", pa.string(), nullable=False),
    ]
)
"""`lake/labels/source=S/day=D/part-00000.parquet`: the products of a day with their predicted labels.

`label` is a label id of the taxonomy (e.g. `champagne`), `confidence` its calibrated probability in
[0, 1], `top_labels` the three likeliest labels, `modality` what the prediction rests on.
"""

NEIGHBOUR = pa.struct([pa.field("reference", pa.int32()), pa.field("similarity", pa.float32())])

REASONS = pa.schema(
    [
        pa.field("product_id", pa.string(), nullable=False),
        pa.field("model_version", pa.string(), nullable=False),
        pa.field("text_labels", pa.list_(PROBABILITY)),
        pa.field("photo_labels", pa.list_(PROBABILITY)),
        pa.field("rule", pa.string()),
        pa.field("rule_label", pa.string()),
        pa.field("needed_confidence", pa.float32()),
        pa.field("review_reasons", pa.list_(pa.string())),
        pa.field("neighbours", pa.list_(NEIGHBOUR)),
        pa.field("reference_list", pa.string()),
    ]
)
"""`lake/reasons/source=S/day=D/part-00000.parquet`: why the products of a day have the labels that they have.

`text_labels` and `photo_labels` are the likeliest labels by one input alone, null where a product lacks it.
`needed_confidence` is what acceptance takes, null where nothing is accepted. `neighbours` are rows of
`lake/references/list=<reference_list>`; both are null for a version that has no reference products.
"""

RELABELLING_REASONS = pa.schema([*REASONS, pa.field("day", pa.date32(), nullable=False)])
"""`lake/relabelling_reasons/version=N/source=S/part-….parquet`: the same of products that were relabelled.

`day` is the day on which the product was last seen.
"""

REFERENCES = pa.schema(
    [
        pa.field("product_id", pa.string(), nullable=False),
        pa.field("label", pa.string(), nullable=False),
        pa.field("origin", pa.string(), nullable=False),
        pa.field("name", pa.string()),
        pa.field("text_hash", pa.string()),
        pa.field("photo_sha256", pa.string()),
        pa.field("photo_day", pa.date32()),
    ]
)
"""`lake/references/list=ID/part-00000.parquet`: the trusted products that a model version compares others with.

`photo_day` is a day in whose batch the lake has the photo, null without one.
"""

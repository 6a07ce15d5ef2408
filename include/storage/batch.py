"""A batch, and where its files are in each layer of the lake."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from include.storage.layers import Layer


@dataclass(frozen=True, slots=True, order=True)
class Batch:
    """The products of one source on one day. Paths are relative to the lake's root."""

    source: str
    day: date

    def folder(self, layer: Layer) -> str:
        """Its folder in a layer: `products/source=openfoodfacts/day=2026-01-31`."""
        return f"{source_folder(layer, self.source)}/day={self.day.isoformat()}"

    def file(self, layer: Layer, shard: int = 0) -> str:
        """The file of a shard, or of the whole batch: `products/source=S/day=D/part-00000.parquet`."""
        return f"{self.folder(layer)}/part-{shard:05d}.parquet"

    def staged_folder(self, layer: Layer) -> str:
        """The folder of what will be in a layer: `staging/labels/source=S/day=D`."""
        return f"{Layer.STAGING}/{self.folder(layer)}"

    def staged_file(self, layer: Layer, shard: int = 0) -> str:
        """The file of what will be in a layer: `staging/labels/source=S/day=D/part-00000.parquet`."""
        return f"{Layer.STAGING}/{self.file(layer, shard)}"

    def __str__(self) -> str:
        """For messages: `openfoodfacts 2026-01-31`."""
        return f"{self.source} {self.day.isoformat()}"


def source_folder(layer: Layer, source: str) -> str:
    """The folder of all batches of a source in a layer: `products/source=openfoodfacts`."""
    return f"{layer}/source={source}"

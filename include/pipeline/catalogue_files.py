"""The files of a folder of real records that a model can learn from."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from include.errors import ConfigurationError

PRETRAINED_OPTIONS = "layers=3&side=320&views=whole,mirrored"
"""How the pretrained network looks at a photo: labels and clusters are better for it, at four times the time."""


@dataclass(frozen=True)
class CatalogueFile:
    """A file to import before training."""

    path: Path
    source: str
    kind: str | None = None


def replay_catalogues(folder: Path) -> list[CatalogueFile]:
    """The labelled and taggable files of a folder of real records."""
    facts = folder / "openfoodfacts"
    files = [
        CatalogueFile(folder / "flipkart" / "flipkart_com-ecommerce_sample.csv", "flipkart"),
        CatalogueFile(facts / "labelled_fr_12_categories_utf16.csv", "openfoodfacts_labelled_fr"),
        CatalogueFile(facts / "export_tab.csv", "openfoodfacts_export"),
        CatalogueFile(facts / "export_excel_damaged_codes.csv", "openfoodfacts_export_excel"),
        CatalogueFile(facts / "export_cp1252_decimal_comma.csv", "openfoodfacts_export_comma"),
        CatalogueFile(facts / "products.jsonl", "openfoodfacts_extract"),
    ]
    absent = [str(file.path) for file in files if not file.path.exists()]
    if absent:
        raise ConfigurationError(
            f"{folder} is not a folder of real records: {', '.join(absent)} missing. "
            "Leave the folder out to use the drawn demo data."
        )
    return files


def pretrained_encoder(folder: Path) -> str | None:
    """The pretrained photo encoder in a folder of real records, as setting `image_encoder` takes it."""
    weights = sorted((folder / "weights").glob("*.tflite"))
    return f"{weights[0].resolve()}?{PRETRAINED_OPTIONS}" if weights else None

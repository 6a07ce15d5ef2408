"""The labelled demo catalogue: a plain CSV and a folder of photos, over all 20 labels."""

from __future__ import annotations

import csv
import io
import random
from pathlib import Path

from include.sandbox.demo.photos import draw_photo
from include.sandbox.demo.text import DrawnText, load_vocabulary, seeded

FILE_NAME = "catalogue.csv"
PHOTO_FOLDER = "images"
"""Where an import looks for the photos of a catalogue file."""
COLUMNS = ("id", "name", "brand", "description", "category", "image")
ROWS_PER_LABEL = 36
"""720 rows in all."""

_WITHOUT_PHOTO = 0.08
_WITHOUT_BRAND = 0.25
_CHAMPAGNE_SHARE = 0.5


def write_demo_catalogue(folder: Path, rows_per_label: int = ROWS_PER_LABEL) -> Path:
    """Write `catalogue.csv` and `images/` into a folder and return the path of the CSV.

    The columns are those of `COLUMNS`: an id, texts, the label id as category, and the photo's name or nothing.
    A photo that is already there with the same content is left alone; each call leaves the same bytes.
    """
    photos = folder / PHOTO_FOLDER
    photos.mkdir(parents=True, exist_ok=True)
    table = io.StringIO(newline="")
    writer = csv.writer(table, lineterminator="\n")
    writer.writerow(COLUMNS)
    vocabulary = load_vocabulary()
    for number in range(rows_per_label):
        for label in vocabulary.labels:
            chance = seeded("training", label, number)
            fed = vocabulary.is_fed(label) and chance.random() < _CHAMPAGNE_SHARE
            text = vocabulary.draw(label, chance, "champagne" if fed else "names")
            row_id = f"demo-{vocabulary.labels.index(label):02d}{number:03d}"
            image = "" if chance.random() < _WITHOUT_PHOTO else f"{row_id}.jpg"
            brand = "" if chance.random() < _WITHOUT_BRAND else text.brand
            writer.writerow([row_id, text.name, brand, _description(text, chance), label, image])
            if image:
                _write(photos / image, draw_photo(text, chance))
    path = folder / FILE_NAME
    _write(path, table.getvalue().encode())
    return path


def _description(text: DrawnText, chance: random.Random) -> str:
    parts = [text.description, text.ingredients if chance.random() < 0.5 else ""]
    return ". ".join(part for part in parts if part)


def _write(path: Path, content: bytes) -> None:
    if not path.exists() or path.read_bytes() != content:
        path.write_bytes(content)

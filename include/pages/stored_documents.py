"""Pages that were written for people and are kept as files: the reports in the lake, and the card of the newest model.

    documents = StoredDocuments(lake, settings.state_dir / "reports")
    documents.read("reports/relabel/version=3/index.html")      # its content and type; None where there is none

A path comes from an address, so it counts only if a listing of these folders has exactly that path.
"""

from __future__ import annotations

import html
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from include.storage.lake import Lake
from include.storage.layers import Layer

LAYERS = (Layer.VALIDATION_REPORTS, Layer.RETRAINING_REPORTS, Layer.RELABELLING_REPORTS)
"""Layers of the lake whose files may be opened."""
CARDS = "cards"
"""Beginning of the path of a page that lies beside the lake: `cards/model_card/index.html`."""
CARD_FOLDERS = {"model_card": "Model card", "evaluation": "Evaluation"}
"""Folder in the reports folder of this machine → what its page is."""
TYPES = {
    ".html": "text/html; charset=utf-8",
    ".json": "application/json; charset=utf-8",
    ".png": "image/png",
    ".svg": "image/svg+xml",
}
"""Ending of a file that may be opened → its type."""

_PATH = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_=.:+-]*(?:/[A-Za-z0-9_][A-Za-z0-9_=.:+-]*)+", re.ASCII)
_TITLE = re.compile(rb"<title>([^<]{1,300})</title>")


@dataclass(frozen=True)
class Card:
    """A page of this machine about a model."""

    kind: str
    """`Model card` or `Evaluation`."""
    title: str
    path: str
    written: datetime


class StoredDocuments:
    """The files of the report layers, and the cards in the reports folder of this machine."""

    def __init__(self, lake: Lake, cards: Path) -> None:
        """Name the places; nothing is read yet."""
        self._lake = lake
        self._cards = cards

    def read(self, path: str) -> tuple[bytes, str] | None:
        """Content and type of a document; None for every path that is not one."""
        media_type = TYPES.get(Path(path).suffix)
        if media_type is None or len(path) > 500 or not _PATH.fullmatch(path) or ".." in path:
            return None
        place = self._place(path)
        # The listing of a file is the file itself, by its plain path.
        if place is None or place[0].list_files(place[1]) != [place[1]]:
            return None
        try:
            return place[0].read_bytes(place[1]), media_type
        except FileNotFoundError:  # replaced by nothing since
            return None

    def cards(self) -> list[Card]:
        """The pages of this machine; none where no model was trained or evaluated here."""
        found = []
        for folder, kind in CARD_FOLDERS.items():
            file = self._cards / folder / "index.html"
            if file.is_file():
                written = datetime.fromtimestamp(file.stat().st_mtime, UTC)
                path = f"{CARDS}/{folder}/index.html"
                found.append(Card(kind, title_of(file.read_bytes()) or kind, path, written))
        return found

    def _place(self, path: str) -> tuple[Lake, str] | None:
        """The lake, or the folder of cards as one, and the path there."""
        if path.startswith(tuple(f"{layer}/" for layer in LAYERS)):
            return self._lake, path
        beside = path.removeprefix(f"{CARDS}/")
        if beside != path and beside.startswith(tuple(f"{folder}/" for folder in CARD_FOLDERS)):
            return Lake(str(self._cards)), beside
        return None


def title_of(page: bytes) -> str:
    """The title of an HTML page; empty without one."""
    found = _TITLE.search(page[:10_000])
    return html.unescape(found.group(1).decode("utf-8", "replace")).strip() if found else ""

"""How the pages of products name what the tables hold: columns, orders, and the values of facets."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

from include.taxonomy import load_taxonomy
from include.warehouse.product_cursor import Sort

COLUMNS = {
    "brand": "Brand",
    "label": "Label",
    "confidence": "Confidence",
    "decision": "Decision",
    "decided_by": "Decided by",
    "predicted_label": "Predicted label",
    "predicted_confidence": "Predicted with",
    "department": "Department",
    "modality": "Rests on",
    "flags": "Flags",
    "source": "Source",
    "last_seen_day": "Last seen",
    "first_seen_day": "First seen",
    "language": "Language",
    "quantity": "Quantity",
    "description": "Description",
    "ingredients": "Ingredients",
    "photo_status": "Photo status",
    "model_version": "Model version",
    "product_id": "Id",
}
"""Column that may stand beside photo and name in the list → its heading."""

SORTS: dict[Sort, str] = {
    "newest": "newest first",
    "oldest": "oldest first",
    "surest": "surest first",
    "least_sure": "least sure first",
}
"""Order of the list → its name."""
FACETS = {
    "label": "Label",
    "decision": "Decision",
    "decided_by": "Decided by",
    "source": "Source",
    "department": "Department",
    "modality": "Rests on",
    "flags": "Flags",
    "language": "Language",
    "photo_status": "Photo",
    "model_version": "Model",
}
"""Property that products are counted by → its heading, in the order of the page."""
RANGES = {
    "day_from": "seen from",
    "day_to": "seen until",
    "confidence_from": "confidence from",
    "confidence_to": "confidence to",
}
"""Bound of a filter → how it is written."""

PHOTO_STATUSES = {
    "ok": "There is a photo.",
    "not_kept": "The lake keeps no photo of it.",
    "no_url": "The source names no photo.",
    "not_found": "The source no longer has the photo.",
    "too_large": "The file of the photo is too large.",
    "too_many_pixels": "The photo has too many pixels to be decoded safely.",
    "not_an_image": "What the source serves as a photo is not an image.",
    "corrupt": "The photo is damaged.",
    "private_address": "The address of the photo leads into a private network, which is not asked.",
    "timeout": "The photo did not come in time; running the day again asks for it once more.",
    "unreachable": "The server of the photo did not answer; running the day again asks for it once more.",
}
"""Status of a photo → why there is none."""

MODALITIES = {"text": "text", "photo": "photo", "fusion": "text and photo", "none": "neither text nor photo"}
DECISIONS = {"accepted": "accepted", "review": "for review"}
ORIGINS = {
    "human": "a person decided so",
    "catalogue": "a catalogue says so",
    "source_tag": "the source's tags say so",
    "rule": "a written rule says so",
}
"""Origin of a trusted label → who says so."""


def photo_reason(status: str) -> str:
    """Why there is no photo, as a sentence; a status that is not known is named."""
    return PHOTO_STATUSES.get(status, f"There is no photo: {status.replace('_', ' ')}.")


@lru_cache(maxsize=1)
def _label_names() -> dict[str, str]:
    taxonomy = load_taxonomy()
    return {label: taxonomy.display_name(label) for label in taxonomy.labels}


def label_name(label: str) -> str:
    """The name of a label as people read it; one that the taxonomy no longer has is named by its id."""
    return _label_names().get(label) or label.replace("_", " ")


def _as_it_is(value: str) -> str:
    return value


def _words(value: str) -> str:
    return value.replace("_", " ")


def _version(value: str) -> str:
    return f"version {value}"


NAMES: dict[str, Callable[[str], str]] = {
    "label": label_name,
    "decision": lambda value: DECISIONS.get(value, value),
    "predicted_label": label_name,
    "modality": lambda value: MODALITIES.get(value, value),
    "flags": _words,
    "photo_status": lambda value: "has a photo" if value == "ok" else _words(value),
    "model_version": _version,
}
"""Property of products → how its values are written."""


def value_name(parameter: str, value: str) -> str:
    """A value of a property as people read it: `review` of `decision` is `for review`."""
    return NAMES.get(parameter, _as_it_is)(value)

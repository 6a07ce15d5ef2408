"""The front photo of an Open Food Facts record, wherever the record's schema version keeps it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from include.characters import is_usable_address

IMAGE_HOST = "https://images.openfoodfacts.org/images/products"
_FRONT_OF_LANGUAGE = re.compile(r"front_([a-z]{2,3}(?:[-_][a-z]{2,4})?)")
_REVISION = re.compile(r"[0-9]{1,9}")


def front_image_url(payload: dict[str, Any], code: str, language: str | None) -> str | None:
    """URL of the front photo at 400 px, or None.

    Taken from `image_front_url` or `image_url`, else from `selected_images`, else built from `images`. Whatever
    is of an unexpected type there, or no usable address, counts as no photo: a product is never lost over its photo.
    """
    for key in ("image_front_url", "image_url"):
        if _is_web_address(payload.get(key)):
            return str(payload[key]).strip()
    return _selected_url(payload, language) or _built_url(payload, code, language)


def image_folder(code: str) -> str:
    """Path of a product's photos: the code with zeros in front to 13 digits, no more, split 3/3/3/rest."""
    filled = code.lstrip("0").zfill(13)
    return f"{filled[:3]}/{filled[3:6]}/{filled[6:9]}/{filled[9:]}"


def _selected_url(payload: dict[str, Any], language: str | None) -> str | None:
    """From `selected_images.front`: `display.<language>` before API 3.3, `<language>.400` since."""
    front = _branch(payload, "selected_images", "front")
    urls = {lang: url for lang, url in _branch(front, "display").items() if _is_web_address(url)}
    urls |= {lang: sizes["400"] for lang, sizes in front.items() if _is_web_address(_branch(front, lang).get("400"))}
    chosen = _preferred(urls, language)
    return None if chosen is None else str(urls[chosen]).strip()


def _built_url(payload: dict[str, Any], code: str, language: str | None) -> str | None:
    revisions = dict(_front_revisions(_branch(payload, "images")))
    chosen = _preferred(revisions, language)
    if chosen is None:
        return None
    return f"{IMAGE_HOST}/{image_folder(code)}/front_{chosen}.{revisions[chosen]}.400.jpg"


def _front_revisions(images: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Language and revision of each front photo: `front_fr` up to schema 1001, `selected.front.fr` since 1002."""
    candidates = dict(_branch(images, "selected", "front"))
    for key, image in images.items():
        match = _FRONT_OF_LANGUAGE.fullmatch(key)
        if match:
            candidates.setdefault(match.group(1), image)
    for language, image in candidates.items():
        revision = image.get("rev") if isinstance(image, dict) else None
        is_text = isinstance(revision, str) and _REVISION.fullmatch(revision) is not None
        is_number = isinstance(revision, int) and not isinstance(revision, bool) and 0 <= revision < 10**9
        if (is_text or is_number) and _FRONT_OF_LANGUAGE.fullmatch(f"front_{language}"):
            yield language, str(revision)


def _preferred(available: dict[str, Any], language: str | None) -> str | None:
    """The product's own language, else French, else English, else the first by name."""
    for wanted in (language, "fr", "en"):
        if wanted in available:
            return wanted
    return min(available, default=None)


def _branch(value: Any, *keys: str) -> dict[str, Any]:
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value if isinstance(value, dict) else {}


def _is_web_address(value: Any) -> bool:
    return isinstance(value, str) and value.strip().startswith(("https://", "http://")) and is_usable_address(value)

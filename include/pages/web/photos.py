"""Photos of products, from the lake and scaled: a browser never asks the source for them."""

from __future__ import annotations

import re
from datetime import date

from sqlalchemy import Engine
from starlette.responses import Response
from starlette.status import HTTP_404_NOT_FOUND

from include.features.image.kept_photos import SIDES, kept_photo, thumbnail
from include.pages.web.access import router_for
from include.pages.web.data import CurrentData
from include.pages.web.host import Right
from include.storage.batch import Batch
from include.warehouse.known_products import last_batch

router = router_for(Right.VIEW)

KEPT = "private, max-age=86400"
"""How long a browser may keep a photo: its address changes with it."""
TYPES = {b"\xff\xd8\xff": "image/jpeg", b"\x89PNG\r\n\x1a\n": "image/png"}
"""First bytes of a picture → its type."""
NO_PHOTO = b"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 96 96" width="96" height="96">\
<rect width="96" height="96" fill="#8884"/>\
<path d="M20 70 40 44 54 60 64 50 78 70Z" fill="#8888"/><circle cx="66" cy="32" r="7" fill="#8888"/></svg>"""
"""What stands in the place of a photo that the lake does not have."""
_SOURCE = re.compile(r"[a-z0-9_]+")
"""What a source is called; nothing else becomes a part of a path."""


@router.get("/photos/{product_id:path}")
def photo(data: CurrentData, product_id: str, size: str = "", day: str = "") -> Response:
    """The photo that the lake keeps of a product, at most `size` pixels wide and high.

    `day` is one in whose batch the product was, else the last on which it was seen. Answers 404, with a picture of no
    photo, where there is none.
    """
    batch = _batch(data.engine, product_id, day)
    found = kept_photo(data.lake, batch, product_id) if batch else None
    picture = thumbnail(found.content, _side(size)) if found else None
    kind = next((kind for start, kind in TYPES.items() if picture and picture.startswith(start)), None)
    if picture is None or kind is None:
        return Response(NO_PHOTO, HTTP_404_NOT_FOUND, media_type="image/svg+xml")
    return Response(picture, media_type=kind, headers={"Cache-Control": KEPT})


def _batch(engine: Engine, product_id: str, day: str) -> Batch | None:
    """The batch that a product was in; None for no product."""
    source = product_id.partition(":")[0]
    if not _SOURCE.fullmatch(source):
        return None
    try:
        return Batch(source, date.fromisoformat(day))
    except ValueError:
        return last_batch(engine, product_id)


def _side(size: str) -> int:
    """The size that is served for one that was asked for: the next larger one, or the largest for no number."""
    if not (size.isascii() and size.isdigit() and len(size) < 6):
        return SIDES[-1]
    return next((side for side in SIDES if side >= int(size)), SIDES[-1])

"""The style sheet and the script of the pages, and a version that changes with them."""

from __future__ import annotations

import hashlib
from functools import lru_cache

from include.pages.rendering import TEMPLATES

FILES = {
    "pages.css": ("text/css", ("style.css", "web/pages.css", "web/batches.css", "web/products.css")),
    "pages.js": ("text/javascript", ("web/pages.js",)),
}
"""Name of an asset → its type, and the files of `templates` that it is made of."""


@lru_cache(maxsize=1)
def asset_version() -> str:
    """Changes when one of the files does: part of their addresses, so that a browser keeps them until then."""
    return hashlib.sha256(b"".join(asset_content(name) for name in FILES)).hexdigest()[:12]


@lru_cache(maxsize=len(FILES))
def asset_content(name: str) -> bytes:
    return b"\n".join((TEMPLATES / part).read_bytes() for part in FILES[name][1])

"""Characters that no text of a product may hold, and addresses fit to be kept."""

from __future__ import annotations

import re

# Direction overrides make text read otherwise than it is stored (U+202E in a file name is an old trick).
# Direction marks, embeddings and isolates are ordinary in Arabic and Hebrew and stay.
FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\u202d\u202e\ud800-\udfff\ufffe\uffff]")
MAX_ADDRESS_CHARACTERS = 2_000
"""A longer address is none: no browser takes it."""


def is_usable_address(text: str) -> bool:
    """Whether the address of a page or a photo can be kept: it is short, and without forbidden characters."""
    return len(text) <= MAX_ADDRESS_CHARACTERS and FORBIDDEN.search(text) is None

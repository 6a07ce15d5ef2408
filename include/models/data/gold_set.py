"""The gold set: products that models are evaluated on and never trained on.

Three invariants hold whatever products come later:

- a content group (products that share a text or a photo) is on one side only, gold or training;
- what was once gold stays gold, and what was once trained on never becomes gold;
- whether a new group is gold depends on a hash of its content alone.

Every product, text and photo has a key whose side is stored for good (`sides`). A new key gets the side of its group.
A product that connects both sides, with the text of one and the photo of the other, is left out.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from include.models.data.content_groups import content_groups
from include.schema import text_hash

logger = logging.getLogger(__name__)

TRAINING, GOLD, LEFT_OUT = "training", "gold", "left_out"
_KEY_DIGITS = 16
"""Hex digits of a key: 64 bits, enough to tell hundreds of millions of contents apart."""


@dataclass(frozen=True, eq=False)
class Assignment:
    """The part of each product, and the sides to pass to the next assignment."""

    parts: list[str]
    """`training`, `gold` or `left_out` of each product, in the order given."""
    groups: list[str]
    """Content group of each product: the smallest content key in it, e.g. `t03f9c1d2a4b5e677`."""
    sides: dict[str, bool]
    """Side of every key, earlier ones included; True is gold."""


def assign(
    product_ids: Sequence[str],
    text_hashes: Sequence[str | None],
    photo_hashes: Sequence[str | None],
    share: float,
    known: Mapping[str, bool],
) -> Assignment:
    """Divide products into training and gold.

    The three columns have a row per product, None where it has no text or photo. `share` in (0, 1) of the new content
    groups become gold; `known` are the `sides` of the previous assignment. Deterministic, and idempotent: the returned
    `sides` as `known` give the same assignment again.
    """
    keys = [
        [_key("p", product_id), *([_key("t", text)] if text else []), *([_key("i", photo)] if photo else [])]
        for product_id, text, photo in zip(product_ids, text_hashes, photo_hashes, strict=True)
    ]
    known_sides = [{known[key] for key in row if key in known} for row in keys]
    settled = np.array([all(key in known for key in row) for row in keys], dtype=bool)
    conflicting = np.array([len(sides) > 1 for sides in known_sides], dtype=bool)
    # A conflicting product is left out, and so connects no groups.
    usable = np.flatnonzero(~conflicting)
    numbers = content_groups(*_columns([keys[row] for row in usable]))
    side_of_group, names = _sides_of_groups(usable, numbers, keys, known_sides, share)

    parts, groups = [LEFT_OUT] * len(keys), [_name(row) for row in keys]
    sides = dict(known)
    for row, number in zip(usable.tolist(), numbers.tolist(), strict=True):
        groups[row] = names[number]
        side = side_of_group[number]
        if side is None:
            # Its group has both sides: products that were assigned before keep theirs, new ones are left out.
            if not settled[row]:
                continue
            side = next(iter(known_sides[row]))
        parts[row] = GOLD if side else TRAINING
        sides |= dict.fromkeys(keys[row], side)
    left_out = parts.count(LEFT_OUT)
    if left_out:
        logger.info("products that connect gold and training groups are left out: count=%d", left_out)
    return Assignment(parts, groups, sides)


def _sides_of_groups(
    rows: np.ndarray,
    numbers: np.ndarray,
    keys: Sequence[Sequence[str]],
    known_sides: Sequence[set[bool]],
    share: float,
) -> tuple[dict[int, bool | None], dict[int, str]]:
    """Side of each group (None: both) and its name; the name decides the side of a group without a known one."""
    found: dict[int, set[bool]] = {}
    names: dict[int, str] = {}
    for row, number in zip(rows.tolist(), numbers.tolist(), strict=True):
        found.setdefault(number, set()).update(known_sides[row])
        name = _name(keys[row])
        names[number] = min(names.get(number, name), name)
    sides: dict[int, bool | None] = {}
    for number, known in found.items():
        if len(known) > 1:
            sides[number] = None
        else:
            sides[number] = next(iter(known)) if known else is_drawn(names[number], share)
    return sides, names


def is_drawn(group: str, share: float) -> bool:
    """Whether a new content group is gold, by a hash of its name: independent of the size of the group."""
    return int(text_hash(f"gold {group}")[:8], 16) < share * 2**32


def _name(keys: Sequence[str]) -> str:
    """The smallest content key of a product; the key of the product itself if it has no content."""
    return min(keys[1:], default=keys[0])


def _key(kind: str, value: str) -> str:
    # Product ids have any length; texts and photos are given by their hashes.
    return kind + (text_hash(value) if kind == "p" else value)[:_KEY_DIGITS]


def _columns(keys: Sequence[Sequence[str]]) -> list[list[str | None]]:
    """Keys of the products by kind, the arguments of `content_groups`."""
    columns: dict[str, list[str | None]] = {kind: [None] * len(keys) for kind in "pti"}
    for row, found in enumerate(keys):
        for key in found:
            columns[key[0]][row] = key
    return list(columns.values())

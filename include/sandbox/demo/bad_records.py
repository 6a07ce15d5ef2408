"""Records as bad as contributors, spreadsheets and new schema versions leave them."""

from __future__ import annotations

import random
from collections.abc import Sequence

from include.sandbox.catalogue import Record


def bad_records(chance: random.Random, products: Sequence[Record]) -> list[Record]:
    """About a dozen variations of a day's products, each with one fault.

    All but the repeated record have a code of their own, so that none displaces a good product. Those that
    only deserve a remark (check digit, short code, in-store code) are among them.
    """
    named = [product for product in products if "champagne" in product["product_name"].lower()]
    originals = iter(chance.sample(named, 12))
    serial = iter(range(12))

    def altered(**changes: object) -> Record:
        """A product under a new code with the keys changed; an ellipsis removes a key."""
        original = next(originals)
        code = f"{original['code'][:3]}99{original['code'][5:8]}{next(serial):05d}"
        localised = [key for key in original if key.startswith("product_name_")]
        record = {key: value for key, value in original.items() if key not in localised} | {"code": code} | changes
        return {key: value for key, value in record.items() if value is not ...}

    return [
        next(originals),
        altered(product_name=..., generic_name="Vin de Champagne"),
        altered(product_name="   "),
        altered(code=f"3.{chance.randrange(10, 99)}E+12"),
        altered(code=""),
        altered(schema_version=2001, images=[{"face": "front"}], brands=[{"name": "Orsel"}]),
        altered(product_name=["Champagne", "Brut"]),
        altered(product_name="Champagne brut \x00\x07 réserve"),
        altered(product_name="Champagne " + "grande cuvée " * 60),
        altered(code=f"{chance.randrange(10**7, 10**8)}"),
        altered(code=f"2{chance.randrange(10**11, 10**12)}"),
        altered(last_modified_t=None),
    ]

"""Flags of a product's barcode: its check digit, its length, and whether a shop issued it.

Rules of the GS1 General Specifications, sections 1.4 (prefixes) and 7.9 (check digit).

    barcode_flags("3018333000014")   # ()
    barcode_flags("3018333000015")   # ("check_digit_wrong",)
    barcode_flags("2048170012348")   # ("in_store_code",), if its check digit fits
    barcode_flags("4087")            # ("short_code",)
"""

from __future__ import annotations

from stdnum import ean

LENGTHS = frozenset({8, 12, 13, 14})
"""GTIN-8, GTIN-12 (UPC-A), GTIN-13 (EAN) and GTIN-14."""


def barcode_flags(code: str) -> tuple[str, ...]:
    """Flags of a code made of ASCII digits, in a fixed order; empty for an ordinary barcode.

    Leading zeros carry no information in a barcode: a code of 9 to 11 digits has lost some of them, and a
    GTIN-8 may be written with five more in front. A code shorter than 8 digits is a number that somebody made
    up, without a check digit. An 8-digit code that begins with 0 may also be an abbreviated UPC-A (UPC-E).
    """
    if not (code.isascii() and code.isdigit()):
        raise ValueError(f"not a code of digits: {code!r}")
    flags = []
    significant = code.lstrip("0")
    if len(significant) > 14:
        return ("long_code",)
    digits = code[-14:]
    if len(digits) < 8:
        return ("short_code",)
    if not has_right_check_digit(digits) and not (len(digits) == 8 and _is_upc_e(digits)):
        flags.append("check_digit_wrong")
    if len(digits) not in LENGTHS:
        flags.append("short_code")
    if _is_in_store(digits):
        flags.append("in_store_code")
    return tuple(flags)


def has_right_check_digit(digits: str) -> bool:
    """Whether the last digit fits the others: weights 3, 1, 3, … from the right, modulo 10."""
    return ean.calc_check_digit(digits[:-1]) == digits[-1]


def _is_in_store(digits: str) -> bool:
    """Restricted circulation: GS1-8 prefixes 0 and 2; GS1 prefixes 02, 04 and 2 of the longer codes."""
    gtin_13 = digits.zfill(14)[1:]
    if gtin_13.startswith("00000"):
        return gtin_13[5] in "02" and not _is_upc_e(gtin_13[5:])
    return gtin_13.startswith(("02", "04", "2"))


def _is_upc_e(digits: str) -> bool:
    """Whether 8 digits are a UPC-E code with the check digit of the UPC-A it abbreviates."""
    if digits[0] not in "01":
        return False
    system, body, check = digits[0], digits[1:7], digits[7]
    last = body[5]
    if last in "012":
        full = body[:2] + last + "0000" + body[2:5]
    elif last == "3":
        full = body[:3] + "00000" + body[3:5]
    elif last == "4":
        full = body[:4] + "00000" + body[4]
    else:
        full = body[:5] + "0000" + last
    return has_right_check_digit(system + full + check)

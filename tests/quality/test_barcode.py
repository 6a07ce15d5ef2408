"""What a barcode tells about itself."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from include.quality.barcode import barcode_flags, has_right_check_digit


@pytest.mark.parametrize(
    ("code", "flags"),
    [
        ("3018333000014", ()),  # GTIN-13
        ("40170725", ()),  # GTIN-8
        ("012000000133", ()),  # GTIN-12
        ("10012345678902", ()),  # GTIN-14
        ("0000040170725", ()),  # a GTIN-8 filled up to 13
        ("04252614", ()),  # UPC-E, an abbreviated UPC-A
        ("3018333000015", ("check_digit_wrong",)),
        ("40170726", ("check_digit_wrong",)),
        ("12000000133", ("short_code",)),  # a UPC-A that lost its leading zero
        ("4087", ("short_code",)),
        ("0", ("short_code",)),
        ("2000000000008", ("in_store_code",)),
        ("0212345678909", ("in_store_code",)),
        ("0412345678903", ("in_store_code",)),
        ("212345678909", ("in_store_code",)),  # the same as a UPC-A
        ("20000004", ("in_store_code",)),
        ("00000017", ("in_store_code",)),
        ("2000000000000", ("check_digit_wrong", "in_store_code")),
        ("123456789012345678", ("long_code",)),
    ],
)
def test_flags_of_a_code(code: str, flags: tuple[str, ...]) -> None:
    assert barcode_flags(code) == flags


@settings(deadline=None)
@given(st.text("0123456789", min_size=7, max_size=13), st.integers(0, 9), st.integers(1, 9))
def test_exactly_one_check_digit_fits_and_a_mistyped_digit_never_does(body: str, last: int, error: int) -> None:
    fitting = [digit for digit in "0123456789" if has_right_check_digit(body + digit)]
    assert len(fitting) == 1
    code = body + fitting[0]
    place = last % len(code)
    mistyped = code[:place] + str((int(code[place]) + error) % 10) + code[place + 1 :]
    assert not has_right_check_digit(mistyped)


@settings(deadline=None)
@given(st.text("0123456789", min_size=8, max_size=13))
def test_leading_zeros_change_no_check_digit(code: str) -> None:
    assert has_right_check_digit(code) == has_right_check_digit("0" + code)


@pytest.mark.parametrize("text", ["", "3,00E+12", "３０１８", "30 18", "-301"])
def test_anything_but_digits_is_a_mistake_of_the_caller(text: str) -> None:
    with pytest.raises(ValueError, match="not a code"):
        barcode_flags(text)


def test_real_codes_are_mostly_ordinary(shared_data: Path) -> None:
    with (shared_data / "openfoodfacts" / "products.jsonl").open(encoding="utf-8") as lines:
        flags = [barcode_flags(json.loads(line)["code"]) for line in lines]
    assert sum("check_digit_wrong" in found for found in flags) < 0.02 * len(flags)
    assert sum(not found for found in flags) > 0.85 * len(flags)

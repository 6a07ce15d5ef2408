from __future__ import annotations

import csv
import io
import json
from datetime import date
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from include.schema import Product
from include.sources.edamam import Edamam
from include.sources.landing import Landing
from include.sources.seed_export import COLUMNS, write_seed_export
from include.storage.batch import Batch
from include.storage.lake import Lake

UNHURRIED = settings(deadline=None, max_examples=60)


def exported(products: list[Product], limit: int = 10) -> list[list[str]]:
    stream = io.StringIO(newline="")
    assert write_seed_export(products, stream, limit) == min(limit, len(products))
    return list(csv.reader(io.StringIO(stream.getvalue(), newline="")))


def test_the_seeds_own_export_comes_out_again(shared_data: Path, lake: Lake) -> None:
    folder = shared_data / "edamam"
    landing = Landing(lake, Batch("edamam", date(2026, 3, 14)))
    landing.write_json_lines("page-00001.json.gz", [json.loads((folder / "parser_champagne.json").read_text())])
    landing.complete({})
    products = [record for record in Edamam().read(landing.day, landing) if isinstance(record, Product)]
    with (folder / "first_10_champagne_products.csv").open(newline="", encoding="utf-8") as stream:
        seed = [row[1:] for row in csv.reader(stream)]
    assert exported(products) == seed


def test_both_seed_files_have_these_columns(shared_data: Path) -> None:
    for source in ("edamam", "openfoodfacts"):
        header = (shared_data / source / "first_10_champagne_products.csv").read_text(encoding="utf-8").splitlines()[0]
        assert header.removeprefix(",") == ",".join(COLUMNS)


def test_no_products_give_a_header() -> None:
    assert exported([]) == [list(COLUMNS)]


def test_a_formula_is_made_inert() -> None:
    assert exported([Product("x", "1", name="=HYPERLINK(1)")])[1][1] == "'=HYPERLINK(1)"


@UNHURRIED
@given(st.lists(st.text().filter(lambda text: not text.startswith(("=", "+", "-", "@", "\t", "\r"))), max_size=12))
def test_every_text_survives_the_way_through_csv(names: list[str]) -> None:
    rows = exported([Product("x", str(number), name=name) for number, name in enumerate(names)])
    assert [row[1] for row in rows[1:]] == names[:10]

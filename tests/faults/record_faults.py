"""Hostile records as whole days, from the landed file to validated rows, their documents and rules."""

from __future__ import annotations

import gzip
import json
import random
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

from include.errors import CatalogueRefused, RecordTooSlow, SourceError
from include.pipeline.daily.validate import ValidationSummary, validate_day, validate_records
from include.pipeline.source_access import http_limits
from include.pipeline.text_features import documents_of, extract_text_features
from include.record_guard import RecordGuard
from include.schema import Product
from include.settings import Settings
from include.sources.catalogue import open_catalogue
from include.sources.connection import SourceConnection
from include.sources.edamam import PARSER_PATH, Edamam
from include.sources.http import HttpClient
from include.sources.landing import Landing
from include.sources.openfoodfacts_record import parse_product
from include.storage.batch import Batch
from include.storage.lake import Lake
from include.storage.layers import Layer
from tests.faults.fault import Fault
from tests.faults.logged import logged
from tests.faults.mutation import NUMBERS, TEXTS, changed, fields_read, nested, parts
from tests.faults.record_batches import (
    DAY,
    DELTA,
    EDAMAM,
    OPENFOODFACTS,
    edamam_outcome,
    openfoodfacts_outcome,
)
from tests.sources.api_server import Answer, ApiServer, Request

ORDINARY = 200
_DAMAGED_FIRST = b'{"sku": NaN}\n{"sku": "1", "name": "a"}\n'


@contextmanager
def _settings() -> Iterator[Settings]:
    with tempfile.TemporaryDirectory(prefix="cuvee-faults-") as folder:
        yield Settings(
            state_dir=Path(folder) / "state",
            lake_url=str(Path(folder) / "lake"),
            max_rejected_share=1,
            contact="tests@example.org",
            http_backoff_seconds=0,
            http_attempts=2,
        )


def _ordinary(count: int) -> list[bytes]:
    record = OPENFOODFACTS[0]
    return [json.dumps({**record, "code": f"{4_000_000 + number:013d}"}).encode() for number in range(count)]


def _coded(number: int, path: tuple[str, ...], text: str) -> bytes:
    return changed({**OPENFOODFACTS[0], "code": f"{number:013d}"}, path, text)


def _day(lines: list[bytes], settings: Settings) -> ValidationSummary:
    """A day of these lines among ordinary ones, validated; AssertionError if a record is not found again."""
    lake = Lake(settings.lake_root)
    ordinary = _ordinary(ORDINARY)
    with Landing(lake, Batch("openfoodfacts", DAY)).open_write(DELTA) as stream:
        stream.write(gzip.compress(b"\n".join([*ordinary[::2], *lines, *ordinary[1::2]]), 1))
    Landing(lake, Batch("openfoodfacts", DAY)).complete({"files": [DELTA]})
    summary = validate_day(Batch("openfoodfacts", DAY), settings)
    assert summary["received"] == ORDINARY + len(lines), f"{ORDINARY + len(lines)} in, {summary['received']} out"
    products = lake.read_parquet(Batch("openfoodfacts", DAY).file(Layer.PRODUCTS))
    assert products.num_rows == summary["products"]
    assert len(documents_of(products)) == extract_text_features(products)[0].num_rows == products.num_rows
    return summary


def _told(summary: ValidationSummary) -> str:
    kept = summary["products"] - ORDINARY
    return f"{kept} kept, {summary['quarantined']} set aside {summary['reasons'] or ''}".strip()


def _of_lines(lines: Callable[[], list[bytes]], *, all_kept: bool = False) -> Callable[[], str]:
    def inject() -> str:
        with _settings() as settings:
            summary = _day(lines(), settings)
        assert summary["products"] >= ORDINARY, "an ordinary product is missing"
        assert "unreadable" not in summary["reasons"], "our own code failed"
        assert not (all_kept and summary["quarantined"]), f"set aside: {summary['reasons']}"
        return _told(summary)

    return inject


def _numbers_everywhere() -> list[bytes]:
    fields = parts(fields_read(lambda record: parse_product(record, "openfoodfacts"), OPENFOODFACTS))
    pairs = [(path, number) for path in fields for number in NUMBERS]
    return [_coded(place, path, number) for place, (path, number) in enumerate(pairs)]


def _deep() -> list[bytes]:
    depths = [2, 63, 64, 65, 200, 600, 700, 900, 1_500, 100_000]
    texts = [text for depth in depths for text in (nested(depth), nested(depth, '{"a": ', "}"))]
    unneeded = [_coded(number, ("nutriments",), text) for number, text in enumerate(texts)]
    needed = [_coded(1_000 + number, ("product_name",), text) for number, text in enumerate(texts)]
    return [*unneeded, *needed]


def _photo_addresses() -> list[bytes]:
    hostile = [text for text in TEXTS if not text.startswith("champagne ")]
    addresses = [json.dumps(text) for text in [*hostile, *(f"https://x.org/{text}" for text in hostile)]]
    fields = [("image_front_url",), ("image_url",), ("url",), ("images", "front_fr", "rev")]
    lines = [_coded(n, path, text) for n, (path, text) in enumerate((p, t) for p in fields[:2] for t in addresses)]
    revisions = [*NUMBERS, '"' + "9" * 4_500 + '"', nested(600)]
    record = {key: value for key, value in OPENFOODFACTS[0].items() if not key.startswith("image")}
    return [
        *lines,
        *(changed({**record, "code": f"{90_000 + n:013d}"}, fields[3], text) for n, text in enumerate(revisions)),
    ]


def _long_lines() -> list[bytes]:
    sizes = [200_000, 1_000_000, 7 * 1024**2, 9 * 1024**2, 40 * 1024**2]
    noise = random.Random(7).randbytes(max(sizes) // 2).hex()  # zeros would be refused as a bomb
    named = [_coded(number, ("comment",), f'"{noise[:size]}"') for number, size in enumerate(sizes)]
    objects = _coded(100, ("empty",), "[" + "{}," * 2_500_000 + "{}]")
    keys = _coded(101, ("keys",), "{" + ",".join(f'"k{number}":{number}' for number in range(400_000)) + "}")
    tags = _coded(102, ("categories_tags",), json.dumps([f"en:t{number}" for number in range(200_000)]))
    name = _coded(103, ("product_name",), json.dumps("champagne " * 100_000))
    return [*named, objects, keys, tags, name, b"[" * 9_000_000, b'{"a":"' + b'\\"' * 4_000_000]


def _versions() -> list[bytes]:
    versions = ["1005", "9999", "-1", "true", '"v2"', "[1005]", "1e999", "9" * 5_000, "1004.5", nested(600)]
    return [_coded(number, ("schema_version",), version) for number, version in enumerate(versions)]


def _mutated(count: int) -> list[bytes]:
    fields = [*parts(fields_read(lambda record: parse_product(record, "openfoodfacts"), OPENFOODFACTS)), ("unknown",)]
    texts = [*NUMBERS, *map(json.dumps, TEXTS), "null", "true", "{}", "[]", "[[]]", "NaN", nested(64), nested(300)]
    drawn = random.Random(20261128)
    records = [{**drawn.choice(OPENFOODFACTS), "code": f"{number:013d}"} for number in range(count)]
    return [changed(record, drawn.choice(fields), drawn.choice(texts)) for record in records]


def _mutated_foods() -> str:
    fields = ["foodId", "label", "knownAs", "brand", "category", "foodContentsLabel", "image", "nutrients", "unknown"]
    texts = [*NUMBERS, *map(json.dumps, TEXTS), "null", "true", "{}", "[]", "[[]]", nested(64), nested(300)]
    drawn = random.Random(20261128)
    foods = [
        changed({**EDAMAM[0], "foodId": f"food_{number}"}, (drawn.choice(fields),), drawn.choice(texts))
        for number in range(2_000)
    ]
    with _settings() as settings:
        kept, rejected = edamam_outcome(foods, settings.lake_root)
    assert not any("unreadable" in rejection.reasons for rejection in rejected)
    return f"{len(kept)} kept, {len(rejected)} set aside"


def _overflow_on_page_two() -> str:
    """A parser of three pages; the second holds a number that overflows, the third a food nested without end."""

    def page(request: Request) -> Answer:
        number = int(request.query.get("session", "1"))
        foods = [{"food": {**EDAMAM[0], "foodId": f"food_{number}_{place}", "x": "hostile"}} for place in range(20)]
        links = {"next": {"href": f"{api.url}{PARSER_PATH}?session={number + 1}&ingr=champagne"}} if number < 3 else {}
        text = json.dumps({"hints": foods, "_links": links})
        hostile = {2: "1e999", 3: nested(5_000)}.get(number, "1")
        return Answer(text.replace('"hostile"', hostile, 1).encode(), headers={"Content-Type": "application/json"})

    api = ApiServer()
    try:
        with _settings() as settings:
            connection = SourceConnection(api.url, app_id="an-id", app_key="a-key", allow_private_hosts=True)
            landing = Landing(Lake(settings.lake_root), Batch("edamam", DAY))
            api.on_call(PARSER_PATH, page)
            with HttpClient(http_limits(settings), allow_private_hosts=True) as http:
                Edamam().fetch(DAY, landing, connection, http)
            summary = validate_day(Batch("edamam", DAY), settings)
            assert summary["products"] == 60, summary
            with landing.open_write("page-00002.json.gz") as stream:
                stream.write(gzip.compress(b'{"hints": [Infinity]}'))
            try:
                validate_day(Batch("edamam", DAY), settings)
            except SourceError as error:
                return f"60 of 60 kept; a page that cannot be read: {str(error).rsplit(': ', 1)[-1]}"
            raise AssertionError("a page that cannot be read went unnoticed")
    finally:
        api.close()


def _hang() -> str:
    def slow(raw: Any, position: str) -> None:
        while position == "file:7":
            pass

    guard = RecordGuard("openfoodfacts")
    try:
        with guard.watched(1.0):
            list(guard.read_each(((f"file:{number}", {}) for number in range(10)), slow))
    except RecordTooSlow as error:
        assert "file:7" in str(error)
        return "the task fails and names file:7"
    raise AssertionError("the record was read to its end")


def _our_own_mistake() -> str:
    def mistaken(payload: Any, source: str, position: str) -> Any:
        if isinstance(payload, dict) and str(payload.get("code")).endswith("7"):
            raise IndexError(position)
        return parse_product(payload, source, position)

    with (
        _settings() as settings,
        logged("include.record_guard") as log,
        mock.patch("include.sources.openfoodfacts.parse_product", mistaken),
    ):
        summary = _day([], settings)
    assert summary["reasons"] == {"unreadable": ORDINARY // 10}, summary["reasons"]
    assert log.getvalue().count("Traceback") == 1, log.getvalue()
    return f"{ORDINARY // 10} of {ORDINARY} set aside as unreadable, one warning"


def _catalogue(name: str, content: Callable[[], bytes]) -> Callable[[], str]:
    def inject() -> str:
        with _settings() as settings:
            path = settings.state_dir.parent / name
            path.write_bytes(content())
            try:
                catalogue = open_catalogue(path)
            except CatalogueRefused as error:
                return f"refused: {str(error).split(': ', 1)[-1][:60]}"
            rows = sum(1 for _ in catalogue.file.rows())
            summary = validate_records(catalogue.read(), Batch(catalogue.source, DAY), settings, is_feed=False)
        assert summary["received"] == rows, f"{rows} in, {summary['received']} out"
        assert "unreadable" not in summary["reasons"]
        return f"{summary['products']} kept, {summary['quarantined']} set aside"

    return inject


def _json_rows() -> bytes:
    values = [*NUMBERS, *map(json.dumps, TEXTS), "null", "[]", "{}", "NaN", nested(600), nested(100_000), '[["a"], {}]']
    fields = ["sku", "name", "brand", "description", "category", "image", "url"]
    rows = [
        changed({"sku": f"{field}-{number}", "name": "Bottle"}, (field,), value)
        for field in fields
        for number, value in enumerate(values)
    ]
    return b"\n".join(rows)


def _long_csv() -> bytes:
    rows = ["sku,name,description", "1,a,b", '2,c,"' + "long " * 28_000 + '"', "3,d,e", "sku,name,description"]
    return "\n".join(rows).encode()


def _long_day() -> str:
    """A long day: what is held does not grow with it."""
    lines = [*_ordinary(20_000), *_mutated(2_000)]
    with _settings() as settings:
        kept, rejected = openfoodfacts_outcome(lines, settings.lake_root)
    counts = Counter(reason for rejection in rejected for reason in rejection.reasons)
    assert all(isinstance(product, Product) for product in kept)
    return f"{len(kept)} kept, {len(rejected)} set aside, {len(counts)} reasons"


FAULTS = [
    Fault("records: numbers that overflow in every field", _of_lines(_numbers_everywhere)),
    Fault("records: last_modified_t 1e999", _of_lines(lambda: [_coded(1, ("last_modified_t",), "1e999")])),
    Fault("records: nested 2 to 100,000 deep with NUL", _of_lines(_deep)),
    Fault("records: photo addresses with NUL, overrides, long revisions", _of_lines(_photo_addresses, all_kept=True)),
    Fault("records: lines of 200 kB to 40 MB, millions of objects", _of_lines(_long_lines), is_quick=False),
    Fault("records: schema versions that nobody knows", _of_lines(_versions, all_kept=True)),
    Fault("records: 500 changed at random", _of_lines(lambda: _mutated(500))),
    Fault("records: 10,000 changed at random", _of_lines(lambda: _mutated(10_000)), 120, is_quick=False),
    Fault("records: 2,000 foods of Edamam changed at random", _mutated_foods, is_quick=False),
    Fault("records: 22,000 of which 2,000 are hostile", _long_day, 120, 600, is_quick=False),
    Fault("records: a number that overflows on page 2 of Edamam", _overflow_on_page_two),
    Fault("records: one hangs", _hang),
    Fault("records: our own code fails on one in ten", _our_own_mistake),
    Fault("catalogue: JSON lines of every kind of value", _catalogue("shop.jsonl", _json_rows)),
    Fault("catalogue: a field of 140,000 characters, the header twice", _catalogue("shop.csv", _long_csv)),
    Fault("catalogue: a NUL among the rows", _catalogue("shop.csv", lambda: b"sku,name\n1,a\n2,b\x00c\n")),
    Fault("catalogue: the first line is damaged", _catalogue("shop.jsonl", lambda: _DAMAGED_FIRST)),
]

"""Faults while a day of the lake is replaced: what was there stays until what replaces it is whole."""

from __future__ import annotations

import multiprocessing
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from include.errors import BatchRejected, CuveeError, SourceError
from include.pipeline.daily.fetch import fetch_day
from include.pipeline.daily.validate import validate_day
from include.sources.edamam import PARSER_PATH
from include.sources.landing import Landing
from include.storage.batch import Batch
from include.storage.layers import Layer
from tests.faults.fault import Fault
from tests.fixtures.killing import KILLED, run_killed
from tests.fixtures.landed_day import (
    DAY,
    NOWHERE,
    LandedDay,
    delta_name,
    quick,
    refetch,
    refetch_on_a_full_disk,
    serve_a_large_file,
)
from tests.sources.api_server import Answer, ApiServer, gzip_lines, html

OLD, NEW = ["1", "2"], ["2", "3"]


@contextmanager
def landed_day(source: str = "openfoodfacts") -> Iterator[LandedDay]:
    """A day that is landed, in a lake and at a server of its own."""
    api = ApiServer()
    try:
        with tempfile.TemporaryDirectory(prefix="cuvee-fault-") as folder:
            day = LandedDay(api, quick(Path(folder) / "state", f"{folder}/lake"), source)
            day.serve_foods(*OLD) if source == "edamam" else day.serve(*OLD, windows=2)
            day.fetch()
            yield day
    finally:
        api.close()


def refused(act: Callable[[], object], error: type[CuveeError], *said: str) -> str:
    """The message of an act that must fail with this error and say all this."""
    try:
        act()
    except error as found:
        absent = [words for words in said if words not in str(found)]
        assert not absent, f"the message does not say {absent}: {found}"
        return f"{error.__name__}; what was landed is kept"
    raise AssertionError(f"no {error.__name__}")


def no_network() -> str:
    with landed_day() as day:
        before = day.files()

        def act() -> object:
            return fetch_day(Batch(day.name, DAY), day.settings, NOWHERE, refetch=True)

        outcome = refused(act, SourceError, "nothing was replaced")
        assert (day.ids(), day.files()) == (OLD, before)
        return outcome


def breaks_off() -> str:
    with landed_day("edamam") as day:
        answer = day.api._functions[PARSER_PATH]
        day.api.on_call(PARSER_PATH, lambda request: html(503) if "session" in request.query else answer(request))
        outcome = refused(lambda: day.fetch(refetch=True), SourceError, "503", "nothing was replaced")
        assert day.ids() == OLD
        return outcome


def empty_answer() -> str:
    with landed_day() as day:
        day.serve()
        outcome = refused(lambda: day.fetch(refetch=True), BatchRejected, "--allow-empty", "nothing was replaced")
        assert day.ids() == OLD
        day.fetch(refetch=True, allow_empty=True)
        assert day.ids() == []
        return f"{outcome}; with --allow-empty it is replaced"


def nothing_but_bad_records() -> str:
    return _replaced_by([{"code": "", "product_name": "Champagne"}])


def landing_emptied() -> str:
    return _replaced_by([])


def _replaced_by(rows: list[dict[str, object]]) -> str:
    """Validate a day, replace what is landed of it by these rows, and validate it again."""
    with landed_day() as day:
        day.serve(*OLD)
        day.fetch(refetch=True)
        validate_day(Batch(day.name, DAY), day.settings)
        products = Batch(day.name, DAY).file(Layer.PRODUCTS)
        before = day.lake.read_bytes(products)
        day.lake.write_bytes(Landing(day.lake, Batch(day.name, DAY)).path(delta_name()), gzip_lines(rows))
        refused(lambda: validate_day(Batch(day.name, DAY), day.settings), BatchRejected, "not_emptied", "--allow-empty")
        assert day.lake.read_bytes(products) == before
        return "BatchRejected; the products are kept"


def killed_at(target: str, nth: int, expected: list[str]) -> str:
    with landed_day() as day:
        day.serve(*NEW, windows=2)
        assert run_killed(target, nth, refetch, day.settings, day.api.url, from_server=False) == KILLED
        assert day.ids() == expected
        day.fetch(refetch=True)
        assert day.ids() == NEW
        return f"{'the new day' if expected == NEW else 'the old day'}, whole; the next refetch replaces it"


def disk_full() -> str:
    with landed_day() as day:
        before = day.files()
        day.serve("9")
        serve_a_large_file(day)
        processes = multiprocessing.get_context("spawn")
        process = processes.Process(target=refetch_on_a_full_disk, args=(day.settings, day.api.url))
        process.start()
        process.join(60)
        assert process.exitcode == 3, process.exitcode
        assert (day.ids(), day.files()) == (OLD, before)
        return "OSError; the old day, whole"


def two_at_once() -> str:
    with landed_day() as day:
        day.serve(*NEW, windows=2)
        with ThreadPoolExecutor(2) as both:
            for future in [both.submit(day.fetch, refetch=True) for _ in range(2)]:
                future.result()
        assert day.ids() == NEW
        assert Landing(day.lake, Batch(day.name, DAY)).is_complete()
        return "the new day, whole"


def read_while_replaced() -> str:
    with landed_day() as day:
        reader = Landing(day.lake, Batch(day.name, DAY))
        names = reader.manifest()["files"]
        list(reader.read_json_lines(names[0]))
        day.serve(*NEW, windows=2)
        day.fetch(refetch=True)
        return refused(lambda: list(reader.read_json_lines(names[1])), SourceError, "run this step again")


def truncated_file() -> str:
    with landed_day() as day:
        whole = gzip_lines([{"code": "9", "product_name": "Champagne", "last_modified_t": 0}] * 100)
        day.serve("9")
        day.api.on(f"/data/delta/{delta_name()}", Answer(whole[:-20]))
        outcome = refused(lambda: day.fetch(refetch=True), SourceError, "cut off", "nothing was replaced")
        assert day.ids() == OLD
        return outcome


FAULTS = [
    Fault("refetch: no network", no_network),
    Fault("refetch: the second page fails", breaks_off),
    Fault("refetch: an empty answer", empty_answer),
    Fault("refetch: a file cut off", truncated_file),
    Fault("refetch: the disk is full", disk_full),
    Fault("refetch: two at once", two_at_once),
    Fault("refetch: a reader in between", read_while_replaced),
    Fault("refetch: killed while it lands", lambda: killed_at("pathlib:Path.replace", 2, OLD)),
    Fault(
        "refetch: killed before the new day counts",
        lambda: killed_at("include.sources.landing:Landing.replace_by", 1, OLD),
        is_quick=False,
    ),
    Fault(
        "refetch: killed before the old day is removed",
        lambda: killed_at("include.sources.landing:Landing.remove_replaced", 1, NEW),
        is_quick=False,
    ),
    Fault(
        "refetch: killed while the old day is removed",
        lambda: killed_at("include.storage.lake:Lake.delete", 2, NEW),
        is_quick=False,
    ),
    Fault("validation: a day of products comes back empty", landing_emptied, is_quick=False),
    Fault("validation: a day of products comes back with bad records only", nothing_but_bad_records, is_quick=False),
]

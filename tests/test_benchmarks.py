"""What `make bench` says of its figures. No benchmark runs here."""

from __future__ import annotations

import math
import sys
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.settings import Settings
from tests.benchmarks import __main__ as bench
from tests.benchmarks.comparison import FIGURES, Kept, compare, keep, read_kept, spread
from tests.benchmarks.measure import Direction, Figure, better_by_default, kind_of, median_interval, summarise

HERE = "2 x this machine"


def kept(values: list[float], unit: str, better: Direction | None = None, machine: str = HERE) -> Kept:
    return Kept(figure=summarise(values, unit, better), machine=machine)


@pytest.mark.parametrize(
    ("unit", "kind", "better"),
    [
        ("s", "time", "lower"),
        ("s of CPU for 1,000,000 products", "time", "lower"),
        ("products/s", "time", "higher"),
        ("MiB (100,000 products)", "memory", "lower"),
        ("x (against Keras)", "ratio", "higher"),
        ("of the time is a bare COPY", "ratio", "higher"),
    ],
)
def test_a_unit_says_what_is_measured_and_which_way_is_better(unit: str, kind: str, better: str) -> None:
    assert (kind_of(unit), better_by_default(unit)) == (kind, better)


@pytest.mark.parametrize(
    ("unit", "better", "now", "verdict"),
    [
        ("s", None, [3.0, 3.1, 3.2], "worse"),
        ("s", None, [0.1, 0.2, 0.3], "better"),
        ("s", None, [1.9, 2.5, 3.0], "same"),
        ("photos/s", None, [3.0, 3.1, 3.2], "better"),
        ("x (speed)", None, [0.1, 0.2, 0.3], "worse"),
        ("x (overhead)", "lower", [0.1, 0.2, 0.3], "better"),
        ("x (overhead)", "lower", [3.0, 3.1, 3.2], "worse"),
    ],
)
def test_a_figure_is_worse_only_beyond_both_spreads(
    unit: str, better: Direction | None, now: list[float], verdict: str
) -> None:
    assert compare(summarise(now, unit, better), kept([1.0, 1.5, 2.0], unit, better), HERE) == verdict


def test_with_enough_runs_a_single_outlier_does_not_hide_that_a_figure_became_worse() -> None:
    before, now = [1.0, 1.01, 1.02, 1.03, 1.04, 1.05, 1.06, 1.07, 9.0], [2.0 + n / 100 for n in range(9)]
    assert compare(summarise(now, "s"), kept(before, "s"), HERE) == "worse"


def test_times_of_another_machine_are_not_compared_and_ratios_and_memory_are() -> None:
    now, before = [5.0, 5.1, 5.2], [1.0, 1.1, 1.2]
    for unit, verdict in (
        ("s", "another machine"),
        ("products/s", "another machine"),
        ("x (speed)", "better"),
        ("MiB", "worse"),
    ):
        assert compare(summarise(now, unit), kept(before, unit, machine="16 x another"), HERE) == verdict


def test_a_figure_without_a_kept_one_or_in_another_unit_is_new() -> None:
    assert compare(summarise([1.0], "s"), None, HERE) == "new"
    assert compare(summarise([1.0], "s"), kept([5.0], "x"), HERE) == "new"


def test_figures_that_do_not_say_more_than_median_and_spread_are_compared() -> None:
    plain = Figure(median=2.0, min=1.9, max=2.1, unit="s")
    assert compare(plain, Kept(figure=Figure(median=1.0, min=0.9, max=1.1, unit="s"), machine=HERE), HERE) == "worse"


@pytest.mark.parametrize(("count", "ranks"), [(5, None), (6, (1, 6)), (8, (1, 8)), (9, (2, 8)), (20, (6, 15))])
def test_the_interval_of_a_median_has_the_ranks_of_the_tables(count: int, ranks: tuple[int, int] | None) -> None:
    assert median_interval(list(range(1, count + 1))) == ranks


@given(st.integers(6, 300))
def test_the_interval_of_a_median_holds_it_with_at_least_the_confidence(count: int) -> None:
    low, high = median_interval(list(range(1, count + 1))) or (0, 0)
    below = sum(math.comb(count, below) for below in range(int(low), int(high))) / 2**count
    assert below >= 0.95
    narrower = sum(math.comb(count, below) for below in range(int(low) + 1, int(high) - 1)) / 2**count
    assert narrower < 0.95


# The command


@pytest.fixture
def figures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file of kept figures, and a benchmark `pretended` that measures 1.0 to 1.2 s."""
    monkeypatch.setattr(bench, "load_settings", lambda: Settings(state_dir=tmp_path))
    monkeypatch.setattr(bench, "this_machine", lambda: HERE)
    monkeypatch.setattr(bench, "benchmark_names", lambda: ["pretended"])
    module = ModuleType("tests.benchmarks.pretended")
    module.__dict__["run"] = lambda: {"load": summarise([1.0, 1.1, 1.2], "s")}
    monkeypatch.setitem(sys.modules, module.__name__, module)
    return tmp_path / "figures.json"


def test_a_worse_figure_is_named_and_fails_the_command(figures: Path, capsys: pytest.CaptureFixture[str]) -> None:
    keep({"load": summarise([0.1, 0.2, 0.3], "s")}, HERE, all_measured=True, path=figures)
    assert bench.main([], figures) == 1
    assert "worse than the kept figures, beyond their spread: load" in capsys.readouterr().out
    assert (figures.parent / "bench.json").exists()


def test_a_figure_as_before_passes(figures: Path, capsys: pytest.CaptureFixture[str]) -> None:
    keep({"load": summarise([1.1, 1.2, 1.3], "s")}, HERE, all_measured=True, path=figures)
    assert bench.main(["pretended"], figures) == 0
    assert "no figure is worse" in capsys.readouterr().out


def test_times_of_another_machine_are_said_to_be_of_another(figures: Path, capsys: pytest.CaptureFixture[str]) -> None:
    keep({"load": summarise([0.1, 0.2, 0.3], "s")}, "16 x another", all_measured=True, path=figures)
    assert bench.main([], figures) == 0
    assert "Times were kept on another machine" in capsys.readouterr().out


def test_keeping_replaces_what_was_measured_and_passes(figures: Path) -> None:
    keep({"load": summarise([0.1], "s"), "gone": summarise([1.0], "s")}, "another", all_measured=True, path=figures)
    assert bench.main(["--keep", "pretended"], figures) == 0
    found = read_kept(figures)
    assert found["gone"]["machine"] == "another", "not measured, so it stays"
    assert (found["load"]["machine"], found["load"]["figure"]["median"]) == (HERE, 1.1)
    assert bench.main(["--keep"], figures) == 0
    assert set(read_kept(figures)) == {"load"}, "after a run of all, what no benchmark measures any more is gone"
    assert bench.main([], figures) == 0


def test_a_benchmark_that_fails_fails_the_command_and_keeps_its_figures(
    figures: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    keep({"load": summarise([1.0], "s")}, HERE, all_measured=True, path=figures)

    def fail() -> None:
        raise RuntimeError("no such thing")

    monkeypatch.setattr(sys.modules["tests.benchmarks.pretended"], "run", fail)
    assert bench.main(["--keep"], figures) == 1
    assert "failed: pretended" in capsys.readouterr().out
    assert "load" in read_kept(figures)


def test_the_kept_figures_can_be_compared() -> None:
    for name, entry in read_kept(FIGURES).items():
        low, high = spread(entry["figure"])
        assert low <= entry["figure"]["median"] <= high, name
        assert entry["machine"], name


def test_every_benchmark_is_found() -> None:
    assert {"airflow_overhead", "warehouse_load", "photo_path", "day_memory"} <= set(bench.benchmark_names())

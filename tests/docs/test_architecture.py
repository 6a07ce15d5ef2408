"""The map of the packages is what the code imports now, and can be read."""

from __future__ import annotations

import ast
import re
from itertools import combinations

import pytest

from tests.conftest import PROJECT_ROOT
from tests.docs.documents import page
from tests.docs.draw_architecture import COMMAND, MAP, drawing
from tests.docs.import_graph import Code, reached, reduced
from tests.docs.layered_layout import Box, place


@pytest.fixture(scope="module")
def code() -> Code:
    return Code.read(PROJECT_ROOT)


def test_the_committed_map_is_what_the_code_says_now(code: Code) -> None:
    assert MAP.read_text(encoding="utf-8") == drawing(code), f"run {COMMAND}"


def test_the_map_has_every_package_of_include(code: Code) -> None:
    drawn = set(re.findall(r'font-weight="bold">([^<]+)<', MAP.read_text(encoding="utf-8")))
    packages = {name.split(".")[-1] for name in code.packages if name.count(".") == 1}
    assert len(packages) >= 10
    assert packages | {"dags", "cli", "daily", "retraining", "decision", "version"} <= drawn


def test_an_import_that_is_added_changes_the_map(code: Code) -> None:
    added = ast.parse("from include.warehouse import engine")
    changed = Code({**code.trees, "include.sandbox.app": added}, code.packages)
    assert drawing(changed) != drawing(code)


def test_the_page_shows_the_map_and_leads_to_every_package(code: Code) -> None:
    document = page("docs/architecture.md")
    assert "images/architecture.svg" in document.pictures
    listed = [row[0].strip("`") for row in document.table("package", "what is in it", "it imports")]
    assert listed == [name for name in code.arrows("include") if f"include.{name}" in code.packages]


def test_imports_are_found_wherever_they_stand_and_by_whatever_form() -> None:
    code = Code(
        {
            "include": ast.parse(""),
            "include.a": ast.parse('"""First: a."""'),
            "include.a.one": ast.parse("def late():\n    from include.b import two\n"),
            "include.b": ast.parse(""),
            "include.b.two": ast.parse("import include.c.three\nfrom include import leaf\nimport json\n"),
            "include.c": ast.parse(""),
            "include.c.three": ast.parse("from include.leaf import NAME"),
            "include.leaf": ast.parse("NAME = 1"),
        },
        frozenset({"include", "include.a", "include.b", "include.c"}),
    )
    assert {unit: set(targets) for unit, targets in code.arrows("include").items()} == {
        "a": {"b"}, "b": {"c", "leaf"}, "c": {"leaf"}, "leaf": set(),
    }  # fmt: skip
    assert code.ground() == ["include.leaf"]
    assert code.summary("include.a") == "First: a"


def test_an_arrow_that_follows_from_others_is_left_out_and_a_circle_is_an_error() -> None:
    arrows = {"a": frozenset("bc"), "b": frozenset("c"), "c": frozenset[str]()}
    assert reduced(arrows) == {"a": frozenset("b"), "b": frozenset("c"), "c": frozenset()}
    assert reached(arrows, "a") == {"b", "c"}
    with pytest.raises(ValueError, match="import one another: a, b, c"):
        reduced({**arrows, "c": frozenset("a")})


def test_boxes_do_not_overlap_and_every_arrow_points_down(code: Code) -> None:
    arrows = reduced(code.arrows("include.models"))
    boxes = {name: Box(100 + 10 * number, 40 + number) for number, name in enumerate(arrows)}
    placed = place(boxes, arrows)
    assert sum(map(len, arrows.values())) == len(placed.paths) >= 10
    for path in placed.paths.values():
        assert [y for _, y in path] == sorted(y for _, y in path)
    for one, other in combinations(boxes, 2):
        (left, top), (other_left, other_top) = placed.corners[one], placed.corners[other]
        apart = (
            left + boxes[one].width <= other_left
            or other_left + boxes[other].width <= left
            or top + boxes[one].height <= other_top
            or other_top + boxes[other].height <= top
        )
        assert apart, (one, other)
        assert 0 <= left <= placed.width - boxes[one].width
        assert 0 <= top <= placed.height - boxes[one].height


def test_two_arrows_that_need_not_cross_do_not() -> None:
    arrows = {"a": frozenset("y"), "b": frozenset("x"), "x": frozenset[str](), "y": frozenset[str]()}
    placed = place(dict.fromkeys(arrows, Box(10, 10)), arrows)
    assert (placed.corners["a"] < placed.corners["b"]) == (placed.corners["y"] < placed.corners["x"])

"""Every figure is the same bytes each time, and takes what real evaluations hold."""

from __future__ import annotations

import io
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import matplotlib as mpl
import numpy as np
import pytest
from PIL import Image

from include.models.evaluation.results import ModalityResult, OperatingPoint
from include.pages.drawing import Drawing, percent, shortened
from include.pages.judgement_figures import (
    confusion_figure,
    coverage_figure,
    judgement_figures,
    label_figure,
    reliability_figure,
    slice_figure,
)
from include.pages.progress_figures import learning_curve_figure, search_figure, training_history_figure
from tests.pages.evaluations import around, draw_evaluation, draw_modality, draw_search_outcome, draw_training_history

PROJECT_ROOT = Path(__file__).resolve().parents[2]
EVALUATION = draw_evaluation()

TOUCHED = ("svg.hashsalt", "font.size", "text.parse_math", "axes.grid")

Draw = Callable[[], Drawing]
FIGURES: dict[str, Draw] = {
    **{
        one.__name__: lambda one=one: one("fusion", EVALUATION.modalities["fusion_default"])  # type: ignore[misc]
        for one in (confusion_figure, reliability_figure, coverage_figure, label_figure, slice_figure)
    },
    "learning_curve": lambda: learning_curve_figure(EVALUATION.learning_curve, {"text": "text alone"}),
    "training_history": lambda: training_history_figure(draw_training_history()),
    "search": lambda: search_figure(draw_search_outcome()),
}


@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_is_the_same_bytes_each_time_and_opens(name: str) -> None:
    settings = {setting: mpl.rcParams[setting] for setting in TOUCHED}
    first, second = FIGURES[name](), FIGURES[name]()
    assert first == second
    assert {setting: mpl.rcParams[setting] for setting in TOUCHED} == settings
    picture = Image.open(io.BytesIO(first.png))
    picture.load()
    assert min(picture.size) > 300
    assert len(np.unique(np.asarray(picture.convert("L")))) > 20
    ElementTree.fromstring(first.svg)  # noqa: S314  drawn here
    assert not re.search(r"20\d\d-\d\d-\d\d|Matplotlib", first.svg)
    assert first.title
    assert first.caption.endswith(".")


def test_figures_are_drawn_without_pyplot_and_its_window() -> None:
    program = (
        "import sys; from tests.pages.test_drawing import FIGURES; FIGURES['search']();"
        "sys.exit('matplotlib.pyplot' in sys.modules)"
    )
    command = [sys.executable, "-c", program]
    assert subprocess.run(command, cwd=PROJECT_ROOT, check=False, timeout=120).returncode == 0


def test_two_figures_on_one_page_share_no_id_and_follow_its_colours() -> None:
    pages = [FIGURES[name]().inline_svg() for name in ("coverage_figure", "label_figure")]
    first, second = (set(re.findall(r' id="([^"]+)"', page)) for page in pages)
    assert first and second and not first & second
    for page in pages:
        assert "var(--ink)" in page
        assert "<!--" not in page and "<?xml" not in page
        assert set(re.findall(r'href="(.)', page)) <= {"#"}


def test_twenty_labels_have_a_figure_of_the_whole_width_with_every_name() -> None:
    labels = tuple(f"label_number_{number}" for number in range(20))
    drawing = confusion_figure("many", draw_modality("m", "fusion", 0.9, labels))
    assert drawing.is_wide
    assert not confusion_figure("few", EVALUATION.modalities["text"]).is_wide
    assert all(f"<!-- label number {number} -->" in drawing.svg for number in range(20))


def test_names_of_strangers_are_drawn_as_they_are() -> None:
    labels = ("<script>alert(1)</script>", "--> $x^2$ & \\frac", "x" * 300)
    for drawing in judgement_figures("odd", draw_modality("m", "fusion", 0.9, labels)):
        ElementTree.fromstring(drawing.svg)  # noqa: S314  drawn here
        assert "<script" not in drawing.svg
        assert Image.open(io.BytesIO(drawing.png)).width < 2_000


def bare(result: ModalityResult) -> ModalityResult:
    """As an evaluation of few products may be: nothing accepted, one label, one bin."""
    return replace(
        result,
        label_names=("champagne",),
        confusion=((3,),),
        classes=result.classes[:1],
        reliability=result.reliability[:1],
        coverage_curve=(),
        operating_point=OperatingPoint(0.98, None, around(0.0)),
        slices=(),
    )


def test_figures_of_very_little_are_drawn() -> None:
    little = bare(EVALUATION.modalities["fusion_default"])
    assert [drawing.name for drawing in judgement_figures("k", little)] == [
        "k_coverage", "k_reliability", "k_confusion", "k_labels"
    ]  # fmt: skip
    judgement_figures("k", replace(little, reliability=(), classes=()))
    learning_curve_figure(EVALUATION.learning_curve[:1], {"text": "text"})
    learning_curve_figure((), {})
    training_history_figure(draw_training_history()[:1])
    training_history_figure(())
    search_figure(replace(draw_search_outcome(), values=(0.9, None), importances={}))
    search_figure(replace(draw_search_outcome(), values=(None,), importances={}, measure="log_loss"))


def test_a_figure_is_written_as_png_and_svg(tmp_path: Path) -> None:
    drawing = FIGURES["search"]()
    png, svg = drawing.write(tmp_path)
    assert (png.name, svg.name) == ("search.png", "search.svg")
    assert png.read_bytes() == drawing.png
    assert svg.read_text(encoding="utf-8") == drawing.svg


@pytest.mark.parametrize(("share", "text"), [(0.975, "97.5 %"), (1.0, "100 %"), (0.0, "0 %"), (0.1, "10 %")])
def test_shares_are_written_for_people(share: float, text: str) -> None:
    assert percent(share) == text


def test_long_names_are_shortened() -> None:
    assert shortened("abcdef", 4) == "abc…"
    assert shortened("abcd", 4) == "abcd"

"""The card tells the truth of what it is given, opens offline, and is the same each time."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from include.errors import ConfigurationError
from include.models.evaluation.results import DataDescription, Evaluation
from include.pages.model_card import ModelCard, ModelFacts, known_limits, write_model_card
from tests.pages.evaluations import draw_evaluation, draw_search_outcome, draw_training_history, draw_training_report
from tests.pages.outline import Outline

FACTS = ModelFacts(
    version="7",
    products_by_source={"flipkart": 840, "openfoodfacts": 6121},
    search=draw_search_outcome(),
    training_history=draw_training_history(),
)


@pytest.fixture(scope="module")
def card(tmp_path_factory: pytest.TempPathFactory) -> ModelCard:
    return write_model_card(tmp_path_factory.mktemp("card"), draw_evaluation(), draw_training_report(), FACTS)


def both(card: ModelCard) -> list[str]:
    """Text of the page, and of the Markdown without its escapes."""
    html = Outline(card.html.read_text(encoding="utf-8")).text
    return [re.sub(r"\s+", " ", text) for text in (html, card.markdown.read_text(encoding="utf-8").replace("\\", ""))]


def test_the_page_needs_nothing_but_itself(card: ModelCard) -> None:
    page = card.html.read_text(encoding="utf-8")
    outline = Outline(page)
    assert outline.open == []
    assert not {"script", "link", "img", "iframe", "object"} & set(outline.tags)
    inside = [reference for reference in outline.references if reference.startswith("#")]
    assert {reference[1:] for reference in inside} <= set(outline.ids)
    assert len(outline.ids) == len(set(outline.ids))
    outside = set(outline.references) - set(inside)
    assert outside == {
        "https://creativecommons.org/licenses/by-sa/4.0/",
        "https://world.openfoodfacts.org/terms-of-use",
    }
    assert not re.search(r"url\((?!#)|@import| on\w+=", page)
    assert page.count("<svg") == 8


@pytest.mark.parametrize(
    "fact",
    [
        "version 7",
        "840 products of flipkart in 801",
        "0.958 (0.943–0.973)",  # a figure with its interval
        "≥ 0.965",
        "text alone, category words removed",
        "kitchen dining",
        "short text",
        "catalogue 110, rule 10",
        "flipkart 840, openfoodfacts 6,121",
        "ratafia (2)",
        "contradictory 3",
        "tflite-coral_mobilenet_v1-94ab12cd34ef",
        "40 trials",
        "text regularisation",
        "openfoodfacts:3250390000013",
        "ODbL 1.0",
        "CC BY-SA 4.0",
        "Below its target: text alone.",
        "Not measured: champagne wine against all else.",
        "Clearly less accurate than on the whole: short text (91.8 %).",
        "0.0522",
    ],
)
def test_both_forms_state_every_fact(card: ModelCard, fact: str) -> None:
    html, markdown = both(card)
    assert fact in markdown
    assert fact in html


def test_every_figure_of_the_markdown_lies_beside_it(card: ModelCard) -> None:
    shown = re.findall(r"!\[[^\]]*\]\(([^)]+)\)", card.markdown.read_text(encoding="utf-8"))
    assert len(shown) == 8
    assert all((card.markdown.parent / path).is_file() for path in shown)
    assert {path.suffix for path in card.figures} == {".png", ".svg"}


def test_the_tables_of_the_markdown_have_as_many_cells_in_every_row(card: ModelCard) -> None:
    for table in re.findall(r"(?:^\|.*\n)+", card.markdown.read_text(encoding="utf-8"), flags=re.MULTILINE):
        cells = {len(re.findall(r"(?<!\\)\|", row)) for row in table.splitlines()}
        assert len(cells) == 1, table


def test_the_same_model_gives_the_same_bytes_and_old_figures_go(card: ModelCard, tmp_path: Path) -> None:
    write_model_card(tmp_path, None, draw_training_report(), FACTS)
    (tmp_path / "figures" / "text_coverage.png").write_bytes(b"old")
    again = write_model_card(tmp_path, draw_evaluation(), draw_training_report(), FACTS)
    assert again.html.read_bytes() == card.html.read_bytes()
    assert again.markdown.read_bytes() == card.markdown.read_bytes()
    assert [path.read_bytes() for path in again.figures] == [path.read_bytes() for path in card.figures]
    assert sorted((tmp_path / "figures").iterdir()) == sorted(again.figures)


EVIL = '"><script>alert(1)</script> | `x` [a](http://evil) <!-- $\\frac$ \u202e\n# h'


def test_names_of_strangers_do_nothing(tmp_path: Path) -> None:
    evaluation = draw_evaluation(("champagne", EVIL))
    modality = replace(evaluation.modalities["fusion_default"], title=EVIL)
    evaluation = replace(
        evaluation,
        data=DataDescription(EVIL, False, 2, 2, {EVIL: 2}),
        encoders={EVIL: EVIL},
        modalities={"fusion_default": modality},
        notes=(EVIL,),
        interval_method=EVIL,
    )
    facts = ModelFacts(version=EVIL, products_by_source={EVIL: 1})
    card = write_model_card(tmp_path, evaluation, draw_training_report(("champagne", EVIL)), facts)
    outline = Outline(card.html.read_text(encoding="utf-8"))
    assert outline.open == []
    assert "script" not in outline.tags
    assert not [reference for reference in outline.references if "evil" in reference]
    markdown = card.markdown.read_text(encoding="utf-8")
    assert "<script" not in markdown.replace("\\<", "")
    assert not re.search(r"(?<!\\)\]\(http://evil", markdown)
    assert not re.search(r"^# h", markdown, flags=re.MULTILINE)


def test_scores_on_drawn_products_say_so(tmp_path: Path) -> None:
    card = write_model_card(tmp_path, draw_evaluation(is_drawn=True), None)
    for text in both(card):
        assert "Demo data." in text
        assert "do not apply to real products" in text


def test_a_model_that_was_not_evaluated_says_so(tmp_path: Path) -> None:
    card = write_model_card(tmp_path, None, draw_training_report())
    html, markdown = both(card)
    assert "not evaluated" in html
    assert "Not evaluated." in markdown
    assert "This model was not evaluated" in html
    assert card.figures == ()


def test_a_card_of_nothing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="both are absent"):
        write_model_card(tmp_path, None, None)
    with pytest.raises(ConfigurationError, match="'x' was not evaluated"):
        write_model_card(tmp_path, draw_evaluation(), None, ModelFacts(flagship="x"))


def test_an_evaluation_of_one_modality_has_a_card(tmp_path: Path) -> None:
    evaluation = draw_evaluation()
    lone = Evaluation(
        data=evaluation.data,
        encoders={},
        folds=2,
        repeats=3,
        seed=1,
        interval_method="none",
        figures={},
        targets={},
        modalities={"text": replace(evaluation.modalities["text"], slices=())},
    )
    html, markdown = both(write_model_card(tmp_path, lone, None))
    for text in (html, markdown):
        assert "2-fold cross-validation, 3 times" in text


def test_limits_follow_from_the_figures() -> None:
    evaluation = draw_evaluation()
    limits = known_limits(evaluation, draw_training_report(), "fusion_default")
    assert "Too few products to judge: no photo (3)." in limits
    assert any("ratafia" in limit for limit in limits)
    assert not any("no brand" in limit and "less accurate" in limit for limit in limits)

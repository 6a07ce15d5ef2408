"""The model card: what a model is, its training data, how good it is and where it fails; HTML and Markdown.

`index.html` is one file that opens anywhere without network and without scripts, figures included; `README.md` is
the same for readers of text, with its figures beside it. The same model gives the same bytes.

    card = write_model_card(Path("card"), evaluation, training_report, ModelFacts(version="3"))
    card.html, card.markdown                    # card/index.html, card/README.md
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from include.errors import ConfigurationError
from include.models.evaluation.results import Evaluation, ModalityResult
from include.models.search.outcome import SearchOutcome
from include.models.training.report import TrainingReport
from include.pages.attributions import attributions
from include.pages.drawing import Drawing, percent, words
from include.pages.judgement_figures import judgement_figures
from include.pages.progress_figures import MEASURES, learning_curve_figure, search_figure, training_history_figure
from include.pages.rendering import html_environment, markdown_environment

FIGURES = "figures"
"""Folder of the figures beside the card."""

FLAGSHIP = ("fusion_default", "fusion_pretrained", "text", "photo_default")
"""Ways to predict that the figures are about, first choice first."""


@dataclass(frozen=True)
class ModelFacts:
    """What neither an evaluation nor a training report knows; all of it may be absent."""

    version: str | None = None
    """Number in the registry, e.g. `"3"`."""
    products_by_source: Mapping[str, int] = field(default_factory=dict)
    """Training products of each source, e.g. `{"flipkart": 840}`; their licences are named from it."""
    search: SearchOutcome | None = None
    """How the hyper-parameters were found; None for the defaults."""
    training_history: Sequence[Mapping[str, Any]] = ()
    """A row per epoch of a network's training, as its `history.json` has them; empty without a network."""
    flagship: str | None = None
    """Key of `Evaluation.modalities` that the figures are about; None takes the first of `FLAGSHIP`."""


@dataclass(frozen=True)
class ModelCard:
    """Where a card was written."""

    html: Path
    markdown: Path
    figures: tuple[Path, ...]


def write_model_card(
    folder: Path,
    evaluation: Evaluation | None,
    training: TrainingReport | None,
    facts: ModelFacts | None = None,
) -> ModelCard:
    """Write `index.html`, `README.md` and `figures/*.png|svg` into a folder, which is made if absent.

    Either of evaluation and training may be None, which the card then states. Figures of an earlier card in that
    folder are removed. Raises ConfigurationError when both are None or the flagship was not evaluated.
    """
    facts = facts or ModelFacts()
    if evaluation is None and training is None:
        raise ConfigurationError("a model card needs an evaluation or a training report: both are absent")
    flagship = _flagship(evaluation, facts)
    drawings = _drawings(evaluation, facts, flagship)
    content: dict[str, Any] = {
        "evaluation": evaluation,
        "training": training,
        "facts": facts,
        "flagship": evaluation.modalities[flagship] if evaluation and flagship else None,
        "judgement": [drawing for drawing in drawings if drawing.name.startswith(f"{flagship}_")],
        "progress": {drawing.name: drawing for drawing in drawings},
        "labels": _labels(evaluation, training, flagship),
        "method": _method(evaluation, training),
        "measures": MEASURES,
        "changed": facts.search.changes() if facts.search else {},
        "attributions": attributions([*facts.products_by_source, *([evaluation.data.name] if evaluation else [])]),
        "limits": known_limits(evaluation, training, flagship),
        "figures": FIGURES,
    }
    figures = folder / FIGURES
    figures.mkdir(parents=True, exist_ok=True)
    drawn = tuple(path for drawing in drawings for path in drawing.write(figures))
    for old in {*figures.glob("*.png"), *figures.glob("*.svg")} - set(drawn):
        old.unlink()
    card = ModelCard(html=folder / "index.html", markdown=folder / "README.md", figures=drawn)
    card.html.write_text(html_environment().get_template("model_card.html").render(content), encoding="utf-8")
    markdown = markdown_environment().get_template("model_card.md").render(content)
    card.markdown.write_text(markdown, encoding="utf-8")
    return card


def known_limits(
    evaluation: Evaluation | None, training: TrainingReport | None, flagship: str | None = None
) -> list[str]:
    """What a user of the model must not rely on, read off the figures, one sentence each."""
    limits = []
    if evaluation is None:
        limits.append("This model was not evaluated; the figures are those of its own training.")
    elif evaluation.data.is_drawn:
        limits.append("It was evaluated on products drawn for the demo: the figures do not apply to real products.")
    if evaluation is not None:
        missed = [
            target.what
            for key, target in evaluation.targets.items()
            if key in evaluation.figures and not target.is_met(evaluation.figures[key])
        ]
        absent = [target.what for key, target in evaluation.targets.items() if key not in evaluation.figures]
        limits += [f"Below its target: {'; '.join(missed)}."] if missed else []
        limits += [f"Not measured: {'; '.join(absent)}."] if absent else []
        result = evaluation.modalities[flagship] if flagship else None
        limits += _weak_spots(result) if result else []
        limits += evaluation.notes
    if training is not None and training.rare_labels:
        names = ", ".join(words(label) for label in training.rare_labels)
        limits.append(f"It never answers {names}: too few examples. Such products get another label or go to review.")
    if training is not None and "rule" in training.accuracy_by_origin:
        limits.append(
            "Labels that written rules gave are weak witnesses: accuracy on them measures agreement with rules."
        )
    return limits


def _weak_spots(result: ModalityResult) -> list[str]:
    weak = [f"{words(row.label)} ({percent(row.f1)})" for row in sorted(result.classes, key=lambda row: row.f1)]
    below = [row for row in result.slices if row.accuracy.high < result.accuracy.value]
    few = [row for row in result.slices if row.products < 30]
    spots = [f"The labels it judges worst, by F1: {', '.join(weak[:3])}."] if weak else []
    if below:
        found = ", ".join(f"{words(row.name)} ({percent(row.accuracy.value)})" for row in below)
        spots.append(f"Clearly less accurate than on the whole: {found}.")
    if few:
        spots.append(f"Too few products to judge: {', '.join(f'{words(row.name)} ({row.products})' for row in few)}.")
    return spots


def _flagship(evaluation: Evaluation | None, facts: ModelFacts) -> str | None:
    if evaluation is None or not evaluation.modalities:
        return None
    if facts.flagship is not None and facts.flagship not in evaluation.modalities:
        raise ConfigurationError(f"{facts.flagship!r} was not evaluated, only {list(evaluation.modalities)}")
    return facts.flagship or next(
        (key for key in FLAGSHIP if key in evaluation.modalities), next(iter(evaluation.modalities))
    )


def _drawings(evaluation: Evaluation | None, facts: ModelFacts, flagship: str | None) -> list[Drawing]:
    drawings = []
    if evaluation is not None and flagship is not None:
        drawings += judgement_figures(flagship, evaluation.modalities[flagship])
    if evaluation is not None and evaluation.learning_curve:
        titles = {key: result.title for key, result in evaluation.modalities.items()}
        drawings.append(learning_curve_figure(evaluation.learning_curve, titles))
    if facts.training_history:
        drawings.append(training_history_figure(facts.training_history))
    if facts.search is not None:
        drawings.append(search_figure(facts.search))
    return drawings


def _labels(evaluation: Evaluation | None, training: TrainingReport | None, flagship: str | None) -> Sequence[str]:
    if training is not None:
        return list(training.labels)
    return evaluation.modalities[flagship].label_names if evaluation and flagship else ()


def _method(evaluation: Evaluation | None, training: TrainingReport | None) -> dict[str, str]:
    """What the model is made of, by name: encoders with their identities, fusion, temperatures."""
    encoders = evaluation.encoders if evaluation else {}
    parts: dict[str, object] = {f"{name}_encoder_evaluated": identity for name, identity in encoders.items()}
    if training is not None:
        parts |= training.details
        parts |= {"target_precision": training.target_precision, "seconds_of_training": training.seconds}
    return {name: str(value) for name, value in parts.items()}

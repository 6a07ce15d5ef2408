"""What a retraining found about its candidates and the champion, as plain data: written to JSON and read back.

judgement = Judgement.from_json(text)
judgement.outcome, judgement.candidate, judgement.reason
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from include.errors import ConfigurationError
from include.models.evaluation.results import Comparison, Interval, ModalityResult
from include.models.promotion.gate import Clause, Examination, Outcome
from include.storage.lake import Lake
from include.storage.layers import Layer

if TYPE_CHECKING:
    from pydantic import TypeAdapter


@dataclass(frozen=True)
class JudgedCandidate:
    """One candidate, judged or only scored."""

    name: str
    """As in the candidates file."""
    version: str
    out_of_fold_macro_f1: float
    """What chose the candidate that met the champion; the gold set was not looked at."""
    gold: ModalityResult
    """Scores on the gold set."""
    examination: Examination
    clauses: tuple[Clause, ...]
    """The gate's clauses; empty for a candidate that was not judged."""


@dataclass(frozen=True)
class Judgement:
    """The outcome of one retraining, with all that it rests on."""

    as_of: str
    """Last day whose labels could be learnt from."""
    snapshot: str
    training_key: str
    outcome: Outcome
    candidate: str
    """Version that was judged last: the one to promote, or the best that was refused."""
    champion: str | None
    """Version that it was judged against; None where there was no champion."""
    reason: str
    gold_products: int
    gold_left_out: Mapping[str, int]
    """Gold products that judge nothing, by reason, e.g. `contradictory`."""
    candidates: tuple[JudgedCandidate, ...]
    """All of them, best out of fold first."""
    champion_gold: ModalityResult | None = None
    difference: Interval | None = None
    """Macro-F1 of the judged candidate less the champion's."""
    comparison: Comparison | None = None
    confidence: float = 0.95
    """Of the difference's interval."""
    gold_changes: float | None = None
    """Share of the champion's gold products whose label is another now, though no person changed it."""

    @property
    def judged(self) -> JudgedCandidate:
        """The candidate that the outcome is about."""
        return next(one for one in self.candidates if one.version == self.candidate)

    def metrics(self) -> dict[str, float]:
        """The figures for the row in `promotions`, candidate and champion on the same products."""
        found = _figures("candidate", self.judged.gold)
        if self.champion_gold is not None and self.difference is not None:
            found |= _figures("champion", self.champion_gold)
            found |= {
                "difference": self.difference.value,
                "difference_low": self.difference.low,
                "difference_high": self.difference.high,
            }
        if self.comparison is not None:
            found["p_value"] = self.comparison.p_value
        return {name: round(value, 6) for name, value in found.items()} | {"gold_products": self.gold_products}

    def to_json(self) -> str:
        """All of it as JSON, indented."""
        return _adapter().dump_json(self, indent=1).decode()

    @classmethod
    def from_json(cls, text: str | bytes) -> Judgement:
        """What `to_json` wrote; ConfigurationError when the text is something else."""
        from pydantic import ValidationError

        try:
            return _adapter().validate_json(text)
        except ValidationError as error:
            raise ConfigurationError(
                f"this is no judgement of this version of the program ({error.error_count()} differences): run the "
                "retraining again"
            ) from None


def _figures(who: str, result: ModalityResult) -> dict[str, float]:
    found = {
        f"{who}_macro_f1": result.macro_f1.value,
        f"{who}_accuracy": result.accuracy.value,
        f"{who}_calibration_error": result.calibration_error.value,
        f"{who}_coverage": result.operating_point.coverage.value,
    }
    if result.operating_point.precision is not None:
        found[f"{who}_accepted_precision"] = result.operating_point.precision.value
    return found


def _adapter() -> TypeAdapter[Judgement]:
    from pydantic import TypeAdapter

    return TypeAdapter(Judgement)


def report_folder(judgement: Judgement) -> str:
    """Folder of a judgement and its page in the lake."""
    return f"{Layer.RETRAINING_REPORTS}/day={judgement.as_of}/training={judgement.training_key[:12]}"


def read_judgement(lake: Lake, path: str) -> Judgement:
    """The judgement in a `judgement.json` of the lake."""
    return Judgement.from_json(lake.read_bytes(path))

"""Drawn judgements that look like real ones: a first model, a promotion, a refusal; and the rows that follow."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pyarrow as pa
from sqlalchemy import Engine

from include.models.behaviour.checks import BehaviourCheck
from include.models.data.snapshot import SNAPSHOT, write_snapshot
from include.models.evaluation.results import Comparison, Interval, ModalityResult
from include.models.promotion.gate import Clause, Examination
from include.models.promotion.judgement import JudgedCandidate, Judgement, report_folder
from include.storage.lake import Lake
from include.warehouse.promotions import PromotionRecord, record_decision
from tests.pages.evaluations import draw_modality

EVIL = '"><script>alert(1)</script> | `x` [a](http://evil) <!-- $\\frac$ \u202e\n# h {{ 7*7 }}'

CLAUSES = (
    Clause("gold products", True, "206", "at least 30"),
    Clause("macro-F1", True, "+0.031 (0.913 → 0.944)", "at least +0.005"),
    Clause("no label worse", True, "none of 7 with 20 gold products or more", "no label's F1 more than 0.05 below"),
    Clause("latency", True, "23.74 ms per product", "at most 50 ms"),
)
BROKEN = (
    Clause("more than chance", False, "interval of the difference -0.010 to +0.021", "interval above 0"),
    Clause("behaviour", False, "upper case keeps the label (90.0% of 100)", "every behavioural check passes"),
)
BEHAVIOUR = (
    BehaviourCheck("upper case keeps the label", 100, 0.9, 0.97, ("Chocolat aux amandes: chocolate -> biscuit",)),
    BehaviourCheck("vinegar made of a champagne is not accepted as champagne", 0, 1.0, 0.98),
    BehaviourCheck("a name alone is accepted only where it is right", 100, 1.0, 0.97),
)


def draw_candidate(
    name: str, version: str, accuracy: float = 0.95, clauses: tuple[Clause, ...] = (), **changes: Any
) -> JudgedCandidate:
    """A candidate with all its scores."""
    drawn = JudgedCandidate(
        name=name,
        version=version,
        out_of_fold_macro_f1=accuracy - 0.004,
        gold=draw_gold(f"version {version}", accuracy),
        examination=Examination(23.74, 34.2, BEHAVIOUR),
        clauses=clauses,
    )
    return replace(drawn, **changes)


def draw_gold(title: str, accuracy: float) -> ModalityResult:
    """Scores on a gold set, which has no slices."""
    return replace(draw_modality(title, "fusion", accuracy), slices=())


def draw_first() -> Judgement:
    """The first model: nothing to compare with; the best candidate does not reach a floor, the second does."""
    floor = Clause("calibration error", False, "0.210", "at most 0.15")
    candidates = (
        draw_candidate("fusion", "1", 0.96, (*CLAUSES[:1], floor)),
        draw_candidate("text", "2", 0.94, CLAUSES),
    )
    return Judgement(
        as_of="2026-01-11",
        snapshot="0" * 64,
        training_key="1" * 64,
        outcome="promote",
        candidate="2",
        champion=None,
        reason="all 4 clauses of the gate hold",
        gold_products=206,
        gold_left_out={},
        candidates=candidates,
    )


def draw_promotion(as_of: str = "2026-01-18") -> Judgement:
    """A candidate that is better than the champion by every clause."""
    return replace(
        draw_first(),
        as_of=as_of,
        training_key=f"{as_of}-{'2' * 53}",
        candidate="4",
        champion="2",
        gold_left_out={"contradictory": 3},
        candidates=(draw_candidate("text", "4", 0.97, CLAUSES), draw_candidate("photo", "5", 0.81)),
        champion_gold=draw_gold("version 2", 0.94),
        difference=Interval(0.031, 0.008, 0.052),
        comparison=Comparison("candidate", "champion", 206, 12, 3, 0.0352),
    )


def draw_refusal(as_of: str = "2026-01-25") -> Judgement:
    """A candidate that does not keep two clauses."""
    drawn = draw_promotion(as_of)
    judged = draw_candidate("text", "4", 0.94, (*CLAUSES, *BROKEN))
    reason = "; ".join(clause.sentence for clause in BROKEN)
    return replace(drawn, outcome="refuse", reason=reason, candidates=(judged, *drawn.candidates[1:]))


def leave(lake: Lake, judgement: Judgement) -> str:
    """Leave a judgement in the lake as a retraining does; returns its path."""
    path = f"{report_folder(judgement)}/judgement.json"
    lake.write_bytes(path, judgement.to_json().encode())
    return path


def decide(engine: Engine, judgement: Judgement, **changes: Any) -> None:
    """Write the decision on a judgement into `promotions`, with some of its columns changed."""
    record = PromotionRecord(
        candidate_version=judgement.candidate,
        champion_version=judgement.champion,
        promoted=judgement.outcome == "promote",
        reason=judgement.reason,
        decided_by="gate",
        day=date.fromisoformat(judgement.as_of),
        snapshot=judgement.snapshot,
        training_key=judgement.training_key,
        report=f"{report_folder(judgement)}/index.html",
        metrics=judgement.metrics(),
    )
    record_decision(engine, replace(record, **changes), once=True)


def leave_snapshot(lake: Lake) -> str:
    """Leave a snapshot of three products in the lake; returns its id."""
    rows = [
        {
            "product_id": f"flipkart:{number}",
            "label": label,
            "origin": origin,
            "content_group": str(number),
            "part": part,
        }
        for number, (label, origin, part) in enumerate(
            [("watches", "catalogue", "training"), ("watches", "human", "training"), ("baby_care", "catalogue", "gold")]
        )
    ]
    return write_snapshot(
        lake,
        pa.Table.from_pylist(rows, schema=SNAPSHOT),
        as_of="2026-01-11",
        left_out={"no_content": 2},
        taxonomy_identity="25b05c2f4625",
        gold_share=0.25,
        query={},
        code_version="0.1.0+abc",
    ).snapshot

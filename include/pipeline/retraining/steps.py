"""The steps of a retraining: plan, train, examine, judge, conclude. Airflow runs each as a task, `run_retraining` all.

Each is a function of its day and of what the steps before it left in the lake, the warehouse and the registry: any two
may run on different machines. What is passed from one to the next is small and JSON, and names no local file.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import date
from typing import Any, TypedDict

from include.errors import ChampionChanged
from include.models.data.dataset import METHOD
from include.models.data.snapshot import Snapshot, read_snapshot
from include.models.promotion.gate import Outcome
from include.models.promotion.judgement import Judgement, read_judgement, report_folder
from include.models.search.outcome import move_outcome, outcome_text
from include.models.training.candidates import Candidate, load_candidates
from include.models.version.registry import CHALLENGER, Registry
from include.pipeline.promotion import carry_out, settle
from include.pipeline.retraining.examination import examine
from include.pipeline.retraining.judge import ExaminedCandidate, gate_rules, judge
from include.pipeline.training.options import training_options
from include.pipeline.training.snapshot import take_snapshot
from include.pipeline.training.train import CandidateSummary, train_candidate
from include.schema import text_hash
from include.settings import Settings
from include.storage.lake import Lake
from include.warehouse.engine import open_engine
from include.warehouse.locks import exclusive_lock
from include.warehouse.promotions import PromotionRecord, StoredPromotion, decision_on

logger = logging.getLogger(__name__)


class RetrainingPlan(TypedDict):
    """What a retraining is going to do."""

    as_of: str
    snapshot: str
    training_key: str
    champion: str | None
    """Number of the version to beat; pinned for the whole retraining."""
    candidates: list[str]
    """Names of the candidates to train; empty when there is nothing to do."""
    reason: str
    """Why there is nothing to do, for people; empty when there is something."""


@contextmanager
def alone_in_training(settings: Settings, *, wait: bool) -> Iterator[None]:
    """A block in which nothing else is trained on this warehouse; for `wait`, see `alone`."""
    with open_engine(settings.warehouse_dsn) as engine, exclusive_lock(engine, "training", wait=wait):
        yield


class JudgementSummary(TypedDict):
    """The gate's decision, at a glance, and where it is written down."""

    path: str
    """`judgement.json` in the lake."""
    outcome: Outcome
    candidate: str
    champion: str | None
    reason: str


class Conclusion(TypedDict):
    """What became of a judgement."""

    candidate: str
    champion: str | None
    """Champion before the decision."""
    promoted: bool
    reason: str
    decided_by: str
    report: str
    """Page of the decision, path in the lake."""


class Approval(TypedDict):
    """A person's answer."""

    approved: bool
    by: str | None
    """Who answered; None when nobody did in the time given."""


def plan_retraining(settings: Settings, as_of: date) -> RetrainingPlan:
    """Take the snapshot as of a day, pin the champion, and choose the candidates to train.

    There are none when a decision was already taken on exactly these labels, recipes and bounds (no new labels, most
    often), or when there are too few labels to train or to judge on; `reason` is the explanation. A decision that a
    killed process has not carried out is carried out first.
    """
    registry = Registry(settings.tracking_uri, settings.state_dir)
    lake = Lake(settings.lake_root)
    move_outcome(settings.state_dir, lake)
    candidates = load_candidates(settings.candidates_file)
    with open_engine(settings.warehouse_dsn) as engine, exclusive_lock(engine, "decision"):
        champion = settle(engine, registry)
        summary = take_snapshot(settings, as_of)
        key = training_key(summary["snapshot"], candidates, settings)
        decided = decision_on(engine, key)
    reason = _decided_before(decided) or _too_little(read_snapshot(lake, summary["snapshot"]), settings)
    if reason:
        logger.info("nothing to train as of %s: %s", as_of, reason)
    return RetrainingPlan(
        as_of=as_of.isoformat(),
        snapshot=summary["snapshot"],
        training_key=key,
        champion=champion,
        candidates=[] if reason else [candidate.name for candidate in candidates],
        reason=reason,
    )


def training_key(snapshot: str, candidates: Sequence[Candidate], settings: Settings) -> str:
    """SHA-256 (hex) of all that a retraining's outcome follows from: labels, recipes, settings, the gate's bounds."""
    parts = {
        "snapshot": snapshot,
        "method": METHOD,
        "candidates": [candidate.model_dump() for candidate in candidates],
        "searched": outcome_text(Lake(settings.lake_root)),
        "settings": training_options(settings).to_dict() | {"image_encoder": settings.image_encoder},
        "gate": asdict(gate_rules(settings)),
    }
    return text_hash(json.dumps(parts, sort_keys=True))


def _decided_before(decided: StoredPromotion | None) -> str:
    if decided is None:
        return ""
    became = "became champion" if decided.promoted else "was refused; the reason is in the table `promotions`"
    return (
        f"no new labels: on {decided.decided_at:%Y-%m-%d}, version {decided.candidate_version}, trained on exactly "
        f"these labels, {became}"
    )


def _too_little(snapshot: Snapshot, settings: Settings) -> str:
    needed = training_options(settings).examples_needed
    counts = snapshot.training.group_by("label").aggregate([("content_group", "count_distinct")])
    enough = sum(count >= needed for count in counts["content_group_count_distinct"].to_pylist())
    if enough < 2:
        return (
            f"too few trusted labels: {enough} labels have {needed} different products to learn from, two are needed. "
            "Import a labelled catalogue with `python -m include import PATH`"
        )
    return (
        "" if snapshot.gold.num_rows else "there is no gold product to judge by yet: more labelled products are needed"
    )


def train_planned(plan: RetrainingPlan, name: str, settings: Settings) -> CandidateSummary:
    """Train the candidate of a name on the plan's snapshot; call it within `alone_in_training`."""
    chosen = next(one for one in load_candidates(settings.candidates_file) if one.name == name)
    return train_candidate(chosen, plan["snapshot"], settings)


def examine_trained(plan: RetrainingPlan, trained: CandidateSummary, settings: Settings) -> ExaminedCandidate:
    """The candidate with its behaviour, latency and size; call it where nothing else runs, because it takes time."""
    return ExaminedCandidate(**trained, examination=examine(trained["version"], plan["snapshot"], settings))


def judge_trained(
    plan: RetrainingPlan, candidates: Sequence[ExaminedCandidate], settings: Settings
) -> JudgementSummary:
    """Let the gate decide, and write its judgement into the lake; the judged candidate becomes challenger."""
    found = judge(
        candidates,
        plan["champion"],
        plan["snapshot"],
        settings,
        as_of=plan["as_of"],
        training_key=plan["training_key"],
    )
    path = f"{report_folder(found)}/judgement.json"
    Lake(settings.lake_root).write_bytes(path, found.to_json().encode())
    if found.candidate != found.champion:
        Registry(settings.tracking_uri, settings.state_dir).promote(found.candidate, alias=CHALLENGER)
    return JudgementSummary(
        path=path,
        outcome=found.outcome,
        candidate=found.candidate,
        champion=found.champion,
        reason=found.reason,
    )


def conclude(path: str, settings: Settings, approval: Approval | None = None) -> Conclusion:
    """Carry a judgement out: promote or refuse, with a row in `promotions`; done again, it changes nothing.

    `approval` is a person's answer where approval is required: a candidate that passed the gate becomes champion only
    with it. Raises ChampionChanged when another version has become champion since the judgement.
    """
    judgement = read_judgement(Lake(settings.lake_root), path)
    registry = Registry(settings.tracking_uri, settings.state_dir)
    with open_engine(settings.warehouse_dsn) as engine, exclusive_lock(engine, "decision"):
        current = settle(engine, registry)
        stored = decision_on(engine, judgement.training_key, judgement.candidate, judgement.champion)
        if stored is None:
            if current != judgement.champion:
                raise ChampionChanged(
                    f"version {current} has become champion since the candidates were judged against "
                    f"{judgement.champion or 'none'}: run the retraining again (clear the whole run) to compare them "
                    "with it; what is trained is not trained again"
                )
            record = _record(judgement, approval, settings)
            stored = carry_out(engine, registry, record, once=True)
    return Conclusion(
        candidate=stored.candidate_version,
        champion=stored.champion_version,
        promoted=stored.promoted,
        reason=stored.reason,
        decided_by=stored.decided_by,
        report=f"{report_folder(judgement)}/index.html",
    )


def _record(judgement: Judgement, approval: Approval | None, settings: Settings) -> PromotionRecord:
    promoted, reason, decided_by = judgement.outcome == "promote", judgement.reason, "gate"
    if promoted and approval is not None:
        promoted = approval["approved"]
        decided_by = approval["by"] or "nobody"
        if approval["by"] is None:
            reason = f"nobody answered in {settings.approval_hours:g} hours, so the champion stays; {reason}"
        else:
            reason = f"{'approved' if promoted else 'rejected'} by {decided_by}; {reason}"
    metrics: dict[str, Any] = judgement.metrics()
    return PromotionRecord(
        candidate_version=judgement.candidate,
        champion_version=judgement.champion,
        promoted=promoted,
        reason=reason,
        decided_by=decided_by,
        day=date.fromisoformat(judgement.as_of),
        snapshot=judgement.snapshot,
        training_key=judgement.training_key,
        report=f"{report_folder(judgement)}/index.html",
        metrics=metrics,
    )

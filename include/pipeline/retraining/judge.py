"""Score the champion and all candidates on today's gold set, and let the gate decide on the best of them."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from include.models.data.snapshot import Snapshot, SnapshotDamaged, read_snapshot
from include.models.evaluation.comparison import compare
from include.models.evaluation.cross_validation import Predicted
from include.models.evaluation.intervals import statistic_interval
from include.models.evaluation.metrics import macro_f1
from include.models.evaluation.results import Comparison, Interval, ModalityResult
from include.models.evaluation.scoring import score_modality
from include.models.promotion.gate import Evidence, GateRules, Outcome, Verdict
from include.models.promotion.judgement import JudgedCandidate, Judgement
from include.models.version.artefact import Artefact
from include.models.version.registry import Registry
from include.pipeline.retraining.examination import examination_from
from include.pipeline.retraining.gold import GoldProducts, gold_changes, gold_products, predict_gold
from include.pipeline.training.train import CandidateSummary
from include.settings import Settings
from include.storage.lake import Lake
from include.taxonomy import load_taxonomy

logger = logging.getLogger(__name__)


class ExaminedCandidate(CandidateSummary):
    """A trained candidate with what `examine` found."""

    examination: dict[str, Any]


@dataclass(frozen=True, eq=False)
class _Scored:
    """A model's predictions of the gold products and its scores."""

    predicted: Predicted
    result: ModalityResult


def judge(
    candidates: Sequence[ExaminedCandidate],
    champion: str | None,
    snapshot_number: str,
    settings: Settings,
    *,
    as_of: str,
    training_key: str,
) -> Judgement:
    """The gate's decision on a retraining's candidates against a champion, pinned by its number.

    The candidates are ordered by their out-of-fold scores, for which the gold set was not looked at. With a champion
    the best of them is judged; without one, the first that passes the floors. Raises NoChampionError when an artefact
    is missing or damaged, ConfigurationError when a photo encoder is no longer there.
    """
    if not candidates:
        raise ValueError("there is no candidate to judge")
    registry = Registry(settings.tracking_uri, settings.state_dir)
    snapshot = read_snapshot(Lake(settings.lake_root), snapshot_number)
    gold = gold_products(snapshot, settings)
    require_no_leak(snapshot)
    ordered = sorted(candidates, key=lambda one: (-one["macro_f1"], int(one["version"])))
    versions = [one["version"] for one in ordered]
    score = _scorer(registry, gold, [*versions, *([champion] if champion else [])], settings)
    scored = {version: score(version) for version in versions}
    defending = score(champion) if champion else None
    rules = gate_rules(settings)
    changes = _gold_changes(registry, champion, snapshot, settings)
    choice = _choose(ordered, scored, defending, gold, rules, gold_changes=changes, seed=settings.seed)
    outcome, reason = choice.outcome(champion)
    logger.info("judged: candidate=%s champion=%s outcome=%s: %s", choice.version, champion, outcome, reason)
    return Judgement(
        as_of=as_of,
        snapshot=snapshot_number,
        training_key=training_key,
        outcome=outcome,
        candidate=choice.version,
        champion=champion,
        reason=reason,
        gold_products=gold.table.num_rows,
        gold_left_out=gold.left_out,
        candidates=tuple(_judged(one, scored, choice.verdicts) for one in ordered),
        champion_gold=defending.result if defending else None,
        difference=choice.difference,
        comparison=choice.comparison,
        confidence=rules.confidence,
        gold_changes=changes,
    )


@dataclass(frozen=True, eq=False)
class _Choice:
    """The candidate that the decision is about, and the gate's verdicts so far."""

    version: str
    verdicts: Mapping[str, Verdict]
    """By version; candidates behind the chosen one have none."""
    difference: Interval | None
    """Macro-F1 of the candidate less the champion's; None without a champion."""
    comparison: Comparison | None

    def outcome(self, champion: str | None) -> tuple[Outcome, str]:
        """The decision and its reason."""
        if self.version == champion:
            return "refuse", "the best candidate is the champion itself: nothing new was learnt"
        verdict = self.verdicts[self.version]
        return ("promote" if verdict.promote else "refuse"), verdict.reason


def _choose(
    ordered: Sequence[ExaminedCandidate],
    scored: Mapping[str, _Scored],
    defending: _Scored | None,
    gold: GoldProducts,
    rules: GateRules,
    *,
    gold_changes: float | None,
    seed: int,
) -> _Choice:
    """The best candidate; without a champion the first that passes, or the best where none does."""
    verdicts: dict[str, Verdict] = {}
    for candidate in ordered:
        version = candidate["version"]
        difference: Interval | None = None
        comparison: Comparison | None = None
        if defending is not None:
            difference, comparison = _paired(scored[version], defending, gold, rules.confidence, seed)
        evidence = Evidence(
            candidate=scored[version].result,
            examination=examination_from(candidate["examination"]),
            champion=defending.result if defending else None,
            difference=difference,
            comparison=comparison,
            gold_changes=gold_changes,
        )
        verdicts[version] = rules.judge(evidence)
        if defending is not None or verdicts[version].promote:
            return _Choice(version, verdicts, difference, comparison)
    return _Choice(ordered[0]["version"], verdicts, None, None)


def gate_rules(settings: Settings) -> GateRules:
    """The bounds of the gate, as they are set."""
    names = {field.name: f"gate_{field.name}" for field in fields(GateRules)}
    return GateRules(
        **{name: getattr(settings, given if given in Settings.model_fields else name) for name, given in names.items()}
    )


def _gold_changes(registry: Registry, champion: str | None, now: Snapshot, settings: Settings) -> float | None:
    number = registry.tag(champion, "snapshot") if champion else ""
    if not number:
        if champion:
            logger.warning("version %s was trained before snapshots were kept: gold scores may flatter it", champion)
        return None
    try:
        return gold_changes(read_snapshot(Lake(settings.lake_root), number), now)
    except SnapshotDamaged as error:
        logger.warning("gold labels are not compared with those that version %s was judged by: %s", champion, error)
        return None


def require_no_leak(snapshot: Snapshot) -> None:
    """Raise AssertionError if a product, text, photo or content group is in gold and in training."""
    for column in ("product_id", "text_hash", "photo_sha256", "content_group"):
        gold, training = (set(part[column].drop_null().to_pylist()) for part in (snapshot.gold, snapshot.training))
        if gold & training:
            raise AssertionError(f"{len(gold & training)} values of {column} are in gold and in training")


def _scorer(
    registry: Registry, gold: GoldProducts, versions: Sequence[str], settings: Settings
) -> Callable[[str], _Scored]:
    """A function that scores a version, over the labels that any of the versions or the gold set has."""
    artefacts = {version: Artefact.load(registry.get(version).path) for version in versions}
    occurring = set(gold.table["label"].to_pylist()).union(*(artefact.labels for artefact in artefacts.values()))
    names = tuple(label for label in load_taxonomy().labels if label in occurring)

    def score(version: str) -> _Scored:
        predicted = predict_gold(artefacts[version], gold, names, settings)
        result = score_modality(
            predicted,
            gold.groups,
            title=f"version {version}",
            modality="fusion",
            image_encoder=artefacts[version].image_encoder_identity,
            target_precision=settings.target_precision,
            seed=settings.seed,
        )
        return _Scored(predicted, result)

    return score


def _paired(
    candidate: _Scored, champion: _Scored, gold: GoldProducts, confidence: float, seed: int
) -> tuple[Interval, Comparison]:
    """The difference of macro-F1 with its interval, groups resampled for both at once, and McNemar's test."""
    mine, theirs = candidate.predicted, champion.predicted
    difference = statistic_interval(
        lambda weights: macro_f1(mine.targets, mine.found, weights) - macro_f1(theirs.targets, theirs.found, weights),
        gold.groups,
        seed,
        confidence,
    )
    return difference, compare("candidate", "champion", mine.correct, theirs.correct)


def _judged(
    candidate: ExaminedCandidate, scored: Mapping[str, _Scored], verdicts: Mapping[str, Verdict]
) -> JudgedCandidate:
    version = candidate["version"]
    return JudgedCandidate(
        name=candidate["candidate"],
        version=version,
        out_of_fold_macro_f1=candidate["macro_f1"],
        gold=scored[version].result,
        examination=examination_from(candidate["examination"]),
        clauses=verdicts[version].clauses if version in verdicts else (),
    )

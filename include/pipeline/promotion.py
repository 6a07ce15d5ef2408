"""Making a version champion, and taking it back: one recoverable sequence for both.

1. the decision is written to `promotions`, which is the truth;
2. the registry's alias `champion` follows the newest decision that promoted.

A process that is killed in between leaves a decision that is not carried out yet. `settle`, with which every later
decision begins, carries it out: a rerun ends in the promoted state or, killed before the first step, in the old one.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, TypedDict

from sqlalchemy import Engine

from include.errors import ConfigurationError
from include.settings import Settings
from include.warehouse.engine import open_engine
from include.warehouse.locks import exclusive_lock
from include.warehouse.promotions import (
    PromotionRecord,
    StoredPromotion,
    champions_so_far,
    decided_champion,
    record_decision,
)

if TYPE_CHECKING:
    from include.models.version.registry import Registry

logger = logging.getLogger(__name__)


class ChampionChange(TypedDict):
    """Who is champion after a decision, and who was before."""

    version: str
    previous: str | None
    changed: bool
    """Whether this call, or one that was killed before it, made another version champion."""
    reason: str


def settle(engine: Engine, registry: Registry) -> str | None:
    """Let the alias follow the newest decision, as a killed process may have left it; returns the champion's number.

    Without any decision in `promotions` the alias is left as it is; None where there is no champion at all.
    """
    current = registry.alias()
    decided = decided_champion(engine)
    if decided is not None and decided.candidate_version != current:
        logger.warning(
            "the decision to make version %s champion was not carried out: it is now (the alias was on %s)",
            decided.candidate_version, current,
        )  # fmt: skip
    return _follow(engine, registry)


def _follow(engine: Engine, registry: Registry) -> str | None:
    """Move the alias to the version that the newest decision made champion, which is nobody's challenger then."""
    from include.models.version.registry import CHALLENGER

    decided, current = decided_champion(engine), registry.alias()
    if decided is not None and decided.candidate_version != current:
        current = registry.promote(decided.candidate_version).version
    if current is not None and registry.alias(CHALLENGER) == current:
        registry.clear_alias(CHALLENGER)
    return current


def carry_out(engine: Engine, registry: Registry, record: PromotionRecord, *, once: bool) -> StoredPromotion:
    """Write a decision down and let the alias follow; call it within `exclusive_lock(engine, "decision")`.

    Raises NoChampionError, before anything is written, when the artefact of a version to promote is missing or
    damaged. For `once` see `record_decision`.
    """
    if record.promoted:
        from include.models.version.artefact import Artefact

        Artefact.load(registry.get(record.candidate_version).path)
    stored = record_decision(engine, record, once=once)
    _follow(engine, registry)
    return stored


def promote_by_hand(
    engine: Engine, registry: Registry, version: str, *, decided_by: str, reason: str, snapshot: str = ""
) -> ChampionChange:
    """Make a version champion by a person's decision, without the gate; nothing happens if it is champion already."""
    previous = settle(engine, registry)
    if previous == version and decided_champion(engine) is not None:
        return ChampionChange(version=version, previous=previous, changed=False, reason="it is champion already")
    record = PromotionRecord(
        candidate_version=version,
        champion_version=previous,
        promoted=True,
        reason=reason,
        decided_by=decided_by,
        snapshot=snapshot or None,
    )
    carry_out(engine, registry, record, once=False)
    return ChampionChange(version=version, previous=previous, changed=previous != version, reason=reason)


def roll_back(settings: Settings, *, reason: str, decided_by: str, to: str | None = None) -> ChampionChange:
    """Make an earlier version champion again, with a row in `promotions`; by default the one before the champion.

    It works whatever state the champion's artefact is in, and changes nothing when the version is champion already.
    Raises ConfigurationError when there is no such version or none before, NoChampionError when the artefact to go
    back to is damaged. A training that runs meanwhile does not hold it up.
    """
    from include.models.version.registry import Registry

    if not reason.strip():
        raise ConfigurationError("a rollback needs a reason: it is what the next person reads in `promotions`")
    registry = Registry(settings.tracking_uri, settings.state_dir)
    with open_engine(settings.warehouse_dsn) as engine, exclusive_lock(engine, "decision"):
        current = settle(engine, registry)
        target = registry.get(to).version if to else _version_before(champions_so_far(engine), current)
        decided = decided_champion(engine)
        if target == current and decided is not None and decided.candidate_version == target:
            logger.info("version %s is champion already: nothing to take back", target)
            return ChampionChange(version=target, previous=current, changed=False, reason="it is champion already")
        record = PromotionRecord(
            candidate_version=target,
            champion_version=current,
            promoted=True,
            reason=reason,
            decided_by=decided_by,
            kind="rollback",
            snapshot=registry.tag(target, "snapshot") or None,
        )
        carry_out(engine, registry, record, once=False)
    return ChampionChange(version=target, previous=current, changed=target != current, reason=reason)


def _version_before(history: list[StoredPromotion], current: str | None) -> str:
    """The champion that the current one replaced; what was rolled back from is not gone back to."""
    stack: list[str] = []
    for decision in history:
        version = decision.candidate_version
        if decision.kind == "rollback" and version in stack:
            del stack[stack.index(version) :]
        elif not stack and decision.champion_version:
            stack.append(decision.champion_version)
        if not stack or stack[-1] != version:
            stack.append(version)
    if current in stack:
        del stack[stack.index(current) :]
    if not stack:
        raise ConfigurationError(
            f"there is no champion before version {current or '-'} to go back to: name one with --to; "
            "the table `promotions` has all decisions"
        )
    return stack[-1]

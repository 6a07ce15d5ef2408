"""Whether registry, `promotions`, snapshots and labels agree: every disagreement by name, with how to fix it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from sqlalchemy import Engine

from include.errors import ConfigurationError, CuveeError, NoChampionError
from include.models.data.snapshot import read_snapshot
from include.models.version.artefact import Artefact
from include.models.version.registry import CHAMPION, Registry
from include.pipeline.retraining.judge import require_no_leak
from include.settings import Settings
from include.storage.bucket import S3_SCHEME, LakeBucket
from include.storage.lake import Lake
from include.warehouse.engine import open_engine
from include.warehouse.promotions import champions_so_far, decided_champion
from include.warehouse.queries import products_by_model_version

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at."""

    what: str
    """What must hold, e.g. `the alias follows the newest decision`."""
    problem: str = ""
    """How it does not, and how to fix it; empty when it holds."""

    @property
    def holds(self) -> bool:
        """Whether all is well."""
        return not self.problem


def check(settings: Settings) -> list[Finding]:
    """Look at everything that retraining keeps in more than one place, and at the lake's bucket; changes nothing.

    A bucket that cannot be reached is the only finding. Raises WarehouseUnreachable when the warehouse does not answer.
    """
    bucket = _bucket(settings)
    if bucket and bucket[0].problem:
        return bucket
    return [*_retraining(settings), *bucket]


def _bucket(settings: Settings) -> list[Finding]:
    """How the lake's bucket is set up, whether it can be reached first; nothing for a lake in a folder."""
    if not settings.lake_root.startswith(S3_SCHEME):
        return []
    return [Finding(found.what, found.problem) for found in LakeBucket(settings.lake_root).inspect()]


def _retraining(settings: Settings) -> list[Finding]:
    registry = Registry(settings.tracking_uri, settings.state_dir)
    with open_engine(settings.warehouse_dsn) as engine:
        checks: tuple[Callable[[], Iterator[str]], ...] = (
            lambda: _alias(engine, registry),
            lambda: _versions(engine, registry),
            lambda: _artefact(registry),
            lambda: _snapshot(registry, settings),
            lambda: _runs(registry),
            lambda: _labels(engine, registry),
        )
        names = (
            "the alias champion follows the newest promotion",
            "every version in promotions is in the registry",
            "the champion's artefact is sound",
            "the champion's snapshot is sound, and its gold set was not trained on",
            "no run was left unfinished",
            "all products are labelled by the champion",
        )
        return [Finding(name, "; ".join(look())) for name, look in zip(names, checks, strict=True)]


def _alias(engine: Engine, registry: Registry) -> Iterator[str]:
    alias, decided = registry.alias(CHAMPION), decided_champion(engine)
    if decided is None and alias is not None:
        yield (
            f"version {alias} is champion, but no decision made it so: write one down with "
            f'`python -m include rollback --to {alias} --reason "champion before promotions were kept"`'
        )
    elif decided is not None and alias != decided.candidate_version:
        yield (
            f"decision {decided.promotion_id} made version {decided.candidate_version} champion, but the alias is on "
            f"{alias or 'no version'}: a process was killed in between. Run the failed task again, or "
            f'`python -m include rollback --to {decided.candidate_version} --reason "finish the promotion"`'
        )


def _versions(engine: Engine, registry: Registry) -> Iterator[str]:
    known = set(registry.versions())
    for decision in champions_so_far(engine):
        if decision.candidate_version not in known:
            yield f"decision {decision.promotion_id} names version {decision.candidate_version}, which is not there"


def _artefact(registry: Registry) -> Iterator[str]:
    alias = registry.alias(CHAMPION)
    if alias is None:
        return
    try:
        Artefact.load(registry.get(alias).path).verify()
    except (NoChampionError, ConfigurationError) as error:
        yield str(error)


def _snapshot(registry: Registry, settings: Settings) -> Iterator[str]:
    alias = registry.alias(CHAMPION)
    number = registry.tag(alias, "snapshot") if alias else ""
    if alias and not number:
        yield f"version {alias} was trained before snapshots were kept: gold scores may flatter it"
    elif number:
        try:
            require_no_leak(read_snapshot(Lake(settings.lake_root), number))
        except (CuveeError, AssertionError) as error:
            yield str(error)


def _runs(registry: Registry) -> Iterator[str]:
    runs = registry.unfinished_runs()
    if runs:
        yield (
            f"{len(runs)} MLflow runs have not ended ({', '.join(runs[:3])}): a training is going on, or one was "
            "killed, and the next training of the same candidate ends its run"
        )


def _labels(engine: Engine, registry: Registry) -> Iterator[str]:
    alias = registry.alias(CHAMPION)
    others = {version: count for version, count in products_by_model_version(engine).items() if version != alias}
    if others and alias is not None:
        counts = ", ".join(f"{count} by version {version}" for version, count in others.items())
        yield f"{sum(others.values())} products are labelled by another version ({counts}): `python -m include relabel`"

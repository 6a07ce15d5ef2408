"""The page of one decision: the gate's clauses, what they found, and how to revert it; one file, offline.

    write_decision_page("reports/retraining/day=2026-01-18/training=8ad9d23856e6/judgement.json", settings)

The page shows a judgement as `judge_trained` wrote it, and its outcome according to `promotions`: it can be written
before a person is asked and again afterwards. The same judgement and the same row give the same bytes.
"""

from __future__ import annotations

import logging
from typing import Any

from include.models.data.snapshot import Manifest, SnapshotDamaged, read_manifest
from include.models.promotion.gate import Verdict
from include.models.promotion.judgement import Judgement, read_judgement
from include.pages.attributions import attributions
from include.pages.decision_figures import decision_figures
from include.pages.decision_headline import BADGES, headline, state_of
from include.pages.decision_scores import label_rows, score_rows
from include.pages.rendering import html_environment
from include.settings import Settings
from include.storage.lake import Lake
from include.storage.layers import Layer
from include.warehouse.engine import open_engine
from include.warehouse.promotions import StoredPromotion, decision_on

logger = logging.getLogger(__name__)

REPORTS = Layer.RETRAINING_REPORTS
"""Folder of all decisions in the lake; its `index.html` lists them."""


def write_decision_page(path: str, settings: Settings) -> str:
    """Write `index.html` beside the judgement at `path` in the lake, and return its path there.

    Raises ConfigurationError when the judgement is another version's. The page notes a snapshot that is no
    longer there.
    """
    lake = Lake(settings.lake_root)
    judgement = read_judgement(lake, path)
    with open_engine(settings.warehouse_dsn) as engine:
        stored = decision_on(engine, judgement.training_key, judgement.candidate, judgement.champion)
    folder, _, file = path.rpartition("/")
    content = _content(judgement, stored, _manifest(lake, judgement.snapshot))
    content |= {"data_link": file, "overview_link": "../" * (folder.count("/") - REPORTS.count("/")) + "index.html"}
    page = f"{folder}/index.html"
    lake.write_bytes(page, html_environment().get_template("decision.html").render(content).encode())
    logger.info("decision page: version=%s path=%s", judgement.candidate, page)
    return page


def _content(judgement: Judgement, stored: StoredPromotion | None, manifest: Manifest | None) -> dict[str, Any]:
    return {
        "judgement": judgement,
        "stored": stored,
        "manifest": manifest,
        "badge": BADGES[state_of(stored)],
        "headline": headline(judgement, stored),
        "reason": _reason_beside_clauses(judgement, stored),
        "scores": score_rows(judgement),
        "labels": label_rows(judgement),
        "drawings": decision_figures(judgement),
        "attributions": attributions(manifest.sources) if manifest else [],
    }


def _reason_beside_clauses(judgement: Judgement, stored: StoredPromotion | None) -> str:
    """The written reason where it adds to the broken clauses, which the page lists anyway; else nothing."""
    reason = stored.reason if stored else judgement.reason
    return "" if reason == Verdict(judgement.judged.clauses).reason else reason


def _manifest(lake: Lake, snapshot: str) -> Manifest | None:
    try:
        return read_manifest(lake, snapshot)
    except SnapshotDamaged as error:
        logger.warning("the decision page omits the snapshot: %s", error)
        return None

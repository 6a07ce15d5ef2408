"""What drift figures come to on real records: what the default bounds rest on.

    python -m tests.models.monitoring.drift_bounds FOLDER

A model is trained on half of the labelled records. Batches drawn from the other half, of the same source, are the
ordinary days; batches of another source in its place are days on which something has changed. Halves keep content
groups whole. Of each figure the median and the largest value of all draws are printed, and how many batches of a
hundred warn.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from include.models.data.content_groups import content_groups
from include.models.decision.predictions import Predictions
from include.models.monitoring.drift import Drift, measure_drift
from include.models.monitoring.drift_statistics import DriftStatistics
from include.models.monitoring.reference_profile import ReferenceProfile
from include.models.training.train import train
from include.pipeline.daily.drift import drift_bounds
from include.pipeline.evaluation.data import EvaluationData, load_evaluation_data
from include.pipeline.training.options import training_options
from include.schema import text_hash
from include.settings import Settings

FEED = "champagne_rows"
"""The records that name champagne, as a source of their own: what the daily feed brings."""


@dataclass(frozen=True, eq=False)
class Halves:
    """A model trained on one half, and its predictions for all records."""

    profile: ReferenceProfile
    predictions: Predictions
    sources: np.ndarray
    is_new: np.ndarray
    """bool (n,): of the half that the model was not trained on."""
    is_labelled: np.ndarray
    has_photo: np.ndarray
    texts: np.ndarray
    photos: np.ndarray

    def pool(self, source: str, *, labelled_only: bool = False) -> np.ndarray:
        """Positions of a source's new records."""
        return np.flatnonzero(self.is_new & (self.sources == source) & (self.is_labelled | (not labelled_only)))

    def drift(self, rows: np.ndarray, source: str, settings: Settings) -> Drift:
        """The drift of a batch of records, taken for a day of `source`."""
        statistics = DriftStatistics.of(
            self.predictions.take(rows), ~self.has_photo[rows], self.texts[rows], self.photos[rows]
        )
        return measure_drift(source, statistics, self.profile, drift_bounds(settings))


def train_on_half(data: EvaluationData, settings: Settings, most: int = 10_000) -> Halves:
    """Train on half of the labelled records, at most so many of a source."""
    chance = np.random.default_rng(0)
    hashes = [text_hash(text) if text else None for text in data.documents]
    groups = content_groups(hashes, data.photo_hashes)
    is_old = (chance.random(groups.max() + 1) < 0.5)[groups]
    sources = np.array(data.column("source"))
    names_champagne = np.array(["champagne" in text.casefold() for text in data.documents])
    sources = np.where(names_champagne & (sources == "openfoodfacts_extract"), FEED, sources)
    is_labelled = np.array([label is not None for label in data.labels])
    rows = np.concatenate(
        [np.flatnonzero(is_old & is_labelled & (sources == source))[:most] for source in sorted(set(sources))]
    )
    dataset = data.training_set(rows)
    dataset = replace(dataset, product_ids=[f"{sources[row]}:{row}" for row in rows])
    artefact, _report = train(dataset, training_options(settings))
    assert artefact.profile is not None
    has_text = np.array([bool(text) for text in data.documents])
    texts, photos = artefact.text_encoder.encode(data.documents), data.encoders["default"][2]
    has_photo = ~np.isnan(photos).any(axis=1)
    predictions = artefact.predict(texts, has_text, photos, has_photo, data.rule_labels)
    texts[~has_text] = np.nan
    return Halves(artefact.profile, predictions, sources, ~is_old, is_labelled, has_photo, texts, photos)


def batches(pool: np.ndarray, size: int, count: int) -> Iterator[np.ndarray]:
    """So many batches drawn from a pool without replacement within a batch; none if the pool is too small."""
    chance = np.random.default_rng(size)
    for _ in range(count if size <= len(pool) else 0):
        yield chance.choice(pool, size, replace=False)


def _line(title: str, found: list[Drift]) -> str:
    names = [figure.name for figure in found[0].figures]
    values = {
        name: [figure.value for drift in found for figure in drift.figures if figure.name == name] for name in names
    }
    warned = 100 * np.mean([bool(drift.warnings) for drift in found])
    figures = "  ".join(f"{name} {np.median(each):.2f}/{max(each):.2f}" for name, each in values.items())
    return f"{title:62} warns {warned:5.1f} %  {figures}"


def main(folder: Path) -> None:
    """Print the table."""
    out = sys.stdout
    with tempfile.TemporaryDirectory(prefix="cuvee-drift-") as home:
        settings = Settings(state_dir=Path(home))
        data = load_evaluation_data(folder, settings, {"default": settings.image_encoder}, lambda _text: None)
        halves = train_on_half(data, settings)
    sources = [name for name, statistics in halves.profile.by_source.items() if statistics.products >= 100]
    out.write("median/largest value of a figure over 200 batches\n\nthe same source\n")
    for source in sources:
        for labelled_only in (True, False):
            pool = halves.pool(source, labelled_only=labelled_only)
            for size in (50, 200, 2_000):
                found = [halves.drift(rows, source, settings) for rows in batches(pool, size, 200)]
                if found:
                    what = "labelled" if labelled_only else "all"
                    out.write(_line(f"{source}, {what}, {size}", found) + "\n")
    out.write("\nanother source in its place, 200 products\n")
    for source in sources:
        for other in sources:
            if other != source:
                found = [halves.drift(rows, source, settings) for rows in batches(halves.pool(other), 200, 50)]
                out.write(_line(f"{other} as {source}", found) + "\n")
    out.write("\na source that training did not have, 200 products\n")
    for source in sources:
        found = [halves.drift(rows, "unheard_of", settings) for rows in batches(halves.pool(source), 200, 50)]
        out.write(_line(source, found) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))

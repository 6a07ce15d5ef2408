"""Drift of a day's batch from the training products of its model: figures with bounds, and warnings in sentences.

    drift = measure_drift("openfoodfacts", batch, profile, bounds)
    drift.warnings      # ["openfoodfacts: the mix of labels is another (distance 0.71, bound 0.55): ...", ...]
    drift.to_json()     # {"label_mix": {"value": 0.71, "bound": 0.55, ...}, ...}

Figures describe the predictions of the model, not what people decided later. Distances are scipy's: the Jensen-Shannon
distance of label shares (base 2, so 1 for disjoint labels), and the Wasserstein distance of confidences, in units of
probability. Confidence, missing photos and reviews warn in one direction only: on products that the model has been
trained on since, it is more confident than on its out-of-fold training products, and that is no fault.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np

from include.models.monitoring.drift_statistics import DriftStatistics, NormalisedMean, confidence_values
from include.models.monitoring.reference_profile import ReferenceProfile

FigureName = Literal["label_mix", "confidence", "text_embedding", "photo_embedding", "missing_photos", "reviewed"]
Verdict = Literal["within", "beyond", "too few"]


@dataclass(frozen=True)
class DriftBounds:
    """The largest value of each figure that is within bounds, and the products that a verdict needs."""

    min_products: int
    """Products that the batch and the training must each have for a verdict."""
    label_mix: float
    """Jensen-Shannon distance, 0 to 1."""
    confidence: float
    """Wasserstein distance, 0 to 1."""
    embedding: float
    """Distance of the mean embeddings, in units of training's spread."""
    missing_photos: float
    reviewed: float
    """Rises of a share, 0 to 1."""


@dataclass(frozen=True)
class Figure:
    """One drift figure of a batch."""

    name: FigureName
    value: float
    """A distance from training (of confidences: negative where the batch is more confident), or the rise of a share."""
    bound: float
    batch: float | None
    """The mean or share of the batch that was compared; None for distances of whole distributions."""
    training: float | None
    verdict: Verdict
    """`too few`: the batch or the training has fewer products than `DriftBounds.min_products`."""


@dataclass(frozen=True)
class LabelShare:
    """One label's share of the batch and of the training products, 0 to 1."""

    label: str
    batch: float
    training: float


@dataclass(frozen=True)
class Drift:
    """The drift of one batch."""

    source: str
    products: int
    training_products: int
    same_source: bool
    """Whether the batch was compared with the training products of its source alone."""
    figures: tuple[Figure, ...]
    label_shares: tuple[LabelShare, ...]
    """Of every label that occurs in either, most frequent in the batch first."""

    @property
    def compared_with(self) -> str:
        """The training products compared with, e.g. `the 812 training products of openfoodfacts`."""
        products = f"{self.training_products:,} training products"
        return f"the {products} of {self.source}" if self.same_source else f"all {products}, hardly any of this source"

    @property
    def warnings(self) -> list[str]:
        """A sentence for each figure beyond its bound."""
        return [self._sentence(figure) for figure in self.figures if figure.verdict == "beyond"]

    def to_json(self) -> dict[str, dict[str, Any]]:
        """Each figure by its name, rounded to four digits: value, bound, batch, training, verdict."""
        rounded = {}
        for figure in self.figures:
            content = asdict(figure)
            rounded[content.pop("name")] = {
                name: round(value, 4) if isinstance(value, float) else value for name, value in content.items()
            }
        return rounded

    def _sentence(self, figure: Figure) -> str:
        distance = f"{figure.value:.2f}, bound {figure.bound:g}"
        match figure.name:
            case "label_mix":
                most = max(self.label_shares, key=lambda share: abs(share.batch - share.training))
                shares = f"{_percent(most.batch)} here, {_percent(most.training)} in training"
                finding = f"the mix of labels is another (distance {distance}): {most.label} is {shares}"
            case "confidence":
                finding = (
                    f"the model is not as sure as in training (distance {distance}): "
                    f"mean confidence {figure.batch:.2f}, in training {figure.training:.2f}"
                )
            case "text_embedding" | "photo_embedding":
                kind = "texts" if figure.name == "text_embedding" else "photos"
                finding = f"the {kind} are unlike those of training (distance {distance})"
            case "missing_photos" | "reviewed":
                what = "lack a photo" if figure.name == "missing_photos" else "are for review"
                batch, training = _percent(figure.batch), _percent(figure.training)
                finding = f"{batch} of the products {what}, in training {training} (rise {distance})"
        return f"{self.source}: {finding}. Compared with {self.compared_with}."


def measure_drift(source: str, batch: DriftStatistics, profile: ReferenceProfile, bounds: DriftBounds) -> Drift:
    """The drift of a batch, which must not be empty, from the reference profile of the model that labelled it.

    Without any photo in the batch or in the training there is no `photo_embedding`.
    """
    training, same_source = profile.baseline_for(source, bounds.min_products)
    shares = [
        LabelShare(name, round(float(of_batch), 4), round(float(of_training), 4))
        for name, of_batch, of_training in zip(
            profile.label_names, batch.label_shares, training.label_shares, strict=True
        )
        if of_batch or of_training
    ]
    return Drift(
        source=source,
        products=batch.products,
        training_products=training.products,
        same_source=same_source,
        figures=tuple(_figures(batch, training, bounds)),
        label_shares=tuple(sorted(shares, key=lambda share: (-share.batch, -share.training, share.label))),
    )


def _figures(batch: DriftStatistics, training: DriftStatistics, bounds: DriftBounds) -> Iterator[Figure]:
    from scipy.spatial.distance import jensenshannon
    from scipy.stats import wasserstein_distance

    def figure(
        name: FigureName, value: float, bound: float, compared: tuple[float | None, float | None] = (None, None),
        counts: tuple[int, int] = (batch.products, training.products),
    ) -> Figure:  # fmt: skip
        enough = min(counts) >= bounds.min_products
        verdict: Verdict = ("beyond" if value > bound else "within") if enough else "too few"
        return Figure(name, float(value), bound, compared[0], compared[1], verdict)

    # For equal shares the square of the distance may be a rounding error below 0.
    with np.errstate(invalid="ignore"):
        mix = np.nan_to_num(jensenshannon(batch.label_shares, training.label_shares, base=2))
    yield figure("label_mix", mix, bounds.label_mix)
    values, means = confidence_values(), (batch.mean_confidence, training.mean_confidence)
    moved = wasserstein_distance(values, values, batch.confidences, training.confidences)
    yield figure("confidence", -moved if means[0] > means[1] else moved, bounds.confidence, means)
    embeddings: tuple[tuple[FigureName, NormalisedMean, NormalisedMean], ...] = (
        ("text_embedding", batch.text, training.text),
        ("photo_embedding", batch.photo, training.photo),
    )
    for name, in_batch, in_training in embeddings:
        if in_batch.count and in_training.count:
            counts = (in_batch.count, in_training.count)
            yield figure(name, distance_of_means(in_batch, in_training), bounds.embedding, counts=counts)
    counted: tuple[tuple[FigureName, float, int, int], ...] = (
        ("missing_photos", bounds.missing_photos, batch.without_photo, training.without_photo),
        ("reviewed", bounds.reviewed, batch.reviewed, training.reviewed),
    )
    for name, bound, of_batch, of_training in counted:
        shares = (of_batch / batch.products, of_training / training.products)
        yield figure(name, shares[0] - shares[1], bound, shares)


def distance_of_means(batch: NormalisedMean, training: NormalisedMean) -> float:
    """Euclidean distance of the batch's normalised mean embedding from training's, in units of training's spread.

    The standardised mean difference over all dimensions; the plain distance if training has no spread.
    """
    return float(np.linalg.norm(batch.mean - training.mean)) / (training.spread or 1.0)


def _percent(share: float | None) -> str:
    return f"{share or 0:.0%}".replace("%", " %")

"""How far a day's batch is from what its model was trained on, as figures with bounds and as sentences for people.

    drift = measure_drift("openfoodfacts", batch, profile, settings)
    drift.warnings      # ["the labels of openfoodfacts are distributed unlike ...", ...]
    drift.to_json()     # {"label_mix": {"value": 0.71, "bound": 0.5, ...}, ...}

Figures are about what the model predicted, whatever a person decided later. Distances are scipy's: Jensen and Shannon's
of label shares (base 2, so 1 for disjoint labels), and Wasserstein's of confidences, which is in units of probability.
Confidence, photos and review warn in one direction only: a day whose products the model has meanwhile learnt from is
surer than training was, and nothing is wrong with it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np

from include.models.monitoring.drift_statistics import Directions, Tally, confidence_values
from include.models.monitoring.reference_profile import ReferenceProfile
from include.settings import Settings

FigureName = Literal["label_mix", "confidence", "text_embedding", "photo_embedding", "missing_photos", "reviewed"]
Verdict = Literal["within", "beyond", "too few"]


@dataclass(frozen=True)
class Figure:
    """One drift figure of a batch."""

    name: FigureName
    value: float
    """A distance from training (of confidences: negative where the batch is the surer), or the rise of a share."""
    bound: float
    batch: float | None
    """What was compared, in the batch: a mean or a share; None for distances of whole distributions."""
    training: float | None
    verdict: Verdict
    """`too few`: the batch or the training has too few products for a judgement."""


@dataclass(frozen=True)
class LabelShare:
    """One label's share of the batch and of the training products, 0 to 1."""

    label: str
    batch: float
    training: float


@dataclass(frozen=True)
class Drift:
    """What was found for one batch."""

    source: str
    products: int
    training_products: int
    own_source: bool
    """Whether the training products compared with are those of the batch's own source."""
    figures: tuple[Figure, ...]
    label_shares: tuple[LabelShare, ...]
    """Of every label that either has, commonest in the batch first."""

    @property
    def compared_with(self) -> str:
        """The training products compared with, e.g. `the 812 training products of openfoodfacts`."""
        products = f"{self.training_products:,} training products"
        return f"the {products} of {self.source}" if self.own_source else f"all {products}, hardly any of this source"

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
        found = f"{figure.value:.2f}, bound {figure.bound:g}"
        match figure.name:
            case "label_mix":
                most = max(self.label_shares, key=lambda share: abs(share.batch - share.training))
                shares = f"{_percent(most.batch)} here, {_percent(most.training)} in training"
                said = f"the mix of labels is another (distance {found}): {most.label} is {shares}"
            case "confidence":
                said = (
                    f"the model is not as sure as in training (distance {found}): mean confidence {figure.batch:.2f}, "
                    f"in training {figure.training:.2f}"
                )
            case "text_embedding" | "photo_embedding":
                kind = "texts" if figure.name == "text_embedding" else "photos"
                said = f"the {kind} are unlike those of training (distance {found})"
            case "missing_photos" | "reviewed":
                what = "lack a photo" if figure.name == "missing_photos" else "are for review"
                batch, training = _percent(figure.batch), _percent(figure.training)
                said = f"{batch} of the products {what}, in training {training} (rise {found})"
        return f"{self.source}: {said}. Compared with {self.compared_with}."


def measure_drift(source: str, batch: Tally, profile: ReferenceProfile, settings: Settings) -> Drift:
    """The drift of a batch that the profile's model labelled; bounds and `drift_min_products` are settings.

    Where either side has no photo there is no figure about photos. The batch must not be empty.
    """
    training, own_source = profile.fair_to(source, settings.drift_min_products)
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
        own_source=own_source,
        figures=tuple(_figures(batch, training, settings)),
        label_shares=tuple(sorted(shares, key=lambda share: (-share.batch, -share.training, share.label))),
    )


def _figures(batch: Tally, training: Tally, settings: Settings) -> Iterator[Figure]:
    from scipy.spatial.distance import jensenshannon
    from scipy.stats import wasserstein_distance

    def figure(
        name: FigureName, value: float, bound: float, compared: tuple[float | None, float | None] = (None, None),
        counts: tuple[int, int] = (batch.products, training.products),
    ) -> Figure:  # fmt: skip
        enough = min(counts) >= settings.drift_min_products
        verdict: Verdict = ("beyond" if value > bound else "within") if enough else "too few"
        return Figure(name, float(value), bound, compared[0], compared[1], verdict)

    # The square of equal shares' distance may be a rounding error below 0.
    with np.errstate(invalid="ignore"):
        mix = np.nan_to_num(jensenshannon(batch.label_shares, training.label_shares, base=2))
    yield figure("label_mix", mix, settings.drift_label_mix)
    values, means = confidence_values(), (batch.mean_confidence, training.mean_confidence)
    moved = wasserstein_distance(values, values, batch.confidences, training.confidences)
    yield figure("confidence", -moved if means[0] > means[1] else moved, settings.drift_confidence, means)
    embeddings: tuple[tuple[FigureName, Directions, Directions], ...] = (
        ("text_embedding", batch.text, training.text),
        ("photo_embedding", batch.photo, training.photo),
    )
    for name, ours, theirs in embeddings:
        if ours.count and theirs.count:
            counts = (ours.count, theirs.count)
            yield figure(name, distance_of_means(ours, theirs), settings.drift_embedding, counts=counts)
    counted: tuple[tuple[FigureName, float, int, int], ...] = (
        ("missing_photos", settings.drift_missing_photos, batch.without_photo, training.without_photo),
        ("reviewed", settings.drift_reviewed, batch.reviewed, training.reviewed),
    )
    for name, bound, in_batch, in_training in counted:
        shares = (in_batch / batch.products, in_training / training.products)
        yield figure(name, shares[0] - shares[1], bound, shares)


def distance_of_means(batch: Directions, training: Directions) -> float:
    """Distance of the batch's mean embedding from training's, in units of training's spread.

    The standardised mean difference, of all dimensions at once; where training has no spread, the plain distance.
    """
    return float(np.linalg.norm(batch.mean - training.mean)) / (training.spread or 1.0)


def _percent(share: float | None) -> str:
    return f"{share or 0:.0%}".replace("%", " %")

"""The taxonomy's written rules as a voice beside the classifiers.

A rule is knowledge that few examples teach: that `biscoito` is a biscuit, or that a cognac may call itself Grande
Champagne. Its labels are trusted enough to train on; at prediction a rule raises the odds of its label by a fixed
factor where the classifiers say otherwise, and a person looks at the product whichever of them wins. That factor is not
fitted, because the products on which a rule can be checked against a stronger label are not those for which it was
written. How much surer a rule makes classifiers that say the same is fitted on products with a stronger label.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from include.models.classifier.linear import softmax
from include.models.decision.calibration import log_loss
from include.record_guard import RecordGuard
from include.taxonomy import Taxonomy, load_taxonomy

RULE_COLUMNS = ("name", "ingredients", "brand")
"""What a rule reads of a product, in the order of `Taxonomy.label_from_rules`."""
SILENT = -1
"""No rule applies."""
UNKNOWN_LABEL = -2
"""A rule applies, and names a label that the model cannot give."""
_LEAST = 1e-9
_ROWS_TO_FIT = 100


def rule_labels(products: pa.Table, taxonomy: Taxonomy | None = None) -> list[str | None]:
    """The label that the written rules give to each product, None where none applies (10 µs a product).

    `products` has the columns `RULE_COLUMNS`; one named "Biscoito Champagne" gets `"biscuit"`. A product on which our
    own code fails gets None, and a warning.
    """
    taxonomy = taxonomy or load_taxonomy()
    columns = [products[name].to_pylist() for name in RULE_COLUMNS]
    with RecordGuard("texts") as guard, guard.watched():
        return guard.each(zip(*columns, strict=True), taxonomy.label_from_rules, otherwise=None)


def said_by_rules(labels: Sequence[str | None], label_names: Sequence[str]) -> np.ndarray:
    """int64 (n,): position in `label_names` of what a rule says, else `SILENT` or `UNKNOWN_LABEL`."""
    position: dict[str | None, int] = {label: number for number, label in enumerate(label_names)}
    position[None] = SILENT
    return np.array([position.get(label, UNKNOWN_LABEL) for label in labels], dtype=np.int64)


def contradicts(said: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
    """bool (n,): a rule applies and names another label than the likeliest of (n, k) probabilities."""
    return np.asarray((said != SILENT) & (said != probabilities.argmax(axis=1)))


def heed(probabilities: np.ndarray, said: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Probabilities, float32 (n, k), with the log odds of what rules say raised by `weights` nats, (n,)."""
    rows = np.flatnonzero((said >= 0) & (weights != 0))
    if not len(rows):
        return probabilities
    logits = np.log(np.maximum(probabilities[rows], _LEAST))
    logits[np.arange(len(rows)), said[rows]] += weights[rows]
    heard = probabilities.copy()
    heard[rows] = softmax(logits)
    return heard


def fit_agreement(probabilities: np.ndarray, said: np.ndarray, targets: np.ndarray) -> float:
    """The weight in nats, 0 to 5, of a rule that says what the classifiers say, which makes held-out targets likeliest.

    `probabilities` are float32 (n, k). 0 without `_ROWS_TO_FIT` products that a rule speaks of.
    """
    from scipy.optimize import minimize_scalar

    rows = np.flatnonzero((said >= 0) & (said == probabilities.argmax(axis=1)))
    if len(rows) < _ROWS_TO_FIT:
        return 0.0
    found, told, wanted = probabilities[rows], said[rows], targets[rows]
    fitted = minimize_scalar(
        lambda weight: log_loss(heed(found, told, np.full(len(rows), weight)), wanted),
        bounds=(0.0, 5.0),
        method="bounded",
    )
    return round(float(fitted.x), 3)

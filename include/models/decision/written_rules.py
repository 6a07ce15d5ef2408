"""Labels of the taxonomy's written rules, and their effect on the classifiers' probabilities.

A rule is knowledge that is too rare in the examples to be learned: that `biscoito` is a biscuit, or that a cognac may
be called Grande Champagne. Rule labels are trusted enough to train on. At prediction, a rule label that contradicts the
classifiers gets a boost of its log odds by a fixed weight, and the product goes to review. The weight is not fitted,
because the products on which a rule can be checked against a more trusted label are not those for which it was written.
The boost of a rule label that agrees with the classifiers is fitted on products with a more trusted label.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from include.models.classifier.linear import softmax
from include.models.decision.calibration import log_loss
from include.record_guard import RecordGuard
from include.rules import Rule
from include.taxonomy import Taxonomy, load_taxonomy

RULE_COLUMNS = ("name", "ingredients", "brand")
"""Columns that the rules are applied to, in the order of the arguments of `Taxonomy.label_from_rules`."""
NO_RULE = -1
"""No rule applies."""
UNKNOWN_LABEL = -2
"""A rule applies, but its label is not among the model's labels."""
_LEAST = 1e-9
_ROWS_TO_FIT = 100


def rule_labels(products: pa.Table, taxonomy: Taxonomy | None = None) -> list[str | None]:
    """The label that the written rules give to each product, None where none applies (10 µs a product).

    `products` has the columns `RULE_COLUMNS`; one named "Biscoito Champagne" gets `"biscuit"`. A product on which a
    rule raises an exception gets None, with a warning in the log.
    """
    return [rule.label if rule else None for rule in matching_rules(products, taxonomy)]


def matching_rules(products: pa.Table, taxonomy: Taxonomy | None = None) -> list[Rule | None]:
    """The first written rule that applies to each product, None where none does; see `rule_labels`."""
    taxonomy = taxonomy or load_taxonomy()
    columns = [products[name].to_pylist() for name in RULE_COLUMNS]
    with RecordGuard("texts") as guard, guard.watched():
        return guard.each(zip(*columns, strict=True), taxonomy.matching_rule, otherwise=None)


def encode_rule_labels(labels: Sequence[str | None], label_names: Sequence[str]) -> np.ndarray:
    """int64 (n,): position of each rule label in `label_names`, `NO_RULE` for None, `UNKNOWN_LABEL` if absent there."""
    position: dict[str | None, int] = {label: number for number, label in enumerate(label_names)}
    position[None] = NO_RULE
    return np.array([position.get(label, UNKNOWN_LABEL) for label in labels], dtype=np.int64)


def contradicts(rule_index: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
    """bool (n,): a rule applies, and its label is not the likeliest of (n, k) probabilities."""
    return np.asarray((rule_index != NO_RULE) & (rule_index != probabilities.argmax(axis=1)))


def apply_rule_boost(probabilities: np.ndarray, rule_index: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Probabilities, float32 (n, k), with the log odds of each rule label raised by `weights` nats, (n,).

    `rule_index` is int64 (n,), from `encode_rule_labels`; rows without a label of the model are left as they are.
    """
    rows = np.flatnonzero((rule_index >= 0) & (weights != 0))
    if not len(rows):
        return probabilities
    logits = np.log(np.maximum(probabilities[rows], _LEAST))
    logits[np.arange(len(rows)), rule_index[rows]] += weights[rows]
    boosted = probabilities.copy()
    boosted[rows] = softmax(logits)
    return boosted


def fit_agreement_weight(probabilities: np.ndarray, rule_index: np.ndarray, targets: np.ndarray) -> float:
    """The boost in nats, 0 to 5, of rule labels that agree with the classifiers which maximises the likelihood.

    `probabilities` are float32 (n, k), `rule_index` and `targets` int64 (n,), all of held-out products. 0 if a rule
    agrees with the classifiers on fewer than `_ROWS_TO_FIT` products.
    """
    from scipy.optimize import minimize_scalar

    rows = np.flatnonzero((rule_index >= 0) & (rule_index == probabilities.argmax(axis=1)))
    if len(rows) < _ROWS_TO_FIT:
        return 0.0
    agreeing, labels, held_out = probabilities[rows], rule_index[rows], targets[rows]
    fitted = minimize_scalar(
        lambda weight: log_loss(apply_rule_boost(agreeing, labels, np.full(len(rows), weight)), held_out),
        bounds=(0.0, 5.0),
        method="bounded",
    )
    return round(float(fitted.x), 3)

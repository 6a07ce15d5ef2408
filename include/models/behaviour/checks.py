"""Checks of a trained model's behaviour on products whose label is known: run before a model is trusted."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from include.models.behaviour import perturbations
from include.models.decision.predictions import Predictions
from include.models.version.labelling import Item, Labeller

logger = logging.getLogger(__name__)

CHAMPAGNE = "champagne"
FAILURES_SHOWN = 5


@dataclass(frozen=True)
class LabelledItem:
    """A product with the label it deserves."""

    item: Item
    label: str


@dataclass(frozen=True)
class BehaviourCheck:
    """How often a model behaved as wanted in one respect."""

    name: str
    """What must hold, e.g. `upper case keeps the label`."""
    cases: int
    share: float
    """Share of the cases that behaved, in [0, 1]; 1 without cases."""
    required: float
    failures: tuple[str, ...] = ()
    """Some of the cases that did not, as `name: label before -> label after`."""

    @property
    def passed(self) -> bool:
        """Whether no more cases failed than `required` allows, rounded up: one of few may be more than the share.

        97 % allow 3 failures in 100 cases, and 1 in 20; 100 % allow none.
        """
        failures = round((1 - self.share) * self.cases)
        return failures <= math.ceil(round((1 - self.required) * self.cases, 6))


Change = Callable[[Item], Item]

_KEEPS_LABEL: tuple[tuple[str, float, Change], ...] = (
    ("upper case keeps the label", 0.97, perturbations.upper_case),
    ("text without accents keeps the label", 0.97, perturbations.without_accents),
    ("trailing boilerplate keeps the label", 0.95, perturbations.with_boilerplate),
)
_PHOTO_KEEPS_LABEL: tuple[tuple[str, float, Change], ...] = (
    ("a flipped photo keeps the label", 0.95, perturbations.photo_flipped),
    ("a recompressed photo keeps the label", 0.97, perturbations.photo_recompressed),
)


def check_behaviour(labeller: Labeller, products: Sequence[LabelledItem]) -> list[BehaviourCheck]:
    """Every check that the products allow: photo checks need photos, the vinegar check champagnes.

    Only products whose label the model knows and gives at the start are cases: a model that is wrong from the
    beginning is the evaluation's matter.
    """
    products = [product for product in products if product.label in labeller.artefact.labels]
    before = labeller.label([product.item for product in products])
    right = [product for product, label in zip(products, before.labels, strict=True) if label == product.label]
    pictured = [product for product in right if product.item.photo]
    checks = [_keeps_label(labeller, right, *check) for check in _KEEPS_LABEL]
    checks.append(_keeps_label(labeller, right, "another brand keeps the label", 0.95, _brand_swap(right)))
    checks += [_keeps_label(labeller, pictured, *check) for check in _PHOTO_KEEPS_LABEL]
    checks += [
        _leaves_champagne(labeller, right),
        _accepted_is_right(labeller, right, "a name alone is accepted only where it is right", perturbations.name_only),
        _accepted_is_right(
            labeller, pictured, "a photo alone is accepted only where it is right", perturbations.photo_only
        ),
        _nothing_is_reviewed(labeller),
    ]
    for check in checks:
        if not check.passed:
            logger.warning("behaviour: %s: %.3f of %d cases, %.2f required: %s", check.name, check.share, check.cases,
                           check.required, check.failures)  # fmt: skip
    return checks


def _keeps_label(
    labeller: Labeller, products: Sequence[LabelledItem], name: str, required: float, change: Change
) -> BehaviourCheck:
    after = labeller.label([change(product.item) for product in products])
    wanted = np.array([product.label for product in products], dtype=object)
    return _check(name, required, products, after, np.array(after.labels, dtype=object) == wanted)


def _brand_swap(products: Sequence[LabelledItem]) -> Change:
    """Give each product the brand of the next product of its own label: as likely as its own."""
    brand_of: dict[Item, str] = {}
    for label in {product.label for product in products}:
        same = [product.item for product in products if product.label == label and product.item.brand]
        for item, following in zip(same, same[1:] + same[:1], strict=True):
            brand_of[item] = following.brand or ""
    return lambda item: perturbations.with_brand(item, brand_of[item]) if brand_of.get(item) else item


def _leaves_champagne(labeller: Labeller, products: Sequence[LabelledItem]) -> BehaviourCheck:
    champagnes = [product for product in products if product.label == CHAMPAGNE and product.item.name]
    after = labeller.label([perturbations.as_vinegar(product.item) for product in champagnes])
    accepted_champagne = (np.array(after.labels, dtype=object) == CHAMPAGNE) & after.is_accepted
    return _check("vinegar made of a champagne is not accepted as champagne", 0.98, champagnes, after,
                  ~accepted_champagne)  # fmt: skip


def _accepted_is_right(
    labeller: Labeller, products: Sequence[LabelledItem], name: str, change: Change
) -> BehaviourCheck:
    after = labeller.label([change(product.item) for product in products])
    wanted = np.array([product.label for product in products], dtype=object)
    right = (np.array(after.labels, dtype=object) == wanted) | ~after.is_accepted
    return _check(name, 0.97, products, after, right)


def _nothing_is_reviewed(labeller: Labeller) -> BehaviourCheck:
    empty = [LabelledItem(Item(), "")]
    after = labeller.label([product.item for product in empty])
    return _check("a product without text and photo goes to review", 1.0, empty, after, ~after.is_accepted)


def _check(
    name: str, required: float, products: Sequence[LabelledItem], after: Predictions, behaved: np.ndarray
) -> BehaviourCheck:
    failures = tuple(
        f"{products[row].item.name}: {products[row].label} -> {after.labels[row]}"
        for row in np.flatnonzero(~behaved)[:FAILURES_SHOWN].tolist()
    )
    return BehaviourCheck(name, len(behaved), float(behaved.mean()) if len(behaved) else 1.0, required, failures)

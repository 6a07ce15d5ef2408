"""What the text says blended with what the photo shows.

Two ways, of which training keeps the one that proves itself on out-of-fold predictions:

- late: a meta-classifier stacked on the two classifiers' opinions. Its simplest form is log-linear pooling
  (Genest and Zidek, "Combining Probability Distributions", 1986) with two weights; with examples enough to show
  that it pays, it also learns which label's opinion to trust (Wolpert, "Stacked Generalization", 1992).
- joint: one head on the features of both (`joint.py`).

A photo classifier that never saw a label cannot speak against it: fusion moves probability between the labels
that photos showed, and the text alone says how much belongs to the others.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from include.models.classifier.linear import softmax
from include.models.decision.calibration import log_loss

_LEAST = 1e-9
_LARGEST_WEIGHT = 3.0
_STACK_PENALTY = 0.02
"""Ridge on what stacking adds to the pool; as strong as a fiftieth of a mean row's likelihood."""


@dataclass(frozen=True, eq=False)
class Fusion:
    """Weights of the two opinions; (1, 0) is the text alone."""

    text_weight: float = 1.0
    photo_weight: float = 0.0
    correction: np.ndarray | None = None
    """float32 (2 k' + 1, k'), for the k' labels that the photo classifier knows: added to the pooled opinion for
    the text's and the photo's opinions (centred logarithms) and 1. None is the plain pool."""

    def blend(self, text: np.ndarray, photo: np.ndarray, known: np.ndarray) -> np.ndarray:
        """Fused probabilities, float32 (n, k), rows summing to 1.

        `text` and `photo` are probabilities (n, k); `known` are the positions of the labels that the photo
        classifier knows. Labels outside `known` keep the probability that the text gives them.
        """
        return within_known(text, self.opinion(text[:, known], photo[:, known]), known)

    def opinion(self, text: np.ndarray, photo: np.ndarray) -> np.ndarray:
        """Unnormalised log-probabilities, (n, k'), from probabilities of the labels that photos showed."""
        pooled = self.text_weight * np.log(np.maximum(text, _LEAST))
        pooled = pooled + self.photo_weight * np.log(np.maximum(photo, _LEAST))
        return np.asarray(pooled if self.correction is None else pooled + _inputs(text, photo) @ self.correction)


def within_known(text: np.ndarray, opinion: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Probabilities, float32 (n, k): those of `text`, with the share of the known labels divided by `opinion`.

    `opinion` is (n, known), as logits.
    """
    fused = np.array(text, dtype=np.float32)
    fused[:, known] = text[:, known].sum(axis=1, keepdims=True) * softmax(opinion)
    # The share is a sum in float32, which may end a hair above 1.
    return np.clip(fused, 0.0, 1.0)


def fit_fusion(text: np.ndarray, photo: np.ndarray, known: np.ndarray, targets: np.ndarray) -> Fusion:
    """The pool whose two weights make held-out targets likeliest; the text alone when there are no rows.

    `text` and `photo` are out-of-fold probabilities (n, k) of the same products.
    """
    from scipy.optimize import minimize

    if not len(targets):
        return Fusion()
    found = minimize(
        lambda weights: log_loss(Fusion(*weights).blend(text, photo, known), targets),
        x0=np.array([0.7, 0.3]),
        bounds=[(0.0, _LARGEST_WEIGHT)] * 2,
        method="Nelder-Mead",
        options={"xatol": 0.01, "fatol": 1e-5, "maxiter": 200},
    )
    text_weight, photo_weight = (float(round(weight, 4)) for weight in found.x)
    return Fusion(text_weight, photo_weight)


def fit_stack(pool: Fusion, text: np.ndarray, photo: np.ndarray, known: np.ndarray, targets: np.ndarray) -> Fusion:
    """The pool with a correction by label, which ridge holds near none; arguments as in `fit_fusion`."""
    from scipy.optimize import minimize

    rows = np.isin(targets, known)
    text, photo = text[rows][:, known], photo[rows][:, known]
    position = np.searchsorted(known, targets[rows])
    inputs, base = _inputs(text, photo), pool.opinion(text, photo)
    wanted = np.eye(len(known))[position]
    shape = (inputs.shape[1], len(known))

    def loss(flat: np.ndarray) -> tuple[float, np.ndarray]:
        weights = flat.reshape(shape)
        found = softmax(base + inputs @ weights)
        gradient = inputs.T @ (found - wanted) / len(position) + _STACK_PENALTY * weights
        return log_loss(found, position) + _STACK_PENALTY / 2 * float((flat**2).sum()), gradient.ravel()

    found = minimize(loss, np.zeros(shape).ravel(), jac=True, method="L-BFGS-B", options={"maxiter": 200})
    return Fusion(pool.text_weight, pool.photo_weight, found.x.reshape(shape).astype(np.float32))


def _inputs(text: np.ndarray, photo: np.ndarray) -> np.ndarray:
    """Centred logarithms of both opinions, and 1, (n, 2 k' + 1)."""
    logs = [np.log(np.maximum(opinion, 1e-4)) for opinion in (text, photo)]
    return np.hstack([*(log - log.mean(axis=1, keepdims=True) for log in logs), np.ones((len(text), 1))])

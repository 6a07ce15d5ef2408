"""Fusion of the text classifier's and the photo classifier's probabilities.

There are two methods, of which training keeps the one that is better on out-of-fold predictions:

- late: a meta-classifier on the outputs of the two classifiers. Its simplest form is log-linear pooling (Genest and
  Zidek, "Combining Probability Distributions", 1986) with two weights; where out-of-fold predictions improve by it, a
  correction per label is stacked on top (Wolpert, "Stacked Generalization", 1992).
- joint: one head on the features of both inputs (`joint.py`).

The photo classifier has no evidence about labels that it was not trained on. Fusion therefore only redistributes
probability among the labels that it knows; the others keep the probability that the text classifier gives them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from include.models.classifier.linear import softmax
from include.models.decision.calibration import log_loss

_LEAST = 1e-9
_LARGEST_WEIGHT = 3.0
_STACK_PENALTY = 0.02
"""L2 penalty on the stacked correction, relative to the mean log-likelihood of a row."""


@dataclass(frozen=True, eq=False)
class Fusion:
    """Weights of the two classifiers' log-probabilities; (1, 0) is the text classifier alone."""

    text_weight: float = 1.0
    photo_weight: float = 0.0
    correction: np.ndarray | None = None
    """float32 (2 k' + 1, k'), for the k' labels that the photo classifier knows: weights of the centred
    log-probabilities of text and photo and of a constant, whose sum is added to the pooled logits. None is the plain
    pool."""

    def blend(self, text: np.ndarray, photo: np.ndarray, known: np.ndarray) -> np.ndarray:
        """Fused probabilities, float32 (n, k), rows summing to 1.

        `text` and `photo` are probabilities (n, k); `known` are the positions of the labels that the photo
        classifier knows. Labels outside `known` keep the probability that the text classifier gives them.
        """
        return within_known(text, self.pooled_logits(text[:, known], photo[:, known]), known)

    def pooled_logits(self, text: np.ndarray, photo: np.ndarray) -> np.ndarray:
        """Unnormalised log-probabilities, (n, k'), from probabilities (n, k') of the labels that photos cover."""
        pooled = self.text_weight * np.log(np.maximum(text, _LEAST))
        pooled = pooled + self.photo_weight * np.log(np.maximum(photo, _LEAST))
        return np.asarray(pooled if self.correction is None else pooled + _inputs(text, photo) @ self.correction)


def within_known(text: np.ndarray, logits: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Probabilities, float32 (n, k): those of `text`, with the total of the known labels redistributed by `logits`.

    `known` are k' positions of labels, `logits` are (n, k').
    """
    fused = np.array(text, dtype=np.float32)
    fused[:, known] = text[:, known].sum(axis=1, keepdims=True) * softmax(logits)
    # The total is a sum in float32, which rounding may bring above 1.
    return np.clip(fused, 0.0, 1.0)


def fit_fusion(text: np.ndarray, photo: np.ndarray, known: np.ndarray, targets: np.ndarray) -> Fusion:
    """The pool whose two weights maximise the likelihood of held-out targets; the text alone for no rows.

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
    """The pool with a correction per label, fitted with an L2 penalty; arguments as in `fit_fusion`."""
    from scipy.optimize import minimize

    rows = np.isin(targets, known)
    text, photo = text[rows][:, known], photo[rows][:, known]
    position = np.searchsorted(known, targets[rows])
    inputs, base = _inputs(text, photo), pool.pooled_logits(text, photo)
    one_hot = np.eye(len(known))[position]
    shape = (inputs.shape[1], len(known))

    def loss(flat: np.ndarray) -> tuple[float, np.ndarray]:
        weights = flat.reshape(shape)
        probabilities = softmax(base + inputs @ weights)
        gradient = inputs.T @ (probabilities - one_hot) / len(position) + _STACK_PENALTY * weights
        return log_loss(probabilities, position) + _STACK_PENALTY / 2 * float((flat**2).sum()), gradient.ravel()

    found = minimize(loss, np.zeros(shape).ravel(), jac=True, method="L-BFGS-B", options={"maxiter": 200})
    return Fusion(pool.text_weight, pool.photo_weight, found.x.reshape(shape).astype(np.float32))


def _inputs(text: np.ndarray, photo: np.ndarray) -> np.ndarray:
    """Centred log-probabilities of both classifiers, and a constant 1, (n, 2 k' + 1)."""
    logs = [np.log(np.maximum(probabilities, 1e-4)) for probabilities in (text, photo)]
    return np.hstack([*(log - log.mean(axis=1, keepdims=True) for log in logs), np.ones((len(text), 1))])

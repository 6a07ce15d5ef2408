"""What the text says blended with what the photo shows: a weighted product of the two classifiers' opinions.

Log-linear pooling (Genest and Zidek, "Combining Probability Distributions", 1986) with two weights, fitted on
out-of-fold probabilities. A photo classifier that never saw a label cannot speak against it: the photo moves
probability between the labels it knows, and the text alone says how much belongs to the others.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from include.models.calibration import log_loss

_LEAST = 1e-9
_LARGEST_WEIGHT = 3.0


@dataclass(frozen=True)
class Fusion:
    """Exponents of the two opinions; (1, 0) is the text alone."""

    text_weight: float = 1.0
    photo_weight: float = 0.0

    def blend(self, text: np.ndarray, photo: np.ndarray, known: np.ndarray) -> np.ndarray:
        """Fused probabilities, float32 (n, k), rows summing to 1.

        `text` and `photo` are probabilities (n, k); `known` are the positions of the labels that the photo
        classifier knows. Labels outside `known` keep the probability that the text gives them.
        """
        fused = np.array(text, dtype=np.float32)
        mass = text[:, known].sum(axis=1, keepdims=True)
        opinion = self.text_weight * np.log(np.maximum(text[:, known], _LEAST))
        opinion = opinion + self.photo_weight * np.log(np.maximum(photo[:, known], _LEAST))
        opinion = np.exp(opinion - opinion.max(axis=1, keepdims=True))
        fused[:, known] = mass * opinion / opinion.sum(axis=1, keepdims=True)
        # The mass is a sum in float32, which may end a hair above 1.
        return np.clip(fused, 0.0, 1.0)


def fit_fusion(text: np.ndarray, photo: np.ndarray, known: np.ndarray, targets: np.ndarray) -> Fusion:
    """The weights that make held-out targets likeliest; the text alone when there are no rows.

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

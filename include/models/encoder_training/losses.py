"""How far a student is from its teacher, in maps and in embeddings."""

from __future__ import annotations

import keras
import numpy as np
from keras import ops

from include.models.encoder_training.student import CEILING


class ActivationLoss(keras.losses.Loss):
    """Squared error of values before ReLU6 against a teacher's maps after it, each channel in its own deviations.

    Where the teacher is silent (or at the ceiling) any value below zero (above the ceiling) is as good as another
    (Heo et al., A comprehensive overhaul of feature distillation, 2019). 1 is about as bad as giving the mean.
    """

    def __init__(self, scale: float, variances: np.ndarray) -> None:
        super().__init__()
        self._scale = scale
        self._weights = (1.0 / np.maximum(variances, 0.05 * variances.mean() + 1e-6)).astype(np.float32)

    def call(self, y_true, y_pred):  # type: ignore[no-untyped-def]
        """Stored maps (photos, height, width, channels) and values of the same shape, to (photos, height, width)."""
        wanted = ops.cast(y_true, "float32") * self._scale
        values = ops.cast(y_pred, "float32")
        error = ops.where(wanted >= CEILING - 0.05, ops.minimum(values - wanted, 0.0), values - wanted)
        error = ops.where(wanted <= 0.0, ops.maximum(values, 0.0), error)
        return ops.mean(ops.multiply(ops.square(error), self._weights), axis=-1)


class EmbeddingLoss(keras.losses.Loss):
    """Squared error in each dimension's deviations, plus 1 - cosine of the centred and scaled vectors."""

    def __init__(self, vectors: np.ndarray) -> None:
        super().__init__()
        variances = vectors.var(axis=0)
        self._mean = vectors.mean(axis=0).astype(np.float32)
        self._factors = (1.0 / np.sqrt(np.maximum(variances, 0.05 * variances.mean() + 1e-9))).astype(np.float32)

    def call(self, y_true, y_pred):  # type: ignore[no-untyped-def]
        """Vectors (photos, dimensions) twice, to (photos,)."""
        wanted, values = self._standardised(y_true), self._standardised(y_pred)
        cosine = ops.sum(ops.normalize(wanted, axis=-1) * ops.normalize(values, axis=-1), axis=-1)
        return ops.mean(ops.square(values - wanted), axis=-1) + 1.0 - cosine

    def _standardised(self, vectors):  # type: ignore[no-untyped-def]
        # Functions, not operators: PyTorch's tensors refuse to be multiplied by an array.
        return ops.multiply(ops.subtract(ops.cast(vectors, "float32"), self._mean), self._factors)

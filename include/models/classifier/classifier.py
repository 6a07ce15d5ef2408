"""The classifier of one input, text or photo: features of its embedding, and a linear head on them. Numpy only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from include.models.classifier.feature_map import FeatureMap
from include.models.classifier.linear import LinearClassifier, softmax


@dataclass(frozen=True, eq=False)
class Classifier:
    """Classifies embeddings of one kind, text or photo."""

    feature_map: FeatureMap
    head: LinearClassifier
    """Over the features of `feature_map`."""

    @property
    def known(self) -> np.ndarray:
        """int64: positions in the artefact's label list of the labels that had examples."""
        return self.head.known

    @property
    def weights(self) -> np.ndarray:
        """float32 (features, known labels)."""
        return self.head.weights

    @property
    def dimensions(self) -> int:
        """Length of the embeddings it takes."""
        kernel = self.feature_map.kernel
        return self.head.dimensions if kernel is None else int(kernel.projection.shape[0])

    def logits(self, vectors: np.ndarray) -> np.ndarray:
        """float32 (n, known labels) for embeddings, float32 (n, dimensions)."""
        return self.head.logits(self.feature_map.apply(vectors))

    def probabilities(self, vectors: np.ndarray, label_count: int) -> np.ndarray:
        """float32 (n, label_count), rows summing to 1; labels without examples have probability 0."""
        return spread_over(softmax(self.logits(vectors)), self.known, label_count)

    def at_temperature(self, temperature: float) -> Classifier:
        """The same classifier with its logits divided by `temperature` (> 0)."""
        return Classifier(self.feature_map, self.head.at_temperature(temperature))

    def to_arrays(self) -> dict[str, np.ndarray]:
        """The classifier as arrays, which `from_arrays` reads."""
        mapped = {f"map_{name}": value for name, value in self.feature_map.to_arrays().items()}
        return mapped | {f"head_{name}": value for name, value in vars(self.head).items()}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> Classifier:
        """The classifier that `to_arrays` wrote."""
        head, mapped = (
            {name[len(prefix) :]: value for name, value in arrays.items() if name.startswith(prefix)}
            for prefix in ("head_", "map_")
        )
        return cls(FeatureMap.from_arrays(mapped), LinearClassifier(**head))


def spread_over(values: np.ndarray, known: np.ndarray, label_count: int) -> np.ndarray:
    """Columns of the known labels at their positions among all labels, float32 (n, label_count); others are 0."""
    spread = np.zeros((len(values), label_count), dtype=np.float32)
    spread[:, known] = values
    return spread

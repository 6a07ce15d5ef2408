"""What a model's training products looked like to it: what later batches are compared with.

Made from out-of-fold predictions, because those are what production sees: products that the model did not learn
from. It is a file of its own in the model's folder; a model without one labels as well as any.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import add
from pathlib import Path

import numpy as np

from include.models.decision.predictions import Predictions
from include.models.monitoring.drift_statistics import Tally

PROFILE_FILE = "reference_profile.npz"


@dataclass(frozen=True, eq=False)
class ReferenceProfile:
    """Tallies of the training products, by their source."""

    label_names: tuple[str, ...]
    """The model's labels, in the order of the tallies' counts."""
    by_source: Mapping[str, Tally]

    @classmethod
    def of(
        cls,
        sources: Sequence[str],
        predictions: Predictions,
        has_photo: np.ndarray,
        text_vectors: np.ndarray,
        has_text: np.ndarray,
        image_vectors: np.ndarray,
    ) -> ReferenceProfile:
        """The profile of n products, of which `sources` has the source each and `predictions` is out of fold.

        `text_vectors` float32 (n, d) and `image_vectors` float32 (n, e) are embeddings by the model's own encoders;
        `has_text` and `has_photo`, bool (n,), say which rows count.
        """
        texts = np.where(has_text[:, None], text_vectors, np.nan)
        photos = np.where(has_photo[:, None], image_vectors, np.nan)
        of_source = np.array(sources)
        tallies = {}
        for source in sorted(set(sources)):
            rows = np.flatnonzero(of_source == source)
            tallies[source] = Tally.of(predictions.take(rows), ~has_photo[rows], texts[rows], photos[rows])
        return cls(predictions.label_names, tallies)

    @property
    def everything(self) -> Tally:
        """The tally of all training products."""
        return reduce(add, self.by_source.values())

    def fair_to(self, source: str, least: int) -> tuple[Tally, bool]:
        """What a batch of `source` is compared with, and whether that is the source's own training products.

        A feed is never a mix of all that a model was taught, so its own products are the fair comparison; with
        fewer than `least` of them, all training products stand in.
        """
        own = self.by_source.get(source)
        if own is not None and own.products >= least:
            return own, True
        return self.everything, False

    def save(self, folder: Path) -> None:
        """Write the profile into a model's folder, as plain numbers and text."""
        arrays: dict[str, np.ndarray] = {"label_names": np.array(self.label_names)}
        for source, tally in self.by_source.items():
            arrays |= {f"{source}__{name}": values for name, values in tally.to_arrays().items()}
        with (folder / PROFILE_FILE).open("wb") as stream:
            np.savez(stream, allow_pickle=False, **arrays)

    @classmethod
    def load(cls, folder: Path) -> ReferenceProfile | None:
        """The profile in a model's folder; None for a model that was registered without."""
        path = folder / PROFILE_FILE
        if not path.exists():
            return None
        parts: dict[str, dict[str, np.ndarray]] = defaultdict(dict)
        with np.load(path, allow_pickle=False) as stored:
            label_names = tuple(stored["label_names"].tolist())
            for key in stored.files:
                source, _, name = key.rpartition("__")
                if source:
                    parts[source][name] = stored[key]
        return cls(label_names, {source: Tally.from_arrays(arrays) for source, arrays in parts.items()})

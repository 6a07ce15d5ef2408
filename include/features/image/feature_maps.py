"""What a network computes at each place of a photo, beside its own vector: channel by channel, how much it varies."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from include.errors import ConfigurationError
from include.features.vectors import unit_length


def layers_named(value: str) -> int:
    """The number after `layers=`, at least 1; ConfigurationError for anything else."""
    if not value.isdecimal() or int(value) < 1:
        raise ConfigurationError(f"layers={value} is not understood: give the number of feature maps, e.g. layers=3.")
    return int(value)


def side_named(value: str) -> int:
    """The number after `side=`, pixels from 32 to 1024; ConfigurationError for anything else."""
    if not value.isdecimal() or not 32 <= int(value) <= 1024:
        raise ConfigurationError(f"side={value} is not understood: give height and width in pixels, from 32 to 1024.")
    return int(value)


def with_spread(vectors: np.ndarray, maps: Sequence[np.ndarray]) -> np.ndarray:
    """Vectors of length 1, float32 (photos, own dimensions and channels of all maps).

    `vectors` are a network's own, (photos, dimensions), and `maps` (photos, height, width, channels) come from its
    way there. Each channel of a map gives its standard deviation over the places, which separates textures and shapes
    better than the mean does (second-order pooling, as in Carreira et al., "Semantic Segmentation with Second-Order
    Pooling", 2012). The own vector and every map count the same.
    """
    spreads = [one.astype(np.float32).std(axis=(1, 2)) for one in maps]
    return unit_length(np.concatenate([unit_length(part) for part in (vectors, *spreads)], axis=1))

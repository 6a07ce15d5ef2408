"""The limits that a batch of products must keep, as a whole."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import mean


@dataclass(frozen=True, slots=True)
class BatchLimits:
    """Limits on a batch's rejections, number of products and age; shares are from 0 to 1."""

    max_rejected_share: float
    """Largest share of quarantined records among those received."""
    min_volume_share: float
    """Smallest number of products, as a share of the mean of earlier days; 0 for none."""
    max_volume_ratio: float
    """Largest number of products, as a multiple of the mean of earlier days."""
    freshness_days: int
    """Largest age of the newest record, in days before the end of the batch's day."""

    def volume_bounds(self, history: Sequence[int]) -> tuple[int, int] | None:
        """Smallest and largest number of products, given those of earlier days; None without any to compare with."""
        usual = mean(history) if history else 0
        if usual <= 0:
            return None
        return math.ceil(self.min_volume_share * usual), math.floor(self.max_volume_ratio * usual)

    def fewest_again(self, stored: int) -> int:
        """Smallest number of products that may replace `stored` of an earlier run, unless a person allows fewer."""
        return max(1, math.ceil(self.min_volume_share * stored)) if stored else 0

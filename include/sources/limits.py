"""What requests to food APIs and for photos may take: time, tries, bytes, memory."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class HttpLimits:
    """Limits of requests to a food API."""

    contact: str
    """Address of a person, which the User-Agent names."""
    requests_per_minute: int
    """To one host, by all processes that share `rate_limit_folder`."""
    rate_limit_folder: Path
    timeout_seconds: float
    """For a connection, and between two parts of an answer."""
    deadline_seconds: float
    """For one try; a file that arrives steadily may take longer."""
    total_seconds: float
    """For all tries of one request."""
    attempts: int
    backoff_seconds: float
    """First pause between two tries; it doubles with each."""
    max_bytes: int


@dataclass(frozen=True)
class PhotoLimits:
    """Limits of fetching and decoding the photos of a shard."""

    contact: str
    """Address of a person, which the User-Agent names."""
    threads: int
    """Photos that are fetched at the same time; slow ones do not count."""
    timeout_seconds: float
    """For a connection, and between two parts of an answer."""
    deadline_seconds: float
    """For one photo with all its tries."""
    shard_seconds: float
    """For all photos of a shard: nothing more is requested afterwards."""
    backoff_seconds: float
    """Pause between two tries."""
    max_bytes: int
    max_pixels: int
    memory_bytes: int
    """For all photos that are decoded at the same time."""

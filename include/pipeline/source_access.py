"""How sources are accessed, as the settings say: addresses, credentials, and the limits of requests."""

from __future__ import annotations

from include.errors import ConfigurationError
from include.settings import Settings
from include.sources.connection import SourceConnection
from include.sources.limits import HttpLimits, PhotoLimits


def connection_from_settings(source: str, settings: Settings) -> SourceConnection:
    """The connection of a source as the environment names it; ConfigurationError for an unknown source."""
    if source == "openfoodfacts":
        return SourceConnection(
            base_url=settings.openfoodfacts_url,
            search_url=settings.openfoodfacts_search_url,
            allow_private_hosts=settings.allow_private_hosts,
        )
    if source == "edamam":
        return SourceConnection(
            base_url=settings.edamam_url,
            app_id=settings.edamam_app_id.get_secret_value(),
            app_key=settings.edamam_app_key.get_secret_value(),
            query=settings.edamam_query,
            allow_private_hosts=settings.allow_private_hosts,
        )
    raise ConfigurationError(f"source {source!r} has no API connection; openfoodfacts and edamam have one")


def http_limits(settings: Settings) -> HttpLimits:
    """The limits of requests to food APIs."""
    return HttpLimits(
        contact=settings.contact,
        requests_per_minute=settings.requests_per_minute,
        rate_limit_folder=settings.state_dir / "rate_limits",
        timeout_seconds=settings.http_timeout_seconds,
        deadline_seconds=settings.http_deadline_seconds,
        total_seconds=settings.http_total_seconds,
        attempts=settings.http_attempts,
        backoff_seconds=settings.http_backoff_seconds,
        max_bytes=settings.http_max_bytes,
    )


def photo_limits(settings: Settings) -> PhotoLimits:
    """The limits of fetching and decoding photos."""
    return PhotoLimits(
        contact=settings.contact,
        threads=settings.photo_threads,
        timeout_seconds=min(settings.http_timeout_seconds, settings.photo_deadline_seconds),
        deadline_seconds=settings.photo_deadline_seconds,
        shard_seconds=settings.photo_shard_seconds,
        backoff_seconds=settings.http_backoff_seconds,
        max_bytes=settings.photo_max_bytes,
        max_pixels=settings.photo_max_pixels,
        memory_bytes=settings.photo_memory_bytes,
    )

"""Errors whose message is for users: what happened, and what to do."""

from __future__ import annotations


class CuveeError(Exception):
    """Base of every expected failure.

    The command line prints the message without a traceback and exits with 1; an Airflow task that
    raises it turns red with the message as its last line.
    """


class ConfigurationError(CuveeError):
    """A setting, a connection or a file of the project is missing or wrong."""


class SourceError(CuveeError):
    """A food API did not give usable data within the limits of retries; names the URL and the reason."""


class NotYetPublished(SourceError):
    """The source has nothing for the day yet, and will have it in some hours: retry later."""


class CatalogueRefused(CuveeError):
    """A catalogue file was refused before anything was written; names the line and what was expected."""


class RecordTooSlow(CuveeError):
    """One record took longer than any may: reading it hangs; names the record."""


class BatchRejected(CuveeError):
    """A batch broke a batch rule (schema, volume, share of rejected rows, freshness); nothing is published."""


class StepMissing(CuveeError):
    """What an earlier step of the day leaves is absent or outdated; names the step to run."""


class NoChampionError(CuveeError):
    """No model version carries the alias `champion`, or its artefact is missing or damaged."""


class ChampionChanged(CuveeError):
    """Another version became champion after the candidates of a retraining were evaluated; names what to run again."""


class NotificationFailed(CuveeError):
    """The service did not accept a message to people; what the message is about is not affected."""


class WarehouseUnreachable(CuveeError):
    """The SQL warehouse did not answer; the Parquet files are kept and a rerun publishes them."""

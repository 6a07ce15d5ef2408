"""Errors whose message is for users: what happened, and what to do."""

from __future__ import annotations

import re
from typing import ClassVar

REASON_CHARACTERS = 500
"""Of a reason in one sentence; the error itself has the rest."""

_END_OF_SENTENCE = re.compile(r"(?<=[^\W_][\w)])\.\s+(?=[A-ZÀ-Ý`])")


class CuveeError(Exception):
    """Base of every expected failure.

    The command line prints the message without a traceback and exits with 1; an Airflow task that
    raises it turns red with the message and `next_step` as its last line.
    """

    next_step: ClassVar[str] = "mend what it names, and clear the task"
    """What a person does about a red task, as the end of a sentence."""


class ConfigurationError(CuveeError):
    """A setting, a connection or a file of the project is missing or wrong."""


class DayRefused(ConfigurationError):
    """The day asked for cannot be run; names why, and which days can."""

    next_step = "run another day; this run needs nothing more"


class SourceError(CuveeError):
    """A food API did not give usable data within the limits of retries; names the URL and the reason."""

    next_step = "clear the task when the source is well again: what has come is kept, and the fetch goes on from there"


class NotYetPublished(SourceError):
    """The source has nothing for the day yet, and will have it in some hours: retry later."""

    next_step = "clear the task when the source has published the day"


class CatalogueRefused(CuveeError):
    """A catalogue file was refused before anything was written; names the line and what was expected."""

    next_step = "mend the file, and trigger the import again"


class RecordTooSlow(CuveeError):
    """One record took longer than any may: reading it hangs; names the record."""

    next_step = "look at the record that it names, and report it"


class BatchRejected(CuveeError):
    """A batch broke a batch rule (schema, volume, share of rejected rows, freshness); nothing is published."""

    next_step = (
        "open the validation report: leave the day red if the source is wrong; "
        "if the data are right, change the limit and clear the task"
    )


class StepMissing(CuveeError):
    """What an earlier step of the day leaves is absent or outdated; names the step to run."""

    next_step = "clear the step that it names, with the tasks after it"


class DayBeforeUnfinished(CuveeError):
    """A day has waited too long for the day before it; names what to do."""

    next_step = "end the run of the day before, or mark its `validate` as failed, and clear the task"


class NoChampionError(CuveeError):
    """No model version carries the alias `champion`, or its artefact is missing or damaged."""

    next_step = "train a model or roll back to a sound one, and clear the task"


class ChampionChanged(CuveeError):
    """Another version became champion after the candidates of a retraining were evaluated; names what to run again."""

    next_step = "clear the whole run"


class NotificationFailed(CuveeError):
    """The service did not accept a message to people; what the message is about is not affected."""

    next_step = "mend the service or CUVEE_NOTIFY_URL, and clear the task: the day itself is not affected"


class WarehouseUnreachable(CuveeError):
    """The SQL warehouse did not answer; the Parquet files are kept and a rerun publishes them."""

    next_step = "clear the task when the warehouse answers: the Parquet files are kept"


def reason_and_next_step(task: str, error: object) -> str:
    """What failed, why, and what to do, in one sentence; the whole message and the traceback stand elsewhere.

    `edamam.fetch failed: the API is down; next: clear the task when …`. `error` may be text, or None for a task that
    was killed or timed out.
    """
    reason = " ".join(str(error or "").split()) or (type(error).__name__ if error else "it was killed or timed out")
    reason = _END_OF_SENTENCE.split(reason, maxsplit=1)[0].rstrip(".;")
    if len(reason) > REASON_CHARACTERS:
        reason = reason[: REASON_CHARACTERS - 1] + "…"
    step = error.next_step if isinstance(error, CuveeError) else "clear the task; if it fails again, report this log"
    return f"{task} failed: {reason}; next: {step}."

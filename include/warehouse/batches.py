"""The table `batches`: what the last run of each source and day did, and why it failed if it did."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import date
from typing import Any, Literal

from sqlalchemy import Engine, func, literal
from sqlalchemy.dialects.postgresql import JSONB, insert

from include.security.quoting import printable
from include.security.redaction import redact
from include.warehouse.tables import batches

ERROR_CHARACTERS = 4_000


@dataclass(frozen=True)
class BatchRecord:
    """One published batch; a count that is None is not known to this run and keeps its stored value."""

    source: str
    day: date
    kind: Literal["daily", "import"]
    received: int | None = None
    unchanged: int | None = None
    products: int | None = None
    quarantined: int | None = None
    reasons: dict[str, int] | None = None
    labelled: int | None = None
    accepted: int | None = None
    reviewed: int | None = None
    photos: dict[str, int] | None = None
    training_labels: int | None = None
    durations: dict[str, float] = field(default_factory=dict)
    report: str | None = None
    model_version: str | None = None
    drift: dict[str, dict[str, Any]] | None = None
    warnings: list[str] | None = None

    @classmethod
    def of_day(
        cls,
        source: str,
        day: date,
        steps: Mapping[str, Mapping[str, Any]],
        *,
        model_version: str | None,
        drift: dict[str, dict[str, Any]] | None = None,
        warnings: list[str] | None = None,
    ) -> BatchRecord:
        """The record of a daily batch from the summaries of its steps, e.g. `{"validate": {"products": 12, …}, …}`.

        A step that is absent leaves its counts as they are stored; each step's `seconds` is its duration. Drift that
        was not measured is empty; None keeps what is stored.
        """
        validated, published = steps.get("validate", {}), steps.get("publish", {})
        return cls(
            source,
            day,
            "daily",
            received=validated.get("received"),
            unchanged=validated.get("unchanged"),
            products=validated.get("products"),
            quarantined=published.get("quarantined", validated.get("quarantined")),
            reasons=validated.get("reasons"),
            labelled=published.get("labelled"),
            accepted=published.get("accepted"),
            reviewed=published.get("reviewed"),
            photos=published.get("photos"),
            training_labels=published.get("training_labels"),
            durations={name: float(step["seconds"]) for name, step in steps.items() if "seconds" in step},
            report=validated.get("report") or None,
            model_version=model_version,
            drift=drift,
            warnings=warnings,
        )

    @classmethod
    def of_import(cls, source: str, day: date, summary: Mapping[str, Any]) -> BatchRecord:
        """The record of an imported catalogue from the import's summary."""
        return cls(
            source,
            day,
            "import",
            received=summary["received"],
            products=summary["products"],
            quarantined=summary["quarantined"],
            reasons=dict(summary["reasons"]),
            photos={"ok": summary["photos"]},
            training_labels=summary["training_labels"],
            durations={"import": float(summary["seconds"])},
            report=summary["report"] or None,
        )


def record_batch(engine: Engine, record: BatchRecord) -> None:
    """Write a published batch over what an earlier run of its source and day left; clears its failure."""
    known = {name: value for name, value in asdict(record).items() if value is not None}
    durations = known.pop("durations")
    row = known | {"status": "published", "failed_step": None, "error": None}
    statement = insert(batches).values(**row, durations=durations)
    with engine.begin() as connection:
        connection.execute(
            statement.on_conflict_do_update(
                index_elements=[batches.c.source, batches.c.day],
                set_={name: statement.excluded[name] for name in row if name not in ("source", "day")}
                | {
                    "durations": func.coalesce(batches.c.durations, literal({}, JSONB)).op("||")(
                        statement.excluded.durations
                    ),
                    "updated_at": func.now(),
                },
            )
        )


def record_failure(
    engine: Engine, source: str, day: date, step: str, reason: str, kind: Literal["daily", "import"] = "daily"
) -> None:
    """Write why a batch failed and at which step; counts of an earlier run stay. `reason` loses its secrets."""
    row = {"status": "failed", "failed_step": step, "error": printable(redact(reason), keep="\n\t")[:ERROR_CHARACTERS]}
    statement = insert(batches).values(source=source, day=day, kind=kind, **row)
    with engine.begin() as connection:
        connection.execute(
            statement.on_conflict_do_update(
                index_elements=[batches.c.source, batches.c.day], set_=row | {"updated_at": func.now()}
            )
        )

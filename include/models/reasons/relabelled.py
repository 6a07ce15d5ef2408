"""Where the reasons of relabelled products lie, one file a shard.

    relabelling_reasons/version=3/source=openfoodfacts/part-<when>-<first day>-<last day>-<ids>.parquet

A shard that is run again replaces its file. Of two relabellings with the same version the later one counts.
"""

from __future__ import annotations

import re
from datetime import date, datetime

from include.schema import text_hash
from include.storage.lake import Lake
from include.storage.layers import Layer

_FILE = re.compile(r"part-(?P<when>\d{20})-(?P<first>\d{8})-(?P<last>\d{8})-[0-9a-f]{16}\.parquet")


def reasons_folder(version: str) -> str:
    """The folder of all that was relabelled with a version."""
    return f"{Layer.RELABELLING_REASONS}/version={version}"


def reasons_file(
    version: str, source: str, pinned_at: str, days: tuple[date, date], ids: tuple[str | None, str | None]
) -> str:
    """The file of a shard: days from the first to the last, and, of one large day, ids from the first up to the second.

    `pinned_at` is when the relabelling pinned its version, in ISO format with a time zone.
    """
    first, last = (day.strftime("%Y%m%d") for day in days)
    return f"{reasons_folder(version)}/source={source}/part-{_stamp(pinned_at)}-{first}-{last}-{_short(ids)}.parquet"


def reasons_files(lake: Lake, version: str, source: str, day: date) -> list[str]:
    """Files that may have products of a source that were last seen on a day, those of the newest relabelling first."""
    wanted = day.strftime("%Y%m%d")
    found = []
    for path in lake.list_files(f"{reasons_folder(version)}/source={source}", ".parquet"):
        name = _FILE.fullmatch(path.rsplit("/", 1)[-1])
        if name and name["first"] <= wanted <= name["last"]:
            found.append((name["when"], path))
    return [path for _, path in sorted(found, reverse=True)]


def remove_older_reasons(lake: Lake, version: str, pinned_at: str) -> None:
    """Remove what relabellings with other versions wrote before `pinned_at`: no product has their label any more."""
    for path in lake.list_files(Layer.RELABELLING_REASONS, ".parquet"):
        name = _FILE.fullmatch(path.rsplit("/", 1)[-1])
        if name and name["when"] < _stamp(pinned_at) and not path.startswith(f"{reasons_folder(version)}/"):
            lake.delete(path)


def _stamp(pinned_at: str) -> str:
    """Twenty digits that sort as the times do."""
    return f"{round(datetime.fromisoformat(pinned_at).timestamp() * 1_000_000):020d}"


def _short(ids: tuple[str | None, str | None]) -> str:
    return text_hash(repr(ids))[:16]

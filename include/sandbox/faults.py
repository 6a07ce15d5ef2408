"""The faults of food APIs, switched on by name.

    Fault.parse("rate_limit")                      every third request is answered 429
    Fault.parse("unavailable:first=2")             the next two requests are answered 503
    Fault.parse("slow:every=5,seconds=2")          every fifth answer is slow
    Fault.parse("null_keys:one_in=3,path=/api/v2") a third of the records of v2 answers have a null key

Nothing is random: a fault is injected by the number of the request, into a record or photo by a checksum of its code.
Under `every` an address that just met a fault is answered correctly the next time, so that a client that retries
gets through, however many faults are on.
"""

from __future__ import annotations

import re
import threading
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields
from typing import Any

from include.errors import ConfigurationError

RESPONSE_FAULTS = {
    "rate_limit": "429 with Retry-After (seconds=1)",
    "unavailable": "503 with an HTML page",
    "slow": "a pause before the answer (seconds=1)",
    "cut_connection": "the connection closes in the middle of the answer",
    "oversize": "an answer padded to megabytes=64",
    "truncated_json": "half of a JSON document, sent as if it were whole",
    "html_instead_of_json": "200 with an HTML page instead of JSON",
    "truncated_gzip": "half of a delta file, sent as if it were whole",
}
"""Faults of whole answers; injected by the number of the request, into every third by default."""

RECORD_FAULTS = {
    "absent_keys": "a key that a reader may count on is absent",
    "null_keys": "a key that a reader may count on is null",
    "unknown_keys": "undocumented keys",
    "wrong_types": "numbers, lists and objects where text is expected, and the reverse",
    "unknown_schema_version": "schema_version 9999 with other shapes of images and brands",
    "broken_lines": "lines of a delta file that are cut in the middle",
}
"""Faults of records; one record in four by default."""

LIST_FAULTS = {
    "string_count": "count is text",
    "moving_list": "a new product at the head of the list with every search request, five in all",
}
"""Faults of search answers; every answer by default."""

PHOTO_FAULTS = {
    "photo_missing": "404",
    "photo_html": "an HTML page under the name and the type of a JPEG",
    "photo_corrupt": "a JPEG cut in the middle",
    "photo_bomb": "a 94-megapixel picture of a few kilobytes",
    "photo_oversize": "a JPEG padded to megabytes=64",
    "photo_rotated": "a picture lying on its side, with the EXIF orientation that puts it upright",
    "photo_cmyk": "a CMYK JPEG",
    "photo_palette": "a palette PNG with transparency",
    "photo_webp": "a WebP under the name of a JPEG",
}
"""Faults of photos; one photo in four by default."""

ALL_FAULTS = RESPONSE_FAULTS | RECORD_FAULTS | LIST_FAULTS | PHOTO_FAULTS
"""Every fault by name, with its description."""

_SYNTAX = re.compile(r"(?P<name>\w+)(?::(?P<options>.*))?\Z")


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault and when it applies."""

    name: str
    first: int = 0
    """Apply to this many requests and then never again; 0 leaves it to `every`."""
    every: int = 0
    """Apply to every k-th request, the first one included; 0 means 3 for whole answers, else 1."""
    one_in: int = 4
    """Of the records or photos in an answer, apply to one in so many; 1 is all."""
    path: str = ""
    """Apply only to requests whose path contains this."""
    seconds: float = 1.0
    """Pause of `slow`, Retry-After of `rate_limit`."""
    megabytes: int = 64
    """Size of oversize answers."""

    @classmethod
    def parse(cls, text: str) -> Fault:
        """A fault from `name` or `name:option=value,…`; raises ConfigurationError that lists what there is."""
        match = _SYNTAX.match(text.strip())
        if match is None or match["name"] not in ALL_FAULTS:
            raise ConfigurationError(f"no fault {text!r}; there are: {', '.join(ALL_FAULTS)}")
        options: dict[str, Any] = {}
        default = cls(match["name"])
        types = {field.name: type(getattr(default, field.name)) for field in fields(cls) if field.name != "name"}
        for option in filter(None, (match["options"] or "").split(",")):
            key, _, value = option.partition("=")
            try:
                options[key] = types[key](value)
            except (KeyError, ValueError):
                raise ConfigurationError(
                    f"fault {text!r}: {option!r} is not one of {', '.join(f'{k}=…' for k in types)} with a number"
                ) from None
        fault = cls(match["name"], **options)
        if fault.first < 0 or fault.every < 0 or fault.one_in < 1 or not 0 <= fault.seconds <= 600:
            raise ConfigurationError(f"fault {text!r}: counts are positive, seconds at most 600")
        return fault

    def picks(self, key: str) -> bool:
        """Whether the record or photo with this code or path is one of the `one_in`."""
        return zlib.crc32(f"{self.name}|{key}".encode("utf-8", "surrogatepass")) % self.one_in == 0

    def __str__(self) -> str:
        """The text that `parse` reads."""
        default = Fault(self.name)
        given = [f for f in fields(self) if f.name != "name" and getattr(self, f.name) != getattr(default, f.name)]
        return self.name + (":" + ",".join(f"{f.name}={getattr(self, f.name)}" for f in given) if given else "")


class Faults:
    """The faults that are on, and the counts that decide when each applies; safe between threads."""

    def __init__(self, faults: Iterable[Fault | str] = ()) -> None:
        """Switch these on."""
        self._lock = threading.Lock()
        self.replace(faults)

    def replace(self, faults: Iterable[Fault | str]) -> None:
        """Switch these on and all others off; counting begins again."""
        parsed = [Fault.parse(fault) if isinstance(fault, str) else fault for fault in faults]
        with self._lock:
            self._faults = parsed
            self._seen = [0] * len(parsed)
            self._just_injected: set[int] = set()

    def __iter__(self) -> Iterator[Fault]:
        """The faults that are on."""
        return iter(list(self._faults))

    def fault_for(self, path: str, names: Sequence[str], address: str = "") -> Fault | None:
        """The fault among `names` to inject into the answer to this request, or None.

        `address` distinguishes a repeated request from another one. A fault with its own `path` applies
        wherever that path is, whether or not its name is in `names`, as far as it is of whole answers.
        """
        key = hash(address)
        with self._lock:
            spared = address != "" and key in self._just_injected
            self._just_injected.discard(key)
            for index, fault in enumerate(self._faults):
                if fault.name not in RESPONSE_FAULTS or not _concerns(fault, path, names):
                    continue
                if spared and not fault.first:
                    continue
                if self._counts(index, fault, 3):
                    if not fault.first:
                        self._just_injected.add(key)
                    return fault
        return None

    def of_content(self, path: str, names: Iterable[str]) -> list[tuple[Fault, int]]:
        """The faults of records, lists or photos that an answer shows, each with its number of this request."""
        wanted = set(names)
        with self._lock:
            return [
                (fault, self._seen[index])
                for index, fault in enumerate(self._faults)
                if fault.name in wanted and fault.path in path and self._counts(index, fault, 1)
            ]

    def _counts(self, index: int, fault: Fault, every: int) -> bool:
        self._seen[index] += 1
        if fault.first:
            return self._seen[index] <= fault.first
        return (self._seen[index] - 1) % (fault.every or every) == 0


def _concerns(fault: Fault, path: str, names: Sequence[str]) -> bool:
    return fault.path in path if fault.path else fault.name in names

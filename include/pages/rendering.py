"""The template engines of all pages, and how their figures are written.

Product texts come from outside: HTML escapes everything, Markdown every character that means something in it.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from include.models.evaluation.results import Interval
from include.pages.drawing import percent, shortened, words
from include.quality.reasons import describe_reason

if TYPE_CHECKING:
    from jinja2 import Environment

TEMPLATES = Path(__file__).resolve().parent / "templates"

_MARKDOWN_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|!~$&])")
_INVISIBLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
_LINE_BREAKS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")


class Verbatim(str):
    """A part of a Markdown page that this program made itself: written as it is."""


@lru_cache(maxsize=1)
def html_environment() -> Environment:
    """The engine for HTML: every value is escaped, because product texts come from outside."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    html = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    html.filters |= _filters()
    return html


@lru_cache(maxsize=1)
def markdown_environment() -> Environment:
    """The engine for Markdown: every value is escaped by Markdown's own rules."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    markdown = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=False,  # noqa: S701  Markdown, not HTML: every value goes through `finalize`
        finalize=_markdown_value,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    markdown.filters |= _filters()
    return markdown


def figure_text(figure: Interval | None) -> str:
    """`0.968 (0.954–0.979)`; a dash for what was not measured."""
    return "–" if figure is None else f"{figure.value:.3f} ({figure.low:.3f}–{figure.high:.3f})"


def share_text(figure: Interval | None) -> str:
    """`96.8 % (95.4–97.9)`; a dash for what was not measured."""
    if figure is None:
        return "–"
    value, low, high = (f"{100 * part:.1f}" for part in (figure.value, figure.low, figure.high))
    return f"{value} % ({low}–{high})"


def signed(difference: float) -> str:
    """A difference of two figures, `+0.012`; never `-0.000`."""
    return f"{round(difference, 3) + 0.0:+.3f}"


def points(difference: float) -> str:
    """A difference of two shares in percentage points, `+1.2`."""
    return f"{round(100 * difference, 1) + 0.0:+.1f}"


def p_value(probability: float) -> str:
    """A test's p, `= 0.021`; below three decimals, `< 0.001`."""
    return "< 0.001" if probability < 0.001 else f"= {probability:.2g}"


def moment(when: datetime) -> str:
    """A point in time for people, `2026-01-18 04:12 UTC`."""
    return f"{when.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def markdown_text(text: str) -> str:
    """A text whose characters mean nothing to Markdown, in one line."""
    return _MARKDOWN_SPECIAL.sub(r"\\\1", _LINE_BREAKS.sub(" ", text))


def visible(text: str) -> str:
    """A text whose invisible characters show as U+XXXX, so that they neither hide nor reorder anything."""
    return _INVISIBLE.sub(lambda found: f"[U+{ord(found.group()):04X}]", text)


def rough_percent(share: float) -> str:
    """A share in [0, 1] of records: `0.975` → `97.5 %`, and `under 0.1 %` rather than a zero that is none."""
    return "under 0.1 %" if 0 < share < 0.001 else percent(share)


def _filters() -> dict[str, Any]:
    return {
        "visible": visible,
        "reason": describe_reason,
        "percent": rough_percent,
        "share": percent,
        "interval": share_text,
        "figure": figure_text,
        "signed": signed,
        "points": points,
        "p_value": p_value,
        "moment": moment,
        "words": words,
        "brief": shortened,
        "number": lambda value: f"{value:,}",
        "reached": lambda targets, figures: sum(
            key in figures and target.is_met(figures[key]) for key, target in targets.items()
        ),
        "path": Verbatim,
        "address": lambda address: Verbatim(f"<{address}>"),
    }


def _markdown_value(value: object) -> object:
    """Numbers and template text as they are, all other texts escaped."""
    return markdown_text(value) if isinstance(value, str) and not isinstance(value, Verbatim) else value

"""The drift page of a day: how its labelled products differ from what the model was trained on.

It lies beside the day's validation report, in its style, and the overview of all days links to it. `result.json`
holds the same as data.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from include.pages.rendering import html_environment
from include.pages.validation_report import json_bytes, write_overview
from include.storage.batch import Batch
from include.storage.lake import Lake
from include.storage.layers import Layer

FIGURES = {
    "label_mix": ("Label mix", "Distance of the predicted labels' shares; 1 means no label in common."),
    "confidence": ("Confidence", "By how much confidences have fallen; below 0, they are higher than in training."),
    "text_embedding": ("Text embedding", "Distance of the mean text from training's, in units of training's spread."),
    "photo_embedding": ("Photo embedding", "The same of photos."),
    "missing_photos": ("Missing photos", "Rise of the share of products without a photo."),
    "reviewed": ("Sent to review", "Rise of the share that a person should look at."),
}
"""Figure → its name and its meaning for a person."""


@dataclass(frozen=True)
class DriftPage:
    """Everything that the page shows."""

    source: str
    day: date
    model_version: str
    products: int
    compared_with: str
    """The training products compared with, as a phrase."""
    figures: Mapping[str, Mapping[str, Any]]
    """Figure → value, bound, batch, training, verdict (`within`, `beyond`, `too few`)."""
    warnings: Sequence[str]
    label_shares: Sequence[Mapping[str, Any]]
    """label, batch, training: shares from 0 to 1, commonest in the batch first."""

    @property
    def is_judged(self) -> bool:
        """Whether at least one figure rests on enough products for a judgement."""
        return any(figure["verdict"] != "too few" for figure in self.figures.values())


def drift_folder(batch: Batch) -> str:
    """Folder of a day's drift page in the lake."""
    return f"{batch.folder(Layer.VALIDATION_REPORTS)}/drift"


def write_drift_report(lake: Lake, page: DriftPage) -> str:
    """Write a day's drift page over that of an earlier run, and refresh the overview; returns the page's path."""
    folder = drift_folder(Batch(page.source, page.day))
    lake.write_bytes(f"{folder}/result.json", json_bytes({**asdict(page), "day": page.day.isoformat()}))
    beyond = [name for name, figure in page.figures.items() if figure["verdict"] == "beyond"]
    summary = {
        "kind": "drift",
        "source": page.source,
        "day": page.day.isoformat(),
        "verdict": ("warning" if beyond else "passed") if page.is_judged else "empty",
        "warnings": beyond,
    }
    lake.write_bytes(f"{folder}/summary.json", json_bytes(summary))
    html = html_environment().get_template("drift.html").render(page=page, figure_meanings=FIGURES)
    lake.write_bytes(f"{folder}/index.html", html.encode())
    write_overview(lake)
    return f"{folder}/index.html"


def read_drift_result(lake: Lake, batch: Batch) -> dict[str, Any] | None:
    """What a day's drift page shows, as data; None where the day has none."""
    path = f"{drift_folder(batch)}/result.json"
    return json.loads(lake.read_bytes(path)) if lake.exists(path) else None


def remove_drift_report(lake: Lake, batch: Batch) -> None:
    """Remove a day's drift page, if there is one, and refresh the overview.

    What others read goes first and the folder last: killed on the way, the next call goes on.
    """
    folder = drift_folder(batch)
    if lake.exists(folder):
        lake.delete(f"{folder}/result.json")
        lake.delete(f"{folder}/summary.json")
        write_overview(lake)
        lake.delete(folder)

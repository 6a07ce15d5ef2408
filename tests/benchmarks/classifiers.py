"""`classifiers`: what training, prediction and loading cost once the embeddings are there.

On the labelled catalogue of the real records where they are at hand, else on the drawn one; photos by the default
encoder. Prediction is of text and photo together, in one call, against one call per product; the model is loaded in
processes of their own, started by one that holds nothing, because a process counts its parent's memory as its own peak.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from functools import partial
from pathlib import Path

import numpy as np

from include.models.training.train import train
from include.models.version.artefact import Artefact
from include.pipeline.evaluation.data import load_evaluation_data
from include.pipeline.training.options import training_options
from include.settings import Settings
from tests.benchmarks.measure import Figure, paired_seconds, seconds, summarise
from tests.conftest import find_shared_data

ROUNDS = 5
BATCH = 50_000
ONE_BY_ONE = 500

_LOAD = """
import json, resource, sys, time
started = time.perf_counter()
from pathlib import Path
from include.models.version.artefact import Artefact
Artefact.load(Path(sys.argv[1]))
figures = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(json.dumps([*figures, "tensorflow" in sys.modules]))
"""
_SMALL_PARENT = "import subprocess, sys; sys.exit(subprocess.call([sys.executable, '-c', *sys.argv[1:]]))"


def run(rounds: int = ROUNDS) -> dict[str, Figure]:
    """Seconds of training, products a second, and seconds and memory of loading."""
    with tempfile.TemporaryDirectory(prefix="cuvee-classifiers-") as folder:
        settings = Settings(state_dir=Path(folder))
        encoders = {"default": settings.image_encoder}
        data = load_evaluation_data(find_shared_data(), settings, encoders, lambda _text: None)
        sources = data.products["source"].to_pylist()
        labelled = zip(sources, data.labels, data.photo_hashes, strict=True)
        rows = [row for row, (source, label, photo) in enumerate(labelled) if source == data.name and label and photo]
        dataset = data.training_set(np.array(rows, dtype=np.int64))
        artefact, _report = train(dataset, training_options(settings))
        training = [
            seconds(partial(train, dataset, training_options(settings))) * 1_000 / len(rows) for _ in range(rounds)
        ]
        artefact.save(Path(folder) / "model")
        loads = [_load(Path(folder) / "model") for _ in range(rounds)]
        text_vectors = artefact.text_encoder.encode(dataset.documents)
        return {
            "training": summarise(training, f"s for 1,000 products ({len(rows)} measured)"),
            "model_load": summarise([load[0] for load in loads], "s in a fresh process"),
            "model_memory": summarise([load[1] for load in loads], "MiB of a process that loaded a model"),
            **_prediction(artefact, text_vectors, dataset.image_vectors, rounds),
        }


def _load(model: Path) -> tuple[float, float]:
    """Seconds and MiB; an AssertionError if TensorFlow was imported."""
    command = [sys.executable, "-c", _SMALL_PARENT, _LOAD, str(model)]
    told = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    assert told[2] is False, "loading a model imports TensorFlow"
    return told[0], told[1]


def _prediction(artefact: Artefact, texts: np.ndarray, photos: np.ndarray, rounds: int) -> dict[str, Figure]:
    chosen = np.random.default_rng(0).integers(0, len(texts), BATCH)
    texts, photos, there = texts[chosen], photos[chosen], np.ones(BATCH, dtype=bool)

    def together() -> None:
        artefact.predict(texts, there, photos, there, [None] * BATCH)

    def one_by_one() -> None:
        for row in range(ONE_BY_ONE):
            one = slice(row, row + 1)
            artefact.predict(texts[one], there[one], photos[one], there[one], [None])

    together()
    measured = paired_seconds([together, one_by_one], rounds)
    return {
        "fused_prediction": summarise([BATCH / whole for whole, _ in measured], "products/s"),
        "fused_prediction_batch": summarise(
            [(single / ONE_BY_ONE) / (whole / BATCH) for whole, single in measured],
            "x (one call against one a product)",
        ),
    }

"""The training of a CNN: its phases one after the other, each until the held-out photos gain nothing any more.

A folder holds everything of one training:

| file                       | what                                                                       |
|----------------------------|----------------------------------------------------------------------------|
| `history.json`             | a row per epoch: `EpochRow`                                                |
| `checkpoints/`             | what a training that was killed goes on from; removed when it is done      |
| `RECIPE.keras`             | the network of the lowest validation loss: embedding, probabilities        |
| `RECIPE.onnx`              | the same for ONNX Runtime: a photo encoder by its path, and a classifier   |
| `training.json`            | recipe, photos, scores; its presence marks the training as done        |
"""

from __future__ import annotations

import hashlib
import json
import logging
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypedDict

import numpy as np

from include.errors import ConfigurationError
from include.models.cnn.augmentation import Augmentation
from include.models.cnn.checkpoints import Checkpoints, TrainingState
from include.models.cnn.export import export_network
from include.models.cnn.labelled_photos import LabelledPhotos, hold_out
from include.models.cnn.networks import Network, build_network
from include.models.cnn.photo_stream import PhotoStream
from include.models.cnn.recipes import CnnRecipe, Phase
from include.storage.lake import Lake
from include.storage.local_files import write_file

logger = logging.getLogger(__name__)

METHOD = 1
"""Version of the training method; raise it when the same photos and recipe would give another network."""


class EpochRow(TypedDict):
    """One row of `history.json`."""

    epoch: int
    """Counted from 1 over all phases."""
    phase: str
    loss: float
    """Mean cross-entropy on augmented training photos, weighted by label, nats."""
    accuracy: float
    """On augmented training photos; with MixUp, against the stronger of two labels."""
    validation_loss: float
    """Mean cross-entropy on the photos held out for early stopping, nats."""
    validation_accuracy: float
    learning_rate: float
    """At the end of the epoch."""
    seconds: float


@dataclass(frozen=True)
class FittedCnn:
    """A finished training, as `training.json` holds it."""

    encoder: str
    """Path of the ONNX file: a value for `CUVEE_IMAGE_ENCODER`, and for `CnnClassifier`."""
    recipe: str
    label_names: tuple[str, ...]
    photos: int
    """Photos learnt from."""
    validation_photos: int
    validation_accuracy: float
    """On the photos that chose the best epoch: a little too good. Measure on photos of your own."""
    validation_loss: float
    best_epoch: int
    epochs: int
    export_difference: float
    """Largest difference between the answers of Keras and of ONNX Runtime."""
    backend: str
    """Keras' backend, e.g. `tensorflow`."""
    seconds: float
    """Of all epochs, those before a kill included."""
    fingerprint: str


def fingerprint_of(photos: LabelledPhotos, recipe: CnnRecipe) -> str:
    """SHA-256 (hex) of photos, labels, recipe and method: of all that decides the network, but for the backend."""
    weights = [path for path in (recipe.base, recipe.weights) if path and Path(path).is_file()]
    contents = [hashlib.sha256(Path(path).read_bytes()).hexdigest() for path in weights]
    document = json.dumps([METHOD, photos.fingerprint(), asdict(recipe), contents], sort_keys=True)
    return hashlib.sha256(document.encode()).hexdigest()


def fit_cnn(
    photos: LabelledPhotos,
    recipe: CnnRecipe,
    folder: Path,
    lake: Lake,
    *,
    threads: int,
    max_pixels: int,
    exports: Path,
    on_epoch: Callable[[EpochRow], None] | None = None,
) -> FittedCnn:
    """Train on photos of the lake, keep everything in `folder`, and return what came of it.

    Photos are decoded in `threads` threads, none of more than `max_pixels` pixels; `exports` is the folder of the ONNX
    files that are made of Keras models. A training that was killed goes on after its last whole epoch; one that is done
    is returned as it is. Photos for a test must not be among `photos`: the part for early stopping is held out here.
    Raises ConfigurationError if the photos are too few or missing, the base or its weights do not fit, the loss is no
    number any more, or the folder holds another training.
    """
    fingerprint = fingerprint_of(photos, recipe)
    finished = _finished(folder, fingerprint)
    if finished is not None:
        return finished
    learn, held_out = hold_out(photos, recipe.validation_share, recipe.seed)
    training = _Training(
        learn, held_out, recipe, folder, lake, fingerprint=fingerprint, threads=threads, max_pixels=max_pixels
    )
    training.run(on_epoch)
    return training.finish(exports)


def _finished(folder: Path, fingerprint: str) -> FittedCnn | None:
    path = folder / "training.json"
    if not path.exists():
        return None
    document = json.loads(path.read_text())
    if document["fingerprint"] != fingerprint:
        raise ConfigurationError(
            f"{folder} holds a training with other photos or another recipe: name another folder, or delete that one."
        )
    document["label_names"] = tuple(document["label_names"])
    return FittedCnn(
        **{name: document[name] for name in FittedCnn.__dataclass_fields__}
        | {"encoder": str(folder / Path(document["encoder"]).name)}
    )


class _Training:
    """One training in this process, from its beginning or from its last checkpoint."""

    def __init__(
        self,
        learn: LabelledPhotos,
        held_out: LabelledPhotos,
        recipe: CnnRecipe,
        folder: Path,
        lake: Lake,
        *,
        fingerprint: str,
        threads: int,
        max_pixels: int,
    ) -> None:
        import keras

        self._recipe, self._folder = recipe, folder
        self._learn = learn
        self._checkpoints = Checkpoints(folder / "checkpoints")
        self._resumed = self._checkpoints.read_state(fingerprint)
        self._state = self._resumed or TrainingState(fingerprint)
        # Initial weights are drawn from the global generators: not every network takes a seed.
        keras.utils.set_random_seed(recipe.seed)
        self._network: Network = build_network(recipe, len(learn.label_names))

        def stream(part: LabelledPhotos) -> PhotoStream:
            return PhotoStream(
                lake, part.target_of, self._network.size, threads=threads, max_pixels=max_pixels,
                batch_size=recipe.batch_size, shuffle_buffer=recipe.shuffle_buffer, seed=recipe.seed,
            )  # fmt: skip

        self._photos, self._held_out = stream(learn), stream(held_out)
        self._augmentation = Augmentation(recipe.augmentation, recipe.seed)
        self._weights = _label_weights(learn) if recipe.class_weights else np.ones(len(learn.label_names), np.float32)

    def run(self, on_epoch: Callable[[EpochRow], None] | None) -> None:
        """Run what is left of all phases."""
        for number, phase in enumerate(self._recipe.phases_to_run):
            if number >= self._state.phase:
                self._run_phase(number, phase, on_epoch)

    def _run_phase(self, number: int, phase: Phase, on_epoch: Callable[[EpochRow], None] | None) -> None:
        state, model = self._state, self._network.model
        if number > state.phase:
            self._checkpoints.restore_best(model)
            state.phase, state.epoch, state.waited, state.best_loss_of_phase = number, 0, 0, math.inf
        self._network.unfreeze(phase.unfrozen_share)
        _compile(model, self._recipe, phase, self._photos.steps)
        if self._resumed is not None:
            self._checkpoints.restore_last(model)
            logger.info("going on with phase=%s after epoch=%d", phase.name, state.epoch)
            self._resumed = None
        while state.epoch < phase.epochs and state.waited < self._recipe.patience:
            row = self._run_epoch(phase)
            is_best = self._take_note(row)
            self._checkpoints.save(model, state, is_best=is_best)
            _write_json(self._folder / "history.json", state.history)
            logger.info("epoch done: %s", row)
            if on_epoch is not None:
                on_epoch(row)

    def _run_epoch(self, phase: Phase) -> EpochRow:
        started = time.monotonic()
        model, epoch = self._network.model, len(self._state.history)
        _reseed(model, self._recipe.seed, epoch)
        learnt = model.fit(
            self._augmented(epoch), epochs=1, steps_per_epoch=self._photos.steps, shuffle=False, verbose=0
        ).history
        judged = model.evaluate(self._judged(), steps=self._held_out.batches, verbose=0, return_dict=True)
        row = EpochRow(
            epoch=epoch + 1,
            phase=phase.name,
            loss=float(learnt["loss"][-1]),
            accuracy=float(learnt["accuracy"][-1]),
            validation_loss=float(judged["loss"]),
            validation_accuracy=float(judged["accuracy"]),
            learning_rate=_learning_rate(model),
            seconds=round(time.monotonic() - started, 2),
        )
        if not (math.isfinite(row["loss"]) and math.isfinite(row["validation_loss"])):
            raise ConfigurationError(
                f"The loss of recipe '{self._recipe.name}' is no number any more in epoch {epoch + 1} ({phase.name}): "
                "lower the learning rate of that phase. The folder still has the epoch before."
            )
        return row

    def _take_note(self, row: EpochRow) -> bool:
        """Whether the row has the lowest validation loss so far."""
        state, loss = self._state, row["validation_loss"]
        state.history.append(dict(row))
        state.epoch += 1
        state.waited = 0 if loss < state.best_loss_of_phase else state.waited + 1
        state.best_loss_of_phase = min(loss, state.best_loss_of_phase)
        if loss >= state.best_loss:
            return False
        state.best_loss, state.best_row = loss, len(state.history) - 1
        return True

    def _augmented(self, epoch: int) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
        labels = np.eye(len(self._weights), dtype=np.float32)
        for number, (pixels, targets) in enumerate(self._photos.epoch(epoch)):
            photos, mixed = self._augmentation(pixels, labels[targets], epoch, number)
            yield photos, mixed, mixed @ self._weights

    def _judged(self) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        labels = np.eye(len(self._weights), dtype=np.float32)
        for pixels, targets in self._held_out.in_order():
            yield pixels.astype(np.float32), labels[targets]

    def finish(self, exports: Path) -> FittedCnn:
        """Export the best network, write `training.json`, and remove the checkpoints."""
        import keras

        state, recipe = self._state, self._recipe
        self._checkpoints.restore_best(self._network.model)
        pixels, _ = next(self._held_out.in_order())
        encoder, difference = export_network(
            self._network, self._learn.label_names, pixels, self._folder, recipe.name, exports
        )
        best = state.history[state.best_row]
        fitted = FittedCnn(
            encoder=str(encoder),
            recipe=recipe.name,
            label_names=self._learn.label_names,
            photos=len(self._learn),
            validation_photos=len(self._held_out),
            validation_accuracy=best["validation_accuracy"],
            validation_loss=best["validation_loss"],
            best_epoch=best["epoch"],
            epochs=len(state.history),
            export_difference=difference,
            backend=keras.backend.backend(),
            seconds=round(sum(row["seconds"] for row in state.history), 2),
            fingerprint=state.fingerprint,
        )
        _write_json(
            self._folder / "training.json", asdict(fitted) | {"how": asdict(recipe), "keras": keras.__version__}
        )
        self._checkpoints.clear()
        return fitted


def _label_weights(photos: LabelledPhotos) -> np.ndarray:
    """float32 (labels,): in inverse proportion to the photos of each, one on average over the photos."""
    counts = np.bincount(photos.targets, minlength=len(photos.label_names))
    return np.asarray(len(photos) / (len(counts) * np.maximum(counts, 1)), dtype=np.float32)


def _compile(model: Any, recipe: CnnRecipe, phase: Phase, steps: int) -> None:
    import keras

    total = steps * phase.epochs
    warmup = round(recipe.warmup_share * total)
    schedule = keras.optimizers.schedules.CosineDecay(
        initial_learning_rate=phase.learning_rate / 20 if warmup else phase.learning_rate,
        decay_steps=max(1, total - warmup),
        alpha=0.01,
        warmup_target=phase.learning_rate if warmup else None,
        warmup_steps=warmup,
    )
    optimizer = keras.optimizers.AdamW(schedule, weight_decay=recipe.weight_decay)
    optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    model.compile(
        optimizer=optimizer,
        loss=keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=recipe.label_smoothing),
        metrics=[keras.metrics.CategoricalAccuracy(name="accuracy")],
        # JAX is nothing without its compiler; TensorFlow's makes small networks on a CPU slower.
        jit_compile="auto" if keras.backend.backend() == "jax" else False,
    )


def _reseed(model: Any, seed: int, epoch: int) -> None:
    """Let what dropout draws depend on the epoch alone: files of weights leave out the states of its generators."""
    import keras

    generators = [variable for variable in model.variables if variable.path.endswith("seed_generator_state")]
    drawn = np.random.default_rng((seed, epoch)).integers(0, 2**31, (len(generators), 2))
    for variable, state in zip(generators, drawn, strict=True):
        variable.assign(keras.ops.convert_to_tensor(state, dtype=variable.dtype))


def _learning_rate(model: Any) -> float:
    import keras

    return float(keras.ops.convert_to_numpy(model.optimizer.learning_rate))


def _write_json(path: Path, document: Any) -> None:
    """Replace a file by a document as JSON, whole or not at all."""
    write_file(path, json.dumps(document, indent=1) + "\n")

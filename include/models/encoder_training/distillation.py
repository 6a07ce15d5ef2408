"""Learning from a teacher: each stage alone on the teacher's maps first, then all of them joined.

Alone, a stage is a shallow network whose every place of every photo is an example, so that a few thousand photos
are plenty, and all stages learn side by side (block-wise distillation, Li et al., 2020). Joined, the later stages
learn to make up for what the earlier ones get wrong.
"""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import keras
import numpy as np
from keras import layers

from include.models.encoder_training.checkpoint import load_checkpoint, phase_of, save_checkpoint
from include.models.encoder_training.losses import ActivationLoss, EmbeddingLoss
from include.models.encoder_training.photo_crops import PhotoCrops
from include.models.encoder_training.student import join
from include.models.encoder_training.teacher import StageMaps

logger = logging.getLogger(__name__)

_LOG_EVERY = 25
_BATCHES_AHEAD = 3


class Teacher(Protocol):
    """What a student learns from."""

    def maps(self, pixels: np.ndarray) -> StageMaps:
        """Maps at the ends of the stages, for RGB pixels uint8 (photos, side, side, 3)."""


@dataclass(frozen=True)
class Plan:
    """How long, how large, how fast. Steps, not hours: a paused training loses nothing."""

    alone_steps: int = 1500
    joined_steps: int = 1800
    batch_size: int = 64
    side: int = 160
    last_side: int = 192
    """Side of the crops, in pixels, and that of the last steps: the network is for photos of that size."""
    last_part: float = 0.25
    """Part of the joined steps done with crops of `last_side`."""
    alone_rate: float = 2e-3
    joined_rate: float = 2e-3
    alone_shares: tuple[float, ...] = (0.125, 0.25, 1.0, 1.0, 1.0)
    """Part of a batch that each stage learns from when alone: early maps are large, and have examples in plenty."""
    joined_weights: tuple[float, ...] = (0.25, 0.25, 0.25, 0.5, 1.0)
    """Weights of the maps of each stage when joined."""
    embedding_weight: float = 2.0
    checkpoint_every: int = 100


@dataclass(frozen=True)
class _Phase:
    name: str
    first_batch: int
    steps: int
    side: Callable[[int], int]
    models: Sequence[keras.Model]
    learn: Callable[[np.ndarray, StageMaps], dict[str, float]]


def distil(
    stages: Sequence[keras.Model], teacher: Teacher, crops: PhotoCrops, plan: Plan, checkpoint: Path
) -> keras.Model:
    """Trains the stages in place and returns them joined; goes on where `checkpoint` ends, if it exists."""
    sample = teacher.maps(crops.batch(0, 4 * plan.batch_size, plan.side))
    losses = [
        ActivationLoss(scale, sample.real(number).var(axis=(0, 1, 2))) for number, scale in enumerate(sample.scales)
    ]
    if phase_of(checkpoint) in (None, "alone"):
        _run(_alone(stages, losses, sample.scales, plan), stages, teacher, crops, plan, checkpoint)
    student = join(stages)
    embedding_loss = EmbeddingLoss(_embeddings(sample))
    _run(_joined(student, [*losses, embedding_loss], plan), stages, teacher, crops, plan, checkpoint)
    return student


def _alone(
    stages: Sequence[keras.Model], losses: Sequence[ActivationLoss], scales: Sequence[float], plan: Plan
) -> _Phase:
    inputs = [1 / 127.5, *scales[:-1]]
    models = []
    for number, (stage, loss, scale) in enumerate(zip(stages, losses, inputs, strict=True)):
        stored = keras.Input((None, None, stage.input_shape[-1]), dtype="uint8")
        maps = layers.Rescaling(scale, offset=-1.0 if number == 0 else 0.0)(stored)
        model = keras.Model(stored, stage(maps), name=f"alone_{number + 1}")
        model.compile(optimizer=_optimizer(plan.alone_rate, plan.alone_steps), loss=loss)
        models.append(model)

    def learn(pixels: np.ndarray, maps: StageMaps) -> dict[str, float]:
        seen = [pixels, *maps.stored[:-1]]
        errors = {}
        for model, given, wanted, share in zip(models, seen, maps.stored, plan.alone_shares, strict=True):
            size = max(1, round(len(pixels) * share))
            model.reset_metrics()
            errors[model.name] = float(model.train_on_batch(given[:size], wanted[:size]))
        return errors

    return _Phase("alone", 1, plan.alone_steps, lambda step: plan.side, models, learn)


def _joined(student: keras.Model, losses: Sequence[keras.losses.Loss], plan: Plan) -> _Phase:
    student.compile(
        optimizer=_optimizer(plan.joined_rate, plan.joined_steps),
        loss=list(losses),
        loss_weights=[*plan.joined_weights, plan.embedding_weight],
    )

    def learn(pixels: np.ndarray, maps: StageMaps) -> dict[str, float]:
        student.reset_metrics()
        all_together, *errors = student.train_on_batch(pixels, [*maps.stored, _embeddings(maps)])
        named = {f"stage_{number}": float(error) for number, error in enumerate(errors, start=1)}
        return {"together": float(all_together), **named}

    def side(step: int) -> int:
        return plan.last_side if step >= plan.joined_steps * (1 - plan.last_part) else plan.side

    return _Phase("joined", 1 + plan.alone_steps, plan.joined_steps, side, [student], learn)


def _embeddings(maps: StageMaps) -> np.ndarray:
    means: np.ndarray = maps.stored[-1].mean(axis=(1, 2), dtype=np.float32) * np.float32(maps.scales[-1])
    return means


def _optimizer(rate: float, steps: int) -> keras.optimizers.Optimizer:
    warm = min(100, steps // 10)
    schedule = keras.optimizers.schedules.CosineDecay(
        rate / 20, max(1, steps - warm), alpha=0.005, warmup_target=rate, warmup_steps=warm
    )
    return keras.optimizers.AdamW(schedule, weight_decay=1e-4, global_clipnorm=5.0)


def _run(
    phase: _Phase,
    stages: Sequence[keras.Model],
    teacher: Teacher,
    crops: PhotoCrops,
    plan: Plan,
    checkpoint: Path,
) -> None:
    for model in phase.models:
        model.optimizer.build(model.trainable_variables)
    variables = [variable for stage in stages for variable in stage.variables]
    own = [variable for model in phase.models for variable in model.optimizer.variables]
    done = load_checkpoint(checkpoint, [*variables, *own]) if phase_of(checkpoint) == phase.name else 0
    batches = _batches(phase, teacher, crops, plan.batch_size, done)
    sums: dict[str, float] = {}
    for step, (pixels, maps) in enumerate(batches, start=done + 1):
        for name, error in phase.learn(pixels, maps).items():
            sums[name] = sums.get(name, 0.0) + error
        if step % _LOG_EVERY == 0:
            means = ", ".join(f"{name} {total / _LOG_EVERY:.4f}" for name, total in sums.items())
            logger.info("%s, step %d of %d: %s", phase.name, step, phase.steps, means)
            sums.clear()
        if step % plan.checkpoint_every == 0 or step == phase.steps:
            save_checkpoint(checkpoint, phase.name, step, [*variables, *own])


def _batches(
    phase: _Phase, teacher: Teacher, crops: PhotoCrops, size: int, done: int
) -> Iterator[tuple[np.ndarray, StageMaps]]:
    """Crops and what the teacher sees in them, made by another thread while the student learns."""
    ready: queue.Queue[tuple[np.ndarray, StageMaps] | Exception] = queue.Queue(_BATCHES_AHEAD)
    stop = threading.Event()

    def produce() -> None:
        try:
            for step in range(done, phase.steps):
                if stop.is_set():
                    return
                pixels = crops.batch(phase.first_batch + step, size, phase.side(step))
                ready.put((pixels, teacher.maps(pixels)))
        except Exception as error:
            ready.put(error)

    producer = threading.Thread(target=produce, name="teacher", daemon=True)
    producer.start()
    try:
        for _ in range(done, phase.steps):
            batch = ready.get()
            if isinstance(batch, Exception):
                raise batch
            yield batch
    finally:
        stop.set()
        while not ready.empty():
            ready.get_nowait()
        producer.join(timeout=60)

"""A model version: everything that turns a product's text and photo into a label, in one folder.

Preprocessing, encoders, classifiers, label list, calibration and thresholds travel together. The folder holds
plain numbers and text (`.npz`, `.json`): loading it runs no code of its author. It carries a golden input with
its expected output, and is refused when it no longer gives that output.

    artefact = Artefact.load(version.path)
    predictions = artefact.predict(text_vectors, has_text, image_vectors, has_photo)
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from include.errors import ConfigurationError, NoChampionError
from include.features.text import TextEncoder, load_text_encoder
from include.models.calibration import ConfidenceMap
from include.models.classifier import Classifier, spread_over
from include.models.decision import Decider, Opinions
from include.models.familiarity import SIGNALS, KnownGround
from include.models.fusion import Fusion
from include.models.joint import JointHead
from include.models.linear import LinearClassifier, log_sum_exp, softmax
from include.models.predictions import MODALITIES, Predictions
from include.models.recipe import Recipe

logger = logging.getLogger(__name__)

_FORMAT = 2
_DESCRIPTION = "artefact.json"
_ARRAYS = ("classifiers.npz", "golden.npz")
_GOLDEN_TOLERANCE = 1e-3
"""Difference of a probability between machines that is rounding, not damage."""


@dataclass(frozen=True, eq=False)
class Golden:
    """A fixed input and the output that the model gave when it was made."""

    documents: tuple[str, ...]
    text_vectors: np.ndarray
    has_text: np.ndarray
    image_vectors: np.ndarray
    has_photo: np.ndarray
    probabilities: np.ndarray


@dataclass(frozen=True, eq=False)
class Artefact:
    """One model, complete; it does not know its version number, which the registry gives."""

    text_encoder: TextEncoder
    image_encoder_spec: str
    """Setting that loads the photo encoder, e.g. `classical` or a path."""
    image_encoder_identity: str
    """Identity of the photo encoder that the photo classifier was trained with."""
    text_classifier: Classifier
    photo_classifier: Classifier | None
    """None when too few trusted products had a photo."""
    joint_head: JointHead | None
    """None unless it answers for products with text and photo."""
    text_ground: KnownGround
    photo_ground: KnownGround | None
    decider: Decider
    recipe: Recipe
    """How it was trained."""
    taxonomy_identity: str
    golden: Golden

    @property
    def labels(self) -> tuple[str, ...]:
        """Label ids that the model can give, in the order of its probabilities."""
        return self.decider.label_names

    def predict(
        self, text_vectors: np.ndarray, has_text: np.ndarray, image_vectors: np.ndarray, has_photo: np.ndarray
    ) -> Predictions:
        """Label n products from their embeddings.

        `text_vectors` float32 (n, d) and `image_vectors` float32 (n, e) come from the encoders of this
        artefact; `has_text` and `has_photo`, bool (n,), say which rows count. Rows of NaN never count. A
        product without both gets the commonest label with a low confidence, for review. Raises
        ConfigurationError if the vectors are of another length than the classifiers'.
        """
        has_text = self._usable(self.text_classifier, text_vectors, has_text, "text")
        has_photo = self._usable(self.photo_classifier, image_vectors, has_photo, "photo")
        signals = np.full((len(has_text), len(SIGNALS)), np.inf)
        text, text_features = self._opinion(
            self.text_classifier, self.text_ground, text_vectors, has_text, signals[:, :2]
        )
        photo, photo_features = self._opinion(
            self.photo_classifier, self.photo_ground, image_vectors, has_photo, signals[:, 2:]
        )
        joint = None
        if self.joint_head is not None:
            joint = np.zeros((len(has_text), len(self.decider.photo_labels)), dtype=np.float32)
            both = has_text & has_photo
            if both.any():
                joint[both] = self.joint_head.logits(text_features[both[has_text]], photo_features[both[has_photo]])
        return self.decider.decide(Opinions(text, has_text, photo, has_photo, joint, signals))

    def _usable(self, classifier: Classifier | None, vectors: np.ndarray, present: np.ndarray, kind: str) -> np.ndarray:
        """bool (n,): rows that have the input, and a vector of it that the classifier can read."""
        present = np.array(present, dtype=bool)
        if classifier is None or not present.any():
            return np.zeros(len(present), dtype=bool)
        if vectors.shape[1] != classifier.dimensions:
            raise ConfigurationError(
                f"{kind} embeddings have {vectors.shape[1]} dimensions, this model takes {classifier.dimensions}: "
                "they were made by another encoder; embed them with this model's own"
            )
        return np.asarray(present & np.isfinite(vectors).all(axis=1))

    def _opinion(
        self,
        classifier: Classifier | None,
        ground: KnownGround | None,
        vectors: np.ndarray,
        present: np.ndarray,
        signals: np.ndarray,
    ) -> tuple[np.ndarray, np.ndarray]:
        """Probabilities of all rows, and the features of those present; closeness and energy go into `signals`."""
        if classifier is None or ground is None or not present.any():
            return np.zeros((len(present), len(self.labels)), dtype=np.float32), np.empty((0, 0))
        vectors = vectors if present.all() else vectors[present]
        features = classifier.feature_map.apply(vectors)
        logits = classifier.head.logits(features)
        signals[present, 0] = ground.closeness(vectors)
        signals[present, 1] = log_sum_exp(logits)
        probabilities = np.zeros((len(present), len(self.labels)), dtype=np.float32)
        probabilities[present] = spread_over(softmax(logits), classifier.known, len(self.labels))
        return probabilities, features

    def check_image_encoder(self, identity: str) -> None:
        """Raise ConfigurationError unless photos embedded by `identity` are what the photo classifier knows."""
        if self.photo_classifier is not None and identity != self.image_encoder_identity:
            raise ConfigurationError(
                f"this model was trained on photos embedded by {self.image_encoder_identity}, and "
                f"{self.image_encoder_spec!r} is now {identity}: restore that encoder, or train again with "
                "`python -m include train`"
            )

    def save(self, folder: Path) -> None:
        """Write the model into a folder, which is made if absent; the description comes last."""
        folder.mkdir(parents=True, exist_ok=True)
        self.text_encoder.save(folder)
        arrays = self._arrays()
        golden = {name: value for name, value in vars(self.golden).items() if name != "documents"}
        for name, content in zip(_ARRAYS, (arrays, golden), strict=True):
            with (folder / name).open("wb") as stream:
                np.savez(stream, **content)
        description = {
            "format": _FORMAT,
            "labels": list(self.labels),
            "text_encoder_identity": self.text_encoder.identity,
            "image_encoder_spec": self.image_encoder_spec,
            "image_encoder_identity": self.image_encoder_identity,
            "taxonomy_identity": self.taxonomy_identity,
            "fusion_used": self.decider.fusion_used,
            "fusion": {
                "text_weight": self.decider.fusion.text_weight,
                "photo_weight": self.decider.fusion.photo_weight,
            },
            "recipe": self.recipe.to_dict(),
            "golden_documents": list(self.golden.documents),
            "sha256": {path.name: _sha256(path) for path in sorted(folder.iterdir()) if path.name != _DESCRIPTION},
        }
        (folder / _DESCRIPTION).write_text(json.dumps(description, ensure_ascii=False, indent=1), encoding="utf-8")

    def _arrays(self) -> dict[str, np.ndarray]:
        """All numbers of the model; the name before `__` says whose they are."""
        parts: dict[str, Mapping[str, Any]] = {
            "text": self.text_classifier.to_arrays(),
            "text_ground": vars(self.text_ground),
            "decider": {name: getattr(self.decider, name) for name in ("prior", "thresholds", "limits")},
        }
        if self.photo_classifier is not None and self.photo_ground is not None:
            parts |= {"photo": self.photo_classifier.to_arrays(), "photo_ground": vars(self.photo_ground)}
        if self.joint_head is not None:
            parts |= {"joint_text": vars(self.joint_head.text), "joint_photo": vars(self.joint_head.photo)}
        if self.decider.fusion.correction is not None:
            parts["fusion"] = {"correction": self.decider.fusion.correction}
        for number, calibration in self.decider.confidence_maps.items():
            parts[f"confidence{number}"] = vars(calibration)
        return {f"{part}__{name}": value for part, values in parts.items() for name, value in values.items()}

    @classmethod
    def load(cls, folder: Path) -> Artefact:
        """The model that `save` wrote there.

        Raises NoChampionError when a file is missing or damaged, or when the golden input no longer gives
        its golden output.
        """
        try:
            artefact = cls._read(folder)
        except Exception as error:
            raise NoChampionError(_damaged(folder, f"{type(error).__name__}: {error}")) from error
        artefact._check_golden_output(folder)
        return artefact

    @classmethod
    def _read(cls, folder: Path) -> Artefact:
        description = json.loads((folder / _DESCRIPTION).read_text(encoding="utf-8"))
        if description["format"] != _FORMAT:
            raise ValueError(f"written in format {description['format']}, this program reads {_FORMAT}")
        for name, expected in description["sha256"].items():
            if _sha256(folder / name) != expected:
                raise ValueError(f"{name} was changed after it was written")
        text_encoder = load_text_encoder(folder)
        if text_encoder.identity != description["text_encoder_identity"]:
            raise ValueError("the text encoder is not the one that this model was trained with")
        with np.load(folder / _ARRAYS[0], allow_pickle=False) as stored:
            arrays = dict(stored)
        with np.load(folder / _ARRAYS[1], allow_pickle=False) as stored:
            golden = Golden(documents=tuple(description["golden_documents"]), **stored)
        parts: dict[str, dict[str, Any]] = defaultdict(dict)
        for key, value in arrays.items():
            part, _, name = key.partition("__")
            parts[part][name] = value
        photo_classifier = Classifier.from_arrays(parts["photo"]) if "photo" in parts else None
        joint = (LinearClassifier(**parts[name]) for name in ("joint_text", "joint_photo"))
        return cls(
            text_encoder=text_encoder,
            image_encoder_spec=description["image_encoder_spec"],
            image_encoder_identity=description["image_encoder_identity"],
            text_classifier=Classifier.from_arrays(parts["text"]),
            photo_classifier=photo_classifier,
            joint_head=JointHead(*joint) if "joint_text" in parts else None,
            text_ground=KnownGround(**parts["text_ground"]),
            photo_ground=KnownGround(**parts["photo_ground"]) if "photo_ground" in parts else None,
            decider=Decider(
                label_names=tuple(description["labels"]),
                fusion=Fusion(**description["fusion"], **parts.get("fusion", {})),
                photo_labels=photo_classifier.known if photo_classifier else np.empty(0, dtype=np.int64),
                fusion_used=description["fusion_used"],
                confidence_maps={
                    number: ConfidenceMap(**parts[f"confidence{number}"])
                    for number in range(len(MODALITIES))
                    if f"confidence{number}" in parts
                },
                **parts["decider"],
            ),
            recipe=Recipe.from_dict(description["recipe"]),
            taxonomy_identity=description["taxonomy_identity"],
            golden=golden,
        )

    def _check_golden_output(self, folder: Path) -> None:
        golden = self.golden
        found = self.predict(golden.text_vectors, golden.has_text, golden.image_vectors, golden.has_photo)
        if not np.allclose(found.probabilities, golden.probabilities, atol=_GOLDEN_TOLERANCE):
            raise NoChampionError(_damaged(folder, "its golden input no longer gives its golden output"))

    def verify(self) -> None:
        """Run the golden documents through the whole model, text encoder included (0.7 s: it loads the tokenizer).

        `load` checks from the embeddings on. Raises NoChampionError when the vectors differ.
        """
        vectors = self.text_encoder.encode(self.golden.documents)
        if not np.allclose(vectors, self.golden.text_vectors, atol=_GOLDEN_TOLERANCE):
            raise NoChampionError(
                "the text encoder of this model no longer encodes its golden documents as it did: a library that "
                "it rests on has changed. Train again with `python -m include train`"
            )


def make_golden(
    documents: list[str], text_vectors: np.ndarray, image_vectors: np.ndarray, has_photo: np.ndarray
) -> Golden:
    """A golden input without its output yet: the given products, and one with nothing at all."""
    absent = np.full((1, image_vectors.shape[1]), np.nan, dtype=np.float32)
    return Golden(
        documents=(*documents, ""),
        text_vectors=np.vstack([text_vectors, np.zeros((1, text_vectors.shape[1]), dtype=np.float32)]),
        has_text=np.array([bool(document) for document in documents] + [False]),
        image_vectors=np.vstack([image_vectors, absent]).astype(np.float32),
        has_photo=np.append(has_photo, False),
        probabilities=np.empty((0, 0), dtype=np.float32),
    )


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _damaged(folder: Path, reason: str) -> str:
    return (
        f"the model in {folder} is missing or damaged ({reason}). Train a new one and make it champion with "
        "`python -m include train --promote`"
    )

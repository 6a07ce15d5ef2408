"""A model version: everything that turns a product's text and photo into a label, in one folder.

Preprocessing, encoders, classifiers, label list, calibration and thresholds travel together, the photo encoder's files
included. The folder holds plain numbers, text and networks (`.npz`, `.json`, `.onnx`): loading it runs no code of its
author. It carries a golden input with
its expected output, and is refused when it no longer gives that output.

    artefact = Artefact.load(version.path)
    predictions = artefact.predict(text_vectors, has_text, image_vectors, has_photo)
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from include.errors import ConfigurationError, NoChampionError
from include.features.image.packing import pack_image_encoder, unpacked_spec
from include.features.text import TextEncoder, load_text_encoder
from include.models.classifier.classifier import Classifier
from include.models.classifier.joint import JointHead
from include.models.classifier.linear import LinearClassifier, log_sum_exp, softmax
from include.models.classifier.recipe import Recipe
from include.models.decision.calibration import ConfidenceMap
from include.models.decision.familiarity import SIGNALS, KnownGround
from include.models.decision.fusion import Fusion
from include.models.decision.policy import Decider, Opinions
from include.models.decision.predictions import MODALITIES, Predictions
from include.models.decision.written_rules import SILENT, said_by_rules
from include.models.monitoring.reference_profile import PROFILE_FILE, ReferenceProfile
from include.models.version.golden import Golden

logger = logging.getLogger(__name__)

_FORMAT = 3
_DESCRIPTION = "artefact.json"
_ARRAYS = ("classifiers.npz", "golden.npz")
_BLOCK = 512
"""Products judged at a time: what they need stays in the processor's cache."""
_GOLDEN_TOLERANCE = 1e-3
"""Difference of a probability between machines that is rounding, not damage."""


@dataclass(frozen=True, eq=False)
class Artefact:
    """One model, complete; it does not know its version number, which the registry gives."""

    text_encoder: TextEncoder
    image_encoder_spec: str
    """Setting that loads the photo encoder, e.g. `classical` or a path, which is in the artefact's folder once it was
    saved; the first versions name a path outside of it."""
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
    profile: ReferenceProfile | None = None
    """What it was trained on, for batches to be compared with; None for versions from before there were profiles."""

    @property
    def labels(self) -> tuple[str, ...]:
        """Label ids that the model can give, in the order of its probabilities."""
        return self.decider.label_names

    def predict(
        self,
        text_vectors: np.ndarray,
        has_text: np.ndarray,
        image_vectors: np.ndarray,
        has_photo: np.ndarray,
        rule_labels: Sequence[str | None] | None = None,
    ) -> Predictions:
        """Label n products from their embeddings, and from what the taxonomy's written rules say of their texts.

        `text_vectors` float32 (n, d) and `image_vectors` float32 (n, e) come from the encoders of this
        artefact; `has_text` and `has_photo`, bool (n,), say which rows count. Rows of NaN never count.
        `rule_labels` are those of `written_rules.rule_labels`, heard where a text counts. A
        product without both gets the commonest label with a low confidence, for review. Raises
        ConfigurationError if the vectors are of another length than the classifiers'.
        """
        rules_count = np.array(has_text, dtype=bool)
        has_text = self._usable(self.text_classifier, text_vectors, has_text, "text")
        has_photo = self._usable(self.photo_classifier, image_vectors, has_photo, "photo")
        count = len(has_text)
        opinions = Opinions(
            text=np.zeros((count, len(self.labels)), dtype=np.float32),
            has_text=has_text,
            photo=np.zeros((count, len(self.labels)), dtype=np.float32),
            has_photo=has_photo,
            joint=None if self.joint_head is None else np.zeros((count, len(self.decider.photo_labels)), np.float32),
            signals=np.full((count, len(SIGNALS)), np.inf),
            said_by_rule=(
                None if rule_labels is None else np.where(rules_count, said_by_rules(rule_labels, self.labels), SILENT)
            ),
        )
        for start in range(0, count, _BLOCK):
            self._fill_in(opinions, slice(start, start + _BLOCK), text_vectors, image_vectors)
        return self.decider.decide(opinions)

    def _fill_in(self, opinions: Opinions, block: slice, text_vectors: np.ndarray, image_vectors: np.ndarray) -> None:
        """Put what the classifiers say of a block of rows into the tables of `opinions`."""
        has_text, has_photo = opinions.has_text[block], opinions.has_photo[block]
        signals = np.asarray(opinions.signals)[block]
        text_features = _opine(
            self.text_classifier, self.text_ground, text_vectors[block], has_text, opinions.text[block], signals[:, :2]
        )
        photo_features = _opine(
            self.photo_classifier, self.photo_ground, image_vectors[block], has_photo, opinions.photo[block],
            signals[:, 2:],
        )  # fmt: skip
        both = has_text & has_photo
        if self.joint_head is not None and opinions.joint is not None and both.any():
            opinions.joint[block][both] = self.joint_head.logits(
                text_features[both[has_text]], photo_features[both[has_photo]]
            )

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
        (folder / PROFILE_FILE).unlink(missing_ok=True)
        if self.profile is not None:
            self.profile.save(folder)
        description = {
            "format": _FORMAT,
            "labels": list(self.labels),
            "text_encoder_identity": self.text_encoder.identity,
            "image_encoder_spec": pack_image_encoder(self.image_encoder_spec, folder),
            "image_encoder_identity": self.image_encoder_identity,
            "taxonomy_identity": self.taxonomy_identity,
            "fusion_used": self.decider.fusion_used,
            "fusion": {
                "text_weight": self.decider.fusion.text_weight,
                "photo_weight": self.decider.fusion.photo_weight,
            },
            "rule_weight": self.decider.rule_weight,
            "agreement_weight": self.decider.agreement_weight,
            "recipe": self.recipe.to_dict(),
            "golden_documents": list(self.golden.documents),
        }
        description["sha256"] = {
            path.relative_to(folder).as_posix(): _sha256(path)
            for path in sorted(folder.rglob("*"))
            if path.is_file() and path.name != _DESCRIPTION
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
            image_encoder_spec=unpacked_spec(description["image_encoder_spec"], folder),
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
                rule_weight=description["rule_weight"],
                agreement_weight=description["agreement_weight"],
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
            profile=ReferenceProfile.load(folder),
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


def _opine(
    classifier: Classifier | None,
    ground: KnownGround | None,
    vectors: np.ndarray,
    present: np.ndarray,
    probabilities: np.ndarray,
    signals: np.ndarray,
) -> np.ndarray:
    """Fill `probabilities` (n, k), and closeness and energy into `signals` (n, 2), of the rows that are present.

    Returns the features of those rows.
    """
    if classifier is None or ground is None or not present.any():
        return np.empty((0, 0))
    found = (vectors if present.all() else vectors[present]).astype(np.float32, copy=False)
    features = classifier.feature_map.apply(found)
    logits = classifier.head.logits(features)
    signals[present, 0] = ground.closeness(found)
    signals[present, 1] = log_sum_exp(logits)
    probabilities[np.ix_(present, classifier.known)] = softmax(logits)
    return features


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _damaged(folder: Path, reason: str) -> str:
    return (
        f"the model in {folder} is missing or damaged ({reason}). If it is the champion, go back to the one before "
        'with `python -m include rollback --reason "artefact damaged"`, or train a new one with '
        "`python -m include train --promote`"
    )

"""A model version: everything that turns a product's text and photo into a label, in one folder.

The folder contains preprocessing, encoders with their files, classifiers, label list, calibration and thresholds, as
plain numbers, text and networks (`.npz`, `.json`, `.onnx`): loading it executes no code from the folder. It also has a
golden input with its expected output, and an artefact that no longer reproduces it is rejected.

    artefact = Artefact.load(version.path)
    predictions = artefact.predict(text_vectors, has_text, image_vectors, has_photo)
"""

from __future__ import annotations

import json
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
from include.models.classifier.linear import LinearClassifier
from include.models.classifier.recipe import Recipe
from include.models.decision.calibration import ConfidenceMap
from include.models.decision.fusion import Fusion
from include.models.decision.input_prediction import predict_input
from include.models.decision.out_of_distribution import SIGNALS, OutOfDistributionDetector
from include.models.decision.policy import ClassifierOutputs, DecisionPolicy
from include.models.decision.predictions import MODALITIES, Predictions
from include.models.decision.written_rules import NO_RULE, encode_rule_labels
from include.models.monitoring.reference_profile import PROFILE_FILE, ReferenceProfile
from include.models.reasons.references import ReferenceProducts
from include.models.version.artefact_files import (
    CLASSIFIERS_FILE,
    DESCRIPTION_FILE,
    GOLDEN_FILE,
    checksums,
    read_arrays,
    read_parts,
    require_checksums,
    write_arrays,
    write_parts,
)
from include.models.version.golden import Golden

_FORMAT = 3
_BLOCK = 512
"""Products predicted at a time, so that intermediate arrays stay in the processor's cache."""
_GOLDEN_TOLERANCE = 1e-3
"""Largest difference of a probability between machines that rounding explains."""


@dataclass(frozen=True, eq=False)
class Artefact:
    """A complete model, without its version number, which the registry assigns."""

    text_encoder: TextEncoder
    image_encoder_spec: str
    """Setting that loads the photo encoder, e.g. `classical` or a path. In a saved artefact the path is in its folder,
    except in versions from before encoders were saved with it."""
    image_encoder_identity: str
    """Identity of the photo encoder that the photo classifier was trained with."""
    text_classifier: Classifier
    photo_classifier: Classifier | None
    """None if too few training products have a photo."""
    joint_head: JointHead | None
    """None unless it labels products with text and photo."""
    text_detector: OutOfDistributionDetector
    photo_detector: OutOfDistributionDetector | None
    policy: DecisionPolicy
    recipe: Recipe
    taxonomy_identity: str
    golden: Golden
    profile: ReferenceProfile | None = None
    """Drift statistics of the training products; None for versions from before there were profiles."""
    references: ReferenceProducts | None = None
    """Trusted products to compare others with; None for versions from before there were any."""

    @property
    def labels(self) -> tuple[str, ...]:
        """Label ids of the model, in the order of its probabilities."""
        return self.policy.label_names

    def predict(
        self,
        text_vectors: np.ndarray,
        has_text: np.ndarray,
        image_vectors: np.ndarray,
        has_photo: np.ndarray,
        rule_labels: Sequence[str | None] | None = None,
    ) -> Predictions:
        """Predict the labels of n products from their embeddings and their rule labels.

        `text_vectors` float32 (n, d) and `image_vectors` float32 (n, e) are embeddings by the encoders of this
        artefact; rows where `has_text` or `has_photo`, bool (n,), is False are ignored, and so are rows with NaN.
        `rule_labels`, from `written_rules.rule_labels`, apply to products with a text. A product with neither text nor
        photo gets the most frequent label with its frequency as the confidence, for review. Raises ConfigurationError
        if the vectors have other dimensions than those that the classifiers take.
        """
        rules_apply = np.array(has_text, dtype=bool)
        has_text = self._usable(self.text_classifier, text_vectors, has_text, "text")
        has_photo = self._usable(self.photo_classifier, image_vectors, has_photo, "photo")
        count = len(has_text)
        outputs = ClassifierOutputs(
            text=np.zeros((count, len(self.labels)), dtype=np.float32),
            has_text=has_text,
            photo=np.zeros((count, len(self.labels)), dtype=np.float32),
            has_photo=has_photo,
            joint=None if self.joint_head is None else np.zeros((count, len(self.policy.photo_labels)), np.float32),
            signals=np.full((count, len(SIGNALS)), np.inf),
            rule_label_index=(
                None
                if rule_labels is None
                else np.where(rules_apply, encode_rule_labels(rule_labels, self.labels), NO_RULE)
            ),
        )
        for start in range(0, count, _BLOCK):
            self._predict_block(outputs, slice(start, start + _BLOCK), text_vectors, image_vectors)
        return self.policy.decide(outputs)

    def _predict_block(
        self, outputs: ClassifierOutputs, block: slice, text_vectors: np.ndarray, image_vectors: np.ndarray
    ) -> None:
        """Write the outputs for a block of rows into the arrays of `outputs`."""
        has_text, has_photo = outputs.has_text[block], outputs.has_photo[block]
        signals = np.asarray(outputs.signals)[block]
        text_features = predict_input(
            self.text_classifier, self.text_detector, text_vectors[block], has_text, outputs.text[block], signals[:, :2]
        )
        photo_features = predict_input(
            self.photo_classifier, self.photo_detector, image_vectors[block], has_photo, outputs.photo[block],
            signals[:, 2:],
        )  # fmt: skip
        both = has_text & has_photo
        if self.joint_head is not None and outputs.joint is not None and both.any():
            outputs.joint[block][both] = self.joint_head.logits(
                text_features[both[has_text]], photo_features[both[has_photo]]
            )

    def _usable(self, classifier: Classifier | None, vectors: np.ndarray, present: np.ndarray, kind: str) -> np.ndarray:
        """bool (n,): rows that have the input, with a finite vector."""
        present = np.array(present, dtype=bool)
        if classifier is None or not present.any():
            return np.zeros(len(present), dtype=bool)
        if vectors.shape[1] != classifier.dimensions:
            raise ConfigurationError(
                f"{kind} embeddings have {vectors.shape[1]} dimensions, this model takes {classifier.dimensions}: "
                "they are from another encoder; embed them with the encoder of this model"
            )
        return np.asarray(present & np.isfinite(vectors).all(axis=1))

    def check_image_encoder(self, identity: str) -> None:
        """Raise ConfigurationError unless the photo classifier was trained on embeddings by the encoder `identity`."""
        if self.photo_classifier is not None and identity != self.image_encoder_identity:
            raise ConfigurationError(
                f"this model was trained on photos embedded by {self.image_encoder_identity}, and "
                f"{self.image_encoder_spec!r} is now {identity}: restore that encoder, or train again with "
                "`python -m include train`"
            )

    def save(self, folder: Path) -> None:
        """Write the model into a folder, which is created if absent; the description is written last."""
        folder.mkdir(parents=True, exist_ok=True)
        self.text_encoder.save(folder)
        write_parts(folder / CLASSIFIERS_FILE, self._parts())
        golden = {name: value for name, value in vars(self.golden).items() if name != "documents"}
        write_arrays(folder / GOLDEN_FILE, golden)
        (folder / PROFILE_FILE).unlink(missing_ok=True)
        if self.profile is not None:
            self.profile.save(folder)
        ReferenceProducts.remove(folder)
        if self.references is not None:
            self.references.save(folder)
        description = {
            "format": _FORMAT,
            "labels": list(self.labels),
            "text_encoder_identity": self.text_encoder.identity,
            "image_encoder_spec": pack_image_encoder(self.image_encoder_spec, folder),
            "image_encoder_identity": self.image_encoder_identity,
            "taxonomy_identity": self.taxonomy_identity,
            "fusion_used": self.policy.fusion_used,
            "fusion": {
                "text_weight": self.policy.fusion.text_weight,
                "photo_weight": self.policy.fusion.photo_weight,
            },
            "rule_weight": self.policy.rule_weight,
            "agreement_weight": self.policy.agreement_weight,
            "recipe": self.recipe.to_dict(),
            "golden_documents": list(self.golden.documents),
        }
        description["sha256"] = checksums(folder)
        (folder / DESCRIPTION_FILE).write_text(json.dumps(description, ensure_ascii=False, indent=1), encoding="utf-8")

    def _parts(self) -> dict[str, Mapping[str, Any]]:
        """All arrays of the model by part; the parts' names are those of the first saved versions."""
        parts: dict[str, Mapping[str, Any]] = {
            "text": self.text_classifier.to_arrays(),
            "text_ground": vars(self.text_detector),
            "decider": {name: getattr(self.policy, name) for name in ("prior", "thresholds", "limits")},
        }
        if self.photo_classifier is not None and self.photo_detector is not None:
            parts |= {"photo": self.photo_classifier.to_arrays(), "photo_ground": vars(self.photo_detector)}
        if self.joint_head is not None:
            parts |= {"joint_text": vars(self.joint_head.text), "joint_photo": vars(self.joint_head.photo)}
        if self.policy.fusion.correction is not None:
            parts["fusion"] = {"correction": self.policy.fusion.correction}
        for number, calibration in self.policy.confidence_maps.items():
            parts[f"confidence{number}"] = vars(calibration)
        return parts

    @classmethod
    def load(cls, folder: Path) -> Artefact:
        """The model that `save` wrote.

        Raises NoChampionError if a file is missing or damaged, or if the golden input no longer gives its expected
        output.
        """
        try:
            artefact = cls._read(folder)
        except Exception as error:
            raise NoChampionError(_damaged(folder, f"{type(error).__name__}: {error}")) from error
        artefact._check_golden_output(folder)
        return artefact

    @classmethod
    def _read(cls, folder: Path) -> Artefact:
        description = json.loads((folder / DESCRIPTION_FILE).read_text(encoding="utf-8"))
        if description["format"] != _FORMAT:
            raise ValueError(f"written in format {description['format']}, this program reads {_FORMAT}")
        require_checksums(folder, description["sha256"])
        text_encoder = load_text_encoder(folder)
        if text_encoder.identity != description["text_encoder_identity"]:
            raise ValueError("the text encoder is not the one that this model was trained with")
        parts = read_parts(folder / CLASSIFIERS_FILE)
        photo_classifier = Classifier.from_arrays(parts["photo"]) if "photo" in parts else None
        return cls(
            text_encoder=text_encoder,
            image_encoder_spec=unpacked_spec(description["image_encoder_spec"], folder),
            image_encoder_identity=description["image_encoder_identity"],
            text_classifier=Classifier.from_arrays(parts["text"]),
            photo_classifier=photo_classifier,
            joint_head=(
                JointHead(LinearClassifier(**parts["joint_text"]), LinearClassifier(**parts["joint_photo"]))
                if "joint_text" in parts
                else None
            ),
            text_detector=OutOfDistributionDetector(**parts["text_ground"]),
            photo_detector=OutOfDistributionDetector(**parts["photo_ground"]) if "photo_ground" in parts else None,
            policy=_policy(description, parts, photo_classifier),
            recipe=Recipe.from_dict(description["recipe"]),
            taxonomy_identity=description["taxonomy_identity"],
            golden=Golden(documents=tuple(description["golden_documents"]), **read_arrays(folder / GOLDEN_FILE)),
            profile=ReferenceProfile.load(folder),
            references=ReferenceProducts.load(folder),
        )

    def _check_golden_output(self, folder: Path) -> None:
        golden = self.golden
        output = self.predict(golden.text_vectors, golden.has_text, golden.image_vectors, golden.has_photo)
        if not np.allclose(output.probabilities, golden.probabilities, atol=_GOLDEN_TOLERANCE):
            raise NoChampionError(_damaged(folder, "its golden input no longer gives its golden output"))

    def verify(self) -> None:
        """Check that the text encoder still encodes the golden documents as in training (0.7 s: loads the tokenizer).

        `load` checks everything after the embeddings. Raises NoChampionError if the embeddings differ.
        """
        vectors = self.text_encoder.encode(self.golden.documents)
        if not np.allclose(vectors, self.golden.text_vectors, atol=_GOLDEN_TOLERANCE):
            raise NoChampionError(
                "the text encoder of this model no longer encodes its golden documents as in training: a library that "
                "it uses has changed. Train again with `python -m include train`"
            )


def _policy(
    description: Mapping[str, Any], parts: Mapping[str, Mapping[str, Any]], photo_classifier: Classifier | None
) -> DecisionPolicy:
    """The decision policy of a saved model."""
    return DecisionPolicy(
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
    )


def _damaged(folder: Path, reason: str) -> str:
    return (
        f"the model in {folder} is missing or damaged ({reason}). If it is the champion, go back to the one before "
        'with `python -m include rollback --reason "artefact damaged"`, or train a new one with '
        "`python -m include train --promote`"
    )

"""What decides a trained model beside its rows and its recipe."""

from __future__ import annotations

from dataclasses import dataclass

from include.features.text.choice import TextEncoderChoice


@dataclass(frozen=True, slots=True)
class TrainingOptions:
    """How models are trained and what their predictions must reach, whatever the recipe."""

    text_encoder: TextEncoderChoice
    target_precision: float
    """Precision of accepted labels that the thresholds are chosen for, in (0, 1)."""
    familiar_share: float
    """Share of the training products that count as familiar, in (0, 1]."""
    folds: int
    """Folds of the out-of-fold predictions."""
    min_label_examples: int
    seed: int

    @property
    def examples_needed(self) -> int:
        """Content groups that a label needs: what is asked for, and at least one for each fold."""
        return max(self.min_label_examples, self.folds)

    def to_dict(self) -> dict[str, str | int | float]:
        """All that changes the trained model, by the names of the settings: dataset hashes are made of them."""
        return {
            "text_encoder": self.text_encoder.spec,
            "text_words": self.text_encoder.words,
            "text_dimensions": self.text_encoder.dimensions,
            "text_vocabulary": self.text_encoder.vocabulary,
            "target_precision": self.target_precision,
            "familiar_share": self.familiar_share,
            "training_folds": self.folds,
            "min_label_examples": self.min_label_examples,
            "seed": self.seed,
        }

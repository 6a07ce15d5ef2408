"""The targets of the classifiers, and the table that compares scores with them."""

from __future__ import annotations

from include.models.evaluation.results import Target

TARGETS: dict[str, Target] = {
    "text_accuracy": Target("text alone", 0.965),
    "photo_accuracy_pretrained": Target("photo, given pretrained extractor", 0.88),
    "photo_accuracy_default": Target("photo, no download", 0.80),
    "fusion_accuracy_default": Target("text + photo, no download", 0.965),
    "fusion_accuracy_pretrained": Target("text + photo, given pretrained extractor", 0.975),
    "fusion_ece": Target("expected calibration error of text + photo, no download", 0.03, at_most=True),
    "accepted_precision": Target("precision of what is accepted, no download", 0.99),
    "accepted_coverage": Target("share that is accepted, no download", 0.88),
    "champagne_precision": Target("champagne wine against all else, hand-read real rows", 0.98),
    "champagne_recall": Target("champagne wine found, hand-read real rows", 0.95),
    "ari_text": Target("clusters of the best text embedding against the labels", 0.55),
    "ari_photo": Target("clusters of the best photo embedding against the labels", 0.55),
}
"""By key of the figures, in the order of the table; measured on the real catalogue, not on drawn data."""

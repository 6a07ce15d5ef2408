"""Why a product is for review, in words: one sentence for each code of `review_reasons`.

The sentences of the flags of products are in `include/quality/reasons.py`.
"""

from __future__ import annotations

from typing import Final

NOTHING_TO_GO_BY: Final = "nothing_to_go_by"
UNFAMILIAR: Final = "unfamiliar"
RULE_DISAGREES: Final = "rule_disagrees"
NEVER_ACCEPTED: Final = "never_accepted"
UNCERTAIN: Final = "uncertain"

REVIEW_REASONS: Final[dict[str, str]] = {
    NOTHING_TO_GO_BY: "There is neither a text nor a photo to go by: the label is the commonest one.",
    UNFAMILIAR: "The product is unlike anything that the model was trained on.",
    RULE_DISAGREES: "A written rule of the taxonomy gives another label than text and photo do.",
    NEVER_ACCEPTED: "Too few trusted products have this label to prove it right often enough: all are for review.",
    UNCERTAIN: "The model is not confident enough.",
}
"""Code → sentence, in the order in which they are given."""


def describe_review(code: str, confidence: float | None = None, needed: float | None = None) -> str:
    """The sentence of a code; with the figures where they are what it is about.

    `describe_review("uncertain", 0.71, 0.93)` is "The model is not confident enough: 71 %; this label needs 93 %."
    A code that is not listed is named as such, never an error.
    """
    if code == UNCERTAIN and confidence is not None and needed is not None:
        return f"The model is not confident enough: {_percent(confidence)}; this label needs {_percent(needed)}."
    return REVIEW_REASONS.get(code, f"This reason ({code}) is not described yet.")


def _percent(share: float) -> str:
    """In whole percent, with a decimal where rounding would make 99.7 the certainty that it is not."""
    return f"{share:.1%}".replace("%", " %") if 0.985 <= share < 1 else f"{share:.0%}".replace("%", " %")

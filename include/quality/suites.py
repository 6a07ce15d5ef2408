"""The Great Expectations suites: what must hold for the products and for the labels of a batch.

Every expectation has a rule name, a meaning in plain words that the report shows, and a severity: a broken
`critical` rule rejects the batch, a broken `warning` is shown and nothing else. Rows that are bad one by
one never get here (see `row_rules`): a failure here is an error in the program, or concerns the batch as a whole.

Suites named `…_batch` look at a frame of one row, the facts about the batch (see `checkpoint`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from statistics import mean
from typing import TYPE_CHECKING, get_args

from include.quality.batch_limits import BatchLimits
from include.quality.expectation_run import load_great_expectations
from include.quality.row_rules import RowLimits
from include.schema import Decision, Modality

if TYPE_CHECKING:
    from great_expectations.expectations import Expectation

NO_DIFFERENCE = "as agreed"
"""The fact `schema` of a file whose columns are those of `include/schema.py`."""

_REMARKS = {
    "unknown_schema_version": "No product is in an unknown version of the source's format.",
    "unreadable": "The program fails on no record.",
}


def product_suite() -> list[Expectation]:
    """Expectations for the rows of the products file."""
    gxe = load_great_expectations().expectations
    limits = RowLimits()
    return [
        gxe.ExpectColumnValuesToNotBeNull(
            column="product_id", **_rule("product_id_present", "Every product has an id.")
        ),
        gxe.ExpectColumnValuesToBeUnique(
            column="product_id", **_rule("product_id_unique", "No product is in the batch twice.")
        ),
        gxe.ExpectColumnValuesToMatchRegex(
            column="product_id",
            regex=r"^[^:\s]+:\S+$",
            **_rule(
                "product_id_form", "An id names its source and the source's own id, as in openfoodfacts:3018333000014."
            ),
        ),
        gxe.ExpectColumnValuesToBeBetween(
            column="content_hash_length",
            min_value=64,
            max_value=64,
            **_rule("content_hash_form", "Every product has the hash of its content, of 64 digits."),
        ),
        gxe.ExpectColumnValuesToNotBeNull(column="name_length", **_rule("name_present", "Every product has a name.")),
        gxe.ExpectColumnValuesToBeBetween(
            column="name_length",
            min_value=1,
            max_value=limits.name_characters,
            **_rule("name_length", f"Names have 1 to {limits.name_characters:,} characters."),
        ),
        *(
            gxe.ExpectColumnValuesToBeBetween(
                column=f"{column}_length",
                min_value=1,
                max_value=limits.long_text_characters,
                **_rule(
                    f"{column}_length",
                    f"Where there are {column}, they have 1 to {limits.long_text_characters:,} characters."
                    if column == "ingredients"
                    else f"Where there is a {column}, it has 1 to {limits.long_text_characters:,} characters.",
                ),
            )
            for column in ("description", "ingredients")
        ),
        gxe.ExpectColumnValuesToMatchRegex(
            column="language",
            regex="^[a-z]{2,3}$",
            **_rule("language_form", "Languages are given by their two or three letter codes.", severity="warning"),
        ),
    ]


def product_batch_suite(
    limits: BatchLimits,
    day: date,
    history: Sequence[int],
    *,
    with_freshness: bool,
    may_be_empty: bool = False,
    fewest_again: int = 0,
) -> list[Expectation]:
    """Expectations for the batch of products as a whole.

    `history` are the numbers of products of earlier days; without any, volume is not checked. `fewest_again` products
    must be there, because the day has some from an earlier run; 0 leaves that out.
    """
    gxe = load_great_expectations().expectations
    expectations = [
        _schema_expectation("products"),
        *(
            []
            if may_be_empty
            else [
                gxe.ExpectColumnMinToBeBetween(
                    column="products", min_value=1, **_rule("not_empty", "There is at least one product.")
                )
            ]
        ),
        *_nothing_lost_expectations(
            products_lost="Every product that was accepted is in the file.",
            quarantine_lost="Every record that was set aside is in the quarantine.",
        ),
        gxe.ExpectColumnMaxToBeBetween(
            column="rejected_percent",
            max_value=100 * limits.max_rejected_share,
            **_rule(
                "rejected_share",
                f"Of the records received, at most {100 * limits.max_rejected_share:.4g} percent are quarantined.",
                unit="percent",
            ),
        ),
    ]
    bounds = limits.volume_bounds(history)
    if bounds is not None:
        fewest, most = bounds
        expectations.append(
            gxe.ExpectColumnMaxToBeBetween(
                column="products",
                min_value=fewest,
                max_value=most,
                **_rule(
                    "volume",
                    f"The number of products is between {fewest:,} and {most:,}, as the earlier days suggest "
                    f"(on average {mean(history):,.0f}).",
                ),
            )
        )
    if fewest_again:
        expectations.append(
            gxe.ExpectColumnMinToBeBetween(
                column="products",
                min_value=fewest_again,
                **_rule(
                    "not_emptied",
                    f"Of a day that has products from an earlier run, at least {fewest_again:,} come again.",
                ),
            )
        )
    if with_freshness:
        expectations.append(
            gxe.ExpectColumnMaxToBeBetween(
                column="days_since_newest",
                max_value=limits.freshness_days,
                **_rule(
                    "freshness",
                    f"The newest record was changed at most {limits.freshness_days:,} days before {day.isoformat()}.",
                    unit="days",
                ),
            )
        )
    return expectations


def remark_expectations(remarks: Mapping[str, int]) -> list[Expectation]:
    """Warnings about records that need somebody's attention; none where there are no such records.

    `remarks` counts what has one of the names in `_REMARKS`; the counts are facts about the batch.
    """
    gxe = load_great_expectations().expectations
    return [
        gxe.ExpectColumnMaxToBeBetween(
            column=name, min_value=0, max_value=0, **_rule(name, meaning, severity="warning")
        )
        for name, meaning in _REMARKS.items()
        if remarks.get(name)
    ]


def label_suite(taxonomy_labels: Sequence[str]) -> list[Expectation]:
    """Expectations for the rows of a day's labels."""
    gxe = load_great_expectations().expectations
    present = ("product_id", "label", "department", "confidence", "decision", "modality", "model_version")
    return [
        *(
            gxe.ExpectColumnValuesToNotBeNull(
                column=column, **_rule(f"{column}_present", f"Every row has its {column.replace('_', ' ')}.")
            )
            for column in present
        ),
        gxe.ExpectColumnValuesToBeUnique(
            column="product_id", **_rule("product_id_unique", "No product is labelled twice.")
        ),
        gxe.ExpectColumnValuesToBeInSet(
            column="label",
            value_set=list(taxonomy_labels),
            **_rule("label_known", f"Every label is one of the {len(taxonomy_labels)} of the taxonomy."),
        ),
        gxe.ExpectColumnValuesToBeBetween(
            column="confidence",
            min_value=0,
            max_value=1,
            **_rule("confidence_range", "Every confidence is a probability, from 0 to 1."),
        ),
        gxe.ExpectColumnValuesToBeInSet(
            column="decision",
            value_set=list(get_args(Decision)),
            **_rule("decision_known", "Every label is either accepted or sent to review."),
        ),
        gxe.ExpectColumnValuesToBeInSet(
            column="modality",
            value_set=list(get_args(Modality)),
            **_rule("modality_known", "Every label has its modality: text, photo, both, or none."),
        ),
        gxe.ExpectColumnUniqueValueCountToBeBetween(
            column="model_version",
            max_value=1,
            **_rule("one_model", "One model version labelled the whole batch.", severity="warning"),
        ),
    ]


def label_batch_suite() -> list[Expectation]:
    """Expectations for the batch of labels as a whole."""
    return [
        _schema_expectation("labels"),
        *_nothing_lost_expectations(
            products_unlabelled="Every product of the day has a label.",
            labels_unknown="Every label belongs to a product of the day.",
        ),
    ]


def _schema_expectation(layer: str) -> Expectation:
    gxe = load_great_expectations().expectations
    return gxe.ExpectColumnValuesToBeInSet(
        column="schema",
        value_set=[NO_DIFFERENCE],
        **_rule("schema", f"The file of {layer} has the agreed columns, each of its agreed type."),
    )


def _nothing_lost_expectations(**meanings: str) -> list[Expectation]:
    """Expectations that a count of lost rows, a fact of the batch, is zero."""
    gxe = load_great_expectations().expectations
    return [
        gxe.ExpectColumnMaxToBeBetween(column=fact, min_value=0, max_value=0, **_rule(fact, meaning))
        for fact, meaning in meanings.items()
    ]


def _rule(name: str, meaning: str, *, severity: str = "critical", unit: str = "") -> dict[str, object]:
    return {"meta": {"rule": name, "meaning": meaning, "unit": unit}, "severity": severity}

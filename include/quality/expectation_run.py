"""Runs a suite of Great Expectations on a frame and gives back plain results, the same for the same input.

Great Expectations is imported when a suite runs, not before: it costs 2 to 7 seconds. Its own results carry run
ids, times, tracebacks and paths of this machine; none of that is taken over.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import ModuleType
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    import pandas as pd
    from great_expectations.expectations import Expectation

EXAMPLES = 5
"""Values shown of a broken rule; the number of rows that break it is always counted over all rows."""


@dataclass(frozen=True, slots=True)
class RuleResult:
    """What one expectation found."""

    rule: str
    meaning: str
    severity: str
    """`critical` or `warning`."""
    success: bool
    observed: str
    """What was found, in words, e.g. `12 of 5,000 rows do not` or `0.83`."""
    expectation: str
    """Type of the expectation, e.g. `expect_column_values_to_be_unique`."""
    arguments: Mapping[str, Any] = field(default_factory=dict)
    result: Mapping[str, Any] = field(default_factory=dict)
    """The result as Great Expectations gives it."""

    @property
    def breaks_batch(self) -> bool:
        """Whether the batch is rejected for it."""
        return not self.success and self.severity == "critical"

    @property
    def state(self) -> Literal["passed", "warning", "failed"]:
        """How it ended: a rule of severity `warning` that does not hold is a warning, any other has failed."""
        return "passed" if self.success else "failed" if self.breaks_batch else "warning"

    @property
    def sentence(self) -> str:
        """The rule and what was found instead, for an error message."""
        return f"{self.rule} (expected: {self.meaning} Found: {self.observed}.)"


def load_great_expectations() -> ModuleType:
    """The library, imported without its some 200 lines of INFO and without warnings about its own inside."""
    logging.getLogger("great_expectations").setLevel(logging.WARNING)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        import great_expectations
    module: ModuleType = great_expectations
    return module


def run_suite(name: str, expectations: Sequence[Expectation], frame: pd.DataFrame) -> list[RuleResult]:
    """Check a frame against expectations made by `suites`; results in the order of the expectations.

    A rule on an absent column fails, with the reason. Nothing is written to disk.
    """
    gx = load_great_expectations()
    from great_expectations.data_context.types.base import DataContextConfig, InMemoryStoreBackendDefaults

    config = DataContextConfig(
        # The library's own pages need the internet (see docs/decisions), so it needs no folder for them.
        store_backend_defaults=InMemoryStoreBackendDefaults(init_temp_docs_sites=False),
        analytics_enabled=False,
        progress_bars={"globally": False},
    )
    context = gx.get_context(mode="ephemeral", project_config=config)
    asset = context.data_sources.add_pandas("lake").add_dataframe_asset(name)
    batch = asset.add_batch_definition_whole_dataframe("batch").get_batch({"dataframe": frame})
    # A checkpoint would store suite, definition and outcome in memory that nobody reads: a third of the time.
    validation = batch.validate(
        gx.ExpectationSuite(name=name, expectations=list(expectations)),
        result_format={"result_format": "SUMMARY", "partial_unexpected_count": EXAMPLES},
    )
    by_rule = {entry["expectation_config"]["meta"]["rule"]: entry for entry in validation.to_json_dict()["results"]}
    return [_rule_result(by_rule[expectation.meta["rule"]]) for expectation in expectations]


def _rule_result(entry: Mapping[str, Any]) -> RuleResult:
    config = entry["expectation_config"]
    arguments = {name: value for name, value in config["kwargs"].items() if name != "batch_id"}
    return RuleResult(
        rule=config["meta"]["rule"],
        meaning=config["meta"]["meaning"],
        severity=config["severity"],
        success=bool(entry["success"]),
        observed=_observed(entry),
        expectation=config["type"],
        arguments=arguments,
        result=entry["result"],
    )


def _observed(entry: Mapping[str, Any]) -> str:
    problems = _exception_messages(entry["exception_info"])
    if problems:
        return "; ".join(problems)
    result = entry["result"]
    if "observed_value" in result:
        return f"{_in_words(result['observed_value'])} {entry['expectation_config']['meta']['unit']}".rstrip()
    rows, broken = result.get("element_count", 0), result.get("unexpected_count", 0)
    examples = ", ".join(
        _in_words(value) for value in dict.fromkeys(result.get("partial_unexpected_list", [])) if value is not None
    )
    if not broken:
        return "as expected" if rows == 1 else f"all {rows:,} rows"
    if rows == 1 and examples:
        return examples
    return f"not so in {broken:,} of {rows:,} rows" + (f", e.g. {examples}" if examples else "")


def _exception_messages(info: Mapping[str, Any]) -> list[str]:
    """Messages of what went wrong inside an expectation; the library nests them by metric, or not."""
    entries = [info] if "raised_exception" in info else list(info.values())
    messages = (str(entry["exception_message"]) for entry in entries if entry.get("raised_exception"))
    return list(dict.fromkeys(message.removeprefix("Error: ") for message in messages))


def _in_words(value: Any) -> str:
    if isinstance(value, bool) or value is None:
        return str(value)
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:,.4g}"
    if isinstance(value, list):
        return ", ".join(_in_words(entry) for entry in value) or "nothing"
    return str(value)[:1_000]

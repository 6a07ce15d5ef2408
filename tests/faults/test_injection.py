"""No server, record, text or photo stops a day: the faults that are quick to inject."""

from __future__ import annotations

import pytest

from tests.faults.fault import Fault
from tests.faults.injection import all_faults, inject, inject_in_own_process


@pytest.mark.parametrize("fault", [fault for fault in all_faults() if fault.is_quick], ids=lambda fault: fault.name)
def test_what_must_come_of_a_fault_does_within_its_bounds(fault: Fault) -> None:
    assert inject(fault).outcome


def test_a_fault_over_its_time_or_memory_fails() -> None:
    with pytest.raises(AssertionError, match="MiB"):
        inject(Fault("holds 64 MiB", lambda: str(len(bytes(range(256)) * 2**18)), limit_mib=16))
    with pytest.raises(AssertionError, match="took"):
        inject(Fault("takes longer than nothing", lambda: str(sum(range(100_000))), limit_seconds=0.0))


def test_a_fault_in_its_own_process_says_why_it_failed() -> None:
    assert "there is no fault" in inject_in_own_process(Fault("a fault that no module lists", str)).problem

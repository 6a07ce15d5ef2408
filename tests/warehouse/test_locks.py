"""One process at a time trains, and one decides; a killed one holds nobody up."""

from __future__ import annotations

import threading
import time

import pytest
from sqlalchemy import Engine, text

from include.warehouse.locks import RetrainingBusy, exclusive_lock


def test_the_second_training_stops_with_a_clear_message(warehouse: Engine) -> None:
    with (
        exclusive_lock(warehouse, "training"),
        pytest.raises(RetrainingBusy, match=r"another training is running.*retrain_weekly"),
        exclusive_lock(warehouse, "training", wait=False),
    ):
        pytest.fail("two trained at once")
    with exclusive_lock(warehouse, "training", wait=False):
        pass


def test_or_waits_until_the_first_has_ended(warehouse: Engine) -> None:
    order: list[str] = []

    def second() -> None:
        with exclusive_lock(warehouse, "decision"):
            order.append("second")

    with exclusive_lock(warehouse, "decision"):
        waiting = threading.Thread(target=second)
        waiting.start()
        time.sleep(0.3)
        order.append("first")
    waiting.join(timeout=30)
    assert order == ["first", "second"]


def test_a_decision_does_not_wait_for_a_training(warehouse: Engine) -> None:
    with exclusive_lock(warehouse, "training"), exclusive_lock(warehouse, "decision", wait=False):
        pass


def test_the_lock_goes_with_the_connection_of_a_killed_process(warehouse: Engine) -> None:
    with exclusive_lock(warehouse, "training"):
        with warehouse.begin() as connection:
            kill = (
                "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND pid <> pg_backend_pid()"
                " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
            )
            assert connection.scalar(text(kill))
        with exclusive_lock(warehouse, "training", wait=False):
            pass

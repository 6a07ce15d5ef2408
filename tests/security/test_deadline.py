from __future__ import annotations

import multiprocessing
import socket
import threading
import time
from collections.abc import Iterator

import pytest

from include.security.deadline import Deadline, current_deadline


@pytest.fixture
def ends() -> Iterator[tuple[socket.socket, socket.socket]]:
    """The two ends of a connection; reading from one waits for ever, unless something ends it."""
    ours, theirs = socket.socketpair()
    ours.settimeout(20)
    with ours, theirs:
        yield ours, theirs


def seconds_until_cut(connection: socket.socket) -> float:
    started = time.monotonic()
    while connection.recv(100):
        pass
    return time.monotonic() - started


def test_a_reader_who_waits_is_woken_when_time_is_up(ends: tuple[socket.socket, socket.socket]) -> None:
    with Deadline(0.1) as deadline:
        deadline.watch(ends[0])
        assert deadline.remaining > 0
        assert 0.05 < seconds_until_cut(ends[0]) < 5
        assert deadline.remaining == 0


def test_bytes_now_and_then_do_not_put_it_off(ends: tuple[socket.socket, socket.socket]) -> None:
    stop = threading.Event()

    def drip() -> None:
        while not stop.wait(0.01):
            try:
                ends[1].send(b"x")
            except OSError:
                return

    dripping = threading.Thread(target=drip)
    dripping.start()
    with Deadline(0.15) as deadline:
        deadline.watch(ends[0])
        assert seconds_until_cut(ends[0]) < 5
    stop.set()
    dripping.join()


def test_a_connection_that_comes_too_late_is_cut_at_once(ends: tuple[socket.socket, socket.socket]) -> None:
    with Deadline(0) as deadline:
        deadline.watch(ends[0])
        assert seconds_until_cut(ends[0]) < 5


def test_what_arrives_earns_time_up_to_the_longest(ends: tuple[socket.socket, socket.socket]) -> None:
    with Deadline(0.1, bytes_per_second=1_000, longest=0.5) as deadline:
        deadline.watch(ends[0])
        deadline.count(200)
        assert 0.2 < deadline.remaining <= 0.3
        deadline.count(1_000_000)
        assert 0.4 < deadline.remaining <= 0.5
        assert 0.3 < seconds_until_cut(ends[0]) < 5


def test_nothing_is_cut_after_the_block(ends: tuple[socket.socket, socket.socket]) -> None:
    with Deadline(0.05) as deadline:
        deadline.watch(ends[0])
    time.sleep(0.1)
    ends[1].send(b"still here")
    assert ends[0].recv(100) == b"still here"


def test_the_inner_of_two_deadlines_counts_and_the_outer_comes_back() -> None:
    with Deadline(10) as outer:
        with Deadline(5) as inner:
            assert current_deadline() is inner
        assert current_deadline() is outer
    assert current_deadline() is None


def test_all_deadlines_share_one_thread_and_each_is_kept() -> None:
    pairs = [socket.socketpair() for _ in range(40)]
    late: list[float] = []

    def wait(number: int) -> None:
        seconds = 0.05 + 0.005 * number
        with Deadline(seconds) as deadline:
            deadline.watch(pairs[number][0])
            late.append(seconds_until_cut(pairs[number][0]) - seconds)

    threads = [threading.Thread(target=wait, args=(number,)) for number in range(40)]
    for thread in threads:
        thread.start()
    assert sum(thread.name == "deadlines" for thread in threading.enumerate()) == 1
    for thread in threads:
        thread.join(20)
    for pair in pairs:
        pair[0].close()
        pair[1].close()
    assert len(late) == 40
    assert max(late) < 5


def test_many_short_blocks_leave_nothing_behind() -> None:
    descriptors = len(list_descriptors())
    for _ in range(500):
        with Deadline(60):
            pass
    from include.security import deadline

    assert len(deadline._WATCH._queue) <= 65
    assert len(list_descriptors()) == descriptors


def list_descriptors() -> list[str]:
    from pathlib import Path

    return [path.name for path in Path("/proc/self/fd").iterdir()]


def cut_in_a_child(answers: multiprocessing.connection.Connection) -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs, Deadline(0.05) as deadline:
        ours.settimeout(10)
        deadline.watch(ours)
        answers.send(seconds_until_cut(ours) < 5)


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_process_has_deadlines_of_its_own() -> None:
    with Deadline(30):  # the thread runs here, and is lost there
        here, there = multiprocessing.Pipe()
        child = multiprocessing.get_context("fork").Process(target=cut_in_a_child, args=(there,))
        child.start()
        assert here.poll(20)
        assert here.recv()
        child.join(10)

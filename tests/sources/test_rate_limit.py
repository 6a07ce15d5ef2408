from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from include.errors import SourceError
from include.settings import PROJECT_ROOT
from include.sources.rate_limit import Budget, HostRateLimiter

HOST = "world.openfoodfacts.org"

ASK_UNTIL_REFUSED = """
import sys
from pathlib import Path
from include.errors import SourceError
from include.sources.rate_limit import Budget, HostRateLimiter
granted = 0
with HostRateLimiter(Path(sys.argv[1]), 10, longest_wait_seconds=0) as limiter:
    try:
        while granted < 50:
            limiter.wait_for_turn("world.openfoodfacts.org", Budget.SEARCH)
            granted += 1
    except SourceError:
        pass
print(granted)
"""


def grants(limiter: HostRateLimiter, host: str, budget: Budget) -> int:
    count = 0
    with pytest.raises(SourceError, match="waited 0 s for a turn"):
        while count < 500:
            limiter.wait_for_turn(host, budget)
            count += 1
    return count


def test_each_host_and_budget_has_its_own_limit(tmp_path: Path) -> None:
    with HostRateLimiter(tmp_path, 10, longest_wait_seconds=0) as limiter:
        assert grants(limiter, HOST, Budget.SEARCH) == 10
        assert grants(limiter, HOST, Budget.PRODUCT) == 15
        assert grants(limiter, "api.edamam.com", Budget.SEARCH) == 10


def test_a_new_client_does_not_get_a_new_budget(tmp_path: Path) -> None:
    with HostRateLimiter(tmp_path, 4, longest_wait_seconds=0) as limiter:
        assert grants(limiter, HOST, Budget.SEARCH) == 4
    with HostRateLimiter(tmp_path, 4, longest_wait_seconds=0) as limiter:
        assert grants(limiter, HOST, Budget.SEARCH) == 0


def test_processes_side_by_side_share_one_limit(tmp_path: Path) -> None:
    command = [sys.executable, "-c", ASK_UNTIL_REFUSED, str(tmp_path)]
    processes = [subprocess.Popen(command, cwd=PROJECT_ROOT, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    granted = [int(process.communicate(timeout=60)[0]) for process in processes]
    assert sum(granted) == 10


@pytest.mark.parametrize("host", ["../../etc", "a/b", "::1", "x" * 100])
def test_a_host_name_never_leaves_the_folder(tmp_path: Path, host: str) -> None:
    folder = tmp_path / "limits"
    with HostRateLimiter(folder, 10) as limiter:
        limiter.wait_for_turn(host, Budget.FILE)
    assert list(tmp_path.iterdir()) == [folder]

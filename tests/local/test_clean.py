from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from include.local import clean

SCRIPT = Path(clean.__file__)


def run(state: Path) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"CUVEE_STATE_DIR": str(state)}
    command = [sys.executable, "-S", str(SCRIPT)]
    return subprocess.run(command, capture_output=True, text=True, check=False, env=environment, timeout=60)


def test_what_the_platform_made_goes_and_other_peoples_files_stay(tmp_path: Path) -> None:
    for name in ("lake/products", "airflow/processes", "mlflow", "holiday photos"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "demo.json").write_text("{}")
    result = run(tmp_path)
    assert result.returncode == 0
    assert [path.name for path in tmp_path.iterdir()] == ["holiday photos"]
    assert "left there: holiday photos" in result.stderr


def test_a_folder_of_ours_alone_goes_too_and_a_second_time_is_fine(tmp_path: Path) -> None:
    state = tmp_path / "state"
    (state / "lake").mkdir(parents=True)
    assert run(state).returncode == 0
    assert not state.exists()
    assert run(state).returncode == 0


def test_a_link_is_removed_and_not_what_it_leads_to(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "kept").write_text("x")
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "lake").symlink_to(tmp_path / "elsewhere")
    assert run(tmp_path / "state").returncode == 0
    assert (tmp_path / "elsewhere" / "kept").exists()


def test_nothing_is_removed_under_a_running_service(tmp_path: Path) -> None:
    record = tmp_path / "airflow" / "processes" / "api-server.json"
    record.parent.mkdir(parents=True)
    record.write_text(json.dumps({"pid": os.getpid()}))
    result = run(tmp_path)
    assert result.returncode == 1
    assert "make down" in result.stderr
    assert record.exists()

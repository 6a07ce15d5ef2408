"""The Makefile as a person meets it; installing is left to the machine that runs these tests."""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

PROJECT_ROOT = Path(__file__).resolve().parents[2]
TARGETS = {
    *("help", "setup", "demo", "up", "down", "status", "clean"),
    *("test", "check", "coverage", "lint", "format", "audit", "deps", "lock", "evaluate", "bench", "faults"),
    "screenshots",
}
MAKE = shutil.which("make") or ""
UV = Path(sys.executable).parent / "uv"

pytestmark = pytest.mark.skipif(not MAKE, reason="make is not installed")


def make(folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS", "PYTHON"))}
    return subprocess.run(
        [MAKE, *arguments],
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
        env=kept | environment,
        stdin=subprocess.DEVNULL,
        timeout=120,
    )


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """The files that make needs before anything is installed."""
    folder = tmp_path / "a checkout"
    (folder / "include" / "local").mkdir(parents=True)
    shutil.copy(PROJECT_ROOT / "Makefile", folder / "Makefile")
    for name in ("preflight.py", "interpreter.py", "install.py", "clean.py"):
        shutil.copy(PROJECT_ROOT / "include" / "local" / name, folder / "include" / "local" / name)
    for name in ("include/__init__.py", "include/local/__init__.py"):
        (folder / name).touch()
    for name in ("requirements.txt", "requirements-dev.txt", "requirements-uv.txt"):
        (folder / name).write_text(f"no-such-package-for-this-test==9.9.9 --hash=sha256:{64 * 'a'}\n")
    return folder


def test_make_alone_lists_every_target() -> None:
    result = make(PROJECT_ROOT)
    listed = {line.split()[1] for line in result.stdout.splitlines() if line.startswith("  make ")}
    assert listed == TARGETS


def test_without_python_the_message_says_what_to_install(checkout: Path) -> None:
    result = make(checkout, "up", "PYTHON=")
    assert result.returncode != 0
    assert "apt install python3-venv" in result.stderr
    assert not (checkout / ".venv").exists()


def interpreters(folder: Path, **scripts: str) -> str:
    """A folder for PATH with these commands; `{python}` in a script is the Python of this test."""
    folder.mkdir()
    for name, script in scripts.items():
        command = folder / name.replace("_", ".")
        command.write_text(f"#!/bin/sh\n{script.format(python=sys.executable)}\n")
        command.chmod(0o755)
    (folder / "sh").symlink_to("/bin/sh")
    return str(folder)


@pytest.mark.parametrize(
    ("scripts", "chosen"),
    [
        ({"python3_13": 'exec {python} "$@"', "python3_12": 'exec {python} "$@"'}, "python3.13"),
        ({"python3_13": "exit 127", "python3_12": 'exec {python} "$@"'}, "python3.12"),
        ({"python3_13": '[ -z "$2" ]', "python3_11": 'exec {python} "$@"'}, "python3.11"),
        ({"python3": '[ -z "$2" ]'}, "python3"),
    ],
    ids=["newest", "version manager's empty promise", "without venv", "only one, without venv"],
)
def test_the_newest_python_that_can_make_an_environment_is_taken(
    checkout: Path, tmp_path: Path, scripts: dict[str, str], chosen: str
) -> None:
    result = make(checkout, "--dry-run", "clean", PATH=interpreters(tmp_path / "bin", **scripts))
    assert f"{chosen} include/local/clean.py" in result.stdout


def test_the_python_of_the_environment_is_kept(checkout: Path, tmp_path: Path) -> None:
    (checkout / ".venv").mkdir()
    interpreters(checkout / ".venv" / "bin", python='exec {python} "$@"')
    path = interpreters(tmp_path / "bin", python3_13='exec {python} "$@"')
    result = make(checkout, "--dry-run", "clean", PATH=path)
    assert ".venv/bin/python include/local/clean.py" in result.stdout


def test_ci_finds_pythons_of_version_managers_behind_empty_promises(tmp_path: Path) -> None:
    path = interpreters(tmp_path / "bin", python3_13="exit 127", python3_11='exec {python} "$@"')
    for version in ("3.13.0", "3.12.1", "3.14.0"):
        (tmp_path / "versions" / version).mkdir(parents=True)
        interpreters(tmp_path / "versions" / version / "bin", python='exec {python} "$@"')
    (tmp_path / "versions" / "3.12.1" / "bin" / "python").write_text("#!/bin/sh\nexit 1\n")
    found = subprocess.run(
        [shutil.which("bash") or "bash", str(PROJECT_ROOT / ".ci" / "pythons")],
        capture_output=True,
        text=True,
        check=True,
        env={"PATH": path, "HOME": str(tmp_path), "PYENV_ROOT": str(tmp_path)},
        timeout=60,
    )
    assert found.stdout.splitlines() == [f"{tmp_path}/versions/3.13.0/bin/python", f"{path}/python3.11"]


def test_naming_another_python_makes_the_environment_again(checkout: Path, tmp_path: Path) -> None:
    (checkout / ".venv").mkdir()
    interpreters(checkout / ".venv" / "bin", python="echo 3.10")
    for name in (".installed", ".installed-dev"):
        (checkout / ".venv" / name).touch()
    assert "install.py" not in make(checkout, "--dry-run", "setup").stdout
    assert "install.py" in make(checkout, "--dry-run", "setup", f"PYTHON={sys.executable}").stdout
    interpreters(tmp_path / "same", python='exec {python} "$@"')
    shutil.copy(tmp_path / "same" / "python", checkout / ".venv" / "bin" / "python")
    assert "install.py" not in make(checkout, "--dry-run", "setup", f"PYTHON={sys.executable}").stdout


@pytest.mark.skipif(not UV.exists(), reason="uv is not in this environment")
def test_nothing_is_installed_without_its_hash(checkout: Path, tmp_path: Path) -> None:
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    with zipfile.ZipFile(wheels / "cuvee_unlocked-1.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr("cuvee_unlocked.py", "")
        wheel.writestr(
            "cuvee_unlocked-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: cuvee-unlocked\nVersion: 1.0\n"
        )
        wheel.writestr(
            "cuvee_unlocked-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        wheel.writestr("cuvee_unlocked-1.0.dist-info/RECORD", "")
    (checkout / "requirements-uv.txt").write_text("")
    venv.create(checkout / ".venv")
    [packages] = (checkout / ".venv" / "lib").glob("python3*/site-packages")
    (packages / "pip.pth").write_text(sysconfig.get_path("purelib"))  # sooner than installing pip once more
    (checkout / ".venv" / "bin" / "uv").symlink_to(UV)
    offline = {"PIP_NO_INDEX": "1", "PIP_CONFIG_FILE": os.devnull, "PIP_FIND_LINKS": str(wheels)}
    offline |= {"UV_NO_INDEX": "1", "UV_FIND_LINKS": str(wheels), "UV_CACHE_DIR": str(tmp_path / "cache")}

    def install(pin: str) -> subprocess.CompletedProcess[str]:
        (checkout / "requirements.txt").write_text(pin + "\n")
        return make(checkout, ".venv/.installed", f"PYTHON={sys.executable}", **offline)

    digest = hashlib.sha256((wheels / "cuvee_unlocked-1.0-py3-none-any.whl").read_bytes()).hexdigest()
    unlocked = install("cuvee-unlocked==1.0")
    assert unlocked.returncode != 0
    assert "trying pip" in unlocked.stderr  # both refuse
    assert "could not be installed" in unlocked.stderr
    assert "hash" in unlocked.stderr.lower()
    locked = install(f"cuvee-unlocked==1.0 --hash=sha256:{digest}")
    assert (locked.returncode, "trying pip" in locked.stderr) == (0, False), locked.stderr


def test_a_wrong_python_stops_before_anything_is_installed(checkout: Path, tmp_path: Path) -> None:
    old = tmp_path / "python3.9"
    pretend = (
        "import runpy, sys; sys.version_info = (3, 9, 2); del sys.argv[0]; runpy.run_path(sys.argv[0], {}, '__main__')"
    )
    old.write_text(f'#!/bin/sh\nexec {sys.executable} -c "{pretend}" "$@"\n')
    old.chmod(old.stat().st_mode | stat.S_IXUSR)
    result = make(checkout, "setup", f"PYTHON={old}")
    assert result.returncode != 0
    assert "Python 3.11, 3.12 or 3.13 is needed, this is 3.9.2" in result.stderr
    assert not (checkout / ".venv").exists()


def test_down_and_clean_work_where_nothing_was_ever_installed(checkout: Path) -> None:
    assert make(checkout, "down").stdout.strip() == "not installed, so nothing runs"
    (checkout / ".cuvee" / "lake").mkdir(parents=True)
    assert make(checkout, "clean", f"PYTHON={sys.executable}", CUVEE_STATE_DIR="").returncode == 0
    assert not (checkout / ".cuvee").exists()
    assert (checkout / "Makefile").exists()


def test_a_package_that_cannot_be_had_ends_with_what_to_check(checkout: Path) -> None:
    # No index answers, as on a machine without a connection.
    offline = {"PIP_NO_INDEX": "1", "UV_OFFLINE": "1", "PIP_CONFIG_FILE": os.devnull, "PIP_FIND_LINKS": ""}
    result = make(checkout, "setup", f"PYTHON={sys.executable}", **offline)
    assert result.returncode != 0
    assert "could not be installed; the reason stands above" in result.stderr
    assert "HTTPS_PROXY" in result.stderr
    assert not (checkout / ".venv" / ".installed").exists()


def test_replay_reaches_the_command_as_one_argument(checkout: Path) -> None:
    result = make(checkout, "--dry-run", "demo", "REPLAY=../real data", f"PYTHON={sys.executable}")
    assert '.venv/bin/python -m include demo --replay "../real data"' in result.stdout
    assert "--replay" not in make(checkout, "--dry-run", "demo", f"PYTHON={sys.executable}").stdout

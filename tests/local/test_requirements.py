"""The lock can be installed on every machine and Python that the project supports, and only with hashes."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from include.local import interpreter
from tests.conftest import PROJECT_ROOT

UV = Path(sys.executable).parent / "uv"
PLATFORMS = ("x86_64-manylinux_2_28", "aarch64-manylinux_2_28", "aarch64-apple-darwin")
BUILT_FROM_SOURCE = {"aarch64-manylinux_2_28": ("opentsne",)}
"""Packages without a wheel, for which `compiler_problems` asks for a compiler."""
LOCKS = ("requirements.txt", "requirements-dev.txt", "requirements-uv.txt")
_NO_INDEX = re.compile(
    r"dns error|error sending request|[Cc]ould not connect|timed out|Connection refused|network was disabled"
)


def pins(lock: str) -> dict[str, str]:
    """Requirement as written (name, version, marker) to the text of its hashes."""
    text = (PROJECT_ROOT / lock).read_text()
    found = re.findall(r"^([a-z0-9].*?)((?: \\\n +--hash=\S+)*)$", text, flags=re.MULTILINE)
    return dict(found)


@pytest.mark.parametrize("version", interpreter.SUPPORTED, ids="{0[0]}.{0[1]}".format)
@pytest.mark.parametrize("platform", PLATFORMS)
def test_every_locked_package_has_a_wheel_for(platform: str, version: tuple[int, int], tmp_path: Path) -> None:
    if not UV.exists():
        pytest.skip("uv is not in this environment")
    command = [str(UV), "pip", "install", "--dry-run", "--require-hashes", "--only-binary", ":all:"]
    for name in BUILT_FROM_SOURCE.get(platform, ()):
        command += ["--no-binary", name]
    command += ["--python-platform", platform, "--python-version", "{}.{}".format(*version), "--target", str(tmp_path)]
    result = subprocess.run(
        [*command, "-r", "requirements-dev.txt"],
        cwd=PROJECT_ROOT,
        env=os.environ | {"MACOSX_DEPLOYMENT_TARGET": "14.0"},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    if result.returncode and _NO_INDEX.search(result.stderr):
        pytest.skip("no package index can be reached")
    assert result.returncode == 0, result.stderr
    tensorflow = "tensorflow-cpu==" if platform.startswith("x86_64") else "tensorflow=="
    assert f"\n + {tensorflow}" in result.stderr


@pytest.mark.parametrize("lock", LOCKS)
def test_every_pin_has_hashes(lock: str) -> None:
    found = pins(lock)
    assert found
    assert [pin for pin, hashes in found.items() if "==" not in pin or "--hash=sha256:" not in hashes] == []


@pytest.mark.parametrize("lock", LOCKS)
def test_no_lock_names_an_index(lock: str) -> None:
    assert re.findall(r"https?://|^--(?:extra-)?index.*|^--find-links.*", (PROJECT_ROOT / lock).read_text(), re.M) == []


def test_development_uses_the_versions_of_the_product() -> None:
    development = pins("requirements-dev.txt")
    assert {pin: hashes for pin, hashes in pins("requirements.txt").items() if development.get(pin) != hashes} == {}


@pytest.mark.parametrize("lock", ["requirements.txt", "requirements-dev.txt"])
def test_every_package_that_is_asked_for_is_in_the_lock(lock: str) -> None:
    source = (PROJECT_ROOT / lock).with_suffix(".in").read_text()
    asked = re.findall(r"^([A-Za-z0-9._-]+)", source, flags=re.MULTILINE)
    names = {re.split(r"[=\[ ]", pin)[0] for pin in pins(lock)}
    asked = [name for name in asked if not name.startswith("-")]
    assert len(asked) > 10
    assert [name for name in asked if re.sub(r"[._]", "-", name.lower()) not in names] == []

"""Which Pythons and machines are refused, and what their owners are told to do."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

from include.local import interpreter
from include.local.interpreter import Machine, compiler_problems, distribution_of, problems_of
from tests.conftest import PROJECT_ROOT

APPLE = Machine((3, 13, 1), system="darwin", processor="arm64", kernel="23.6.0", libc="")
ARM = Machine((3, 13, 5), processor="aarch64", distribution="debian 13")


def test_the_python_that_runs_these_tests_passes_without_any_package() -> None:
    command = [sys.executable, "-I", "-S", interpreter.__file__]
    result = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert (result.returncode, result.stderr) == (0, "")


@pytest.mark.parametrize(
    "machine",
    [
        Machine((3, 11, 0), distribution="debian 12"),
        Machine((3, 12, 3), libc="glibc 2.39", distribution="ubuntu 24.04"),
        Machine((3, 13, 5), libc="glibc 2.41", distribution="debian 13"),
        Machine((3, 12, 0), libc="glibc 2.28"),
        ARM,
        APPLE,
        APPLE._replace(kernel="25.0.0"),
    ],
    ids=str,
)
def test_every_supported_python_passes_on_every_supported_machine(machine: Machine) -> None:
    assert problems_of(machine) == []


@pytest.mark.parametrize("version", [(3, 9, 2), (3, 10, 1), (3, 14, 0), (4, 11, 0)])
@pytest.mark.parametrize(
    ("machine", "advice", "name"),
    [
        (Machine((), distribution="debian 12"), "apt install python3.11-venv", "python3.11"),
        (Machine((), distribution="ubuntu 24.04"), "apt install python3.12-venv", "python3.12"),
        (Machine((), distribution="debian 13"), "apt install python3.13-venv", "python3.13"),
        (Machine((), distribution="ubuntu 22.04"), "uv python install 3.13", "python3.13"),
        (Machine((), distribution="fedora 44"), "pyenv install 3.13", "python3.13"),
        (APPLE, "brew install python@3.13", "python3.13"),
    ],
    ids=["debian 12", "ubuntu 24.04", "debian 13", "ubuntu 22.04", "fedora", "macos"],
)
def test_another_python_is_refused_with_how_to_get_one_on_this_system(
    machine: Machine, advice: str, name: str, version: tuple[int, int, int]
) -> None:
    [problem] = problems_of(machine._replace(python=version))
    assert problem.startswith("Python 3.11, 3.12 or 3.13 is needed, this is " + ".".join(map(str, version)))
    assert advice in problem
    assert f"make PYTHON=/path/to/{name} " in problem


@pytest.mark.parametrize(
    ("machine", "named"),
    [
        (Machine((3, 11, 13), implementation="pypy"), "3.11.13 of pypy"),
        (Machine((3, 13, 5), free_threaded=True), "3.13.5 without the GIL"),
    ],
)
def test_an_interpreter_without_packages_is_refused(machine: Machine, named: str) -> None:
    [problem] = problems_of(machine)
    assert f"is needed, this is {named}" in problem


@pytest.mark.parametrize(
    ("changes", "reason", "advice"),
    [
        ({"libc": "glibc 2.27"}, "glibc 2.28 or later is needed, this is 2.27", "docker/Dockerfile"),
        ({"libc": ""}, "no glibc", "Take Debian 12 or 13, Ubuntu 24.04"),
        ({"processor": "armv7l", "pointer_bits": 32}, "linux on armv7l with 32 bits", "64-bit system"),
        ({"processor": "aarch64", "pointer_bits": 32}, "linux on aarch64 with 32 bits", "64-bit system"),
        ({"processor": "riscv64"}, "linux on riscv64", "another machine"),
        ({"system": "freebsd14", "processor": "amd64", "libc": ""}, "freebsd14 on amd64", "another machine"),
        ({"system": "win32", "processor": "", "libc": ""}, "Windows", "wsl --install Ubuntu-24.04"),
        ({"system": "darwin", "processor": "x86_64", "libc": ""}, "Intel Macs", "take an arm64 Python"),
        (APPLE._replace(kernel="22.6.0")._asdict(), "macOS 14 or later is needed", "Update macOS"),
    ],
    ids=["old glibc", "musl", "32 bits", "32 bits on 64", "risc-v", "bsd", "windows", "intel mac", "macos 13"],
)
def test_a_machine_without_packages_is_refused_with_what_to_take(
    changes: dict[str, object], reason: str, advice: str
) -> None:
    [problem] = problems_of(Machine((3, 12, 0))._replace(**changes))
    assert reason in problem
    assert advice in problem


def test_a_machine_and_a_python_that_are_both_wrong_are_both_named() -> None:
    assert len(problems_of(Machine((3, 10, 1), libc="glibc 2.17"))) == 2


def test_linux_on_arm_needs_a_compiler_and_headers_for_what_has_no_package(tmp_path: Path) -> None:
    header = tmp_path / "Python.h"
    for missing in (compiler_problems(ARM, "", header), compiler_problems(ARM, "/usr/bin/c++", header)):
        assert "apt install g++ python3.13-dev" in missing[0]
    header.touch()
    assert "apt install g++ python3.13-dev" in compiler_problems(ARM, "", header)[0]
    assert compiler_problems(ARM, "/usr/bin/c++", header) == []
    assert compiler_problems(Machine((3, 13, 5)), "", tmp_path / "none") == []
    assert compiler_problems(APPLE, "", tmp_path / "none") == []


@pytest.mark.parametrize(
    ("content", "distribution"),
    [
        ('ID=debian\nVERSION_ID="13"\nNAME="Debian"\n', "debian 13"),
        ("# comment\n\nVERSION_ID='24.04'\nID=\"ubuntu\"\n", "ubuntu 24.04"),
        ("ID=arch\n", "arch"),
        ("", ""),
    ],
)
def test_the_distribution_is_read_from_its_release_file(tmp_path: Path, content: str, distribution: str) -> None:
    (tmp_path / "os-release").write_text(content)
    assert distribution_of(tmp_path / "os-release") == distribution


def test_a_missing_release_file_names_no_distribution(tmp_path: Path) -> None:
    assert distribution_of(tmp_path / "os-release") == ""


def test_project_workflow_scripts_and_makefile_name_the_supported_versions() -> None:
    versions = ["{}.{}".format(*version) for version in interpreter.SUPPORTED]
    project = tomllib.loads((PROJECT_ROOT / "pyproject.toml").read_text())["project"]
    above = f"3.{interpreter.SUPPORTED[-1][1] + 1}"
    assert project["requires-python"] == f">={versions[0]},<{above}"
    named = [c.rsplit(" ", 1)[1] for c in project["classifiers"] if re.fullmatch(r".*Python :: 3\.\d+", c)]
    assert named == versions
    jobs = yaml.safe_load((PROJECT_ROOT / ".github" / "workflows" / "ci.yml").read_text())["jobs"]
    [newest] = [step["with"] for step in jobs["newest"]["steps"] if "setup-python" in step.get("uses", "")]
    assert [*jobs["others"]["strategy"]["matrix"]["python"], newest["python-version"]] == versions
    for name, pattern in (("Makefile", r"python(3\.\d+)"), (".ci/pythons", r"\b(3\.\d+)\b")):
        assert re.findall(pattern, (PROJECT_ROOT / name).read_text()) == versions[::-1], name

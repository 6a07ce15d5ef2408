"""Checks whether the locked packages exist for this Python on this machine, and if not, says which one to take.

Runs with any Python 3.7 or later and without a single package: `python3 include/local/interpreter.py`.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import sys
import sysconfig
from pathlib import Path
from typing import NamedTuple, Sequence  # noqa: UP035  # collections.abc cannot be subscripted by old versions

SUPPORTED = ((3, 11), (3, 12), (3, 13))
"""Python versions that the lock was resolved for; pyproject.toml and the workflow name the same."""
OLDEST_GLIBC = (2, 28)
OLDEST_DARWIN = 23
"""Kernel of macOS 14, the oldest that ONNX Runtime is built for."""
DISTRIBUTIONS = {"debian 12": "3.11", "debian 13": "3.13", "ubuntu 24.04": "3.12"}
"""Distributions whose own Python is supported, with its version."""
PLATFORMS = "Linux with glibc {}.{} or later on x86-64 or arm64, and macOS 14 or later on Apple silicon".format(
    *OLDEST_GLIBC
)


class Machine(NamedTuple):
    """What decides which packages can be installed."""

    python: Sequence[int]
    implementation: str = "cpython"
    free_threaded: bool = False
    pointer_bits: int = 64
    system: str = "linux"
    """As in `sys.platform`: linux, darwin, win32."""
    processor: str = "x86_64"
    """As in `os.uname().machine`."""
    kernel: str = ""
    """Release of the kernel, e.g. 23.6.0."""
    libc: str = "glibc 2.36"
    """Name and version of the C library; empty where it is not glibc."""
    distribution: str = ""
    """ID and VERSION_ID of /etc/os-release, e.g. debian 12."""


def this_machine() -> Machine:
    """The interpreter and the machine that this runs on."""
    uname = os.uname() if hasattr(os, "uname") else None
    return Machine(
        python=tuple(sys.version_info[:3]),
        implementation=sys.implementation.name,
        free_threaded=bool(sysconfig.get_config_var("Py_GIL_DISABLED")),
        pointer_bits=64 if sys.maxsize > 2**32 else 32,
        system=sys.platform,
        processor=uname.machine if uname else "",
        kernel=uname.release if uname else "",
        libc=_libc(),
        distribution=distribution_of(Path("/etc/os-release")),
    )


def _libc() -> str:
    try:
        return os.confstr("CS_GNU_LIBC_VERSION") or ""
    except (AttributeError, ValueError, OSError):
        return ""


def distribution_of(release_file: Path) -> str:
    """Name and version of a Linux distribution from its os-release file; empty if there is none."""
    try:
        lines = release_file.read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError):
        return ""
    values = dict(line.split("=", 1) for line in lines if "=" in line)
    return " ".join(values.get(key, "").strip("\"'") for key in ("ID", "VERSION_ID")).strip()


def problems_of(machine: Machine) -> list[str]:
    """Why the locked packages cannot be installed, each with what to do; empty if they can."""
    platform = platform_problem(machine)
    python = python_problem(machine)
    return [problem for problem in (platform, python) if problem]


def platform_problem(machine: Machine) -> str:
    """What is wrong with the machine, whatever its Python; empty if nothing is."""
    if machine.system == "win32":
        return (
            f"Windows has no packages of all that is needed; they exist for {PLATFORMS}.\n"
            "  Use WSL 2: `wsl --install Ubuntu-24.04`, and run this there."
        )
    if machine.system == "darwin":
        return _macos_problem(machine)
    if machine.system != "linux" or machine.processor not in ("x86_64", "aarch64") or machine.pointer_bits != 64:
        return (
            f"There are no packages for {machine.system} on {machine.processor} with {machine.pointer_bits} bits; they "
            f"exist for {PLATFORMS}.\n  On a 64-bit processor install a 64-bit system and Python; else take another "
            "machine."
        )
    name, _, version = machine.libc.partition(" ")
    if name != "glibc":
        return (
            "This Linux has no glibc (Alpine has musl), and TensorFlow and ONNX Runtime have no packages for it.\n"
            "  Take Debian 12 or 13, Ubuntu 24.04, or a container of one: docker/Dockerfile."
        )
    if _numbers(version) < OLDEST_GLIBC:
        return (
            "glibc {}.{} or later is needed, this is {}.\n  Take a newer system: Debian 12 or 13, Ubuntu 24.04, or a "
            "container of one: docker/Dockerfile.".format(*OLDEST_GLIBC, version)
        )
    return ""


def _macos_problem(machine: Machine) -> str:
    if machine.processor != "arm64":
        return (
            "This Python is for Intel Macs, which TensorFlow has no packages for.\n  On Apple silicon take an arm64 "
            "Python, e.g. `uv python install 3.13`; on an Intel Mac use Linux or a container: docker/Dockerfile."
        )
    if (_numbers(machine.kernel) or (0,))[0] < OLDEST_DARWIN:
        return "macOS 14 or later is needed: ONNX Runtime has no packages for older ones.\n  Update macOS."
    return ""


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".") if part.isdigit())


def python_problem(machine: Machine) -> str:
    """What is wrong with the interpreter; empty if nothing is."""
    is_plain = machine.implementation == "cpython" and not machine.free_threaded
    if tuple(machine.python[:2]) in SUPPORTED and is_plain:
        return ""
    have = ".".join(str(part) for part in machine.python[:3])
    if machine.implementation != "cpython":
        have += f" of {machine.implementation}"
    elif machine.free_threaded:
        have += " without the GIL"
    wanted = ", ".join("{}.{}".format(*version) for version in SUPPORTED[:-1]) + " or {}.{}".format(*SUPPORTED[-1])
    packaged = DISTRIBUTIONS.get(machine.distribution)
    take = packaged or "{}.{}".format(*SUPPORTED[-1])
    if packaged:
        advice = f"apt install python{take}-venv"
    elif machine.system == "darwin":
        advice = f"brew install python@{take}, or: uv python install {take}"
    else:
        advice = f"Where the system's packages have none: uv python install {take}, or: pyenv install {take}"
    return (
        f"Python {wanted} is needed, this is {have} ({sys.executable}).\n  {advice}\n"
        f"  Then run the same command again, or name the Python: make PYTHON=/path/to/python{take} ..."
    )


def module_problems(machine: Machine) -> list[str]:
    """Whether virtual environments can be made; Debian splits that off the interpreter."""
    missing = [name for name in ("venv", "ensurepip") if importlib.util.find_spec(name) is None]
    if not missing:
        return []
    return [
        "Python has no module {}, so no virtual environment can be made: apt install python{}.{}-venv".format(
            " and ".join(missing), *machine.python[:2]
        )
    ]


def compiler_problems(machine: Machine, compiler: str | None = None, header: Path | None = None) -> list[str]:
    """Whether openTSNE can be built, which has no ready package for Linux on arm64.

    `compiler` is the path of a C++ compiler and `header` that of Python.h, both looked up unless given.
    """
    if (machine.system, machine.processor) != ("linux", "aarch64"):
        return []
    compiler = compiler if compiler is not None else shutil.which(os.environ.get("CXX", "c++"))
    header = header or Path(sysconfig.get_paths()["include"]) / "Python.h"
    if compiler and header.exists():
        return []
    return [
        "On Linux on arm64 one package (openTSNE) is built from source, which takes a C++ compiler and Python's "
        "headers: apt install g++ python{}.{}-dev".format(*machine.python[:2])
    ]


def main() -> int:
    """Check this interpreter; prints each problem and returns 1 if there is one."""
    machine = this_machine()
    # Advice on modules and headers is for the Python that will be used, not for one that must go.
    problems = problems_of(machine) or module_problems(machine) + compiler_problems(machine)
    for problem in problems:
        sys.stderr.write(f"error: {problem}\n")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())

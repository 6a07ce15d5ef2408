"""Makes the virtual environment and installs the locked packages: with uv where it can be had, else with pip.

Both install only files whose hash is in the lock, uv itself included.

Runs before anything is installed: `python3 include/local/install.py requirements.txt`.
"""

from __future__ import annotations

import os
import subprocess
import sys
import venv
from pathlib import Path
from typing import Sequence  # noqa: UP035  # collections.abc cannot be subscripted by old versions

PROJECT_ROOT = Path(__file__).resolve().parent.parent.parent
VENV = PROJECT_ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
UV_REQUIREMENTS = "requirements-uv.txt"
ADVICE = """error: the packages of {files} could not be installed; the reason stands above.
  No connection?    Try: {python} -m pip download --no-deps --dest /tmp wheel
                    Behind a proxy set HTTPS_PROXY; for a mirror set PIP_INDEX_URL (uv: UV_DEFAULT_INDEX).
  No such version?  Does the index or mirror have it? Try: {python} -m pip download --no-deps --dest /tmp NAME==VERSION
  Other hashes?     A mirror or proxy hands out a file that is not the locked one: have it fetch the file again.
  Cannot be built?  On Linux on arm64 openTSNE is compiled: apt install g++ python3-dev
  Disk full?        The installation needs 4 GB beside the package cache: df -h {folder}
Then run the same command again: what is there already is not fetched twice.
"""


def make_environment() -> None:
    """Create `.venv` with this interpreter, unless a working one of the same version is there."""
    if PYTHON.exists():
        probe = subprocess.run(
            [str(PYTHON), "-c", "import sys, pip; print(sys.version_info[:2])"],
            capture_output=True,
            text=True,
            check=False,
        )
        if probe.stdout.strip() == str(sys.version_info[:2]):
            return
    venv.create(VENV, with_pip=True, clear=True)


def pip_settings() -> dict[str, str]:
    """What a person has set for pip (index, certificates), for uv, which does not read pip's configuration."""
    listed = subprocess.run(
        [str(PYTHON), "-m", "pip", "config", "list"], capture_output=True, text=True, check=False
    ).stdout
    names = {"index-url": "UV_DEFAULT_INDEX", "extra-index-url": "UV_INDEX", "cert": "SSL_CERT_FILE"}
    found = {}
    for line in listed.splitlines():
        key, _, value = line.partition("=")
        variable = names.get(key.rsplit(".", 1)[-1])
        if variable:
            found[variable] = value.strip("'\"")
    if "UV_INDEX" in found:
        found["UV_INDEX_STRATEGY"] = "unsafe-best-match"  # pip asks every index too; versions are locked
    return {name: value for name, value in found.items() if name not in os.environ}


def install_uv() -> bool:
    """Whether the locked uv is there, fetched if need be."""
    command = [str(PYTHON), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes"]
    return subprocess.run([*command, "-r", UV_REQUIREMENTS], check=False, cwd=PROJECT_ROOT).returncode == 0


def install(files: Sequence[str]) -> bool:
    """Install the locked packages of requirement files; False if neither uv nor pip could."""
    requirements = [part for file in files for part in ("-r", file)]
    if install_uv():
        # Compiled once: where PYTHONDONTWRITEBYTECODE is set, every process would compile all that it imports.
        command = [str(VENV / "bin" / "uv"), "pip", "install", "--quiet", "--compile-bytecode", "--require-hashes"]
        command += ["--python", str(PYTHON), *requirements]
        environment = dict(os.environ)
        environment.update(pip_settings())
        if subprocess.run(command, check=False, env=environment, cwd=PROJECT_ROOT).returncode == 0:
            return True
    sys.stderr.write("uv could not install the packages, trying pip, which takes some minutes\n")
    command = [str(PYTHON), "-m", "pip", "install", "--disable-pip-version-check", "--require-hashes", *requirements]
    return subprocess.run(command, check=False, cwd=PROJECT_ROOT).returncode == 0


def main(files: Sequence[str]) -> int:
    """Make the environment and install; the exit code."""
    sys.stderr.write(f"installing {' and '.join(files)} into {VENV}\n")
    make_environment()
    if install(files):
        return 0
    sys.stderr.write(ADVICE.format(files=", ".join(files), python=PYTHON, folder=PROJECT_ROOT))
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

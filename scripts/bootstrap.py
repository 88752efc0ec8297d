"""Run nox from a fresh clone with nothing but Python: ``python3 scripts/bootstrap.py -s wheels``.

Makes an environment with nox in ``.nox/bootstrap`` the first time and hands all arguments to nox. Standard library
only, Python 3.11 or later. A stock Debian or Ubuntu Python has no ensurepip and refuses ``pip install`` outside an
environment (PEP 668); there pip is fetched from PyPI into the environment.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
import venv
from pathlib import Path
from urllib.parse import urljoin

ROOT = Path(__file__).resolve().parent.parent
ENVIRONMENT = ROOT / ".nox" / "bootstrap"
# Keep in step with the noxfile's header.
REQUIREMENT = "nox>=2025.5.1"
MARKER = ENVIRONMENT / ".complete"


def main() -> int:
    """Make the environment where it is missing, run nox in it, give its exit code."""
    # The linter only knows that 3.11 is needed; an older interpreter may well be the one that runs this.
    if sys.version_info < (3, 11):  # noqa: UP036
        sys.stderr.write(
            f"error: Python 3.11 or later is needed, this is {sys.version.split()[0]}\n"
        )
        return 2
    python = ENVIRONMENT / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    if not (is_complete() and python.exists()):
        sys.stderr.write(f"making an environment with nox in {ENVIRONMENT.relative_to(ROOT)}\n")
        try:
            create(python)
        except (OSError, subprocess.CalledProcessError, RuntimeError) as error:
            sys.stderr.write(
                f"error: the environment for nox could not be made: {error}\n"
                "hint: check the network and the proxy, or run `uvx nox` or `pipx run nox` instead\n"
            )
            return 4
    command = [str(python), "-m", "nox", "-f", str(ROOT / "noxfile.py"), *sys.argv[1:]]
    return hand_over(command)


def hand_over(command: list[str]) -> int:
    """Let nox take this process's place; it must get an interrupt and the time to end in order.

    ``subprocess.run`` would kill it a quarter of a second after Ctrl-C, while wheelworks still stops its builds.
    """
    if os.name != "nt":
        os.execv(command[0], command)
    with subprocess.Popen(command) as process:
        while True:
            try:
                return process.wait()
            except KeyboardInterrupt:
                continue


def is_complete() -> bool:
    """Whether an earlier call finished, for this requirement and this interpreter."""
    try:
        return MARKER.read_text(encoding="utf-8") == marker_text()
    except OSError:
        return False


def marker_text() -> str:
    """What a finished environment was made of."""
    return f"{REQUIREMENT} {sys.version} {sys.base_prefix}\n"


def create(python: Path) -> None:
    """Make the environment and install nox; the marker is written last, so that a torn one is made again.

    Raises:
        subprocess.CalledProcessError: pip failed.
        RuntimeError: pip can't be fetched.
    """
    try:
        import ensurepip  # noqa: F401 - only asked for; Debian ships it in python3-venv

        has_pip = True
    except ImportError:
        has_pip = False
    venv.EnvBuilder(clear=True, with_pip=has_pip, symlinks=os.name != "nt").create(ENVIRONMENT)
    install = ["install", "--quiet", "--disable-pip-version-check", REQUIREMENT]
    if has_pip:
        subprocess.run([str(python), "-m", "pip", *install], check=True)
    else:
        with tempfile.TemporaryDirectory() as folder:
            pip = fetch_pip(Path(folder))
            # A wheel is a zip file that Python can import from.
            subprocess.run([str(python), f"{pip}/pip", *install], check=True)
    MARKER.write_text(marker_text(), encoding="utf-8")


def fetch_pip(folder: Path) -> Path:
    """Download pip's newest wheel from the index that pip itself would use, checked by its hash.

    Raises:
        RuntimeError: the index offers no wheel of pip, or its hash is wrong.
    """
    index = os.environ.get("PIP_INDEX_URL", "https://pypi.org/simple").rstrip("/") + "/pip/"
    request = urllib.request.Request(
        index, headers={"Accept": "application/vnd.pypi.simple.v1+json"}
    )
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            files = json.load(answer)["files"]
        wheel = [
            file
            for file in files
            if file["filename"].endswith("-py3-none-any.whl")
            and not file.get("yanked")
            and file["filename"].split("-")[1].replace(".", "").isdigit()
        ][-1]
        with urllib.request.urlopen(urljoin(index, wheel["url"]), timeout=60) as answer:
            content = answer.read()
    except (urllib.error.URLError, ValueError, KeyError, IndexError) as error:
        raise RuntimeError(f"pip can't be fetched from {index}: {error}") from error
    if hashlib.sha256(content).hexdigest() != wheel["hashes"]["sha256"]:
        raise RuntimeError(f"{wheel['filename']} does not have the hash that {index} names")
    target = folder / str(wheel["filename"])
    target.write_bytes(content)
    return target


if __name__ == "__main__":
    sys.exit(main())

"""Write requirements/dev.lock: one version of everything that developing needs.

One file for every Python and system that is supported: uv resolves for all of them at once. It
names versions and no index, so that it holds wherever pip gets its packages from. Needs uv, which
``make lock`` installs.
"""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOCK = ROOT / "requirements" / "dev.lock"
HEAD = """\
# Written by `make lock`, never by hand: the versions that `make` installs (newest: make LOCK=).
"""


def oldest_python() -> str:
    """The oldest Python that the package allows."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    required: str = project["requires-python"]
    return required.removeprefix(">=")


def main() -> int:
    """Resolve and write."""
    done = subprocess.run(
        [
            sys.executable, "-m", "uv", "pip", "compile", "pyproject.toml", "--quiet",
            "--universal", "--python-version", oldest_python(), "--all-extras", "--group", "dev",
            "--upgrade", "--no-header", "--no-annotate",
        ],
        cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        return done.returncode
    LOCK.parent.mkdir(exist_ok=True)
    LOCK.write_text(HEAD + done.stdout, "utf-8")
    print(f"{len(done.stdout.splitlines())} packages in {LOCK.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

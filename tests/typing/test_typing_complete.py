"""Every public name has a complete type, as pyright judges an installed package."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest

import evolution_sdk


def test_all_public_types_are_known(tmp_path: Path) -> None:
    pyright = Path(sys.executable).with_name("pyright")
    if not pyright.exists():
        pytest.skip("pyright is not installed (extra dev)")
    venv.create(tmp_path / "env")
    (site,) = (tmp_path / "env").glob("lib/*/site-packages")
    # pyright judges a package by its place: a copy, next to the dependencies of this run.
    shutil.copytree(Path(evolution_sdk.__file__).parent, site / "evolution_sdk")
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib"), "utf-8")
    done = subprocess.run(
        [pyright, "--verifytypes", "evolution_sdk", "--ignoreexternal"],
        env={**os.environ, "PATH": f"{tmp_path}/env/bin{os.pathsep}{os.environ['PATH']}"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Type completeness score: 100%" in done.stdout, done.stdout[-3_000:]

"""The package tells type checkers the truth (pyright reads the same file in ``make types``)."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from importlib.resources import files
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def test_the_package_is_marked_as_typed() -> None:
    assert files("evolution_sdk").joinpath("py.typed").is_file()


def test_mypy_agrees_with_every_type_of_the_api() -> None:
    pytest.importorskip("mypy")
    command = [sys.executable, "-m", "mypy", "--strict", "--warn-unused-ignores"]
    names = ("api", "events", "media", "monitor", "webhook_mounts")
    files = [f"tests/typing/{name}.py" for name in names]
    done = subprocess.run([*command, *files], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


# The page's line for FastAPI did not type-check: ``add_route`` takes a view, and no app. A monitor
# took any object for a client.
def test_pyright_agrees() -> None:
    pytest.importorskip("pyright")
    # Its own interpreter tells it what is installed; the configured one may be another.
    told = ["--pythonpath", sys.executable]
    files = ["tests/typing/monitor.py", "tests/typing/webhook_mounts.py"]
    command = [sys.executable, "-m", "pyright", *told, *files]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_pyright_finds_every_forgotten_await_and_wrong_client(tmp_path: Path) -> None:
    """By itself: mypy's marks are not taken for its own, and a mark that is not needed counts."""
    pytest.importorskip("pyright")
    strict = {
        "include": ["bound.py"],
        "extraPaths": [str(ROOT / "src")],
        "typeCheckingMode": "strict",
        "pythonVersion": "3.11",
        "enableTypeIgnoreComments": False,
        "reportUnnecessaryTypeIgnoreComment": "error",
    }
    (tmp_path / "pyrightconfig.json").write_text(json.dumps(strict), "utf-8")
    shutil.copyfile(Path(__file__).with_name("bound.py"), tmp_path / "bound.py")
    command = [sys.executable, "-m", "pyright", "-p", ".", "--pythonpath", sys.executable]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_page_and_the_example_mount_it_so() -> None:
    checked = Path(__file__).with_name("webhook_mounts.py").read_text("utf-8")
    line = 'app.routes.append(Route("/evolution{rest:path}", endpoint=receiver.asgi))'
    assert line in checked
    assert line in (ROOT / "docs" / "en" / "webhooks.md").read_text("utf-8")

"""The wheel and the sdist: complete, equal, and enough in an empty environment without us.

``make dist`` gives the folder that it built; otherwise both are built here.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
import venv
import zipfile
from pathlib import Path

import pytest

from evolution_sdk import __version__
from services import REQUIRED

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src"
WHEEL = f"evolutionapi_sdk-{__version__}-py3-none-any.whl"
SDIST = f"evolutionapi_sdk-{__version__}.tar.gz"

SENDS = """
from evolution_sdk import EvolutionClient
from evolution_sdk.testing import FakeEvolution
import evolution_sdk

with FakeEvolution(api_key="k").serve() as fake:
    fake.create_instance("sales")
    with EvolutionClient(fake.url, "k", instance="sales") as client:
        client.messages.send_text("5511999999999", "Olá!")
    fake.assert_sent("5511999999999", text="Olá!")
print(evolution_sdk.__file__)
"""
USES_THE_PLUGIN = """
from evolution_sdk import EvolutionClient

def test_a_send(fake_evolution_server):
    fake_evolution_server.create_instance("sales")
    url, key = fake_evolution_server.url, fake_evolution_server.api_key
    with EvolutionClient(url, key, instance="sales") as client:
        client.messages.send_text("5511999999999", "oi")
    fake_evolution_server.assert_sent("5511999999999", text="oi")
"""


def run(*command: object, cwd: Path) -> str:
    """Run a program that knows nothing of the repository, and return what it says."""
    ours = ("PYTHON", "EVOLUTION_", "PYTEST_", "COV_")
    environ = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    done = subprocess.run(
        list(map(str, command)), cwd=cwd, env=environ, capture_output=True, text=True,
        timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    return done.stdout


def build(source: Path, target: Path, *what: str) -> None:
    run(sys.executable, "-m", "build", "--no-isolation", *what, "-o", target, source, cwd=target)


@pytest.fixture(scope="module")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with both files; the wheel is built from the sdist, as ``build`` does by itself."""
    given = os.environ.get("EVOLUTION_SDK_DIST")
    if given is not None:
        return (ROOT / given).resolve()
    folder = tmp_path_factory.mktemp("dist")
    build(ROOT, folder)
    return folder


@pytest.fixture(scope="module")
def python(dist: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of an empty environment in which the wheel was installed."""
    folder = tmp_path_factory.mktemp("empty")
    venv.create(folder, with_pip=False, symlinks=True)
    inside = folder / "bin" / "python"
    done = subprocess.run(
        [
            sys.executable, "-m", "pip", "--python", str(inside), "install", "--quiet",
            "--disable-pip-version-check", f"{dist / WHEEL}[testing]", "pytest",
        ],
        capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    # Without a package index nothing is wrong with the wheel.
    if done.returncode and os.environ.get(REQUIRED) != "1" and "Connection" in done.stderr:
        pytest.skip("no package index can be reached to install the wheel's dependencies from")
    assert done.returncode == 0, done.stderr
    return inside


def test_every_file_of_the_package_is_in_the_wheel(dist: Path) -> None:
    names = set(zipfile.ZipFile(dist / WHEEL).namelist())
    there = {
        path.relative_to(SOURCE).as_posix()
        for path in (SOURCE / "evolution_sdk").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert "evolution_sdk/py.typed" in there
    packed = {name for name in names if name.startswith("evolution_sdk/")}
    assert packed == there


def test_a_wheel_from_the_tree_equals_the_one_from_the_sdist(dist: Path, tmp_path: Path) -> None:
    build(ROOT, tmp_path, "--wheel")
    one, other = (zipfile.ZipFile(each / WHEEL) for each in (dist, tmp_path))
    assert {each.filename: each.CRC for each in one.infolist()} == {
        each.filename: each.CRC for each in other.infolist()
    }


def test_the_sdist_holds_what_testing_needs_and_nothing_of_this_machine(dist: Path) -> None:
    with tarfile.open(dist / SDIST) as sdist:
        names = {name.partition("/")[2] for name in sdist.getnames()}
    for wanted in ("pyproject.toml", "Makefile", "README.md", "LICENSE", "CONTRIBUTING.md",
                   "requirements/dev.lock", "tests/conftest.py", "tools/lowest.py"):  # fmt: skip
        assert wanted in names
    assert not [name for name in names if "__pycache__" in name or name.endswith(".env")]


def test_it_sends_without_the_repository(python: Path, tmp_path: Path) -> None:
    where = run(python, "-I", "-c", SENDS, cwd=tmp_path).strip()
    assert Path(where).is_relative_to(python.parents[1])


def test_the_demo_runs_on_it(python: Path, tmp_path: Path) -> None:
    demo = tmp_path / "quickstart.py"
    demo.write_bytes((ROOT / "examples" / "quickstart.py").read_bytes())
    assert "30 sent, 0 lost, 0 sent twice" in run(python, demo, cwd=tmp_path)


def test_the_command_line(python: Path, tmp_path: Path) -> None:
    evolution = python.parent / "evolution"
    assert run(evolution, "--version", cwd=tmp_path).strip() == __version__
    for program in ([evolution], [python, "-m", "evolution_sdk"]):
        assert "fake-server" in run(*program, "--help", cwd=tmp_path)


def test_its_pytest_plugin(python: Path, tmp_path: Path) -> None:
    (tmp_path / "test_mine.py").write_text(USES_THE_PLUGIN, "utf-8")
    said = run(python, "-m", "pytest", "-q", "-p", "no:cacheprovider", cwd=tmp_path)
    assert "1 passed" in said

"""The generated tree is what the generator makes, and the public surface what its list says."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]


def tool(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, ROOT / "tools" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def generator() -> ModuleType:
    return tool("generate_sync")


@pytest.fixture(scope="module")
def made(generator: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("made") / "src/evolution_sdk/_sync"
    place.mkdir(parents=True)
    generator.generate(place)
    return place


@pytest.fixture
def copy(generator: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the committed tree, which the generator then takes for it."""
    place = tmp_path / "_sync"
    shutil.copytree(generator.TARGET, place)
    monkeypatch.setattr(generator, "TARGET", place)
    return place


def test_sync_is_what_is_generated(generator: ModuleType, made: Path) -> None:
    assert generator.differences(made) == []
    assert generator.unused_names() == []


def test_no_colour_is_left(made: Path) -> None:
    for path in made.rglob("*.py"):
        text = path.read_text("utf-8")
        assert "await " not in text, path
        assert "async " not in text.replace("is async only", ""), path
        assert "Async" not in text, path


def test_a_file_without_a_source_is_noticed(generator: ModuleType, made: Path, copy: Path) -> None:
    (copy / "resources" / "orphan.py").write_text("x = 1\n")
    assert generator.differences(made) == ["has no source: resources/orphan.py"]


def test_a_changed_byte_is_noticed(generator: ModuleType, made: Path, copy: Path) -> None:
    client = copy / "client.py"
    client.write_bytes(client.read_bytes() + b"\n")
    assert generator.differences(made) == ["differs: client.py"]


def test_a_missing_file_is_noticed(generator: ModuleType, made: Path, copy: Path) -> None:
    (copy / "pipeline.py").unlink()
    assert generator.differences(made) == ["missing: pipeline.py"]


def test_the_public_surface_is_listed() -> None:
    """After a wanted change: ``python tools/public_api.py``, and mention it in the changelog."""
    check = [sys.executable, str(ROOT / "tools" / "public_api.py"), "--check"]
    done = subprocess.run(check, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_change_of_the_public_surface_is_noticed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    public = tool("public_api")
    listed = tmp_path / "public.txt"
    listed.write_text(public.TARGET.read_text("utf-8").replace("send_text", "send_txt"), "utf-8")
    monkeypatch.setattr(public, "TARGET", listed)
    monkeypatch.setattr(sys, "argv", ["public_api.py", "--check"])
    assert public.main() == 1
    printed = capsys.readouterr().out
    assert "+messages.send_text(self, number" in printed
    assert "-messages.send_txt(self, number" in printed


def test_the_list_holds_no_address_and_every_family() -> None:
    listed = (ROOT / "api" / "public.txt").read_text("utf-8")
    assert " at 0x" not in listed
    for name in ("messages.send_text(", "async messages.send_text(", "instances.create("):
        assert f"\n{name}" in listed

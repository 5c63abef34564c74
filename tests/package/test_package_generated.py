"""The generated tree is what the generator makes, and the public surface what its list says."""

from __future__ import annotations

import importlib.util
import re
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

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


ROOMS = ("evolution_sdk", "outbox")


@pytest.fixture(scope="module", params=ROOMS)
def tree(request: pytest.FixtureRequest, generator: ModuleType) -> Any:
    (found,) = [tree for tree in generator.trees() if tree.source.parent.name == request.param]
    return found


@pytest.fixture(scope="module")
def made(generator: ModuleType, tree: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("made") / tree.target.relative_to(ROOT)
    place.mkdir(parents=True)
    generator.generate(tree, place)
    return place


@pytest.fixture
def copy(tree: Any, tmp_path: Path) -> Any:
    """The tree, with a copy of the committed code in place of it."""
    place = tmp_path / "_sync"
    shutil.copytree(tree.target, place)
    return tree._replace(target=place)


def a_file(tree: Any) -> str:
    """Any file of a tree that is generated."""
    return max(path.relative_to(tree.source).as_posix() for path in tree.sources())


def test_sync_is_what_is_generated(generator: ModuleType, tree: Any, made: Path) -> None:
    assert generator.differences(tree, made) == []
    assert generator.unused_names() == []


def test_every_tree_of_the_package_is_generated(generator: ModuleType) -> None:
    folders = {path for path in (ROOT / "src").rglob("_async") if path.is_dir()}
    assert {tree.source.resolve() for tree in generator.trees()} == folders
    assert len(folders) == len(ROOMS)


def test_no_colour_is_left(made: Path) -> None:
    for path in made.rglob("*.py"):
        text = path.read_text("utf-8")
        assert "await " not in text, path
        assert "async " not in text.replace("is async only", ""), path
        assert "Async" not in text, path
        assert not re.search(r"^ *(from|import) .*\b_async\b", text, re.MULTILINE), path


def test_a_file_without_a_source_is_noticed(generator: ModuleType, made: Path, copy: Any) -> None:
    (copy.target / "orphan.py").write_text("x = 1\n")
    assert generator.differences(copy, made) == ["has no source: orphan.py"]


def test_a_changed_byte_is_noticed(generator: ModuleType, made: Path, copy: Any) -> None:
    name = a_file(copy)
    file = copy.target / name
    file.write_bytes(file.read_bytes() + b"\n")
    assert generator.differences(copy, made) == [f"differs: {name}"]


def test_a_missing_file_is_noticed(generator: ModuleType, made: Path, copy: Any) -> None:
    name = a_file(copy)
    (copy.target / name).unlink()
    assert generator.differences(copy, made) == [f"missing: {name}"]


def test_a_rule_that_no_tree_needs_is_noticed(
    generator: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(generator.NAMES, "AsyncNothing", "Nothing")
    assert generator.unused_names() == ["AsyncNothing"]


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

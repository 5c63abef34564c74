"""Every mutant of the catalogue still fits the source; `make mutants` tries them."""

from __future__ import annotations

import importlib.util
import sys
from collections import Counter
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]


def _tool() -> ModuleType:
    spec = importlib.util.spec_from_file_location("mutants", ROOT / "tools/mutants.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


tool = _tool()
MUTANTS = tool.load()


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_it_applies_once_and_can_be_imported(mutant: tool.Mutant) -> None:
    assert mutant.old != mutant.new
    for path, text in tool.places(mutant, ROOT).items():
        compile(text, str(path), "exec")


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_the_tests_that_must_kill_it_exist(mutant: tool.Mutant) -> None:
    assert mutant.tests
    for test in mutant.tests:
        file, _, name = test.partition("::")
        assert f"def {name.partition('[')[0]}" in (ROOT / file).read_text("utf-8")


def test_names_are_told_apart() -> None:
    assert {name for name, times in Counter(one.name for one in MUTANTS).items() if times > 1} == (
        set()
    )


def test_all_rooms_with_decisions_are_covered() -> None:
    """A room may be renamed, and its mutants with it, but not leave the catalogue."""
    topics = Counter(mutant.name.partition(":")[0] for mutant in MUTANTS)
    assert len(MUTANTS) >= 100
    assert set(topics) >= {
        "retry", "waits", "budget", "breaker", "pacing", "reconcile", "hunting", "server clock",
        "verdict", "ledger", "turns", "evidence", "fingerprint", "likeness", "own words",
        "classify", "webhooks", "events", "jid", "numbers", "lids", "anomaly", "hysteresis",
        "health",
    }  # fmt: skip


@pytest.mark.parametrize("times", [0, 2])
def test_a_text_that_does_not_occur_once_is_refused(times: int) -> None:
    mutant = tool.Mutant("one", "x.py", "old", "new", ("tests",))
    with pytest.raises(ValueError, match=f"occurs {times} times in x.py"):
        tool.mutate("old " * times, mutant)


def test_code_of_both_clients_is_mutated_in_both(tmp_path: Path) -> None:
    for colour, text in (("_async", "await one\nif await old:\n"), ("_sync", "one\nif old:\n")):
        (tmp_path / colour).mkdir()
        (tmp_path / colour / "x.py").write_text(text)
    for old, new in (("old", "new"), ("if await old:", "if await new:")):
        mutant = tool.Mutant("one", "_async/x.py", old, new, ("tests",))
        changed = {path.parent.name: text for path, text in tool.places(mutant, tmp_path).items()}
        assert changed == {"_async": "await one\nif await new:\n", "_sync": "one\nif new:\n"}


@pytest.mark.parametrize(
    "mutant", [one for one in MUTANTS if "/_async/" in one.file], ids=lambda mutant: mutant.name
)
def test_each_mutant_of_the_client_reaches_both_colours(mutant: tool.Mutant) -> None:
    rooms = {
        path.relative_to(ROOT / "src/evolution_sdk").parts[0] for path in tool.places(mutant, ROOT)
    }
    assert rooms == {"_async", "_sync"}

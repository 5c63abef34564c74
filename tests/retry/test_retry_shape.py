"""The package keeps the rules of the house, and its page in the docs is true."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from evolution_sdk import retry
from evolution_sdk.retry.safety import SETTLING, TABLE, Action, RetryVerdict, StopReason

FILES = sorted(Path(retry.__file__).parent.glob("*.py"))
PAGE = Path(__file__).parents[2] / "docs" / "retry.md"


def imported(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module.partition(".")[0])
    return names


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_only_the_drivers_know_asyncio_and_nobody_http(path: Path) -> None:
    knows = {"drive.py", "background.py"}
    forbidden = {"httpx", "aiohttp"} | (set() if path.name in knows else {"asyncio"})
    assert not imported(path) & forbidden


def test_the_exports_exist_and_are_sorted() -> None:
    assert retry.__all__ == sorted(retry.__all__)
    assert all(hasattr(retry, name) for name in retry.__all__)


def said(verdict: RetryVerdict) -> str:
    if verdict.action is Action.RESOLVE:
        return "by `on_unknown`"
    return "retry" if verdict.action is Action.RETRY else f"give up: `{verdict.reason}`"


def test_the_table_in_the_docs_is_the_table_in_the_code() -> None:
    rows = [
        f"| {effect.name} | {phase.name} | {said(passing)} | {said(staying)} |"
        for (effect, phase), (passing, staying) in TABLE.items()
    ]
    assert "\n".join(rows) in PAGE.read_text(), "docs/retry.md should have:\n" + "\n".join(rows)


def test_the_docs_name_every_reason_and_every_mode() -> None:
    page = PAGE.read_text()
    for word in (*StopReason, *SETTLING):
        assert f"| `{word}` |" in page


def test_the_examples_in_the_docs_run() -> None:
    blocks = PAGE.read_text().split("```python\n")[1:]
    assert len(blocks) >= 4
    for block in blocks:
        exec(compile(block.partition("```")[0], str(PAGE), "exec"), {})

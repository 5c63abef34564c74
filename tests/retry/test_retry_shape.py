"""The package keeps the rules of the house, and its page in the docs is true."""

from __future__ import annotations

import ast
import dataclasses
import inspect
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from evolution_sdk import retry
from evolution_sdk.config import RetryConfig
from evolution_sdk.config._retry import (
    BUDGET_CAPACITY,
    BUDGET_EARNED,
    POLICY_OPTIONS,
    RetryOption,
)
from evolution_sdk.errors import ConfigurationError
from evolution_sdk.retry import EvolutionRetryService, RetryPolicy
from evolution_sdk.retry.policy import PolicyOptions
from evolution_sdk.retry.safety import SETTLING, TABLE, Action, RetryVerdict, StopReason

FILES = sorted(Path(retry.__file__).parent.glob("*.py"))
PAGE = Path(__file__).parents[2] / "docs" / "en" / "retry.md"


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


def test_the_room_stands_alone() -> None:
    """No client, no events, no transport and no HTTP library comes along with it."""
    above = ("_async", "_sync", "_client", "events", "transport", "resilience", "operations")
    code = (
        "import sys, evolution_sdk.retry\n"
        "evolution_sdk.retry.EvolutionRetryService.from_policy(evolution_sdk.retry.RetryPolicy())\n"
        f"loaded = [m for m in {above!r} if 'evolution_sdk.' + m in sys.modules]\n"
        "print(loaded + [m for m in ('httpx', 'httpcore', 'aiohttp') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


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
    assert "\n".join(rows) in PAGE.read_text(), "docs/en/retry.md should have:\n" + "\n".join(rows)


def test_the_docs_name_every_reason_and_every_mode() -> None:
    page = PAGE.read_text()
    for word in (*StopReason, *SETTLING):
        assert f"| `{word}` |" in page


def test_the_examples_in_the_docs_run() -> None:
    blocks = PAGE.read_text().split("```python\n")[1:]
    assert len(blocks) >= 4
    for block in blocks:
        exec(compile(block.partition("```")[0], str(PAGE), "exec"), {})


# Options, declared once


def test_settings_policy_and_service_have_the_declared_options() -> None:
    policy = {each.name: each for each in dataclasses.fields(RetryPolicy)}
    arguments = inspect.signature(EvolutionRetryService.__init__).parameters
    names = [option.option for option in POLICY_OPTIONS]
    assert list(policy) == list(PolicyOptions.__annotations__) == names
    assert [name for name in arguments if name in names] == names
    for option in POLICY_OPTIONS:
        setting = RetryConfig.model_fields[option.option]
        assert setting.default == policy[option.option].default == option.default
        assert option in setting.metadata
        # The argument has the type of the policy's field, or nothing at all.
        words = str(policy[option.option].type).removesuffix(" | None")
        assert str(arguments[option.option].annotation) == f"{words} | None"
        assert arguments[option.option].default is None
        other = "full" if option.choices else 7
        made = EvolutionRetryService(policy=RetryPolicy(), **{option.option: other})
        assert getattr(made.policy, option.option) == other


def test_the_docs_tell_the_declared_defaults_and_meanings() -> None:
    page = PAGE.read_text()
    for option in POLICY_OPTIONS:
        if option.choices:
            default = f"`{option.default}`"
        else:
            default = "none" if option.default is None else f"{option.default:g}"
        assert f"| `{option.option}` | {default} | {option.meaning} |" in page


@pytest.mark.parametrize(
    "option", [*POLICY_OPTIONS, BUDGET_CAPACITY, BUDGET_EARNED], ids=lambda o: o.option
)
def test_code_and_settings_refuse_the_same_values(option: RetryOption[Any]) -> None:
    good = [1, *([] if option.at_least is None else [int(option.at_least), 10**12])]
    bad: list[Any] = [-1, 10**13, float("nan"), float("inf"), "no"]
    if option.choices:
        good, bad = list(option.choices), ["", "often", 1, None]
    for value in good:
        option.check(value)
        assert getattr(RetryConfig(**{option.option: value}), option.option) == value
    for value in bad:
        with pytest.raises(ConfigurationError) as caught:
            option.check(value)
        assert caught.value.variable == option.option
        with pytest.raises(ConfigurationError) as caught:
            RetryConfig(**{option.option: value})
        assert caught.value.variable == option.name == f"EVOLUTION_RETRY_{option.option.upper()}"
        assert option.rule in str(caught.value)

"""Every public name exists and says what it does, takes, returns and raises."""

from __future__ import annotations

import builtins
import importlib
import inspect
import re
from collections.abc import Iterator
from typing import Any

import pytest

import evolution_sdk
from evolution_sdk import AsyncEvolutionClient, EvolutionClient

SUBPACKAGES = (
    "archive",
    "config",
    "errors",
    "events",
    "identity",
    "media",
    "models",
    "monitor",
    "monitor.cli",
    "monitor.export",
    "outbox",
    "outbox.cli",
    "resilience",
    "retry",
    "streams",
    "testing",
    "transport",
    "webhooks",
)
MODULES = [evolution_sdk, *(importlib.import_module(f"evolution_sdk.{s}") for s in SUBPACKAGES)]
DOCUMENTED_WHOLE = (
    "EvolutionConfig",
    "EvolutionMonitorService",
    "EvolutionRetryService",
    "Jid",
    "Media",
    "PhoneNumber",
)
# They ask nothing of the server, so that no error of ours can come out of them.
RAISES_NOTHING = {
    "breakers",
    "cache_clear",
    "close",
    "bind_event",
    "claim_on",
    "feed",
    "instance",
    "observe",
    "on_breaker_change",
    "shows_buttons",
}


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.__name__)
def test_exports_exist_sorted_and_documented(module: Any) -> None:
    exported = module.__all__
    # Constants, then classes, then functions, as ruff sorts them; the same either way.
    assert len(set(exported)) == len(exported)
    assert list(exported) == sorted(exported, key=_order)
    for name in exported:
        value = getattr(module, name)
        if inspect.isclass(value) or inspect.isroutine(value):
            assert value.__doc__, name
    assert module.__doc__


def test_the_package_loads_its_names_when_they_are_asked_for() -> None:
    assert set(evolution_sdk.__all__) <= set(dir(evolution_sdk))
    with pytest.raises(AttributeError, match="no_such_name"):
        _ = evolution_sdk.no_such_name


def _order(name: str) -> tuple[int, str]:
    kind = 0 if name.isupper() else 1 if name[0].isupper() else 2
    return kind, name


def families(client: Any) -> Iterator[type]:
    for name in dir(client):
        if not name.startswith("_"):
            kind = type(getattr(client, name))
            if ".resources." in kind.__module__:
                yield kind


def documented() -> Iterator[tuple[str, Any, bool]]:
    """Name, function, and whether it makes calls, of every public method."""
    for client_class in (EvolutionClient, AsyncEvolutionClient):
        made = client_class("http://localhost", "key")
        yield from methods(client_class, calls=True)
        yield from methods(type(made.instance("x")), calls=True)
        for family in families(made):
            yield from methods(family, calls=True)
    for name in DOCUMENTED_WHOLE:
        yield from methods(getattr(evolution_sdk, name), calls=False)


def methods(owner: type, *, calls: bool) -> Iterator[tuple[str, Any, bool]]:
    for name, member in inspect.getmembers(owner):
        ours = getattr(member, "__module__", None) or ""
        if name.startswith("_") or not ours.startswith("evolution_sdk"):
            continue
        if inspect.isfunction(member) or inspect.ismethod(member):
            yield f"{owner.__name__}.{name}", member, calls


METHODS = {name: (member, calls) for name, member, calls in documented()}


def test_there_are_methods() -> None:
    assert len(METHODS) > 120
    assert {"MessagesApi.send_text", "AsyncMessagesApi.send_text"} <= METHODS.keys()


def section(doc: str, title: str) -> str:
    found = re.search(rf"^{title}:\n((?:    .*\n?|\n)+)", doc, re.MULTILINE)
    return found[1] if found else ""


@pytest.mark.parametrize("name", METHODS)
def test_a_method_documents_arguments_result_and_errors(name: str) -> None:
    member, calls = METHODS[name]
    doc = inspect.getdoc(member) or ""
    assert doc, "no docstring"
    signature = inspect.signature(member)
    described = re.findall(r"^    (\*{0,2}\w+):", section(doc, "Args"), re.MULTILINE)
    expected = [_written(p) for p in signature.parameters.values() if p.name not in ("self", "cls")]
    assert described == expected
    if signature.return_annotation not in (None, "None"):
        assert section(doc, "Returns") or section(doc, "Yields"), "no Returns"
    if calls and name.rpartition(".")[2] not in RAISES_NOTHING:
        assert section(doc, "Raises"), "no Raises"


def _written(parameter: inspect.Parameter) -> str:
    return str(parameter).partition(":")[0].partition("=")[0].strip()


@pytest.mark.parametrize("name", METHODS)
def test_every_error_in_a_docstring_exists(name: str) -> None:
    member, _ = METHODS[name]
    raised = re.findall(
        r"^    (\w+):", section(inspect.getdoc(member) or "", "Raises"), re.MULTILINE
    )
    assert all(hasattr(evolution_sdk, kind) or hasattr(builtins, kind) for kind in raised), raised


@pytest.mark.parametrize("name", METHODS)
def test_a_time_carries_its_unit(name: str) -> None:
    words = re.compile(r"(^|_)(timeout|delay|wait|interval|poll|elapsed)(_|$)")
    for parameter in inspect.signature(METHODS[name][0]).parameters:
        assert not words.search(parameter) or parameter.endswith(("_ms", "wait")), parameter


def test_the_sync_methods_are_the_async_ones() -> None:
    for name, (member, _) in METHODS.items():
        if name.startswith("Async"):
            twin = METHODS[name.removeprefix("Async")][0]
            mine, its = inspect.signature(member), inspect.signature(twin)
            assert list(mine.parameters) == list(its.parameters), name

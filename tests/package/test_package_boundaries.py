"""Cycles of imports, which import-linter does not look for, and what an import costs."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "evolution_sdk"
FILES = {path.relative_to(SOURCE).as_posix(): path for path in sorted(SOURCE.rglob("*.py"))}
HTTP = {"httpx", "httpx2", "aiohttp", "httpcore", "requests", "urllib3", "starlette", "uvicorn"}
COLOURLESS = (
    "_base",
    "_client",
    "_common",
    "archive",
    "config",
    "errors",
    "events",
    "identity",
    "media",
    "models",
    "monitor",
    "operations",
    "reconcile",
    "resilience",
    "retry",
    "tracking",
)
MAY_USE_ASYNCIO = {
    "_base/serial_worker.py": "hands blocking work to a thread, so that no loop waits for it",
    "events/_plain_calls.py": "one asyncio.to_thread: a blocking handler must not stop a loop",
    "monitor/console/figures.py": "reads outbox and receiver aside from the loop of an ASGI app",
    "monitor/console/http.py": "an ASGI app: bounds the time of a body",
    "monitor/console/hub.py": "an ASGI app: one task looks, and each page has its own",
    "monitor/runner.py": "tasks, threads and loops",
    "retry/background.py": "runs async handlers of events on the loop that is at work",
    "retry/drive.py": "the thin driver: asyncio.sleep as default, and a limit of an attempt",
}
# `evolution fake-server` is reached by name, through the table of commands of `__main__.py`.
MAY_USE_HTTP = {
    "cli/plain_http.py": "doctor and `events replay` speak to webhooks, no server of ours",
    "cli/serving.py": "runs the console and `evolution listen` in uvicorn, lazily",
}


def imported(path: Path) -> Iterator[tuple[str, bool]]:
    """Every module that a file imports by absolute name, and whether at import time."""
    parts = ("evolution_sdk", *path.relative_to(SOURCE).with_suffix("").parts)
    tree = ast.parse(path.read_text("utf-8"))
    inside = {
        node
        for function in ast.walk(tree)
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
        for node in ast.walk(function)
    }
    for node in ast.walk(tree):
        eager = node not in inside
        if isinstance(node, ast.Import):
            yield from ((alias.name, eager) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(parts[: len(parts) - node.level]) if node.level else ""
            home = ".".join(filter(None, (base, node.module)))
            yield home, eager
            yield from ((f"{home}.{alias.name}", eager) for alias in node.names)


def names_of(path: Path) -> set[str]:
    return {name for name, _ in imported(path)}


def tops(names: set[str]) -> set[str]:
    return {name.partition(".")[0] for name in names}


def within(names: set[str], *packages: str) -> set[str]:
    return {n for n in names for p in packages if n == p or n.startswith(f"{p}.")}


PURE = [name for name in FILES if name.partition("/")[0] in COLOURLESS]


@pytest.mark.parametrize("name", PURE)
def test_what_decides_knows_neither_http_nor_a_colour(name: str) -> None:
    found = names_of(FILES[name])
    assert not tops(found) & HTTP
    assert not within(found, "evolution_sdk._async", "evolution_sdk._sync")
    assert "asyncio" not in tops(found) or name in MAY_USE_ASYNCIO


def test_the_exceptions_are_still_needed() -> None:
    assert all("asyncio" in tops(names_of(FILES[name])) for name in MAY_USE_ASYNCIO)
    for name in MAY_USE_HTTP:
        uses = [eager for n, eager in imported(FILES[name]) if tops({n}) & HTTP]
        assert uses
        # A module of a command is loaded when the command is run.
        assert name.startswith("cli/") or not any(uses), "only when asked for"


@pytest.mark.parametrize("name", [name for name in FILES if not name.startswith("testing/")])
def test_only_the_transport_imports_an_http_library(name: str) -> None:
    found = names_of(FILES[name])
    assert name.startswith("transport/") or name in MAY_USE_HTTP or not tops(found) & HTTP
    assert not within(found, "evolution_sdk.testing")
    assert "pytest" not in tops(found)


def module_of(name: str) -> str:
    """The dotted name of a file."""
    parts = ("evolution_sdk", *Path(name).with_suffix("").parts)
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def arrows() -> dict[str, set[str]]:
    """Every import of one of our modules by another, type-only and lazy ones included."""
    known = {module_of(name) for name in FILES}
    return {
        module_of(name): {
            found
            for found in names_of(path)
            # A name of a package, not one of its modules, is an import of the package.
            if found in known and found != module_of(name)
        }
        for name, path in FILES.items()
    }


def knots(graph: dict[str, set[str]]) -> list[set[str]]:
    """Groups of more than one node that reach each other (Tarjan's components)."""
    order: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    found: list[set[str]] = []

    def visit(node: str) -> None:
        order[node] = low[node] = len(order)
        stack.append(node)
        for other in sorted(graph.get(node, ())):
            if other not in order:
                visit(other)
            if other in stack:
                low[node] = min(low[node], low[other])
        if low[node] == order[node]:
            group = set[str]()
            while node not in group:
                group.add(stack.pop())
            if len(group) > 1:
                found.append(group)

    for node in sorted(graph):
        if node not in order:
            visit(node)
    return found


def test_a_knot_is_noticed() -> None:
    assert knots({"a": {"b"}, "b": {"c"}, "c": {"b"}}) == [{"b", "c"}]
    assert knots({"a": {"b"}, "b": {"c"}, "c": set()}) == []


def test_no_modules_import_each_other() -> None:
    """Packages may: importing a module imports its package first, which names its modules."""
    packages = {module_of(name) for name in FILES if name.endswith("__init__.py")}
    graph = {
        module: {other for other in others if other not in packages}
        for module, others in arrows().items()
        if module not in packages
    }
    assert knots(graph) == []


def test_no_packages_import_each_other() -> None:
    graph: dict[str, set[str]] = {}
    for module, others in arrows().items():
        mine = module.split(".")[1:2]
        for other in others:
            theirs = other.split(".")[1:2]
            # The client's return type is the one arrow that climbs: see pyproject.toml.
            if mine and theirs and mine != theirs and theirs != ["services"]:
                graph.setdefault(mine[0], set()).add(theirs[0])
    assert knots(graph) == []


def fresh(code: str) -> str:
    """Run code in a new interpreter and return what it prints."""
    done = subprocess.run(
        [sys.executable, "-I", "-c", code], capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def test_importing_the_package_imports_no_extra() -> None:
    """An extra that is not installed must not be missed, and one that is must cost nothing."""
    extras = (
        "aiohttp",
        "starlette",
        "uvicorn",
        "httpx2",
        "pytest",
        "socketio",
        "aio_pika",
        "redis",
        "cachetools",
        "limits",
        "prometheus_client",
        "opentelemetry",
        "rich",
        "evolution_sdk.monitor.export",
    )
    code = f"import sys, evolution_sdk; print([m for m in {extras!r} if m in sys.modules])"
    assert fresh(code) == "[]"


@pytest.mark.parametrize(
    "module",
    [
        "errors",
        "models",
        "monitor",
        "monitor.cli",
        "monitor.export",
        "outbox",
        "outbox.cli",
        "retry",
        "resilience",
        "identity",
        "media",
        "config",
        "events",
        "streams",
        "archive",
        "webhooks",
    ],
)
def test_a_subpackage_can_be_imported_first(module: str) -> None:
    """No import circle hides behind the order of the package's own imports."""
    assert fresh(f"import evolution_sdk.{module} as m; print(len(m.__all__) > 0)") == "True"


def test_the_version_can_be_asked_for() -> None:
    asked = [sys.executable, "-I", "-m", "evolution_sdk", "--version"]
    done = subprocess.run(asked, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == fresh("import evolution_sdk; print(evolution_sdk.__version__)")

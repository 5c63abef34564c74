"""The tables of the pages are true: faults, channels, names of errors, methods and settings."""

from __future__ import annotations

import asyncio
import builtins
import re
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

import pytest
from docs_pages import PAGES, ROOT, name

from evolution_sdk import (
    OPERATIONS,
    EvolutionClient,
    EvolutionError,
    RetryPolicy,
    SendOutcomeUnknownError,
    errors,
)
from evolution_sdk.config import variable_paths
from evolution_sdk.testing import FakeEvolution, FaultKind
from evolution_sdk.testing.fake.control.routes import ControlRoute
from evolution_sdk.testing.fake.control.table import ROUTES as CONTROL_ROUTES

NUMBER = "5511999999999"
READ_TIMEOUT_MS = 5_000
EVENT_PREFIX = "EVOLUTION_WEBHOOK_EVENTS_"


class Ends(NamedTuple):
    """How a send ends with a fault: outcome, and how many messages the server has."""

    outcome: str
    acted: int


IN_PROCESS = {
    "refuse": Ends("sent", 1),  # retried
    "drop": Ends("unknown", 0),
    "answer_then_drop": Ends("unknown", 1),
    "delay": Ends("unknown", 1),
    "status": Ends("unknown", 0),  # a 500 does not tell
    "status_after": Ends("unknown", 1),
    "truncate": Ends("drift", 1),
    "empty": Ends("drift", 1),
}
OVER_HTTP = {**IN_PROCESS, "refuse": Ends("unknown", 0), "delay": Ends("sent", 1)}
CASES = [(shell, kind) for shell in ("in-process", "http") for kind in IN_PROCESS]


@pytest.fixture
def stage(request: pytest.FixtureRequest) -> Iterator[tuple[FakeEvolution, EvolutionClient]]:
    fake = FakeEvolution()
    fake.create_instance("sales")
    with ExitStack() as stack:
        http = None
        if request.param == "http":
            stack.enter_context(fake.serve())
        else:
            http = stack.enter_context(fake.http_client())
        client = stack.enter_context(
            EvolutionClient(
                fake.url,
                fake.api_key,
                instance="sales",
                http_client=http,
                retry=RetryPolicy(delay_ms=0),
            )
        )
        yield fake, client


def _send(client: EvolutionClient) -> str:
    try:
        sent = client.messages.send_text(
            NUMBER, "Olá!", on_unknown="raise", timeout_ms=READ_TIMEOUT_MS
        )
    except SendOutcomeUnknownError:
        return "unknown"
    except EvolutionError as error:
        return type(error).__name__
    return "drift" if sent.drift and not sent.id else "sent"


@pytest.mark.parametrize(("stage", "kind"), CASES, indirect=["stage"])
def test_a_fault_ends_a_send_as_the_table_says(
    stage: tuple[FakeEvolution, EvolutionClient],
    kind: str,
    request: pytest.FixtureRequest,
) -> None:
    fake, client = stage
    options = {
        "delay": {"delay_ms": 2 * READ_TIMEOUT_MS},
        "status": {"status": 500},
        "status_after": {"status": 500},
    }
    fault = fake.faults.add("message.send_text", kind, count=1, **options.get(kind, {}))
    expected = (OVER_HTTP if "http" in request.node.callspec.id else IN_PROCESS)[kind]
    assert Ends(_send(client), len(fake.sent)) == expected
    assert fault.hits == 1


def test_the_table_has_every_kind() -> None:
    page = (ROOT / "docs" / "en" / "testing.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\w+)` \| (yes|no) \|", page, re.MULTILINE)
    assert [kind for kind, _ in rows] == [kind.value for kind in FaultKind]
    acts = {kind: "yes" if ends.acted else "no" for kind, ends in OVER_HTTP.items()}
    assert dict(rows) == acts


def test_the_channels_of_each_kind_of_message() -> None:
    page = (ROOT / "docs" / "en" / "sending.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(send_\w+)` \| (\w+) \| (\w+) \| (\w+) \|", page, re.MULTILINE)
    told = {
        f"message.{method}": [channel == "yes" for channel in channels]
        for method, *channels in rows
    }
    real = {
        key: [channel in operation.channels for channel in ("baileys", "business", "evolution")]
        for key, operation in OPERATIONS.items()
        if operation.group == "message"
    }
    assert told == real


def test_the_control_routes_of_the_fake_are_listed() -> None:
    page = (ROOT / "docs" / "en" / "testing.md").read_text(encoding="utf-8")
    told = re.findall(r"^\| `(?:GET|POST|DELETE) /_fake/.*$", page, re.MULTILINE)
    assert told == [
        f"| `{route.method} {route.full_path}` | `{route.member}` | {_taken(route)} |"
        for route in CONTROL_ROUTES
    ]


def _taken(route: ControlRoute) -> str:
    fields = (field for field in route.fields if not field.in_path)
    return ", ".join(f"`{field.name}`{'' if field.required else '?'}" for field in fields)


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_error_named_exists(page: Path) -> None:
    named = set(re.findall(r"(?<!redis\.)\b([A-Z]\w+Error)\b", page.read_text(encoding="utf-8")))
    assert named <= {*errors.__all__, *dir(builtins), *dir(asyncio)}


def _read_by_recipes() -> set[str]:
    """Variables that programs of the cookbook read by themselves, such as WEBHOOK_URL."""
    programs = (ROOT / "examples" / "cookbook").glob("*.py")
    texts = [program.read_text(encoding="utf-8") for program in programs]
    return {each for text in texts for each in re.findall(r'os\.environ\["(\w+)"\]', text)}


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_setting_named_exists(page: Path) -> None:
    live = {f"EVOLUTION_LIVE_{name}" for name in ("URL", "API_KEY", "GRAPH_URL")}
    known = {*variable_paths(), *live, *_read_by_recipes()}
    named = re.findall(r"\b((?:EVOLUTION|WEBHOOK)_[A-Z_]+)\b", page.read_text(encoding="utf-8"))
    assert {each for each in named if not each.startswith(EVENT_PREFIX)} <= known

"""The rule of docs/en/logging.md: what each level means, a line's fields, what is never said."""

from __future__ import annotations

import ast
import logging
import re
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from evolution_sdk import EvolutionClient, EvolutionConfig
from evolution_sdk.errors import EvolutionError
from evolution_sdk.retry.labels import CallLabels
from evolution_sdk.testing import FakeEvolution, FaultKind, no_retry_delays

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "en" / "logging.md").read_text("utf-8")
SOURCES = sorted((ROOT / "src").rglob("*.py"))
TEXT = "a very private text"
BREAKER = {"consecutive_failures": 2, "minimum_calls": 2}


def lines(
    caplog: pytest.LogCaptureFixture, do: Any, *, breaker: Any = None, **arguments: Any
) -> list[Any]:
    """The records of one thing done with a client of an in-process fake."""
    fake = FakeEvolution(api_key="s3cret-key")
    fake.create_instance("bot")
    config = EvolutionConfig("http://fake", "s3cret-key", instance="bot", breaker=breaker)
    with (
        fake.http_client() as http,
        caplog.at_level(logging.DEBUG, "evolution_sdk"),
        no_retry_delays(),
        EvolutionClient(config=config, http_client=http, **arguments) as client,
        suppress(EvolutionError),
    ):
        do(client, fake)
    assert TEXT not in caplog.text
    assert "s3cret-key" not in caplog.text
    return [record for record in caplog.records if record.name.startswith("evolution_sdk")]


def send(client: Any, _: Any) -> None:
    client.messages.send_text("5511999999999", TEXT)


def send_refused_once(client: Any, fake: FakeEvolution) -> None:
    fake.faults.add("message.send_text", FaultKind.REFUSE, count=1)
    send(client, fake)


def send_refused_for_ever(client: Any, fake: FakeEvolution) -> None:
    fake.faults.add("message.send_text", FaultKind.REFUSE, count=99)
    send(client, fake)


def send_to_nobody(client: Any, fake: FakeEvolution) -> None:
    client.instance("nobody").messages.send_text("5511999999999", TEXT)


def send_unheard(client: Any, fake: FakeEvolution) -> None:
    fake.faults.add("message.send_text", FaultKind.ANSWER_THEN_DROP, count=1)
    send(client, fake)


def levels(records: list[Any]) -> list[tuple[str, str]]:
    return [(record.levelname, record.getMessage().partition(":")[0]) for record in records]


@pytest.mark.parametrize(
    ("do", "expected"),
    [
        (send, [("DEBUG", "succeeded")]),
        (send_refused_once, [("INFO", "retrying"), ("INFO", "succeeded")]),
        (
            send_refused_for_ever,
            [("INFO", "retrying"), ("INFO", "retrying"), ("WARNING", "gave up")],
        ),
        (send_to_nobody, [("INFO", "gave up")]),
    ],
)
def test_the_level_of_each_outcome(
    do: Any, expected: list[tuple[str, str]], caplog: pytest.LogCaptureFixture
) -> None:
    records = lines(caplog, do)
    assert levels(records) == expected
    names = set(CallLabels("x", None).fields(attempt=1))
    for record in records:
        assert names <= set(vars(record))
        assert record.operation == "message.send_text"
        assert record.instance in ("bot", "nobody")
        assert repr(record.instance) in record.getMessage()
        assert record.request_id == records[0].request_id
    assert names == set(re.findall(r"^\| `(\w+)` \|", PAGE, re.MULTILINE))


def test_an_instance_that_is_named_by_its_number_is_masked(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def do(client: Any, _: FakeEvolution) -> None:
        client.instance("5511987654321").messages.send_text("5511999999999", TEXT)

    (record,) = lines(caplog, do)
    assert "5511987654321" not in record.getMessage()
    assert "5511987654321" not in str(vars(record))


def test_a_lost_answer_is_looked_up_at_info(caplog: pytest.LogCaptureFixture) -> None:
    records = [r for r in lines(caplog, send_unheard) if r.levelname != "DEBUG"]
    assert {record.levelname for record in records} == {"INFO"}
    assert records[0].getMessage().startswith("outcome unknown: operation='message.send_text'")
    assert records[0].phase == "unknown"


def test_an_opening_circuit_is_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    records = lines(caplog, send_refused_for_ever, breaker=BREAKER)
    opened = [record for record in records if "circuit of" in record.getMessage()]
    assert [record.levelname for record in opened] == ["WARNING"]


def test_a_handler_that_raises_is_an_error(caplog: pytest.LogCaptureFixture) -> None:
    def broken(_: object) -> None:
        raise RuntimeError(TEXT)

    def do(client: Any, fake: FakeEvolution) -> None:
        client.observe(broken)
        client.retry.on("success", broken)
        send(client, fake)

    records = [record for record in lines(caplog, do) if record.levelname == "ERROR"]
    assert [record.getMessage().partition(" raised")[0] for record in records] == [
        "an observer",
        "a listener of 'success'",
    ]
    for record in records:
        assert (record.error, record.error_file) == ("RuntimeError", __file__)
        assert record.error_line == broken.__code__.co_firstlineno + 1


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(ROOT / "src")))
def test_no_line_holds_the_text_of_an_exception(path: Path) -> None:
    """``exc_info`` and ``exception()`` write it, and it may quote a message."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            names = {keyword.arg for keyword in node.keywords}
            assert "exc_info" not in names, node.lineno
            owner = getattr(node.func.value, "id", "")
            assert node.func.attr != "exception" or owner not in ("_log", "logging"), node.lineno

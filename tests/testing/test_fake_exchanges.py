"""The fake answers every recorded request of its families as the real server did."""

from __future__ import annotations

import json
from typing import Any

import pytest
from exchange_compare import listing, structure, words
from exchange_data import ALL, OTHERS, Exchange
from exchange_stage import GLOBAL_KEY, Stage, make
from exchange_unlike import UNLIKE, Unlike, why_unlike

from evolution_sdk import OPERATIONS
from evolution_sdk.errors import EvolutionError

EXCEPTIONS = {
    "chatwoot.webhook on WHATSAPP-BAILEYS": "inbound: Chatwoot itself calls this route",
    "group.create on WHATSAPP-BAILEYS (simulated socket)": "the simulated socket promotes nobody: "
    "its members keep their ranks after promoteParticipants, in the fake they get them",
}
"""Exchange case of 2.3.6 → why the fake cannot answer alike."""

COVERED = [exchange for exchange in ALL if exchange.case not in EXCEPTIONS]
COVERED_OTHERS = [exchange for exchange in OTHERS if why_unlike(exchange) is None]

_HOST = "127.0.0.1:8241"
STORED_ROWS = ("chat.find_messages", "chat.find_chats", "instance.fetch_instances")


def _key(stage: Stage) -> dict[str, str]:
    kind = stage.exchange.request["headers"]["apikey"]
    instances = stage.fake.instances
    match kind:
        case "global":
            return {"apikey": GLOBAL_KEY}
        case "instance":
            return {"apikey": instances[stage.name].token}
        case "instance (of another instance)":
            other = next(row for row in instances.values() if row.name != stage.name)
            return {"apikey": other.token}
        case "wrong":
            return {"apikey": "wrong-key"}
        case _:
            return {}


def answer(exchange: Exchange) -> tuple[int, dict[str, str], bytes]:
    stage = make(exchange)
    headers, body = exchange.encoded()
    request = exchange.request
    reply = stage.fake.kernel.handle(
        request["method"], request["path"], {**headers, **_key(stage), "host": _HOST}, body
    )
    return reply.status, dict(reply.headers), reply.body


def check(exchange: Exchange) -> None:
    status, headers, body = answer(exchange)
    recorded: dict[str, Any] = exchange.response
    assert status == recorded["status"], body[:300]
    if "text" in recorded:
        _check_text(recorded, headers, body)
        return
    if "json" not in recorded:
        assert body == b""
        return
    got = json.loads(body)
    if exchange.operation in STORED_ROWS and status == 200:
        assert len(str(got)) > 10 or got == recorded["json"]
        assert listing(got) == listing(recorded["json"])
    else:
        assert structure(got) == structure(recorded["json"])
    if status >= 400:
        assert words(got) == words(recorded["json"])


def _check_text(recorded: dict[str, Any], headers: dict[str, str], body: bytes) -> None:
    kind = recorded["headers"]["content-type"]
    assert sorted(headers["content-type"].lower().split("; ")) == sorted(kind.lower().split("; "))
    lines = [line for line in body.decode().splitlines() if line.startswith("#")]
    if lines:
        assert recorded["text"].splitlines()[0] == lines[0]
    else:
        assert body.decode() == recorded["text"]
    for name in ("location", "www-authenticate"):
        assert headers.get(name) == recorded["headers"].get(name)


@pytest.mark.parametrize("exchange", COVERED, ids=lambda e: e.id)
def test_answers_like_the_recording(exchange: Exchange) -> None:
    check(exchange)


def outcome(exchange: Exchange, status: int, body: bytes) -> str:
    """The class of what the SDK makes of an answer: a result, or an error."""
    operation = OPERATIONS[exchange.operation or ""]
    try:
        return type(operation.parse(status, body)).__name__
    except EvolutionError as error:
        return type(error).__name__


FILES = sorted({(exchange.version, exchange.family) for exchange in COVERED_OTHERS})


@pytest.mark.parametrize(("version", "family"), FILES)
def test_answers_like_the_recordings_of_its_version(version: str, family: str) -> None:
    """File by file: thousands of tests of one answer each take longer than the answers."""
    wrong: list[str] = []
    for exchange in COVERED_OTHERS:
        if (exchange.version, exchange.family) == (version, family):
            try:
                check(exchange)
                _check_outcome(exchange)
            except AssertionError as different:
                wrong.append(f"{exchange.id} on {exchange.channel}: {different}")
    assert wrong == []


def _check_outcome(exchange: Exchange) -> None:
    if exchange.operation not in OPERATIONS or "json" not in exchange.response:
        return
    status, _, body = answer(exchange)
    recorded = json.dumps(exchange.response["json"]).encode()
    assert outcome(exchange, status, body) == outcome(
        exchange, exchange.response["status"], recorded
    )


@pytest.mark.parametrize("unlike", UNLIKE, ids=lambda u: u.names)
def test_what_it_cannot_answer_alike_is_still_so(unlike: Unlike) -> None:
    found = [exchange for exchange in OTHERS if unlike.covers(exchange)]
    assert found
    for exchange in found:
        with pytest.raises(AssertionError):
            check(exchange)


def test_exceptions_are_still_needed() -> None:
    assert EXCEPTIONS.keys() <= {exchange.case for exchange in ALL}
    for exchange in ALL:
        if exchange.case in EXCEPTIONS:
            with pytest.raises(AssertionError):
                check(exchange)

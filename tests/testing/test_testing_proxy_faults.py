"""FaultProxy: every fault, before a served fake whose store tells what was acted upon."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from evolution_sdk import EvolutionClient
from evolution_sdk.errors import SendOutcomeUnknownError
from evolution_sdk.testing import FakeEvolution, FaultProxy, no_retry_delays

SEND = "/message/sendText/sales"
BODY = {"number": "5511999999999", "text": "oi"}


class Naps(list[float]):
    async def sleep(self, seconds: float) -> None:
        self.append(seconds)


@pytest.fixture(scope="module")
def served() -> Iterator[FakeEvolution]:
    with FakeEvolution(api_key="secret").serve() as fake:
        yield fake


@pytest.fixture
def fake(served: FakeEvolution) -> FakeEvolution:
    served.reset()
    for name in ("sales", "support"):
        served.create_instance(name)
    return served


@pytest.fixture
def naps() -> Naps:
    return Naps()


@pytest.fixture
def proxy(fake: FakeEvolution, naps: Naps) -> Iterator[FaultProxy]:
    with FaultProxy(fake.url, sleep=naps.sleep) as made:
        yield made


@pytest.fixture
def http(proxy: FaultProxy) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=proxy.url, headers={"apikey": "secret"}, trust_env=False) as made:
        yield made


def send(http: httpx.Client, path: str = SEND) -> httpx.Response:
    return http.post(path, json=BODY)


def test_refuse_resets_before_anything_is_passed_on(
    http: httpx.Client, proxy: FaultProxy, fake: FakeEvolution
) -> None:
    proxy.faults.add("message.send_text", "refuse")
    address = ("127.0.0.1", httpx.URL(proxy.url).port or 0)
    with socket.create_connection(address, timeout=10) as wire:
        wire.sendall(f"POST {SEND} HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n".encode())
        with pytest.raises(ConnectionResetError):
            wire.recv(1)
    with pytest.raises(httpx.TransportError):
        http.post(SEND, json={**BODY, "text": "x" * 1_000_000})
    assert fake.requests == []
    assert [(r.status, r.fault) for r in proxy.seen] == [(None, "refuse")] * 2


def test_drop_closes_before_anything_is_passed_on(
    http: httpx.Client, proxy: FaultProxy, fake: FakeEvolution
) -> None:
    proxy.faults.add("message.send_text", "drop")
    with pytest.raises(httpx.RemoteProtocolError, match="without sending a response"):
        send(http)
    assert fake.requests == []
    assert [(r.status, r.fault) for r in proxy.seen] == [(None, "drop")]


def test_answer_then_drop_has_sent(
    http: httpx.Client, proxy: FaultProxy, fake: FakeEvolution
) -> None:
    proxy.faults.add("message.send_text", "answer_then_drop")
    with pytest.raises(httpx.RemoteProtocolError, match="without sending a response"):
        send(http)
    fake.assert_sent_times(1)
    (seen,) = proxy.seen
    assert (seen.method, seen.target, seen.operation, seen.instance, seen.status, seen.fault) == (
        "POST", SEND, "message.send_text", "sales", None, "answer_then_drop"
    )  # fmt: skip


def test_delay_has_sent_and_answers_late(
    http: httpx.Client, proxy: FaultProxy, fake: FakeEvolution, naps: Naps
) -> None:
    proxy.faults.add("message.send_text", "delay", delay_ms=90_000)
    assert send(http).status_code == 201
    fake.assert_sent_times(1)
    assert naps == [90.0]


def test_delay_really_waits_by_default(fake: FakeEvolution) -> None:
    with FaultProxy(fake.url) as proxy:
        proxy.faults.add("message.send_text", "delay", delay_ms=600_000)
        with pytest.raises(httpx.ReadTimeout):
            httpx.post(
                proxy.url + SEND, json=BODY, headers={"apikey": "secret"},
                timeout=httpx.Timeout(10, read=0.2),
            )  # fmt: skip
        fake.assert_sent_times(1)


@pytest.mark.parametrize(("kind", "times"), [("status", 0), ("status_after", 1)])
def test_status_before_and_after(
    http: httpx.Client, proxy: FaultProxy, fake: FakeEvolution, kind: str, times: int
) -> None:
    proxy.faults.add(
        "message.send_text", kind, status=429, body={"a": 1}, headers={"Retry-After": "7"}, count=1
    )
    answer = send(http)
    assert (answer.status_code, answer.json(), answer.headers["retry-after"]) == (
        429,
        {"a": 1},
        "7",
    )
    fake.assert_sent_times(times)
    assert send(http).status_code == 201  # on the same connection
    assert [r.status for r in proxy.seen] == [429, 201]


@pytest.mark.parametrize("kind", ["truncate", "empty"])
def test_the_body_is_cut(
    http: httpx.Client, proxy: FaultProxy, fake: FakeEvolution, kind: str
) -> None:
    whole = len(http.get("/").content)
    proxy.faults.add("root.get_information", kind)
    assert len(http.get("/").content) == (whole // 2 if kind == "truncate" else 0)
    proxy.faults.add("message.send_text", kind)
    assert send(http).status_code == 201
    fake.assert_sent_times(1)


def test_a_status_fault_is_seen_with_the_rest_of_a_big_request_read(
    http: httpx.Client, proxy: FaultProxy
) -> None:
    proxy.faults.add("*", "status", status=503, count=1)
    assert http.post("/nowhere", content=b"x" * 3_000_000).status_code == 503
    assert http.get("/").status_code == 200


def test_patterns_instances_and_unknown_routes(http: httpx.Client, proxy: FaultProxy) -> None:
    proxy.faults.add("message.*", "status", status=500, instance="support")
    proxy.faults.add("unknown", "status", status=418)
    assert send(http).status_code == 201
    assert send(http, "/message/sendText/support").status_code == 500
    assert http.get("/nowhere").status_code == 418
    assert [r.operation for r in proxy.seen] == ["message.send_text", "message.send_text", None]


def test_the_same_seed_strikes_the_same_requests(fake: FakeEvolution) -> None:
    def struck(seed: int) -> list[Any]:
        with (
            FaultProxy(fake.url, seed=seed) as proxy,
            httpx.Client(base_url=proxy.url, trust_env=False) as http,
        ):
            proxy.faults.add("*", "status", probability=0.5, status=500)
            return [http.get("/").status_code for _ in range(40)]

    assert struck(1) == struck(1)
    assert struck(1) != struck(2)
    assert set(struck(1)) == {200, 500}


def test_our_client_finds_what_was_lost_behind_it(proxy: FaultProxy, fake: FakeEvolution) -> None:
    with EvolutionClient(proxy.url, "secret", instance="sales") as client, no_retry_delays():
        lost = proxy.faults.add("message.send_text", "answer_then_drop", count=1)
        assert client.messages.send_text("5511999999999", "um").reconciled
        proxy.faults.add("message.send_text", "refuse", count=1)
        sent = client.messages.send_text("5511999999999", "dois", on_unknown="resend")
        proxy.faults.add("message.send_text", "drop", count=1)
        with pytest.raises(SendOutcomeUnknownError):
            client.messages.send_text("5511999999999", "três")
    assert lost.hits == 1
    assert not sent.reconciled
    assert [message.text for message in fake.sent] == ["um", "dois"]

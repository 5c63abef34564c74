"""A client after a fork: its own answers only, nothing under way, no lock that nobody frees."""

from __future__ import annotations

import asyncio
import json
import logging
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

import evolution_sdk
from evolution_sdk import AsyncEvolutionClient, EvolutionClient, EvolutionConfig, SendLimitError
from evolution_sdk.resilience import BreakerState
from evolution_sdk.testing import FakeEvolution
from services import require_service

from .children import at_one_instant, in_child, quiet_forks
from .test_forking_transports import ScriptedServer, Wire, scripted

KEY = "fork-key"
NUMBER = "5511987654321"
SOURCE = Path(evolution_sdk.__file__).parent
pytestmark = quiet_forks

KINDS = ("sync", "async", "httpx2-sync", "httpx2", "aiohttp", "ready", "ready-async")


class Kit:
    """A client of any kind, called blocking; each process has a loop of its own."""

    def __init__(self, kind: str, url: str, **settings: Any) -> None:
        config = EvolutionConfig(url, KEY, instance="sales", **settings)
        options: dict[str, Any] = {"config": config}
        self._http: Any = None
        if kind.startswith("ready"):
            self._http = httpx.AsyncClient() if "async" in kind else httpx.Client()
            options["http_client"] = self._http
        if kind.startswith(("aiohttp", "httpx2")):
            options["http_backend"] = kind.removesuffix("-sync")
        colour = (
            EvolutionClient if kind in ("sync", "httpx2-sync", "ready") else AsyncEvolutionClient
        )
        self.client: Any = colour(**options)
        self.is_async: bool = colour is AsyncEvolutionClient
        self._runner = asyncio.Runner()

    def run(self, call: Callable[[Any], Any]) -> Any:
        return self._runner.run(call(self.client)) if self.is_async else call(self.client)

    def run_in_child(self, call: Callable[[Any], Any]) -> Any:
        return asyncio.run(self._awaited(call)) if self.is_async else call(self.client)

    async def _awaited(self, call: Callable[[Any], Any]) -> Any:
        return await call(self.client)

    def send(self, text: str = "oi", **options: Any) -> Any:
        return self.run(lambda client: client.messages.send_text(NUMBER, text, **options))

    def close(self) -> None:
        self.run(lambda client: client.close())
        if self._http is not None:
            self.run(lambda _: self._http.aclose() if self.is_async else self._http.close())
        self._runner.close()


@pytest.fixture
def made() -> Iterator[Callable[..., Kit]]:
    with ExitStack() as stack:

        def make(kind: str, url: str, **settings: Any) -> Kit:
            kit = Kit(kind, url, **settings)
            stack.callback(kit.close)
            return kit

        yield make


@contextmanager
def fake_server() -> Iterator[FakeEvolution]:
    fake = FakeEvolution(api_key=KEY)
    fake.create_instance("sales")
    with fake.serve():
        yield fake


async def _mixed_async(client: Any, me: int, calls: int) -> int:
    foreign = 0
    for number in range(calls):
        text, name = f"{me}-{number}", f"inst{me}"
        sent, found = await asyncio.gather(
            client.messages.send_text(NUMBER, text), client.instances.fetch(name)
        )
        foreign += (sent.text != text) + ([one.name for one in found] != [name])
    return foreign


def _mixed(client: Any, me: int, calls: int) -> int:
    foreign = 0
    for number in range(calls):
        text, name = f"{me}-{number}", f"inst{me}"
        foreign += client.messages.send_text(NUMBER, text).text != text
        foreign += [one.name for one in client.instances.fetch(name)] != [name]
    return foreign


@pytest.mark.parametrize("kind", KINDS)
def test_every_process_gets_its_own_answers(kind: str, made: Callable[..., Kit]) -> None:
    processes, calls = 4, 5
    with fake_server() as fake:
        for me in range(processes + 1):
            fake.create_instance(f"inst{me}")
        kit = made(kind, fake.url)
        mixed = _mixed_async if kit.is_async else _mixed
        assert kit.run(lambda client: mixed(client, processes, calls)) == 0

        def work(me: int) -> Callable[[], Any]:
            return lambda: kit.run_in_child(lambda client: mixed(client, me, calls))

        assert at_one_instant([work(me) for me in range(processes)]) == [0] * processes
        assert kit.run(lambda client: mixed(client, processes, calls)) == 0
        texts = sorted(sent.text or "" for sent in fake.sent)
        again = [f"{processes}-{number}" for number in range(calls)]
        every = [f"{me}-{number}" for me in range(processes + 1) for number in range(calls)]
        assert texts == sorted(every + again)


def record(**changes: Any) -> bytes:
    key = {"fromMe": True, "id": uuid.uuid4().hex, "remoteJid": f"{NUMBER}@s.whatsapp.net"}
    return json.dumps({"key": key, "message": {"conversation": "oi"}, **changes}).encode()


def test_what_is_under_way_in_the_parent_is_not_in_the_child() -> None:
    looked, asked = threading.Event(), threading.Event()

    def script(server: ScriptedServer, wire: Wire) -> None:
        while request := wire.read_request():
            if b"/sendText/" in request and wire.number == 1:
                return  # lost: it is looked for
            if b"/findMessages/" in request:
                looked.set()
                server.release.wait(10)
            if b"fetchProfilePictureUrl" in request and not asked.is_set():
                asked.set()
                server.release.wait(10)
            wire.answer(record(wuid="x", profilePictureUrl="http://x/p"), status="201 Created")

    def once(client: EvolutionClient) -> None:
        with pytest.raises(evolution_sdk.EvolutionError):
            client.messages.send_text(NUMBER, "oi", retry=False)

    def picture(client: EvolutionClient) -> object:
        return client.chats.fetch_profile_picture_url(NUMBER)

    with scripted(script) as server:
        config = EvolutionConfig(
            server.url,
            KEY,
            instance="sales",
            bulkhead={"enabled": True, "max_in_flight": 1, "max_wait_ms": 10},
            cache={"enabled": True},
        )
        client = EvolutionClient(config=config)
        threads = [threading.Thread(target=once, args=(client,), daemon=True)]
        threads[0].start()
        assert looked.wait(10)
        threads.append(threading.Thread(target=picture, args=(client,), daemon=True))
        threads[1].start()
        assert asked.wait(10)

        def child() -> tuple[int, str | None, int]:
            active = client.retry.get_active_requests()
            picture(client)
            sent = client.messages.send_text(NUMBER, "oi")  # equal to the one looked for
            return active, sent.text, client.retry.get_metrics().total_operations

        assert client.retry.get_active_requests() == 3
        assert in_child(child) == (0, "oi", 2)
        assert client.retry.get_active_requests() == 3
        server.release.set()
        for thread in threads:
            thread.join(10)
        assert client.retry.get_active_requests() == 0
        client.close()


def test_counters_budget_and_breakers_begin_anew(made: Callable[..., Kit]) -> None:
    def script(server: ScriptedServer, wire: Wire) -> None:
        while wire.read_request():
            wire.answer(b"{}", status="500 Internal Server Error")

    with scripted(script) as server:
        kit = made("sync", server.url, breaker={"consecutive_failures": 1})
        heard: list[object] = []
        kit.client.retry.on("failure", heard.append)
        with pytest.raises(evolution_sdk.EvolutionError):
            kit.client.instances.fetch(retry=False)
        assert kit.client.breakers()["server"].state is BreakerState.OPEN
        assert kit.client.retry.budget.take()

        def child() -> Any:
            state, level = kit.client.breakers()["server"].state, kit.client.retry.budget.level
            with pytest.raises(evolution_sdk.EvolutionError):
                kit.client.instances.fetch(retry=False)
            return state, level, kit.client.retry.get_metrics().total_operations, len(heard)

        # Who listens is told in the child, too.
        assert in_child(child) == (BreakerState.CLOSED, 1.0, 1, 2)
        assert kit.client.retry.get_metrics().total_operations == 1


def test_a_message_of_the_parent_is_not_taken_for_the_childs(made: Callable[..., Kit]) -> None:
    with fake_server() as fake:
        kit = made("sync", fake.url, retry={"reconcile_wait_ms": 100})
        mine = kit.send("igual").id
        fake.faults.add("message.send_text", "drop", count=1)

        def child() -> Any:
            with pytest.raises(evolution_sdk.SendOutcomeUnknownError):
                kit.client.messages.send_text(NUMBER, "igual", retry=False)
            return True

        assert in_child(child)
        assert [sent.key_id for sent in fake.sent] == [mine]


REDIS = "redis://127.0.0.1:6379/0"


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_the_store_of_the_limits_is_asked_over_a_connection_of_its_own(
    kind: str, made: Callable[..., Kit], caplog: pytest.LogCaptureFixture
) -> None:
    require_service("Redis", 6379)
    from redis import Redis

    prefix = f"evolution-sdk-test-{uuid.uuid4().hex}"
    limits = {"per_second": 0, "recipient_gap_ms": 0, "jitter": 0, "daily_cap": 3}
    try:
        with fake_server() as fake:
            kit = made(
                kind,
                fake.url,
                rate_limit={
                    "enabled": True, **limits, "store": REDIS, "store_prefix": prefix
                },
            )  # fmt: skip
            kit.send("1")
            kit.send("2")

            def child() -> list[str]:
                def third(client: Any) -> Any:
                    return client.messages.send_text(NUMBER, "3")

                async def two(client: Any) -> None:
                    await third(client)
                    with pytest.raises(SendLimitError):
                        await third(client)

                with caplog.at_level(logging.WARNING, "evolution_sdk.resilience"):
                    if kit.is_async:
                        kit.run_in_child(two)
                    else:
                        third(kit.client)
                        with pytest.raises(SendLimitError):
                            third(kit.client)
                return [one.getMessage() for one in caplog.records]

            assert in_child(child) == []  # the store did not fail
            with pytest.raises(SendLimitError):
                kit.send("4")
            assert [sent.text for sent in fake.sent] == ["1", "2", "3"]
    finally:
        with Redis.from_url(REDIS) as redis:
            for key in redis.scan_iter(f"{prefix}:*"):
                redis.delete(key)


def test_limits_in_memory_know_what_was_sent_before_the_fork(made: Callable[..., Kit]) -> None:
    with fake_server() as fake:
        kit = made("sync", fake.url, rate_limit={
            "enabled": True, "per_second": 0, "recipient_gap_ms": 0, "daily_cap": 2,
        })  # fmt: skip
        kit.send("1")

        def child() -> bool:
            kit.send("2")
            with pytest.raises(SendLimitError):
                kit.send("3")
            return True

        assert in_child(child)

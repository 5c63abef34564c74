"""``evolution tail``: live events by the fake's socket and by a real broker."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from event_kit import KEY, NUMBER, Answer, ended, isolate, point_at, run, started, upsert

from evolution_sdk import EvolutionClient
from evolution_sdk.streams import RabbitStream
from evolution_sdk.testing import FakeEvolution
from services import require_service

BROKER = "amqp://guest:guest@127.0.0.1:5672/"


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    isolate(monkeypatch, tmp_path)


@pytest.fixture
def fake() -> Iterator[FakeEvolution]:
    """A served fake, whose two instances have had an event by socket."""
    with FakeEvolution(api_key=KEY).serve() as served:
        for name in ("sales", "shop"):
            served.create_instance(name)
            with EvolutionClient(served.url, KEY, instance=name) as client:
                client.websocket.set(enabled=True, events=["MESSAGES_UPSERT", "CONNECTION_UPDATE"])
            served.receive_text(name, from_=NUMBER, text="before")
        yield served


def environ(fake: FakeEvolution) -> dict[str, str]:
    return {"EVOLUTION_API_URL": fake.url, "EVOLUTION_API_KEY": KEY}


def connected(process: subprocess.Popen[str], count: int = 1) -> None:
    """Wait until the streams say that they are connected."""
    assert process.stderr is not None
    left = count
    while left:
        line = process.stderr.readline()
        assert line, "it has ended"
        left -= "connected" in line


def test_events_of_one_instance_by_socket(fake: FakeEvolution, tmp_path: Path) -> None:
    process = started(
        "tail", "--instance", "sales", "--count", "2", folder=tmp_path, **environ(fake)
    )
    connected(process)
    fake.receive_text("shop", from_=NUMBER, text="not this")
    fake.receive_text("sales", from_=NUMBER, text="bom dia", push_name="Ana")
    fake.receive_text("sales", from_=NUMBER, text="tudo bem?", push_name="Ana")
    answer = ended(process)
    assert answer.code == 0
    assert [line.partition("  ")[2] for line in answer.out.splitlines()] == [
        f"sales  messages.upsert  Ana ({NUMBER}): bom dia",
        f"sales  messages.upsert  Ana ({NUMBER}): tudo bem?",
    ]


def test_all_instances_as_json_with_a_filter(fake: FakeEvolution, tmp_path: Path) -> None:
    process = started(
        "tail", "--json", "--text", "pedido", "--count", "2", "--save", "kept.jsonl",
        folder=tmp_path, **environ(fake),
    )  # fmt: skip
    connected(process, 2)
    for name in ("sales", "shop"):
        fake.receive_text(name, from_=NUMBER, text="oi")
        fake.receive_text(name, from_=NUMBER, text="meu PEDIDO")
    answer = ended(process)
    assert answer.code == 0
    assert {(each["instance"], each["text"]) for each in answer.json} == {
        ("sales", "meu PEDIDO"),
        ("shop", "meu PEDIDO"),
    }
    kept = (tmp_path / "kept.jsonl").read_text("utf-8")
    assert kept.count("meu PEDIDO") == 2
    tokens = {each.token for each in fake.instances.values()}
    assert not any(token in answer.out + answer.err + kept for token in (KEY, *tokens))


@pytest.mark.parametrize("ends", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_is_the_usual_end(
    fake: FakeEvolution, tmp_path: Path, ends: signal.Signals
) -> None:
    process = started("tail", "--instance", "sales", folder=tmp_path, **environ(fake))
    connected(process)
    process.send_signal(ends)
    assert ended(process).code == 0


def test_a_reader_that_goes_ends_it(fake: FakeEvolution, tmp_path: Path) -> None:
    process = started("tail", "--instance", "sales", folder=tmp_path, **environ(fake))
    connected(process)
    assert process.stdout is not None
    process.stdout.close()
    fake.receive_text("sales", from_=NUMBER, text="nobody reads this")
    assert process.wait(30) == 3
    assert process.stderr is not None
    assert "Traceback" not in process.stderr.read()
    process.stderr.close()


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (["--instance", "nobody"], 1, "does not exist"),
        (["--event", "foo"], 2, "no event 'foo'"),
        (["--count", "0"], 2, "no whole number"),
        (["--by", "rabbitmq"], 2, "EVOLUTION_RABBITMQ_URI"),
        (["--url", "http://127.0.0.1:1"], 3, "Could not connect to http://127.0.0.1:1"),
        (["--url", "no-url"], 2, "EVOLUTION_API_URL"),
    ],
)
def test_what_is_wrong_is_one_line(
    fake: FakeEvolution, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
    words: list[str], code: int, told: str,
) -> None:  # fmt: skip
    point_at(monkeypatch, fake.url)
    answer = run(capsys, "tail", *words)
    assert (answer.code, answer.out) == (code, "")
    assert told in answer.one_error


def test_a_wrong_key(
    fake: FakeEvolution, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    point_at(monkeypatch, fake.url, "wrong-secret-key")
    answer = run(capsys, "tail")
    assert answer.code == 2
    assert "wrong-secret-key" not in answer.one_error


def test_an_unlicensed_server(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with FakeEvolution(api_key=KEY, version="2.4.0", licensed=False).serve() as server:
        point_at(monkeypatch, server.url)
        answer = run(capsys, "tail")
    assert answer.code == 3
    assert "is not activated" in answer.one_error


def test_a_socket_that_is_switched_off_is_told(fake: FakeEvolution, tmp_path: Path) -> None:
    with EvolutionClient(fake.url, KEY, instance="shop") as client:
        client.websocket.set(enabled=False)
    process = started("tail", "--instance", "shop", folder=tmp_path, **environ(fake))
    assert process.stderr is not None
    assert "switched off for shop" in process.stderr.readline()
    process.terminate()
    ended(process)


@pytest.mark.parametrize(("by", "extra"), [("socket", "socketio"), ("rabbitmq", "rabbitmq")])
def test_a_missing_extra_is_named(
    fake: FakeEvolution, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
    by: str, extra: str,
) -> None:  # fmt: skip
    point_at(monkeypatch, fake.url)
    monkeypatch.setenv("EVOLUTION_RABBITMQ_URI", BROKER)
    for module in ("socketio", "aio_pika"):
        monkeypatch.setitem(sys.modules, module, None)
    answer = run(capsys, "tail", "--instance", "sales", "--by", by)
    assert answer.code == 2
    assert f"pip install 'evolutionapi-sdk[{extra}]'" in answer.one_error


class Broker:
    """Publishes as the server does, and takes events as the user's own program would."""

    def __init__(self) -> None:
        self.instance = f"sdk-{uuid.uuid4().hex[:12]}"

    async def publish(self, *bodies: Any) -> None:
        import aio_pika

        async with await aio_pika.connect(BROKER) as connection:
            channel = await connection.channel()
            exchange = await channel.declare_exchange(
                self.instance, aio_pika.ExchangeType.TOPIC, durable=True
            )
            for body in bodies:
                message = aio_pika.Message(json.dumps(body).encode())
                await exchange.publish(message, body["event"], mandatory=False)

    async def consume(self, count: int) -> list[str]:
        """What a program that handles the server's queues gets."""
        seen: list[str] = []
        enough = asyncio.Event()

        async def take(event: Any) -> None:
            seen.append(event.id)
            if len(seen) == count:
                enough.set()

        stream = RabbitStream(
            take, BROKER, instances=[self.instance], events=["messages.upsert"],
            dead_letter_queue=None,
        )  # fmt: skip
        async with stream, asyncio.timeout(30):
            await enough.wait()
        return seen

    async def tidy(self) -> None:
        import aio_pika

        async with await aio_pika.connect(BROKER) as connection:
            channel = await connection.channel()
            await channel.queue_delete(f"{self.instance}.messages.upsert")
            await channel.exchange_delete(self.instance)


@pytest.fixture
def broker() -> Iterator[Broker]:
    require_service("RabbitMQ", 5672)
    made = Broker()
    yield made
    asyncio.run(made.tidy())


def test_events_by_rabbitmq_are_copies(broker: Broker, tmp_path: Path) -> None:
    """Whoever looks on takes nothing away from the program that handles the events."""

    async def declare() -> None:
        stream = RabbitStream(
            print, BROKER, instances=[broker.instance], events=["messages.upsert"],
            dead_letter_queue=None,
        )  # fmt: skip
        async with stream:
            while not stream.connected:  # noqa: ASYNC110  the condition is not ours to signal
                await asyncio.sleep(0.01)

    asyncio.run(declare())
    settings = {
        "EVOLUTION_API_URL": "http://127.0.0.1:1",
        "EVOLUTION_API_KEY": KEY,
        "EVOLUTION_RABBITMQ_URI": BROKER,
    }
    process = started(
        "tail", "--instance", broker.instance, "--json", "--count", "2", folder=tmp_path, **settings
    )
    connected(process)
    bodies = [upsert(each, instance=broker.instance) for each in (1, 2)]
    asyncio.run(broker.publish(*bodies))
    answer = ended(process)
    assert (answer.code, [each["id"] for each in answer.json]) == (0, ["M1", "M2"])
    assert {each["source"] for each in answer.json} == {"queue"}
    assert "secret" not in answer.out
    assert sorted(asyncio.run(broker.consume(2))) == ["M1", "M2"]


def test_a_broker_that_is_gone_is_tried_again(tmp_path: Path) -> None:
    settings = {
        "EVOLUTION_API_URL": "http://127.0.0.1:1",
        "EVOLUTION_API_KEY": KEY,
        "EVOLUTION_RABBITMQ_URI": "amqp://user:s3cret@127.0.0.1:1/",
    }
    process = started("tail", "--instance", "sales", folder=tmp_path, **settings)
    assert process.stderr is not None
    line = process.stderr.readline()
    assert "no connection to the broker" in line
    assert "it is tried again" in line
    process.terminate()
    answer: Answer = ended(process)
    assert answer.code == 0
    assert "s3cret" not in line + answer.err

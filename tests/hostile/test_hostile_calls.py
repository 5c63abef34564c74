"""What a client tells its caller when the wire is hostile: sends, reads and downloads."""

from __future__ import annotations

import asyncio
import base64
import inspect
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from evolution_sdk import AsyncEvolutionClient, EvolutionClient, EvolutionConfig, RetryPolicy
from evolution_sdk.errors import (
    EvolutionTimeoutError,
    RequestValidationError,
    ResponseTooLargeError,
    SendOutcomeUnknownError,
    UnexpectedResponseError,
)
from evolution_sdk.events import parse_event
from evolution_sdk.monitor.alert import Alert
from evolution_sdk.monitor.sinks import HttpSink
from evolution_sdk.testing import FakeEvolution
from hostile.hostile_server import (
    AFTER,
    BEFORE,
    BOMB,
    NAMELESS,
    Acts,
    HostileServer,
    Reply,
    Trick,
    Wire,
    hostile,
)

KEY = "hostile-key"
NUMBER = "5511987654321"
MOST_BYTES = 200_000
TRICKS = {trick.name: trick for trick in (*BEFORE, *AFTER, *NAMELESS)}
COLOURS = ["sync", "httpx", "httpx2", "aiohttp"]
modes = pytest.mark.parametrize("on_unknown", ["raise", "reconcile", "resend"])


class Stage:
    """One server that plays one trick on what matches, and a client of one colour."""

    def __init__(self, colour: str) -> None:
        self.fake = FakeEvolution(api_key=KEY)
        self.fake.create_instance("sales")
        self.trick: Trick | None = None
        self.on = "/message/"
        self.arrived: list[str] = []
        self.server: HostileServer
        self._colour = colour

    def script(self, method: str, target: str, body: bytes) -> tuple[Trick | None, float]:
        self.arrived.append(target)
        return (self.trick if self.on in target else None), 0.0

    def __call__(self, ask: Callable[[Any], Any], **options: Any) -> Any:
        """Make one client, ask it something, and close it."""
        http = {
            "max_response_bytes": MOST_BYTES,
            "backend": "httpx" if self._colour == "sync" else self._colour,
        }
        config = EvolutionConfig(
            self.server.url,
            KEY,
            instance="sales",
            http=http,
            retry={"reconcile_wait_ms": 0},
            media={"fetch_hosts": ("127.0.0.1",)},
        )
        if self._colour == "sync":
            with EvolutionClient(config=config, **options) as client:
                return ask(client)

        async def run() -> Any:
            async with AsyncEvolutionClient(config=config, **options) as client:
                result = ask(client)
                return await result if inspect.isawaitable(result) else result

        return asyncio.run(run())


@pytest.fixture(params=COLOURS)
def stage(request: pytest.FixtureRequest) -> Iterator[Stage]:
    made = Stage(request.param)
    with hostile(made.fake, made.script) as made.server:
        yield made


def send(on_unknown: Any = "reconcile", **options: Any) -> Callable[[Any], Any]:
    return lambda client: client.messages.send_text(NUMBER, "oi", on_unknown=on_unknown, **options)


@modes
@pytest.mark.parametrize("name", [trick.name for trick in NAMELESS])
def test_a_completed_send_never_raises_and_is_not_repeated(
    stage: Stage, name: str, on_unknown: str
) -> None:
    stage.trick = TRICKS[name]
    sent = stage(send(on_unknown))
    assert sent.id == ""
    assert len(stage.fake.sent) == 1
    assert stage.arrived == ["/message/sendText/sales"]


@modes
def test_a_send_whose_answer_drips_is_looked_for(stage: Stage, on_unknown: str) -> None:
    def drip(wire: Wire, reply: Reply) -> None:
        wire.drip(reply.raw())

    stage.trick = Trick("drip", Acts.YES, drip)
    if on_unknown == "raise":
        with pytest.raises(SendOutcomeUnknownError) as caught:
            stage(send(on_unknown, timeout_ms=300))
        assert isinstance(caught.value.__cause__, EvolutionTimeoutError)
    else:
        assert stage(send(on_unknown, timeout_ms=300)).evidence == "store"
    assert len(stage.fake.sent) == 1


def test_a_read_whose_answer_drips_ends_in_time(stage: Stage) -> None:
    def drip(wire: Wire, reply: Reply) -> None:
        wire.write(reply.head(400))
        wire.drip(b" " * 400)

    stage.trick, stage.on = Trick("drip", Acts.YES, drip), "/chat/"
    with pytest.raises(EvolutionTimeoutError) as caught:
        stage(lambda client: client.chats.find(), timeout_ms=300, retry=False)
    assert caught.value.attempts == 1
    with pytest.raises(EvolutionTimeoutError):  # the same limit, as the retry policy says it
        stage(lambda client: client.chats.find(), retry=RetryPolicy(1, attempt_timeout_ms=300))


def _bomb(status: int) -> Callable[[Wire, Reply], None]:
    def play(wire: Wire, reply: Reply) -> None:
        packed = {"Content-Encoding": "gzip", "Content-Type": "application/json"}
        wire.write(Reply(status, BOMB, reply.date, packed).raw())

    return play


def test_a_read_above_the_limit_says_which_limit(stage: Stage) -> None:
    stage.trick, stage.on = Trick("bomb", Acts.YES, _bomb(200)), "/chat/"
    with pytest.raises(ResponseTooLargeError, match="EVOLUTION_MAX_RESPONSE_BYTES") as caught:
        stage(lambda client: client.chats.find())
    assert (caught.value.limit_bytes, caught.value.operation) == (MOST_BYTES, "chat.find_chats")
    assert (caught.value.raw, caught.value.attempts) == (None, 1)
    assert len(stage.arrived) == 1


@modes
@pytest.mark.parametrize("acts", list(Acts))
def test_an_error_above_the_limit_proves_nothing(stage: Stage, acts: Acts, on_unknown: str) -> None:
    """What a 500 page of megabytes says is not known; the send may have been done."""
    stage.trick = Trick("bomb", acts, _bomb(500))
    done = acts is Acts.YES
    if on_unknown == "raise" or (on_unknown == "reconcile" and not done):
        with pytest.raises(SendOutcomeUnknownError) as caught:
            stage(send(on_unknown))
        assert isinstance(caught.value.__cause__, ResponseTooLargeError)
    elif done:
        assert stage(send(on_unknown)).evidence == "store"
    assert len(stage.fake.sent) == (1 if done else 0)


@pytest.mark.parametrize("name", ["redirected", "redirected for good"])
def test_a_redirect_is_told_and_the_key_stays(stage: Stage, name: str) -> None:
    stage.trick = TRICKS[name]
    with pytest.raises(UnexpectedResponseError, match="redirects"):
        stage(send())
    stage.on = "/chat/"
    with pytest.raises(UnexpectedResponseError, match="redirects"):
        stage(lambda client: client.chats.find())
    assert stage.server.followed == 0
    assert stage.fake.sent == []


def test_an_alert_whose_answer_drips_or_never_ends_is_bounded() -> None:
    """The sink that posts alerts stands on the same transports, with limits of its own."""
    stage = Stage("sync")
    alert = Alert("down", "critical", "it is down", 0.0)
    stage.on = "/alerts"
    with hostile(stage.fake, stage.script) as server:
        sink = HttpSink(f"{server.url}/alerts", timeout_ms=300)
        stage.trick = Trick("drip", Acts.NO, lambda wire, reply: wire.drip(reply.head(400)))
        with pytest.raises(EvolutionTimeoutError):
            sink.deliver(alert)
        stage.trick = Trick("endless", Acts.NO, _endless)
        sink.deliver(alert)
        sink.close()


# Files


def picture(**message: Any) -> Any:
    key = {"id": "A1", "remoteJid": f"{NUMBER}@s.whatsapp.net", "fromMe": False}
    data = {"key": key, "message": {"imageMessage": {}, **message}, "messageType": "imageMessage"}
    return parse_event({"event": "messages.upsert", "instance": "sales", "data": data})


def _endless(wire: Wire, reply: Reply) -> None:
    """Bytes until the client has gone."""
    wire.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")

    def more() -> None:
        if not wire.transport.is_closing():
            wire.write(b"4000\r\n" + b"x" * 0x4000 + b"\r\n")
            wire.later(0, more)

    more()


def test_a_file_of_the_server_is_read_no_further_than_asked(stage: Stage) -> None:
    stage.trick, stage.on = Trick("endless", Acts.NO, _endless), "/chat/"
    event = picture()
    with pytest.raises(RequestValidationError, match="at most 1000 bytes") as caught:
        stage(lambda client: event.bind(client).download_media(max_bytes=1_000))
    assert caught.value.field == "max_bytes"
    assert len(stage.arrived) == 1


def test_a_file_may_be_larger_than_other_answers(stage: Stage) -> None:
    """``max_bytes`` is the caller's word, the configured limit a guard for the rest."""
    file = bytes(range(256)) * 1_000
    text = base64.b64encode(file).decode()

    def tell(wire: Wire, reply: Reply) -> None:
        body = f'{{"mediaType":"imageMessage","base64":"{text}"}}'.encode()
        assert len(body) > MOST_BYTES
        wire.write(Reply(201, body, reply.date).raw())

    stage.trick, stage.on = Trick("file", Acts.NO, tell), "/chat/"
    event = picture()
    assert stage(lambda client: event.bind(client).download_media(max_bytes=len(file))) == file
    with pytest.raises(ResponseTooLargeError):
        stage(lambda client: client.chats.get_base64_from_media_message(event.message.key))


def test_a_file_at_an_address_is_read_no_further_than_asked(stage: Stage) -> None:
    stage.trick, stage.on = Trick("endless", Acts.NO, _endless), "/file"

    def fetch(client: Any) -> Any:
        return client._pipeline.download(f"{stage.server.url}/file", 50_000)

    with pytest.raises(RequestValidationError, match="at most 50000 bytes are allowed"):
        stage(fetch)


def test_a_file_that_drips_ends_in_time(stage: Stage) -> None:
    def drip(wire: Wire, reply: Reply) -> None:
        wire.write(reply.head(400).replace(b" 0 ", b" 200 "))
        wire.drip(b"x" * 400)

    stage.trick, stage.on = Trick("drip", Acts.NO, drip), "/file"

    def fetch(client: Any) -> Any:
        object.__setattr__(client._pipeline.fetching._config.timeout, "media_ms", 300)
        return client._pipeline.download(f"{stage.server.url}/file", 50_000)

    with pytest.raises(EvolutionTimeoutError):
        stage(fetch)

"""A stream for each instance: new ones join, deleted ones leave, and nothing else ends it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import Any

import pytest

from evolution_sdk import EvolutionConfig
from evolution_sdk.errors import AuthenticationError, ConfigurationError, ServerError
from evolution_sdk.events import parse_event
from evolution_sdk.streams import InstanceStreams, Stream
from evolution_sdk.streams._consumer import EventConsumer


class Quiet(Stream):
    """Connected, and nothing comes."""

    def __init__(self, name: str, log: list[str], *, fails: bool = False) -> None:
        super().__init__(lambda _: None, name=name)
        self._log = log
        self._fails = fails

    async def _session(self) -> None:
        if self._fails:
            raise AuthenticationError(401)
        self._log.append(f"+{self.name}")
        self._up()
        await self._stopping.wait()
        self._log.append(f"-{self.name}")


class Stage:
    """Names that change with each look, and looks that the test lets happen."""

    def __init__(self, *looks: Iterable[str] | Exception, fails: str = "") -> None:
        self.looks = list(looks)
        self.log: list[str] = []
        self.asked = 0
        self.over = asyncio.Event()
        self.stream = InstanceStreams(
            lambda _: None,
            self.names,
            lambda name: Quiet(name, self.log, fails=name == fails),
            sleep=self.sleep,
        )

    async def names(self) -> list[str]:
        self.asked += 1
        look = self.looks[min(self.asked, len(self.looks)) - 1]
        if self.asked >= len(self.looks):
            self.over.set()
        if isinstance(look, Exception):
            raise look
        return list(look)

    async def sleep(self, _: float) -> None:
        for _ in range(20):
            await asyncio.sleep(0)
        if self.over.is_set():
            await asyncio.Event().wait()

    async def run(self) -> list[str]:
        async with asyncio.timeout(10):
            task = asyncio.ensure_future(self.stream.run())
            over = asyncio.ensure_future(self.over.wait())
            await asyncio.wait({task, over}, return_when=asyncio.FIRST_COMPLETED)
            over.cancel()
            for _ in range(50):
                await asyncio.sleep(0)
            self.stream.stop()
            await task
        return self.log


async def test_instances_come_and_go() -> None:
    log = await Stage(["a", "b"], ["b", "c"], ["c"]).run()
    assert log[:2] == ["+a", "+b"]
    assert sorted(log) == ["+a", "+b", "+c", "-a", "-b", "-c"]
    assert log.index("-a") < log.index("+c") < log.index("-b") < log.index("-c")


async def test_a_look_that_fails_ends_nothing(caplog: pytest.LogCaptureFixture) -> None:
    log = await Stage(["a"], ServerError(500), ["a"]).run()
    assert log == ["+a", "-a"]
    assert "not listed (ServerError)" in caplog.text


async def test_a_first_look_that_fails_is_tried_again() -> None:
    assert await Stage(ServerError(500), OSError("secret"), ["a"]).run() == ["+a", "-a"]


@pytest.mark.parametrize("error", [AuthenticationError(401), ConfigurationError("x", variable="y")])
async def test_a_refused_key_ends_it(error: Exception) -> None:
    with pytest.raises(type(error)):
        await Stage(error, ["a"]).run()


async def test_a_stream_that_ends_by_itself_ends_all() -> None:
    stage = Stage(["a", "bad"], ["a", "bad"], fails="bad")
    with pytest.raises(AuthenticationError):
        await stage.run()
    assert stage.log == ["+a", "-a"]
    assert stage.stream.streams == {}


def test_the_pause_must_be_one() -> None:
    with pytest.raises(ConfigurationError, match="every_ms"):
        InstanceStreams(print, Stage.names, Quiet, every_ms=0)  # type: ignore[arg-type]


# Whose events they are


def event(server_url: Any) -> Any:
    return parse_event(
        {
            "event": "messages.upsert",
            "instance": "sales",
            "server_url": server_url,
            "data": {"key": {"id": "X", "remoteJid": "1@s.whatsapp.net", "fromMe": False}},
        }
    )


@pytest.mark.parametrize(
    ("told", "taken"),
    [
        ("https://Evolution.example.com", True),
        ("https://evolution.example.com:443/", True),
        ("https://other.example.com", False),
        ("http://evolution.example.com", False),
        ("https://evolution.example.com/other", False),
        ("", False),
        (5, False),
        (None, True),  # an event that does not say
    ],
)
async def test_events_of_another_server_are_left_out(told: Any, taken: bool) -> None:
    heard: list[Any] = []
    make: Callable[..., EventConsumer] = EventConsumer
    intake = make(heard.append, server_url="https://evolution.example.com")
    await intake.handle(event(told))
    assert (len(heard), intake.foreign) == ((1, 0) if taken else (0, 1))


async def test_the_clients_settings_say_it() -> None:
    class Client:
        config = EvolutionConfig("http://x", "k", server_url="https://evolution.example.com/")

    heard: list[Any] = []
    intake = EventConsumer(heard.append, client=Client())
    intake._feed = None
    for url in ("https://evolution.example.com", "https://other.example.com"):
        await intake.handle(event(url))
    assert intake.foreign == 1


async def test_one_that_was_stopped_by_hand_does_not_hasten_the_looks() -> None:
    stage = Stage(["a", "b"], ["a", "b"], ["a", "b"])

    async def sleep(_: float) -> None:
        await asyncio.Event().wait()

    stage.stream = InstanceStreams(
        print, stage.names, lambda name: Quiet(name, stage.log), sleep=sleep
    )
    async with asyncio.timeout(10), stage.stream:
        for _ in range(20):
            await asyncio.sleep(0)
        stage.stream.streams["a"].stop()
        for _ in range(200):
            await asyncio.sleep(0)
        assert stage.log == ["+a", "+b", "-a"]
        assert stage.asked == 1
    assert stage.log == ["+a", "+b", "-a", "-b"]

"""What can be done about an event, in both colours."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from evolution_sdk import EvolutionClient, SyncMessagesUpsert
from evolution_sdk.errors import ConfigurationError, RequestValidationError
from evolution_sdk.events import parse_event
from evolution_sdk.testing import FakeEvolution

ADA, LID = "5511987654321@s.whatsapp.net", "999888777666555@lid"
PNG = base64.b64encode(b"picture").decode()


def event(message: Any, kind: str = "conversation", **key: Any) -> Any:
    where = {"id": "A1", "remoteJid": ADA, "fromMe": False, **key}
    data = {"key": where, "message": message, "messageType": kind}
    return parse_event({"event": "messages.upsert", "instance": "sales", "data": data})


def client_of(fake: FakeEvolution) -> EvolutionClient:
    return EvolutionClient(fake.url, fake.api_key, http_client=fake.http_client(), retry=False)


class Calls:
    """Stands for a handle: remembers what it was asked."""

    def __init__(self, content: bytes = b"") -> None:
        self.made: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = []
        self.content = content

    def __getattr__(self, name: str) -> Any:
        def call(*args: Any, **options: Any) -> Any:
            self.made.append((name, args, options))
            return self

        return call


def acting(told: Any, calls: Any, web: Any = None) -> Any:
    from evolution_sdk._sync.event_actions import EventActions

    return EventActions(lambda: calls, lambda: calls, web, told)


def test_without_a_client_the_error_says_what_to_do() -> None:
    with pytest.raises(ConfigurationError, match=r"event\.bind"):
        event({"conversation": "x"}).reply_text("y")


@pytest.mark.parametrize(
    ("key", "number"),
    [
        ({}, ADA),
        ({"fromMe": True}, ADA),
        ({"remoteJid": LID, "remoteJidAlt": ADA}, ADA),
        ({"remoteJid": LID}, LID),
        ({"remoteJid": "1203630000000000@g.us", "participant": LID}, "1203630000000000@g.us"),
        ({"remoteJid": "status@broadcast", "participant": ADA}, ADA),
    ],
)
def test_where_an_answer_goes(key: dict[str, Any], number: str) -> None:
    calls = Calls()
    acting(event({"conversation": "x"}, **key), calls).reply_text("y")
    ((name, args, options),) = calls.made
    assert (name, args) == ("send_text", (number, "y"))
    assert options["quoted"].id == "A1"


def test_own_stories_are_not_answered_and_files_do_not_travel_back() -> None:
    calls = Calls()
    own = event({"conversation": "x"}, remoteJid="status@broadcast", fromMe=True)
    with pytest.raises(RequestValidationError):
        acting(own, calls).reply_text("y")
    image = event({"imageMessage": {}, "base64": PNG}, "imageMessage")
    acting(image, calls).reply_text("y")
    assert calls.made[-1][2]["quoted"].content == {"imageMessage": {}}
    acting(image, calls).reply_text("y", quote=False)
    assert "quoted" not in calls.made[-1][2]


def test_own_messages_and_stories_are_not_marked_as_read() -> None:
    for key in ({"fromMe": True}, {"remoteJid": "status@broadcast", "participant": ADA}):
        calls = Calls()
        assert acting(event({"conversation": "x"}, **key), calls).mark_read() is None
        assert calls.made == []
    calls = Calls()
    acting(event({"conversation": "x"}), calls).mark_read()
    assert calls.made[0][0] == "mark_message_as_read"


class Web:
    def __init__(self, content: bytes) -> None:
        self.content = content

    def download(self, url: str, limit: int) -> tuple[bytes, None]:
        return self.content, None


def picture(size: int = 7, **more: Any) -> Any:
    part = {"imageMessage": {"fileLength": {"low": size, "high": 0, "unsigned": True}}}
    return event({**part, **more}, "imageMessage")


def test_a_file_comes_from_the_event_then_from_its_address_then_from_the_server() -> None:
    calls = Calls(b"SERVER!")
    url = {"mediaUrl": "https://s3.example/x"}
    web = Web(b"address")
    assert acting(picture(base64=PNG, **url), calls, web).download_media() == b"picture"
    assert acting(picture(**url), calls, web).download_media() == b"address"
    assert acting(picture(**url), calls, web).download_media(use_url=False) == b"SERVER!"
    assert acting(picture(base64="!", **url), calls, Web(b"cut")).download_media() == b"SERVER!"
    with pytest.raises(RequestValidationError, match="at most 3"):
        acting(picture(base64=PNG), calls, web).download_media(max_bytes=3)
    with pytest.raises(RequestValidationError, match="no file"):
        acting(event({"conversation": "x"}), calls).download_media()


def test_a_bound_event_answers_for_its_instance_sync() -> None:
    fake = FakeEvolution()
    with client_of(fake) as client:
        client.instances.create("sales", integration="EVOLUTION", number="5511")
        bound = event({"conversation": "x"}).bind(client)
        assert bound.is_bound
        assert bound.reply_text("y").text == "y"
        assert isinstance(bound, SyncMessagesUpsert)
        assert bound.bind(client).reply_text("z").text == "z"


def test_an_event_without_a_client_says_that_bind_returns_a_copy() -> None:
    """The usual mistake is to call ``event.bind(client)`` and go on with ``event``."""
    fake = FakeEvolution()
    with client_of(fake) as client:
        unbound = event({"conversation": "x"})
        unbound.bind(client)
        with pytest.raises(
            ConfigurationError, match=r"returns a copy.*event = event\.bind"
        ) as told:
            unbound.reply_text("y")
    assert told.value.variable == "client"
    assert fake.sent == []


async def test_a_bound_event_answers_async() -> None:
    from evolution_sdk import AsyncEvolutionClient

    fake = FakeEvolution()
    http = fake.async_http_client()
    async with http, AsyncEvolutionClient(fake.url, fake.api_key, http_client=http) as client:
        await client.instances.create("sales", integration="EVOLUTION", number="5511")
        sent = await event({"conversation": "x"}).bind(client).reply_text("y")
        assert sent.text == "y"

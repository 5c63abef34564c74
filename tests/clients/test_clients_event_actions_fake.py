"""What can be done about an event, against the server's double, in both colours."""

from __future__ import annotations

import base64
import socket
from typing import Any

import pytest

from evolution_sdk._base.request import Response
from evolution_sdk.events import parse_event

from .fake_stage import JID, NUMBER, Stage

PNG = b"\x89PNG\r\n\x1a\n...."


def told(stage: Stage, key_id: str, message: dict[str, Any], kind: str) -> Any:
    key = {"id": key_id, "remoteJid": JID, "fromMe": False}
    data = {"key": key, "message": message, "messageType": kind}
    event = parse_event({"event": "messages.upsert", "instance": "sales", "data": data})
    return event.bind(stage.client())


def arrived(stage: Stage) -> Any:
    stage.open_instance()
    key_id = stage.fake.receive_text("sales", from_=NUMBER, text="oi")
    return told(stage, key_id, {"conversation": "oi"}, "conversation")


async def test_a_reaction_names_the_message(stage: Stage) -> None:
    event = arrived(stage)
    await stage.kit.run(event.react("\U0001f44d"))
    body = stage.arrived[-1].json
    assert stage.arrived[-1].path == "/message/sendReaction/sales"
    assert (body["key"]["id"], body["reaction"]) == (event.id, "\U0001f44d")


async def test_a_file_answers_in_the_same_chat_and_quotes(stage: Stage) -> None:
    event = arrived(stage)
    await stage.kit.run(event.reply_media(PNG, caption="veja"))
    assert stage.arrived[-1].path == "/message/sendMedia/sales"
    body = stage.arrived[-1].json
    assert base64.b64decode(body["media"]) == PNG
    assert (body["number"], body["caption"]) == (JID, "veja")
    assert body["quoted"]["key"]["id"] == event.id


async def test_the_message_is_marked_as_read(stage: Stage) -> None:
    event = arrived(stage)
    await stage.kit.run(event.mark_read())
    assert stage.arrived[-1].path == "/chat/markMessageAsRead/sales"
    assert [one["id"] for one in stage.arrived[-1].json["readMessages"]] == [event.id]


async def test_a_file_is_asked_of_the_server(stage: Stage) -> None:
    stage.open_instance()
    sent = await stage.kit.run(stage.client().messages.send_media(NUMBER, PNG))
    event = told(stage, sent.id, {"imageMessage": {}}, "imageMessage")
    assert await stage.kit.run(event.download_media())
    assert stage.arrived[-1].path == "/chat/getBase64FromMediaMessage/sales"


class Web:
    """What is fetched from elsewhere, and by which rules."""

    def __init__(self, colour: str) -> None:
        self.colour = colour
        self.asked: list[Any] = []

    def get(self, fetch: Any) -> Any:
        self.asked.append(fetch)
        answer = Response(200, {}, b"from the address")
        return self._later(answer) if self.colour == "async" else answer

    async def _later(self, answer: Response) -> Response:
        return answer


async def test_the_address_in_an_event_is_fetched_by_the_rules_of_any_other(stage: Stage) -> None:
    """Events are posted by whoever reaches the webhook, and name the address themselves."""
    stage.open_instance()
    sent = await stage.kit.run(stage.client().messages.send_media(NUMBER, PNG))
    client = stage.client()
    web = client._pipeline.fetching.fetcher = Web(stage.kit.colour)
    for url in ("https://cdn.example/a.png", "http://user@cdn.example/a.png", "http://[::1/"):
        event = told(stage, sent.id, {"imageMessage": {}, "mediaUrl": url}, "imageMessage")
        found = await stage.kit.run(event.bind(client).download_media())
        assert found == (b"from the address" if url.startswith("https") else PNG)
    (fetch,) = web.asked
    assert (fetch.url, fetch.trusted) == ("https://cdn.example/a.png", False)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "0x7f.1", "2130706433"])
async def test_an_event_cannot_make_us_look_into_our_own_network(stage: Stage, host: str) -> None:
    stage.open_instance()
    sent = await stage.kit.run(stage.client().messages.send_media(NUMBER, PNG))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setblocking(False)
        url = f"http://{host}:{listener.getsockname()[1]}/secret"
        event = told(stage, sent.id, {"imageMessage": {}, "mediaUrl": url}, "imageMessage")
        assert await stage.kit.run(event.download_media()) == PNG
        with pytest.raises(BlockingIOError):
            listener.accept()

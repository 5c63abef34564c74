"""What can be done about an event, against the server's double, in both colours."""

from __future__ import annotations

import base64
from typing import Any

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

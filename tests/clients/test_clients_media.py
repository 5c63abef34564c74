"""Files: what really arrives at the server, in which form, on which channel."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest

from evolution_sdk import Media
from evolution_sdk.errors import (
    ChannelNotSupportedError,
    EvolutionAPIError,
    RequestValidationError,
)
from evolution_sdk.media._plan import MULTIPART_THRESHOLD_BYTES

from .fake_stage import BAILEYS, BUSINESS, CHANNELS, EVOLUTION, JID, NUMBER, Stage

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256))
PDF = b"%PDF-1.7 " + bytes(range(256))
OGG = b"OggS" + bytes(range(256))
MP4 = b"\0\0\0\x18ftypmp42" + bytes(range(256))
OTHERS = "5511900000001"
GROUP = "120363000000000001@g.us"


def b64(content: bytes) -> str:
    return base64.b64encode(content).decode()


@pytest.mark.parametrize("channel", CHANNELS)
@pytest.mark.parametrize(
    ("make", "content", "name", "mediatype"),
    [
        (lambda _: PNG, PNG, "file.png", "image"),
        (lambda _: Media.from_bytes(PDF, file_name="conta"), PDF, "conta.pdf", "document"),
        (lambda _: b64(MP4), MP4, "file.mp4", "video"),
        (lambda _: f"data:image/png;base64,{b64(PNG)}", PNG, "file.png", "image"),
        (lambda _: f"data:application/pdf;base64,{b64(b'no signature')}", b"no signature",
         "file.pdf", "document"),
        (lambda folder: folder / "boleto.pdf", PDF, "boleto.pdf", "document"),
    ],
    ids=["bytes", "named-bytes", "base64", "data-uri", "data-uri-type", "path"],
)  # fmt: skip
async def test_small_content_arrives_as_bare_base64(
    stage: Stage, tmp_path: Path, channel: str, make: Any, content: bytes, name: str, mediatype: str
) -> None:
    (tmp_path / "boleto.pdf").write_bytes(PDF)
    stage.open_instance(channel)
    sent = await stage.kit.run(
        stage.client().messages.send_media(NUMBER, make(tmp_path), caption="Olá", delay_ms=700)
    )
    body = stage.last.json
    assert base64.b64decode(body["media"], validate=True) == content
    assert (body["fileName"], body["mediatype"], body["caption"]) == (name, mediatype, "Olá")
    assert body["delay"] == 700
    assert sent.message_type == f"{mediatype}Message"
    assert stage.fake.assert_sent(NUMBER, text="Olá").key_id == sent.id


@pytest.mark.parametrize("channel", CHANNELS)
@pytest.mark.parametrize("path", [True, False])
async def test_large_content_arrives_whole_as_multipart(
    stage: Stage, tmp_path: Path, channel: str, path: bool
) -> None:
    content = PDF + bytes(MULTIPART_THRESHOLD_BYTES)
    (tmp_path / "contrato").write_bytes(content)
    stage.open_instance(channel)
    media = (
        Media.from_path(tmp_path / "contrato", mime_type="application/pdf")
        if path
        else Media.from_bytes(content, file_name="contrato")
    )
    await stage.kit.run(stage.client().messages.send_media(NUMBER, media, caption="Olá"))
    fields, file = stage.last.form
    assert fields == {
        "number": NUMBER,
        "mediatype": "document",
        "mimetype": "application/pdf",
        "fileName": "contrato.pdf",
        "caption": "Olá",
    }
    assert (file.filename, file.mimetype) == ("contrato.pdf", "application/pdf")
    assert file.content == content
    stage.fake.assert_sent(NUMBER, kind="documentMessage")


@pytest.mark.parametrize("channel", CHANNELS)
async def test_a_url_is_left_to_the_server(stage: Stage, channel: str) -> None:
    stage.open_instance(channel)
    url = "https://files.example.com/fatura.pdf"
    await stage.kit.run(stage.client().messages.send_media(NUMBER, url, delay_ms=5))
    assert stage.last.json == {
        "number": NUMBER,
        "delay": 5,
        "mediatype": "document",
        "mimetype": "application/pdf",
        "media": url,
        "fileName": "fatura.pdf",
    }
    assert len(stage.arrived) == 1


async def test_the_callers_names_and_types_win(stage: Stage) -> None:
    stage.open_instance()
    await stage.kit.run(
        stage.client().messages.send_media(
            NUMBER, PNG, file_name="tela", mimetype="image/webp", mediatype="document"
        )
    )
    body = stage.last.json
    assert (body["fileName"], body["mimetype"]) == ("tela.webp", "image/webp")
    assert body["mediatype"] == "document"


@pytest.mark.parametrize(("prefer", "multipart"), [("multipart", True), ("base64", False)])
async def test_the_preferred_form_is_used(stage: Stage, prefer: Any, multipart: bool) -> None:
    stage.open_instance()
    content = PNG if multipart else PNG + bytes(MULTIPART_THRESHOLD_BYTES)
    await stage.kit.run(stage.client().messages.send_media(NUMBER, content, prefer=prefer))
    assert stage.last.is_multipart is multipart


async def test_delay_is_the_servers_with_json_and_ours_before_multipart(stage: Stage) -> None:
    stage.open_instance()
    client, time = stage.client(), stage.kit.time
    begun = time.now
    await stage.kit.run(client.messages.send_media(NUMBER, PNG, delay_ms=2_500))
    assert stage.last.json["delay"] == 2_500
    assert stage.last.at == begun
    assert time.naps == []

    begun = time.now
    await stage.kit.run(client.messages.send_media(NUMBER, PNG, delay_ms=2_500, prefer="multipart"))
    assert time.naps == [2.5]
    assert stage.last.at == begun + 2.5
    assert "delay" not in stage.last.form[0]


@pytest.mark.parametrize("prefer", ["base64", "multipart"])
async def test_a_file_may_quote_and_mention(stage: Stage, prefer: Any) -> None:
    stage.open_instance()
    stage.fake.groups.add(GROUP, participants=[f"{OTHERS}@s.whatsapp.net", JID])
    client = stage.client()
    first = await stage.kit.run(client.messages.send_text(GROUP, "pergunta"))
    sent = await stage.kit.run(
        client.messages.send_media(
            GROUP, PNG, prefer=prefer, quoted=first, mentioned=[f"+{OTHERS}", JID]
        )
    )
    assert stage.last.is_multipart is (prefer == "multipart")
    assert sent.context_info["stanzaId"] == first.id
    assert sent.context_info["mentionedJid"] == [f"{OTHERS}@s.whatsapp.net", JID]
    everyone = await stage.kit.run(
        client.messages.send_media(GROUP, PNG, prefer=prefer, mentions_every_one=True)
    )
    assert set(everyone.context_info["mentionedJid"]) == {f"{OTHERS}@s.whatsapp.net", JID}
    nobody = await stage.kit.run(
        client.messages.send_media(GROUP, PNG, prefer=prefer, mentions_every_one=False)
    )
    assert "mentionedJid" not in (nobody.context_info or {})


async def test_a_message_that_is_quoted_with_its_content_stays_quoted(stage: Stage) -> None:
    """The server quotes nothing, without an error, of which it gets the id and stores nothing."""
    stage.open_instance()
    client = stage.client()
    first = await stage.kit.run(client.messages.send_text(NUMBER, "pergunta"))
    large = PNG + bytes(200_000)
    await stage.kit.run(client.messages.send_media(NUMBER, large, quoted=first))
    assert stage.last.json["quoted"]["message"] == dict(first.content)
    await stage.kit.run(client.messages.send_media(NUMBER, large, quoted=first.id))
    assert stage.last.is_multipart, "an id is all there is"


@pytest.mark.parametrize("prefer", ["base64", "multipart"])
@pytest.mark.parametrize("channel", [BUSINESS, EVOLUTION])
async def test_a_file_may_quote_on_the_other_channels(
    stage: Stage, channel: str, prefer: Any
) -> None:
    stage.open_instance(channel)
    client = stage.client()
    first = await stage.kit.run(client.messages.send_text(NUMBER, "pergunta"))
    sent = await stage.kit.run(client.messages.send_media(NUMBER, PNG, prefer=prefer, quoted=first))
    if channel == BUSINESS:
        assert sent.content["contextInfo"] == {"stanzaId": first.id}
    else:
        assert sent.content["quoted"]["id"] == first.id


# Voice notes, video notes, stickers


@pytest.mark.parametrize("channel", CHANNELS)
async def test_a_voice_note_as_multipart_works_on_every_channel(stage: Stage, channel: str) -> None:
    stage.open_instance(channel)
    sent = await stage.kit.run(
        stage.client().messages.send_whatsapp_audio(NUMBER, OGG, prefer="multipart", delay_ms=1_000)
    )
    fields, file = stage.last.form
    assert (fields, file.content) == ({"number": NUMBER}, OGG)
    assert (file.filename, file.mimetype) == ("file.ogg", "audio/ogg")
    assert stage.kit.time.naps == [1.0]
    assert sent.message_type == "audioMessage"


@pytest.mark.parametrize("channel", [BAILEYS, BUSINESS])
async def test_a_voice_note_as_base64_or_url(stage: Stage, channel: str) -> None:
    stage.open_instance(channel)
    messages = stage.client().messages
    await stage.kit.run(messages.send_whatsapp_audio(NUMBER, OGG, delay_ms=1_000))
    assert stage.last.json == {"number": NUMBER, "delay": 1_000, "audio": b64(OGG)}
    url = "https://files.example.com/a.ogg"
    await stage.kit.run(messages.send_whatsapp_audio(NUMBER, url, encoding=False))
    assert stage.last.json == {"number": NUMBER, "audio": url, "encoding": False}
    stage.fake.assert_sent_times(2, NUMBER, kind="audioMessage")


async def test_an_unencoded_voice_note_never_goes_as_multipart(stage: Stage) -> None:
    stage.open_instance()
    large = OGG + bytes(MULTIPART_THRESHOLD_BYTES)
    await stage.kit.run(
        stage.client().messages.send_whatsapp_audio(
            NUMBER, large, encoding=False, prefer="multipart"
        )
    )
    assert stage.last.json["audio"] == b64(large)


async def test_the_evolution_channel_takes_voice_notes_only_as_multipart(stage: Stage) -> None:
    stage.open_instance(EVOLUTION)
    messages = stage.client().messages
    with pytest.raises(EvolutionAPIError, match="File or buffer is undefined"):
        await stage.kit.run(messages.send_whatsapp_audio(NUMBER, OGG, prefer="base64"))
    with pytest.raises(EvolutionAPIError, match="File or buffer is undefined"):
        await stage.kit.run(messages.send_whatsapp_audio(NUMBER, OGG, delay_ms=10))
    stage.fake.assert_nothing_sent()
    await stage.kit.run(messages.send_whatsapp_audio(NUMBER, OGG))
    assert stage.last.is_multipart


@pytest.mark.parametrize("prefer", [None, "multipart"])
async def test_a_video_note_arrives(stage: Stage, prefer: Any) -> None:
    stage.open_instance()
    sent = await stage.kit.run(stage.client().messages.send_ptv(NUMBER, MP4, prefer=prefer))
    if prefer is None:
        assert stage.last.json == {"number": NUMBER, "video": b64(MP4)}
    else:
        fields, file = stage.last.form
        assert (fields, file.content, file.filename) == ({"number": NUMBER}, MP4, "file.mp4")
    assert sent.message_type == "ptvMessage"


async def test_a_sticker_is_never_a_file_part(stage: Stage) -> None:
    stage.open_instance()
    messages = stage.client().messages
    large = PNG + bytes(MULTIPART_THRESHOLD_BYTES)
    await stage.kit.run(messages.send_sticker(NUMBER, large, delay_ms=30))
    assert stage.last.json == {"number": NUMBER, "sticker": b64(large), "delay": 30}
    await stage.kit.run(messages.send_sticker(NUMBER, PNG, not_convert_sticker=True))
    assert stage.last.json == {
        "number": NUMBER, "sticker": b64(PNG), "notConvertSticker": True
    }  # fmt: skip
    url = "https://files.example.com/a.webp"
    await stage.kit.run(messages.send_sticker(NUMBER, url))
    assert stage.last.json["sticker"] == url
    stage.fake.assert_sent_times(3, NUMBER, kind="stickerMessage")


@pytest.mark.parametrize("channel", [BUSINESS, EVOLUTION])
@pytest.mark.parametrize(
    "call",
    [
        lambda m: m.send_ptv(NUMBER, MP4),
        lambda m: m.send_sticker(NUMBER, PNG),
        lambda m: m.send_status(
            "https://a.example/i.png", type="image", status_jid_list=[JID]
        ),
    ],
    ids=["ptv", "sticker", "status"],
)  # fmt: skip
async def test_other_channels_cannot_do_what_only_baileys_can(
    stage: Stage, channel: str, call: Any
) -> None:
    stage.open_instance(channel)
    with pytest.raises(ChannelNotSupportedError) as caught:
        await stage.kit.run(call(stage.client().messages))
    assert caught.value.attempts == 1
    stage.fake.assert_nothing_sent()


# Stories


async def test_stories_of_each_kind_arrive(stage: Stage) -> None:
    stage.open_instance()
    stage.fake.add_contact("sales", NUMBER, "Ana")
    messages = stage.client().messages
    await stage.kit.run(
        messages.send_status("Oi", background_color="#008000", font=3, status_jid_list=[JID])
    )
    assert stage.last.json == {
        "type": "text", "content": "Oi", "backgroundColor": "#008000", "font": 3,
        "statusJidList": [JID],
    }  # fmt: skip
    url = "https://files.example.com/a.jpg"
    await stage.kit.run(messages.send_status(url, type="image", caption="praia", all_contacts=True))
    assert stage.last.json == {
        "type": "image", "content": url, "caption": "praia", "allContacts": True
    }  # fmt: skip
    large = OGG + bytes(MULTIPART_THRESHOLD_BYTES)
    await stage.kit.run(messages.send_status(large, type="audio", status_jid_list=[JID]))
    assert stage.last.json == {"type": "audio", "content": b64(large), "statusJidList": [JID]}
    kinds = [sent.kind for sent in stage.fake.sent_to("status@broadcast")]
    assert kinds == ["conversation", "imageMessage", "audioMessage"]


@pytest.mark.parametrize("kind", ["image", "video"])
async def test_a_story_of_bytes_is_refused_here(stage: Stage, kind: Any) -> None:
    stage.open_instance()
    content = PNG if kind == "image" else MP4
    for form in (content, b64(content), Media.from_bytes(content)):
        with pytest.raises(RequestValidationError, match="must be a URL") as caught:
            await stage.kit.run(
                stage.client().messages.send_status(form, type=kind, status_jid_list=[JID])
            )
        assert caught.value.field == "content"
    assert stage.arrived == []

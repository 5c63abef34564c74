"""Files: what really arrives at the server, in which form, on which channel."""

from __future__ import annotations

import base64
import hashlib
import http.server
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import pytest

from evolution_sdk import Media, RetryPolicy
from evolution_sdk.errors import (
    ChannelNotSupportedError,
    EvolutionAPIError,
    RequestValidationError,
    ServerError,
)
from evolution_sdk.media import MEDIA_LIMITS, MULTIPART_THRESHOLD_BYTES, MediaKind

from .conftest import KEY, Kit
from .fake_stage import BAILEYS, BUSINESS, CHANNELS, EVOLUTION, JID, NUMBER, Stage

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256))
PDF = b"%PDF-1.7 " + bytes(range(256))
OGG = b"OggS" + bytes(range(256))
MP4 = b"\0\0\0\x18ftypmp42" + bytes(range(256))
OTHERS = "5511900000001"
GROUP = "120363000000000001@g.us"


def b64(content: bytes) -> str:
    return base64.b64encode(content).decode()


@pytest.fixture
def stage(kit: Kit) -> Stage:
    return Stage(kit)


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
    stage.fake.add_group(GROUP, participants=[f"{OTHERS}@s.whatsapp.net", JID])
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


async def test_the_evolution_channel_says_what_it_lacks(stage: Stage) -> None:
    stage.open_instance(EVOLUTION)
    with pytest.raises(EvolutionAPIError, match="File or buffer is undefined"):
        await stage.kit.run(stage.client().messages.send_whatsapp_audio(NUMBER, OGG))
    stage.fake.assert_nothing_sent()


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


# Refused before anything travels


@pytest.mark.parametrize(
    ("call", "field", "rule"),
    [
        (lambda m: m.send_media(NUMBER, b""), "media", "must not be empty"),
        (lambda m: m.send_media(NUMBER, "not base64!"), "media", "for a file pass a Path"),
        (lambda m: m.send_media(NUMBER, Path("/no/such/file")), "media", "existing file"),
        (lambda m: m.send_media(NUMBER, PNG, mediatype="video"), "media", "must be video"),
        (lambda m: m.send_media(NUMBER, PNG, file_name="a/b.png"), "file_name", "directories"),
        (lambda m: m.send_ptv(NUMBER, PNG), "video", "must be video"),
        (lambda m: m.send_sticker(NUMBER, MP4), "sticker", "must be image"),
        (lambda m: m.send_whatsapp_audio(NUMBER, PNG), "audio", "must be audio"),
        (lambda m: m.send_media("x", PNG), "number", "phone number"),
        (lambda m: m.send_media(NUMBER, PNG, delay_ms=-1), "delay", "greater than or equal"),
    ],
    ids=["empty", "text", "no-file", "kind", "name", "ptv", "sticker", "audio", "number", "delay"],
)  # fmt: skip
async def test_what_cannot_work_is_refused_here(
    stage: Stage, call: Any, field: str, rule: str
) -> None:
    stage.open_instance()
    with pytest.raises(RequestValidationError, match=rule) as caught:
        await stage.kit.run(call(stage.client().messages))
    assert caught.value.field.startswith(field)
    assert stage.arrived == []


@pytest.mark.parametrize("kind", [MediaKind.IMAGE, MediaKind.VIDEO, MediaKind.AUDIO])
async def test_too_large_a_file_is_refused_before_it_is_read(
    stage: Stage, tmp_path: Path, kind: MediaKind
) -> None:
    stage.open_instance()
    name = {"image": "a.png", "video": "a.mp4", "audio": "a.mp3"}[kind]
    with (tmp_path / name).open("wb") as file:
        file.truncate(MEDIA_LIMITS[kind] + 1)
    with pytest.raises(RequestValidationError, match=f"at most {MEDIA_LIMITS[kind]} bytes"):
        await stage.kit.run(stage.client().messages.send_media(NUMBER, tmp_path / name))
    assert stage.arrived == []


# What only we can reach


class FileServer(http.server.BaseHTTPRequestHandler):
    """Serves one small picture, and remembers who asked how."""

    asked: ClassVar[list[tuple[str, dict[str, str]]]] = []
    sizes: ClassVar[dict[str, int]] = {"/foto": 0, "/large.png": 2_000}

    def do_GET(self) -> None:
        self.asked.append((self.path, {k.lower(): v for k, v in self.headers.items()}))
        known = self.path in self.sizes
        content = PNG + bytes(self.sizes.get(self.path, 0))
        self.send_response(200 if known else 404)
        self.send_header("content-type", "image/png")
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the library's name
        """Stay silent."""


@pytest.fixture
def files() -> Iterator[str]:
    FileServer.asked.clear()
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), FileServer) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://localhost:{server.server_address[1]}"
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("backend", ["httpx", "aiohttp"])
async def test_a_url_only_we_can_reach_is_fetched_here_without_our_key(
    stage: Stage, files: str, backend: Any
) -> None:
    if backend == "aiohttp" and stage.kit.colour == "sync":
        pytest.skip("aiohttp is async only")
    stage.open_instance()
    async with stage.served(http_backend=backend) as client:
        await stage.kit.run(client.messages.send_media(NUMBER, f"{files}/foto"))
    ((path, headers),) = FileServer.asked
    assert path == "/foto"
    assert "apikey" not in headers
    assert KEY not in str(headers)
    body = stage.last.json
    assert body["media"] == b64(PNG)
    assert (body["mediatype"], body["mimetype"], body["fileName"]) == (
        "image", "image/png", "foto.png"
    )  # fmt: skip


async def test_a_download_can_be_asked_for_and_refused(stage: Stage, files: str) -> None:
    stage.open_instance()
    url = f"{files}/foto".replace("localhost", "127.0.0.1")
    async with stage.served() as client:
        left = Media.from_url(url, mime_type="image/png", download=False)
        await stage.kit.run(client.messages.send_media(NUMBER, left))
        assert stage.last.json["media"] == url
        assert FileServer.asked == []
        await stage.kit.run(client.messages.send_media(NUMBER, Media.from_url(url)))
        assert stage.last.json["media"] == b64(PNG)


@pytest.mark.parametrize(
    ("path", "rule"), [("/gone.png", "HTTP 404"), ("/large.png", "at most 1000")]
)
async def test_a_download_that_fails_or_is_too_large_sends_nothing(
    stage: Stage, files: str, path: str, rule: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(MEDIA_LIMITS, MediaKind.IMAGE, 1_000)  # type: ignore[misc]  # a dict
    stage.open_instance()
    async with stage.served() as client:
        with pytest.raises(RequestValidationError, match=rule):
            await stage.kit.run(client.messages.send_media(NUMBER, f"{files}{path}"))
    assert stage.arrived == []


# Large files, and trying again


@pytest.mark.parametrize("backend", ["httpx", "aiohttp"])
async def test_a_large_file_goes_whole_over_the_wire_again_after_a_refusal(
    stage: Stage, tmp_path: Path, backend: Any
) -> None:
    if backend == "aiohttp" and stage.kit.colour == "sync":
        pytest.skip("aiohttp is async only")
    content = PDF + hashlib.sha256(b"x").digest() * 100_000
    (tmp_path / "livro.pdf").write_bytes(content)
    stage.open_instance()
    stage.fake.faults.add("message.send_media", "status", status=429, body={}, count=1)
    async with stage.served(http_backend=backend) as client:
        await stage.kit.run(client.messages.send_media(NUMBER, tmp_path / "livro.pdf"))
    assert [hashlib.sha256(seen.form[1].content).hexdigest() for seen in stage.sends()] == [
        hashlib.sha256(content).hexdigest()
    ] * 2
    stage.fake.assert_sent_times(1, NUMBER, kind="documentMessage")


async def test_a_refused_connection_is_tried_again_with_the_whole_file(
    stage: Stage, tmp_path: Path
) -> None:
    content = PDF + bytes(MULTIPART_THRESHOLD_BYTES)
    (tmp_path / "livro.pdf").write_bytes(content)
    stage.open_instance()
    fault = stage.fake.faults.add("message.send_media", "refuse", count=2)
    await stage.kit.run(
        stage.client().messages.send_media(
            NUMBER, tmp_path / "livro.pdf", retry=RetryPolicy(max_attempts=3, jitter="none")
        )
    )
    assert fault.hits == 2
    assert [seen.form[1].content for seen in stage.sends()] == [content] * 3
    stage.fake.assert_sent_times(1)


async def test_a_file_whose_answer_was_lost_is_found_and_not_sent_again(stage: Stage) -> None:
    stage.open_instance()
    stage.fake.faults.add("message.send_media", "answer_then_drop", count=1)
    sent = await stage.kit.run(
        stage.client().messages.send_media(
            NUMBER, PDF, file_name="conta.pdf", caption="a conta", prefer="multipart"
        )
    )
    assert sent.reconciled
    assert [message.key_id for message in stage.fake.sent] == [sent.id]


async def test_a_server_error_after_upload_is_not_retried_blindly(stage: Stage) -> None:
    stage.open_instance()
    stage.fake.set_state("sales", "open")
    stage.fake.faults.add("message.send_media", "status_after", status=502, body="", count=1)
    sent = await stage.kit.run(stage.client().messages.send_media(NUMBER, PNG, caption="uma vez"))
    assert sent.reconciled
    stage.fake.assert_sent_times(1, text="uma vez")
    stage.fake.faults.add("message.send_media", "status", status=500, body="boom", count=1)
    with pytest.raises(Exception) as caught:
        await stage.kit.run(
            stage.client().messages.send_media(NUMBER, PNG, caption="nunca", on_unknown="raise")
        )
    assert isinstance(caught.value.__cause__, ServerError)
    stage.fake.assert_sent_times(0, text="nunca")

"""Sending and reading, on a channel that keeps everything in the server."""

from __future__ import annotations

import asyncio
import base64
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from evolution_sdk import Button, ContactCard, ListRow, ListSection, MessageKey
from evolution_sdk.errors import (
    ChannelNotSupportedError,
    EvolutionAPIError,
    RequestValidationError,
    SendOutcomeUnknownError,
    UnsupportedByServerError,
)

NUMBER = "5511987654321"
JID = f"{NUMBER}@s.whatsapp.net"
PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
OGG = b"OggS" + bytes(200)


async def stored_texts(live: Any, sales: Any, **filters: Any) -> list[str | None]:
    items = await live.collect(sales.chats.iter_messages(from_me=True, **filters))
    return [message.text for message in items]


async def test_texts_with_and_without_delay(live: Any, sales: Any) -> None:
    first = await live.run(sales.messages.send_text(NUMBER, "Olá! ✓ \n segunda linha"))
    assert first.id
    assert (first.remote_jid, first.from_me, first.text) == (
        NUMBER, True, "Olá! ✓ \n segunda linha"
    )  # fmt: skip
    assert not first.drift
    later = await live.run(sales.messages.send_text(NUMBER, "depois", delay_ms=1_200, quoted=first))
    assert later.timestamp > first.timestamp
    assert await stored_texts(live, sales) == ["depois", "Olá! ✓ \n segunda linha"]


@pytest.mark.parametrize("prefer", ["base64", "multipart"])
async def test_files(live: Any, sales: Any, tmp_path: Path, prefer: Any) -> None:
    picture = await live.run(sales.messages.send_media(NUMBER, PNG, caption="olá", prefer=prefer))
    (tmp_path / "conta").write_bytes(b"%PDF-1.7 " + bytes(1_000))
    document = await live.run(
        sales.messages.send_media(
            NUMBER, tmp_path / "conta", mimetype="application/pdf", prefer=prefer, delay_ms=200
        )
    )
    assert (picture.message_type, document.message_type) == ("imageMessage", "documentMessage")
    assert not picture.drift
    page = await live.run(sales.chats.find_messages(from_me=True))
    assert {message.id for message in page.records} == {picture.id, document.id}


async def test_a_large_file_streamed_from_disk(live: Any, sales: Any, tmp_path: Path) -> None:
    with (tmp_path / "livro.pdf").open("wb") as file:
        file.truncate(3_000_000)
    sent = await live.run(sales.messages.send_media(NUMBER, tmp_path / "livro.pdf"))
    assert sent.message_type == "documentMessage"


async def test_voice_notes_only_as_multipart_on_this_channel(live: Any, sales: Any) -> None:
    sent = await live.run(sales.messages.send_whatsapp_audio(NUMBER, OGG))
    assert sent.message_type == "audioMessage"
    with pytest.raises(EvolutionAPIError):
        await live.run(
            sales.messages.send_whatsapp_audio(NUMBER, OGG, prefer="base64", retry=False)
        )
    page = await live.run(sales.chats.find_messages())
    assert [message.id for message in page.records] == [sent.id]


async def test_buttons(live: Any, sales: Any) -> None:
    sent = await live.run(
        sales.messages.send_buttons(
            NUMBER,
            title="Confirma?",
            buttons=[Button(display_text="Sim", id="s"), Button(display_text="Não", id="n")],
        )
    )
    assert sent.message_type == "buttonMessage"
    assert sent.id


@pytest.mark.parametrize(
    "call",
    [
        lambda m: m.send_location(NUMBER, -23.5, -46.6, name="SP", address="Sé"),
        lambda m: m.send_contact(NUMBER, ContactCard(full_name="Ada", phone_number=NUMBER)),
        lambda m: m.send_reaction(MessageKey(id="x", remote_jid=JID, from_me=False), "👍"),
        lambda m: m.send_poll(NUMBER, "Qual?", ["A", "B"]),
        lambda m: m.send_list(
            NUMBER, title="T", button_text="B", footer_text="F",
            sections=[ListSection(title="S", rows=(ListRow(title="R", row_id="r"),))],
        ),
        lambda m: m.send_sticker(NUMBER, PNG),
        lambda m: m.send_ptv(NUMBER, b"\0\0\0\x18ftypmp42" + bytes(100)),
        lambda m: m.send_status("oi", background_color="#008000", font=1, status_jid_list=[JID]),
        lambda m: m.send_template(NUMBER, "hello", language="pt_BR"),
    ],
    ids=["location", "contact", "reaction", "poll", "list", "sticker", "ptv", "status", "template"],
)  # fmt: skip
async def test_what_this_channel_cannot_do(live: Any, sales: Any, call: Any) -> None:
    with pytest.raises(ChannelNotSupportedError) as caught:
        await live.run(call(sales.messages))
    assert (caught.value.instance, caught.value.attempts) == (sales.name, 1)


async def test_refused_here_before_it_reaches_the_server(live: Any, sales: Any) -> None:
    for text, number in ((" ", NUMBER), ("oi", "not a number")):
        with pytest.raises(RequestValidationError):
            await live.run(sales.messages.send_text(number, text))
    assert await stored_texts(live, sales) == []


async def test_reading_page_by_page_and_all(live: Any, sales: Any) -> None:
    sent = [await live.run(sales.messages.send_text(NUMBER, f"{i}")) for i in range(8)]
    other = await live.run(sales.messages.send_text("5511900000001", "outro"))
    page = await live.run(
        sales.chats.find_messages(remote_jid=NUMBER, from_me=True, page=2, page_size=3)
    )
    assert (page.total, page.pages, page.current_page) == (8, 3, 2)
    assert len(page.records) == 3
    assert not page.drift
    (one,) = (await live.run(sales.chats.find_messages(message_id=sent[3].id))).records
    assert (one.id, one.text, one.message_type) == (sent[3].id, "3", "conversation")

    seen = await live.collect(sales.chats.iter_messages(remote_jid=NUMBER, page_size=3))
    assert sorted(message.id for message in seen) == sorted(message.id for message in sent)
    everything = await live.collect(sales.chats.iter_messages(page_size=2))
    assert {message.id for message in everything} == {other.id, *(m.id for m in sent)}
    assert await live.collect(sales.chats.iter_messages(from_me=False)) == []
    hour = timedelta(hours=1)
    since = await stored_texts(live, sales, since=sent[0].timestamp - hour)
    assert len(since) == 9
    assert await stored_texts(live, sales, until=sent[0].timestamp - hour) == []


async def test_chats_contacts_and_statuses(live: Any, sales: Any, server: Any) -> None:
    sent = await live.run(sales.messages.send_text(JID, "oi"))
    # 2.2.3 lists only chats with a contact, and a send makes none.
    listed = [sent.remote_jid] if server.has("chats_whole") else []
    assert [chat.remote_jid for chat in await live.run(sales.chats.find())] == listed
    assert len(await live.run(sales.chats.find(remote_jid=JID, take=1, skip=0))) == len(listed)
    stranger = "5511900000009@s.whatsapp.net"
    assert await live.run(sales.chats.find_contacts(remote_jid=stranger)) == []
    assert await live.run(sales.chats.find_status_message(message_id=sent.id)) == []
    if server.profile.at_least("2.3"):
        assert await live.run(sales.chats.find_by_remote_jid(stranger)) is None
        return
    with pytest.raises(UnsupportedByServerError) as caught:
        await live.run(sales.chats.find_by_remote_jid(stranger))
    assert (caught.value.needs, caught.value.version) == ("2.3", server.version)


async def test_calls_at_the_same_time_get_their_own_answers(live: Any, sales: Any) -> None:
    texts = [f"mensagem {i}" for i in range(20)]
    if live.colour == "async":
        sent = await asyncio.gather(*(sales.messages.send_text(NUMBER, t) for t in texts))
    else:
        with ThreadPoolExecutor(5) as pool:
            sent = list(pool.map(lambda t: sales.messages.send_text(NUMBER, t), texts))
    assert [message.text for message in sent] == texts
    assert sorted(t or "" for t in await stored_texts(live, sales)) == sorted(texts)


# Exactly once


class Network:
    """What happens on the way: the next answers that get lost, the next calls that fail."""

    def __init__(self) -> None:
        self.lose = 0
        self.refuse = 0

    def before(self, request: httpx.Request) -> None:
        if "/message/" in request.url.path and self.refuse:
            self.refuse -= 1
            raise httpx.ConnectError("injected: refused", request=request)

    def after(self, request: httpx.Request) -> None:
        if "/message/" in request.url.path and self.lose:
            self.lose -= 1
            raise httpx.ReadError("injected: the server acted, its answer got lost")


class Lossy(httpx.HTTPTransport):
    def __init__(self, network: Network) -> None:
        super().__init__()
        self._network = network

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self._network.before(request)
        response = super().handle_request(request)
        response.read()
        self._network.after(request)
        return response


class AsyncLossy(httpx.AsyncHTTPTransport):
    def __init__(self, network: Network) -> None:
        super().__init__()
        self._network = network

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self._network.before(request)
        response = await super().handle_async_request(request)
        await response.aread()
        self._network.after(request)
        return response


async def test_a_lost_answer_is_found_in_the_store_and_sent_once(live: Any, sales: Any) -> None:
    network = Network()
    http: Any = (
        httpx.AsyncClient(transport=AsyncLossy(network))
        if live.colour == "async"
        else httpx.Client(transport=Lossy(network))
    )
    try:
        instance = live.open(http_client=http).instance(sales.name)
        network.lose = 1
        found = await live.run(instance.messages.send_text(NUMBER, "perdida"))
        assert found.reconciled

        network.lose = 1
        resent = await live.run(instance.messages.send_text(NUMBER, "perdida", on_unknown="resend"))
        assert resent.reconciled
        assert resent.id != found.id

        network.lose = 1
        with pytest.raises(SendOutcomeUnknownError):
            await live.run(instance.messages.send_text(NUMBER, "sem olhar", on_unknown="raise"))

        network.refuse = 1
        again = await live.run(instance.messages.send_text(NUMBER, "recusada"))
        assert not again.reconciled
    finally:
        await live.run(http.aclose() if live.colour == "async" else http.close())
    assert sorted(t or "" for t in await stored_texts(live, sales)) == [
        "perdida", "perdida", "recusada", "sem olhar"
    ]  # fmt: skip

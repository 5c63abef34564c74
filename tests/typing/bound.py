"""Read by mypy and pyright, never run: actions are exactly typed, in the colour of the client."""

from __future__ import annotations

from collections.abc import Coroutine
from pathlib import Path
from typing import Any, assert_type

from evolution_sdk import (
    AsyncEvolutionClient,
    AsyncInstance,
    AsyncMessageEvent,
    AsyncMessagesUpdate,
    AsyncMessagesUpsert,
    AsyncSendMessage,
    AsyncSentMessage,
    EvolutionClient,
    Instance,
    MessageStatus,
    SentMessage,
    SyncMessageEvent,
    SyncMessagesUpdate,
    SyncMessagesUpsert,
    SyncSendMessage,
    SyncSentMessage,
)
from evolution_sdk.events import (
    AlbumGatherer,
    ConnectionUpdate,
    Event,
    EventRouter,
    GatheredAlbum,
    Handling,
    MessageEvent,
    MessagesUpdate,
    MessagesUpsert,
    SendMessage,
    filters,
    parse_event,
)
from evolution_sdk.media import SavedMedia
from evolution_sdk.models import PlayedAck, ProtocolMessage, ReadAck
from evolution_sdk.webhooks import WebhookReceiver

router = EventRouter()


def sync_sent(client: EvolutionClient) -> None:
    sent = client.messages.send_text("5511999999999", "hi")
    assert_type(sent, SyncSentMessage)
    assert_type(client.messages.send_media("5511999999999", b"x"), SyncSentMessage)
    assert_type(sent.wait_until("READ", timeout_ms=1_000), MessageStatus)
    reply = sent.wait_for_reply(where=lambda event: event.text == "1")
    assert_type(reply, SyncMessagesUpsert)
    assert_type(reply.reply_text("thanks").wait_for_reply(), SyncMessagesUpsert)
    assert_type(client.messages.wait_until(sent), MessageStatus)
    data: SentMessage = sent
    assert_type(client.messages.wait_for_reply(data), SyncMessagesUpsert)


async def async_sent(client: AsyncEvolutionClient) -> None:
    sent = await client.instance("sales").messages.send_text("5511999999999", "hi")
    assert_type(sent, AsyncSentMessage)
    assert_type(await sent.wait_until(), MessageStatus)
    reply = await sent.wait_for_reply()
    assert_type(reply, AsyncMessagesUpsert)
    assert_type(await (await reply.reply_text("thanks")).wait_for_reply(), AsyncMessagesUpsert)
    assert_type(await client.messages.wait_for_reply(sent), AsyncMessagesUpsert)


def sync_bound(client: EvolutionClient, handle: Instance, event: MessagesUpsert) -> None:
    assert_type(event.bind(client), SyncMessagesUpsert)
    assert_type(event.bind(handle), SyncMessagesUpsert)
    bound = event.bind(client)
    assert_type(bound.reply_text("x", quote=False, delay_ms=5), SyncSentMessage)
    assert_type(bound.reply_media(b"x", caption="x"), SyncSentMessage)
    assert_type(bound.react("x"), SyncSentMessage)
    assert_type(bound.mark_read(), ReadAck | None)
    assert_type(bound.download_media(max_bytes=1_000), bytes)
    assert_type(bound.download_to("x", use_whatsapp=False), SavedMedia)
    assert_type(bound.text, str | None)
    sent = bound.reply_poll("Which?", ["a", "b"])
    assert_type(sent, SyncSentMessage)
    assert_type(
        sent.wait_for_vote(option="a", consume=True), SyncMessagesUpsert | SyncMessagesUpdate
    )
    assert_type(sent.wait_for_reply(consume=True), SyncMessagesUpsert)
    assert_type(bound.reply_audio(b"x"), SyncSentMessage)
    assert_type(bound.reply_sticker(b"x", quote=False), SyncSentMessage)
    assert_type(bound.reply_ptv(b"x"), SyncSentMessage)
    assert_type(bound.reply_location(1, 2, name="a", address="b", delay_ms=5), SyncSentMessage)
    assert_type(bound.reply_contact([]), SyncSentMessage)
    assert_type(bound.reply_buttons(title="x", buttons=[], fallback="poll"), SyncSentMessage)
    assert_type(bound.reply_carousel(body="x", cards=[]), SyncSentMessage)
    assert_type(bound.forward("5511999999999", by="url"), SyncSentMessage)
    assert_type(bound.edit("x"), ProtocolMessage)
    assert_type(bound.delete(), ProtocolMessage)
    assert_type(bound.mark_played(), PlayedAck | None)
    with bound.typing(), client.chats.recording("5511999999999"):
        bound.reply_text("x")


async def async_bound(
    client: AsyncEvolutionClient, handle: AsyncInstance, event: MessagesUpsert
) -> None:
    bound = event.bind(client)
    assert_type(bound, AsyncMessagesUpsert)
    assert_type(event.bind(handle), AsyncMessagesUpsert)
    assert_type(await bound.reply_text("x", quote=False, delay_ms=5), AsyncSentMessage)
    assert_type(await bound.reply_media(b"x", caption="x"), AsyncSentMessage)
    assert_type(await bound.react("x"), AsyncSentMessage)
    assert_type(await bound.mark_read(), ReadAck | None)
    assert_type(await bound.download_media(), bytes)
    assert_type(await bound.download_to(Path("x")), SavedMedia)
    albums: AlbumGatherer[AsyncMessagesUpsert] = AlbumGatherer()
    album = albums.take(bound)
    assert_type(album, GatheredAlbum[AsyncMessagesUpsert] | None)
    if album is not None:
        assert_type(await album.items[0].download_media(), bytes)
    sent = await bound.reply_poll("Which?", ["a", "b"])
    assert_type(await sent.wait_for_vote(), AsyncMessagesUpsert | AsyncMessagesUpdate)
    assert_type(
        await bound.reply_list(
            title="x", button_text="x", footer_text="x", sections=[], fallback="text"
        ),
        AsyncSentMessage,
    )
    assert_type(await bound.forward("5511999999999"), AsyncSentMessage)
    assert_type(await bound.edit("x"), ProtocolMessage)
    assert_type(await bound.mark_played(), PlayedAck | None)
    async with bound.typing(renew_ms=5_000), client.chats.typing("5511999999999"):
        await bound.reply_text("x")


def every_kind(
    client: EvolutionClient, later: AsyncEvolutionClient, own: SendMessage, status: MessagesUpdate
) -> None:
    assert_type(own.bind(client), SyncSendMessage)
    assert_type(own.bind(later), AsyncSendMessage)
    assert_type(status.bind(client), SyncMessagesUpdate)
    assert_type(status.bind(later), AsyncMessagesUpdate)


def parsed(client: EvolutionClient, connection: ConnectionUpdate) -> None:
    event = parse_event(b"{}")
    assert_type(event, Event)
    if isinstance(event, MessagesUpsert):
        assert_type(event.bind(client).reply_text("x"), SyncSentMessage)
    if isinstance(event, AsyncMessagesUpsert):
        assert_type(event, AsyncMessagesUpsert)
    assert_type(connection.bind(client), ConnectionUpdate)


@router.on(AsyncMessagesUpsert, filters.command("ping") & ~filters.from_me)
async def answer_later(event: AsyncMessagesUpsert) -> None:
    sent = await event.reply_text("pong")
    await sent.wait_until("READ")


@router.on(SyncMessagesUpsert, filters.text)
def answer(event: SyncMessagesUpsert) -> Handling | None:
    event.reply_text("pong").wait_until("READ")
    return Handling.CONTINUE


@router.on(MessagesUpsert, filters.text)
async def read(event: MessagesUpsert) -> None: ...


@router.on((AsyncMessagesUpsert, AsyncSendMessage), filters.group)
async def several(event: AsyncMessageEvent) -> None:
    await event.mark_read()


@router.on((SyncMessagesUpsert, SyncSendMessage), filters.group)
def several_at_once(event: SyncMessageEvent) -> None:
    event.mark_read()


router.add(answer_later, AsyncMessagesUpsert)
router.add(answer, SyncMessagesUpsert, filters.text)
receiver = WebhookReceiver(router, client=EvolutionClient())


# ---- Each of the following must be an error; an ignore that is not needed is one as well. ----


async def forgotten_await(event: AsyncMessagesUpsert, client: AsyncEvolutionClient) -> None:
    event.reply_text("x")  # type: ignore[unused-coroutine]  # pyright: ignore[reportUnusedCoroutine]
    event.mark_read()  # type: ignore[unused-coroutine]  # pyright: ignore[reportUnusedCoroutine]
    event.reply_sticker(b"x")  # type: ignore[unused-coroutine]  # pyright: ignore[reportUnusedCoroutine]
    event.forward("1")  # type: ignore[unused-coroutine]  # pyright: ignore[reportUnusedCoroutine]
    event.delete()  # type: ignore[unused-coroutine]  # pyright: ignore[reportUnusedCoroutine]
    with event.typing():  # type: ignore[attr-defined]  # pyright: ignore[reportGeneralTypeIssues]
        pass
    client.messages.send_text("1", "x")  # type: ignore[unused-coroutine]  # pyright: ignore[reportUnusedCoroutine]
    sent = await event.reply_text("x")
    sent.wait_until("READ")  # type: ignore[unused-coroutine]  # pyright: ignore[reportUnusedCoroutine]
    sent.wait_for_vote()  # type: ignore[unused-coroutine]  # pyright: ignore[reportUnusedCoroutine]
    _: MessageStatus = sent.wait_until("READ")  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType]
    str(event.reply_text("x").id)  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType, reportUnknownArgumentType]


async def await_without_need(event: SyncMessagesUpsert, sent: SyncSentMessage) -> None:
    await event.reply_text("x")  # type: ignore[misc]  # pyright: ignore[reportGeneralTypeIssues]
    await sent.wait_until("READ")  # type: ignore[misc]  # pyright: ignore[reportGeneralTypeIssues]


def no_client(event: MessagesUpsert, message: SentMessage) -> None:
    event.reply_text("x")  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]
    message.wait_until("READ")  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]


def wrong_client(event: MessagesUpsert, client: EvolutionClient) -> AsyncMessagesUpsert:
    event.bind("oops")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    WebhookReceiver(router, client="oops")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    return event.bind(client)  # type: ignore[return-value]  # pyright: ignore[reportReturnType]


def wrong_argument(event: SyncMessagesUpsert) -> None:
    event.reply_text("x", delay=5)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    event.reply_buttons(title="x", buttons=[], fallback="list")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    event.reply_media(7)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    event.react("x", on_unknown="perhaps")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


@router.on(AsyncMessagesUpsert)  # type: ignore[type-var]  # pyright: ignore[reportArgumentType]
def sync_handler_of_an_async_client(event: AsyncMessagesUpsert) -> None: ...


@router.on(AsyncMessagesUpsert)  # type: ignore[type-var]  # pyright: ignore[reportArgumentType]
def returns_what_it_should_await(
    event: AsyncMessagesUpsert,
) -> Coroutine[Any, Any, AsyncSentMessage]:
    return event.reply_text("x")


@router.on(SyncMessagesUpsert)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
async def handler_of_the_other_colour(event: AsyncMessagesUpsert) -> None: ...


@router.on(MessagesUpsert)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
async def handler_that_was_promised_no_client(event: AsyncMessagesUpsert) -> None: ...


router.add(answer, AsyncMessagesUpsert)  # type: ignore[arg-type]  # pyright: ignore[reportCallIssue, reportArgumentType]
router.add(lambda event: event.reply_text("x"), AsyncMessagesUpsert)  # type: ignore[misc]  # pyright: ignore[reportCallIssue, reportArgumentType]


def status_has_no_content(event: SyncMessagesUpdate) -> None:
    event.forward("1")  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]


def unused_base(event: MessageEvent) -> None:
    event.react("x")  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]

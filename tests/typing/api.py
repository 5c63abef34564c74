"""Read by mypy and pyright, never run: what the public methods return.

One method of every family, of both clients, and what hangs on their results.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from datetime import datetime
from typing import Any, assert_type

from evolution_sdk import (
    OPERATIONS,
    AsyncEvolutionClient,
    AsyncInstance,
    AsyncSentMessage,
    ConnectionStatus,
    Effect,
    EvolutionClient,
    EvolutionError,
    Instance,
    Media,
    MessageStatus,
    Operation,
    Phase,
    RecipientNotFoundError,
    RetryPolicy,
    SentMessage,
    StoredMessage,
)
from evolution_sdk.models import (
    BotSession,
    CallOffer,
    Catalog,
    ChatbotSettings,
    ConnectionState,
    CreatedInstance,
    DifyBot,
    EventChannel,
    EvoaiBot,
    Group,
    InstanceInfo,
    JidCheck,
    Label,
    MessageTemplate,
    N8nBot,
    NumberCheck,
    OpenaiCreds,
    OpenaiSettings,
    Proxy,
    PusherChannel,
    ServerInfo,
    Settings,
    SettingsAck,
    StoredMediaUrl,
    TypebotBot,
    TypebotFields,
    TypebotStartAck,
    Webhook,
)


def sync_client() -> None:
    with EvolutionClient("https://api.example.com", "key", instance="sales") as client:
        assert_type(client, EvolutionClient)
        assert_type(client.server.info(), ServerInfo)
        assert_type(client.instances.create("sales", qrcode=True), CreatedInstance)
        assert_type(client.instances.fetch(), list[InstanceInfo])
        assert_type(client.instances.connection_state().state, ConnectionStatus | None)
        assert_type(client.settings.find(), Settings | None)
        assert_type(client.webhook.find(), Webhook | None)
        assert_type(client.chats.check_whatsapp_numbers(["5511999999999"]), list[NumberCheck])
        assert_type(client.chats.iter_messages(), Iterator[StoredMessage])
        assert_type(client.instance("sales"), Instance)
        sent = client.instance("sales", token=None).messages.send_text(
            "5511999999999", "hi", delay_ms=5, retry=False, on_unknown="raise", timeout_ms=1
        )
        read_message(sent)
        client.messages.send_media("5511999999999", Media.from_path("a.pdf"), caption="…")
        client.messages.send_text("1", "x", retry=RetryPolicy(max_attempts=2))


async def async_client() -> None:
    async with AsyncEvolutionClient("https://api.example.com", "key") as client:
        assert_type(client, AsyncEvolutionClient)
        assert_type(await client.server.info(), ServerInfo)
        assert_type(await client.instances.connection_state("sales"), ConnectionState)
        sales = client.instance("sales")
        assert_type(sales, AsyncInstance)
        assert_type(await sales.messages.send_text("5511999999999", "hi"), AsyncSentMessage)
        assert_type(sales.chats.iter_messages(), AsyncIterator[StoredMessage])
        async for message in sales.chats.iter_messages(remote_jid="1@g.us"):
            assert_type(message.latest_status, MessageStatus | None)
        assert_type(
            await sales.settings.set(
                reject_call=False,
                groups_ignore=False,
                always_online=False,
                read_messages=False,
                read_status=False,
                sync_full_history=False,
            ),
            SettingsAck,
        )
        assert_type(await sales.webhook.set("https://example.com/hook"), Webhook)


def account(client: EvolutionClient) -> None:
    assert_type(client.groups.create("Equipe", ["5511999999999"]), Group)
    assert_type(client.groups.find_info("1@g.us"), Group | None)
    assert_type(client.labels.find(), list[Label])
    assert_type(client.calls.offer("5511999999999", duration_seconds=3), CallOffer)
    assert_type(client.proxy.find(), Proxy | None)
    assert_type(client.templates.find(), list[MessageTemplate])
    assert_type(client.business.get_catalog(), Catalog)
    assert_type(client.s3.get_media_url("cm1"), StoredMediaUrl)
    assert_type(client.baileys.on_whatsapp("5511999999999"), list[JidCheck])
    assert_type(client.server.metrics(), str)


async def account_async(client: AsyncEvolutionClient) -> None:
    assert_type(await client.groups.fetch_all(), list[Group])
    assert_type(await client.labels.find(), list[Label])
    assert_type(await client.websocket.find(), EventChannel | None)
    assert_type(await client.dify.find(), list[DifyBot])
    assert_type(await client.baileys.generate_message_tag(), str)


def transports_and_bots(client: EvolutionClient) -> None:
    assert_type(client.websocket.set(["MESSAGES_UPSERT"]), EventChannel)
    assert_type(client.rabbitmq.find(), EventChannel | None)
    assert_type(client.nats.find(), EventChannel | None)
    assert_type(client.sqs.find(), EventChannel | None)
    assert_type(client.kafka.set(enabled=False), EventChannel)
    assert_type(client.pusher.find(), PusherChannel | None)
    assert_type(client.chatwoot.find().webhook_url, str | None)
    url: TypebotFields = {"url": "https://x", "typebot": "b", "trigger_type": "all"}
    assert_type(client.typebot.create(url, on_unknown="raise"), TypebotBot)
    assert_type(
        client.typebot.start("1@s.whatsapp.net", url="https://x", typebot="b"), TypebotStartAck
    )
    assert_type(client.openai.fetch_settings(), OpenaiSettings)
    assert_type(client.openai.find_creds(), list[OpenaiCreds])
    assert_type(client.dify.update("1", {"bot_type": "agent", "trigger_type": "none"}), DifyBot)
    assert_type(client.n8n.find(), list[N8nBot])
    assert_type(client.evoai.fetch("1"), EvoaiBot | None)
    assert_type(client.flowise.change_status("1@lid", "paused").count, int | None)
    assert_type(client.evolution_bot.fetch_sessions("1"), list[BotSession])


async def bots_async(client: AsyncEvolutionClient) -> None:
    assert_type(await client.evoai.fetch("1"), EvoaiBot | None)
    assert_type(await client.flowise.fetch_settings(), ChatbotSettings)
    assert_type(await client.pusher.find(), PusherChannel | None)


def read_message(sent: SentMessage) -> None:
    assert_type(sent.id, str)
    assert_type(sent.status, MessageStatus | None)
    assert_type(sent.remote_jid, str)
    assert_type(sent.timestamp, datetime)
    assert_type(sent.text, str | None)
    assert_type(sent.raw, Any)


def operations_and_errors() -> None:
    operation = OPERATIONS["message.send_text"]
    assert_type(operation, Operation[Any])
    assert_type(operation.effect, Effect)
    try:
        operation.parse(201, b"{}")
    except RecipientNotFoundError as error:
        assert_type(error.number, str)
        assert_type(error.messages, tuple[str, ...])
    except EvolutionError as error:
        assert_type(error.phase, Phase)
        assert_type(error.retryable, bool)


def refused_by_the_type_checker(client: EvolutionClient) -> None:
    """Each of these lines must be an error; an ignore that is not needed is one too."""
    client.messages.send_text("1", "x", delay=5)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    client.messages.send_text("1", "x", on_unknown="perhaps")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    client.messages.send_text("1", "x", timeout=5)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    client.instances.create("x", integration="WHATSAPP")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    client.dify.create({"bot_type": "agent"})  # type: ignore[typeddict-item]  # pyright: ignore[reportArgumentType]
    client.n8n.create({"webhook_url": "https://x", "trigger_type": "all", "user": "x"})  # type: ignore[typeddict-unknown-key]  # pyright: ignore[reportArgumentType]
    client.typebot.change_status("1@lid", "gone")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    EvolutionClient(retry=True)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]

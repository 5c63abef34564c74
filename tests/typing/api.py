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
    ConnectionState,
    CreatedInstance,
    InstanceInfo,
    NumberCheck,
    ServerInfo,
    Settings,
    SettingsAck,
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
        assert_type(await sales.messages.send_text("5511999999999", "hi"), SentMessage)
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
    EvolutionClient(retry=True)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]

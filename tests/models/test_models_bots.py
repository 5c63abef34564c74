"""What the answers of transports, Chatwoot and chatbots offer, and what they never show."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from evolution_sdk import OPERATIONS
from evolution_sdk.models import (
    BotSession,
    BotStatus,
    ChatbotSettings,
    ChatwootLink,
    DeletedChatbot,
    DeletedCreds,
    DifyBot,
    Model,
    N8nBot,
    OpenaiCreds,
    OpenaiModel,
    PusherChannel,
    StatusChange,
    TriggerType,
)

HIDDEN = "OFFENDING"
# Rows as recorded, with the secret replaced.
ROW = {"id": "cm1", "enabled": True, "triggerType": "all", "updatedAt": "2026-11-23T15:31:36.283Z"}
SESSION = {"sessionId": "1-a", "remoteJid": "55@s.whatsapp.net", "status": "opened"}
SECRETS: list[tuple[type[Model], dict[str, Any]]] = [
    (PusherChannel, {"enabled": True, "events": [], "key": HIDDEN, "secret": HIDDEN}),
    (ChatwootLink, {"enabled": True, "url": "http://a", "token": HIDDEN}),
    (DifyBot, {**ROW, "botType": "chatBot", "apiKey": HIDDEN}),
    (N8nBot, {**ROW, "webhookUrl": f"https://a/{HIDDEN}", "basicAuthPass": HIDDEN}),
    (BotSession, {**SESSION, "parameters": {"apiKey": HIDDEN}, "context": {"x": HIDDEN}}),
    (OpenaiCreds, {"id": "cm1", "name": "main", "apiKey": HIDDEN,
                   "OpenaiAssistant": [{**ROW, "model": HIDDEN}]}),
    (ChatbotSettings, {"expire": 1, "fallbackId": "f", "fallback": {**ROW, "apiKey": HIDDEN}}),
]  # fmt: skip


@pytest.mark.parametrize(("model", "data"), SECRETS, ids=[m.__name__ for m, _ in SECRETS])
def test_secrets_are_kept_and_not_shown(model: type[Model], data: dict[str, Any]) -> None:
    value = model.from_wire(data)
    assert value.drift == ()
    assert value.raw == data
    assert HIDDEN in str(value.model_dump(by_alias=True))
    assert HIDDEN not in f"{value!r} {value}"


def test_times_of_a_bot_tell_their_units() -> None:
    bot = DifyBot.from_wire(
        {**ROW, "expire": 20, "delayMessage": 1000, "debounceTime": 3, "timePerChar": 50}
    )
    assert (bot.expire_minutes, bot.delay_message_ms) == (20, 1000)
    assert (bot.debounce_seconds, bot.time_per_char_ms) == (3, 50)
    assert bot.updated_at == datetime(2026, 11, 23, 15, 31, 36, 283_000, tzinfo=UTC)
    assert bot.trigger_type is TriggerType.ALL


def test_a_trigger_of_a_newer_server_survives() -> None:
    bot = DifyBot.from_wire({**ROW, "triggerType": "moon"})
    assert bot.trigger_type == "moon"
    assert bot.trigger_type is not None
    assert not bot.trigger_type.is_known
    assert bot.drift == ()


@pytest.mark.parametrize(
    ("data", "status", "count"),
    [
        # recorded: changeStatus.paused, .unknown_session, .closed, .delete
        ({"instanceName": "a", "bot": {"remoteJid": "1@x", "status": "paused",
                                       "session": {"count": 2}}}, BotStatus.PAUSED, 2),
        ({"instanceName": "a", "bot": {"remoteJid": "1@x", "status": "opened",
                                       "session": {"count": 0}}}, BotStatus.OPENED, 0),
        ({"instanceName": "a", "bot": {"remoteJid": "1@x", "status": "closed"}},
         BotStatus.CLOSED, None),
        ({"remoteJid": "1@x", "status": "delete"}, BotStatus.DELETE, None),
    ],
)  # fmt: skip
def test_a_change_of_status_reads_alike_in_both_forms(
    data: dict[str, Any], status: BotStatus, count: int | None
) -> None:
    change = StatusChange.from_wire({"bot": data})
    assert change.drift == ()
    assert (change.remote_jid, change.status, change.count) == ("1@x", status, count)
    assert repr(change) == f"StatusChange(status={status!r}, count={count})"


def test_defaults_built_into_the_server_are_told_from_stored_ones() -> None:
    assert not ChatbotSettings.from_wire({"expire": 300, "fallbackId": ""}).stored
    stored = ChatbotSettings.from_wire({"id": "cm1", "expire": 300, "fallbackId": None})
    assert stored.stored
    assert stored.fallback_id is None


def test_a_fallback_is_a_bot() -> None:
    settings = ChatbotSettings.from_wire({"id": "s", "expire": 1, "fallbackId": "cm1",
                                          "fallback": {**ROW, "apiUrl": "http://a"}})  # fmt: skip
    assert settings.fallback is not None
    assert settings.fallback.id == "cm1"
    assert settings.fallback.raw["apiUrl"] == "http://a"


def test_ids_of_what_was_removed() -> None:
    assert DeletedChatbot.from_wire({"bot": {"id": "cm1"}}).id == "cm1"
    assert DeletedCreds.from_wire({"openaiCreds": {"id": "cm2"}}).id == "cm2"


def test_a_model_of_openai_is_dated() -> None:
    model = OpenaiModel.from_wire({"id": "gpt", "created": 1795447889, "owned_by": "system"})
    assert model.created == datetime(2026, 11, 23, 15, 31, 29, tzinfo=UTC)
    assert model.owned_by == "system"


@pytest.mark.parametrize(
    "key", [key for key in OPERATIONS if key.partition(".")[2].startswith("fetch_")]
)
def test_null_is_none_or_a_drifted_answer_but_never_an_error(key: str) -> None:
    OPERATIONS[key].parse(200, b"null")


@pytest.mark.parametrize("group", ["typebot", "openai", "dify", "n8n", "evoai", "flowise"])
def test_an_unknown_id_is_none(group: str) -> None:
    assert OPERATIONS[f"{group}.fetch_{group}_bot"].parse(200, b"null") is None

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
from facts import read

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


def _answer(version: str, family: str, name: str) -> Any:
    path = f"exchanges/{family}.json" if version == "2.3.6" else f"versions/{version}/{family}.json"
    return next(e["response"]["json"] for e in read(path) if e["name"] == name)


@pytest.mark.parametrize("family", ["typebot", "openai", "dify", "flowise"])
def test_a_fallback_has_one_name_on_every_version(family: str) -> None:
    """2.2.3 knows the name of each kind only, later ones ``fallbackId`` too."""
    old = _answer("2.2.3", family, f"{family}.fetchSettings")
    settings = ChatbotSettings.from_wire(old)
    assert settings.drift == ()
    assert settings.fallback_id == old[f"{family}IdFallback"]
    assert settings.fallback_id
    assert settings.raw == old
    both = {**old, "fallbackId": None}
    assert ChatbotSettings.from_wire(both).fallback_id is None


def test_no_fallback_at_all_is_drift() -> None:
    assert ChatbotSettings.from_wire({"expire": 1}).drift == ("fallbackId",)


def test_an_old_server_does_not_say_if_settings_are_stored() -> None:
    old = _answer("2.2.3", "evolutionBot", "evolutionBot.settings")
    assert ChatbotSettings.from_wire(old).stored is None
    assert ChatbotSettings.from_wire(old).fallback_id == old["botIdFallback"]


@pytest.mark.parametrize("family", ["typebot", "openai"])
def test_a_change_of_status_reads_the_same_on_every_version(family: str) -> None:
    for step in ("paused", "unknown_session", "delete"):
        name = f"{family}.changeStatus.{step}"
        old, new = (
            StatusChange.from_wire(_answer(version, family, name)) for version in ("2.2.3", "2.3.7")
        )
        assert (old.drift, new.drift) == ((), ())
        assert (old.remote_jid, old.status) == (new.remote_jid, new.status)
        assert (old.count is None) == (new.count is None)


def test_a_removed_typebot_has_its_id_on_every_version() -> None:
    for version in ("2.2.3", "2.3.6", "2.3.7"):
        gone = DeletedChatbot.from_wire(_answer(version, "typebot", "typebot.delete"))
        assert gone.drift == ()
        assert gone.id.startswith("cm")


def test_a_part_of_another_type_is_drift_under_its_newest_name() -> None:
    gone = DeletedChatbot.from_wire({"typebot": 7})
    assert gone.drift == ("bot",)
    assert (gone.id, gone.raw) == ("", {"typebot": 7})

"""Transports, Chatwoot and chatbots: every rule refuses by name, only what is given travels."""

from __future__ import annotations

from typing import Any, Required, get_origin, get_type_hints

import pytest
from pydantic import create_model
from request_checks import (
    SEEN,
    a_broken_rule_is_named_without_the_value,
    compare_with_the_table,
    good_values_pass_and_only_they_travel,
    wire_names,
)

from evolution_sdk.models import EVENT_NAMES, RequestModel, chatbot_fields
from evolution_sdk.models import requests_chatbots as bots
from evolution_sdk.models.chatwoot import ChatwootRequest
from evolution_sdk.models.event_channels import EventsRequest, PusherRequest
from facts import routes


def wrapped(name: str, model: type[RequestModel]) -> type[RequestModel]:
    """The body as it travels: the resource puts it into an object named after the transport."""
    field: dict[str, Any] = {name: (model, ...)}
    return create_model(f"Set{name}", __base__=RequestModel, **field)


QUEUES = ("websocket", "rabbitmq", "nats", "sqs", "kafka")
OF_KIND: dict[str, tuple[str, type[RequestModel], type[RequestModel], type]] = {
    "typebot": (
        "typebot",
        bots.TypebotRequest,
        bots.TypebotSettingsRequest,
        chatbot_fields.TypebotFields,
    ),
    "openai": (
        "openai",
        bots.OpenaiRequest,
        bots.OpenaiSettingsRequest,
        chatbot_fields.OpenaiFields,
    ),
    "dify": ("dify", bots.DifyRequest, bots.WholeSettingsRequest, chatbot_fields.DifyFields),
    "n8n": ("n8n", bots.N8nRequest, bots.WholeSettingsRequest, chatbot_fields.N8nFields),
    "evoai": ("evoai", bots.EvoaiRequest, bots.WholeSettingsRequest, chatbot_fields.EvoaiFields),
    "flowise": (
        "flowise",
        bots.ServiceRequest,
        bots.FlowiseSettingsRequest,
        chatbot_fields.ServiceFields,
    ),
    "evolutionBot": (
        "evolution_bot",
        bots.ServiceRequest,
        bots.WholeSettingsRequest,
        chatbot_fields.ServiceFields,
    ),
}
BODIES: dict[str, type[RequestModel]] = {
    **{f"{name}.set_{name}": wrapped(name, EventsRequest) for name in QUEUES},
    "pusher.set_pusher": wrapped("pusher", PusherRequest),
    "chatwoot.set_chatwoot": ChatwootRequest,
    "typebot.start_typebot": bots.StartTypebotRequest,
    "openai.create_openai_creds": bots.OpenaiCredsRequest,
}
for group, (noun, bot, settings, _) in OF_KIND.items():
    BODIES[f"{group}.create_{noun}_bot"] = BODIES[f"{group}.update_{noun}_bot"] = bot
    BODIES[f"{group}.set_{noun}_settings"] = settings
    BODIES[f"{group}.change_{noun}_status"] = bots.ChangeStatusRequest
    BODIES[f"{group}.{noun}_ignore_jid"] = bots.IgnoreJidRequest
# The table describes the members of a variable in words.
BEYOND_THE_TABLE = {"variables[].name", "variables[].value"}


def test_every_field_we_can_send_is_one_the_server_knows() -> None:
    groups = {key.partition(".")[0] for key in BODIES} - {"chatwoot"}
    bodies = {key: model for key, model in BODIES.items() if not key.startswith("chatwoot")}
    compare_with_the_table(groups, bodies, BEYOND_THE_TABLE)


def test_every_field_of_a_link_to_chatwoot_is_one_the_server_knows() -> None:
    """On its own, because the family's other body is Chatwoot's."""
    fields = routes()["chatwoot.set_chatwoot"]["body"]
    ours = ChatwootRequest.model_fields
    assert set(wire_names(ChatwootRequest)) == {field["name"] for field in fields}
    demanded = {field.alias for name, field in ours.items() if field.is_required()}
    # ``enabled`` is always sent.
    assert demanded == {field["name"] for field in fields if field["required"]} - {"enabled"}


@pytest.mark.parametrize("group", OF_KIND)
def test_what_callers_may_write_is_what_is_checked(group: str) -> None:
    _, bot, settings, fields = OF_KIND[group]
    assert set(fields.__annotations__) == set(bot.model_fields)
    demanded = {name for name, field in bot.model_fields.items() if field.is_required()}
    hints = get_type_hints(fields, include_extras=True)
    assert {name for name, hint in hints.items() if get_origin(hint) is Required} == demanded
    written = set(
        chatbot_fields.OpenaiSettingsFields.__annotations__
        if group == "openai"
        else chatbot_fields.ChatbotSettingsFields.__annotations__
    )
    assert written == set(settings.model_fields)


JID = "5511999999999@s.whatsapp.net"
KEYWORD = {"trigger_type": "keyword", "trigger_operator": "regex", "trigger_value": "^hi"}
URL = "https://bot.example"
TYPEBOT = {"url": URL, "typebot": "b", "trigger_type": "all"}
CHAT = {
    "openai_creds_id": "c",
    "bot_type": "chatCompletion",
    "model": "m",
    "max_tokens": 1,
    "trigger_type": "none",
}
ASSISTANT = {
    "openai_creds_id": "c",
    "bot_type": "assistant",
    "assistant_id": "a",
    "trigger_type": "none",
}
SIX = {
    "expire_minutes": 0,
    "keyword_finish": "",
    "delay_message_ms": 0,
    "unknown_message": "",
    "listening_from_me": False,
    "stop_bot_from_me": True,
}
NINE = {**SIX, "keep_open": False, "debounce_seconds": 0, "ignore_jids": ("@g.us", JID)}
ELEVEN = {**NINE, "split_messages": True, "time_per_char_ms": 1}
LINK: dict[str, Any] = {
    "account_id": "1",
    "token": "t",
    "url": "http://chatwoot:3000",
    "sign_msg": True,
    "reopen_conversation": False,
    "conversation_pending": False,
}
OFF = {**LINK, "enabled": False, "account_id": "", "token": "", "url": ""}
PUSHER = {"app_id": "1", "key": "k", "secret": "s", "cluster": "us2"}
START = {"remote_jid": JID, "url": URL, "typebot": "b"}

GOOD: list[tuple[type[RequestModel], dict[str, Any]]] = [
    (EventsRequest, {"events": EVENT_NAMES}),
    (EventsRequest, {"enabled": False}),
    (PusherRequest, {**PUSHER, "use_tls": False}),
    (ChatwootRequest, {**LINK, "ignore_jids": (JID,), "days_limit_import_messages": 0}),
    (ChatwootRequest, OFF),
    (bots.TypebotRequest, {**TYPEBOT, **KEYWORD, **ELEVEN}),
    (bots.TypebotRequest, {**TYPEBOT, "trigger_type": "advanced", "trigger_value": "x"}),
    (bots.OpenaiRequest, CHAT),
    (bots.OpenaiRequest, ASSISTANT),
    (bots.DifyRequest, {"bot_type": "workflow", "trigger_type": "none"}),
    (bots.N8nRequest, {"webhook_url": URL, "basic_auth_pass": "p", "trigger_type": "all"}),
    (bots.EvoaiRequest, {"agent_url": URL, "trigger_type": "all"}),
    (bots.ServiceRequest, {"api_url": URL, "api_key": "k", "trigger_type": "all"}),
    (bots.TypebotSettingsRequest, SIX),
    (bots.FlowiseSettingsRequest, {**NINE, "fallback_id": "f"}),
    (bots.OpenaiSettingsRequest, {**NINE, "openai_creds_id": "c", "speech_to_text": True}),
    (bots.WholeSettingsRequest, ELEVEN),
    (bots.ChangeStatusRequest, {"remote_jid": JID, "status": "delete"}),
    (bots.IgnoreJidRequest, {"remote_jid": "@s.whatsapp.net", "action": "remove"}),
    (bots.StartTypebotRequest, {**START, "variables": ({"name": "n", "value": ""},)}),
    (bots.OpenaiCredsRequest, {"name": "n", "api_key": "k"}),
]


@pytest.mark.parametrize(("model", "values"), GOOD, ids=[model.__name__ for model, _ in GOOD])
def test_good_values_pass_and_only_they_travel(
    model: type[RequestModel], values: dict[str, Any]
) -> None:
    good_values_pass_and_only_they_travel(model, values)


LONG = SEEN * 60
BAD: list[tuple[type[RequestModel], dict[str, Any], str, str]] = [
    # model, values, the field named, a part of the rule
    (EventsRequest, {"events": (SEEN,)}, "events[0]", "'MESSAGES_UPSERT'"),
    (PusherRequest, {**PUSHER, "events": (SEEN,)}, "events[0]", "'CALL'"),
    (PusherRequest, {**PUSHER, "secret": ""}, "secret", "1 character"),
    (PusherRequest, {**PUSHER, "key": SEEN * 20}, "key", "100"),
    (PusherRequest, {**PUSHER, "cluster": None}, "cluster", "required"),
    (ChatwootRequest, {**LINK, "url": SEEN}, "url", "http"),
    (ChatwootRequest, {**LINK, "url": ""}, "url", "enabled"),
    (ChatwootRequest, {**LINK, "token": ""}, "token", "required when enabled"),
    (ChatwootRequest, {**LINK, "account_id": 1}, "account_id", "string"),
    (ChatwootRequest, {**LINK, "sign_msg": None}, "sign_msg", "required"),
    (ChatwootRequest, {**LINK, "name_inbox": SEEN * 20}, "name_inbox", "100"),
    (ChatwootRequest, {**LINK, "days_limit_import_messages": -1}, "days_limit_import_messages",
     "greater"),
    (bots.TypebotRequest, {**TYPEBOT, "trigger_type": SEEN}, "trigger_type", "'keyword'"),
    (bots.TypebotRequest, {**TYPEBOT, "trigger_type": None}, "trigger_type", "required"),
    (bots.TypebotRequest, {**TYPEBOT, **KEYWORD, "trigger_operator": None}, "trigger_operator",
     "when trigger_type is keyword"),
    (bots.TypebotRequest, {**TYPEBOT, **KEYWORD, "trigger_value": ""}, "trigger_value",
     "when trigger_type is keyword"),
    (bots.TypebotRequest, {**TYPEBOT, "trigger_type": "advanced"}, "trigger_value",
     "when trigger_type is advanced"),
    (bots.TypebotRequest, {**TYPEBOT, **KEYWORD, "trigger_operator": SEEN}, "trigger_operator",
     "'equals'"),
    (bots.TypebotRequest, {**TYPEBOT, "url": SEEN}, "url", "http"),
    (bots.TypebotRequest, {**TYPEBOT, "url": f"https://{LONG}"}, "url", "500"),
    (bots.TypebotRequest, {**TYPEBOT, "typebot": ""}, "typebot", "1 character"),
    (bots.TypebotRequest, {**TYPEBOT, "description": LONG}, "description", "255"),
    (bots.TypebotRequest, {**TYPEBOT, "keyword_finish": SEEN * 20}, "keyword_finish", "100"),
    (bots.TypebotRequest, {**TYPEBOT, "unknown_message": SEEN * 20}, "unknown_message", "100"),
    (bots.TypebotRequest, {**TYPEBOT, "expire_minutes": "20"}, "expire_minutes", "integer"),
    (bots.TypebotRequest, {**TYPEBOT, "expire_minutes": 2**31}, "expire_minutes", "less than"),
    (bots.TypebotRequest, {**TYPEBOT, "delay_message_ms": 0.5}, "delay_message_ms", "integer"),
    (bots.TypebotRequest, {**TYPEBOT, "debounce_seconds": -1}, "debounce_seconds", "greater"),
    (bots.TypebotRequest, {**TYPEBOT, "time_per_char_ms": -1}, "time_per_char_ms", "greater"),
    (bots.TypebotRequest, {**TYPEBOT, "ignore_jids": (SEEN,)}, "ignore_jids[0]", "JID"),
    (bots.OpenaiRequest, {**CHAT, "max_tokens": 0}, "max_tokens", "bot_type is chatCompletion"),
    (bots.OpenaiRequest, {**CHAT, "model": None}, "model", "bot_type is chatCompletion"),
    (bots.OpenaiRequest, {**ASSISTANT, "assistant_id": ""}, "assistant_id",
     "bot_type is assistant"),
    (bots.OpenaiRequest, {**CHAT, "openai_creds_id": ""}, "openai_creds_id", "1 character"),
    (bots.OpenaiRequest, {**CHAT, "function_url": SEEN}, "function_url", "http"),
    (bots.DifyRequest, {"bot_type": SEEN, "trigger_type": "all"}, "bot_type", "'chatBot'"),
    (bots.DifyRequest, {"bot_type": "agent", "trigger_type": "all", "api_url": SEEN}, "api_url",
     "http"),
    (bots.N8nRequest, {"webhook_url": URL, "trigger_type": "all", "basic_auth_password": SEEN},
     "basic_auth_password", "not permitted"),
    (bots.EvoaiRequest, {"trigger_type": "all"}, "agent_url", "required"),
    (bots.ServiceRequest, {"api_url": f"https://{LONG}", "trigger_type": "all"}, "api_url", "255"),
    (bots.TypebotSettingsRequest, {**SIX, "expire_minutes": None}, "expire_minutes", "required"),
    (bots.FlowiseSettingsRequest, SIX, "keep_open", "required"),
    (bots.OpenaiSettingsRequest, NINE, "openai_creds_id", "required"),
    (bots.WholeSettingsRequest, NINE, "split_messages", "required"),
    (bots.WholeSettingsRequest, {**ELEVEN, "difyIdFallback": SEEN}, "difyIdFallback",
     "not permitted"),
    (bots.ChangeStatusRequest, {"remote_jid": SEEN, "status": "paused"}, "remote_jid", "JID"),
    (bots.ChangeStatusRequest, {"remote_jid": JID, "status": SEEN}, "status", "'opened'"),
    (bots.IgnoreJidRequest, {"remote_jid": JID, "action": SEEN}, "action", "'add'"),
    (bots.StartTypebotRequest, {**START, "remote_jid": "status@broadcast"}, "remote_jid",
     "status@broadcast"),
    (bots.StartTypebotRequest, {**START, "url": SEEN}, "url", "http"),
    (bots.StartTypebotRequest, {**START, "variables": ({"name": "n", "value": 1},)},
     "variables[0].value", "string"),
    (bots.OpenaiCredsRequest, {"name": "", "api_key": SEEN}, "name", "1 character"),
    (bots.OpenaiCredsRequest, {"name": "n", "api_key": LONG}, "api_key", "255"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("model", "values", "field", "rule"),
    BAD,
    ids=[f"{row[0].__name__}-{row[2]}-{row[3]}" for row in BAD],
)
def test_a_broken_rule_is_named_without_the_value(
    model: type[RequestModel], values: dict[str, Any], field: str, rule: str
) -> None:
    a_broken_rule_is_named_without_the_value(model, values, field, rule)


def test_events_are_always_sent() -> None:
    """Without them the server fails with 500."""
    assert EventsRequest.check().body() == {"enabled": True, "events": []}
    assert PusherRequest.check(**PUSHER).body()["events"] == []

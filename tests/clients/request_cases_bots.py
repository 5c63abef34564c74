"""What the chatbots are to send: (call, method, path with query, body)."""

from __future__ import annotations

from typing import Any, NamedTuple

from evolution_sdk import Jid

CHAT = "5511987654321@s.whatsapp.net"
COMMON = {
    "trigger_type": "keyword",
    "trigger_operator": "equals",
    "trigger_value": "hey",
    "enabled": False,
    "description": "d",
    "expire_minutes": 20,
    "keyword_finish": "#EXIT",
    "delay_message_ms": 1000,
    "unknown_message": "?",
    "listening_from_me": False,
    "stop_bot_from_me": True,
    "keep_open": False,
    "debounce_seconds": 0,
    "ignore_jids": ["@g.us", Jid.parse(CHAT)],
    "split_messages": True,
    "time_per_char_ms": 50,
}
WIRE_COMMON = {
    "triggerType": "keyword",
    "triggerOperator": "equals",
    "triggerValue": "hey",
    "enabled": False,
    "description": "d",
    "expire": 20,
    "keywordFinish": "#EXIT",
    "delayMessage": 1000,
    "unknownMessage": "?",
    "listeningFromMe": False,
    "stopBotFromMe": True,
    "keepOpen": False,
    "debounceTime": 0,
    "ignoreJids": ["@g.us", CHAT],
    "splitMessages": True,
    "timePerChar": 50,
}
_NOT_SETTINGS = ("trigger_type", "trigger_operator", "trigger_value", "enabled", "description")
_WIRE_NOT_SETTINGS = ("triggerType", "triggerOperator", "triggerValue", "enabled", "description")
SETTINGS = {name: value for name, value in COMMON.items() if name not in _NOT_SETTINGS}
WIRE_SETTINGS = {n: value for n, value in WIRE_COMMON.items() if n not in _WIRE_NOT_SETTINGS}


class Kind(NamedTuple):
    """One kind of bot: its attribute, its route, its own fields, and those of its settings."""

    attribute: str
    route: str
    fields: dict[str, Any]
    wire: dict[str, Any]
    settings: dict[str, Any] = {}
    wire_settings: dict[str, Any] = {}


SERVICE = ({"api_url": "http://a.example/x", "api_key": "k"},
           {"apiUrl": "http://a.example/x", "apiKey": "k"})  # fmt: skip
KINDS = (
    Kind("typebot", "typebot", *({"url": "https://viewer.example", "typebot": "my-bot"},) * 2),
    Kind(
        "openai",
        "openai",
        {
            "openai_creds_id": "cm1",
            "bot_type": "chatCompletion",
            "assistant_id": "asst_1",
            "function_url": "https://a.example/f",
            "model": "gpt-4o",
            "system_messages": ["You are"],
            "assistant_messages": [],
            "user_messages": ["hi"],
            "max_tokens": 100,
        },
        {
            "openaiCredsId": "cm1",
            "botType": "chatCompletion",
            "assistantId": "asst_1",
            "functionUrl": "https://a.example/f",
            "model": "gpt-4o",
            "systemMessages": ["You are"],
            "assistantMessages": [],
            "userMessages": ["hi"],
            "maxTokens": 100,
        },
        {"openai_creds_id": "cm1", "speech_to_text": True},
        {"openaiCredsId": "cm1", "speechToText": True},
    ),
    Kind(
        "dify",
        "dify",
        {"bot_type": "chatBot", **SERVICE[0]},
        {"botType": "chatBot", **SERVICE[1]},
    ),
    Kind(
        "n8n",
        "n8n",
        {"webhook_url": "http://a.example/n8n", "basic_auth_user": "u", "basic_auth_pass": "p"},
        {"webhookUrl": "http://a.example/n8n", "basicAuthUser": "u", "basicAuthPass": "p"},
    ),
    Kind(
        "evoai",
        "evoai",
        {"agent_url": "https://a.example/agent", "api_key": "k"},
        {"agentUrl": "https://a.example/agent", "apiKey": "k"},
    ),
    Kind("flowise", "flowise", *SERVICE),
    Kind("evolution_bot", "evolutionBot", *SERVICE),
)


def _cases(kind: Kind) -> dict[str, tuple[Any, str, str, Any]]:
    def family(client: Any) -> Any:
        return getattr(client, kind.attribute)

    bot, wire = {**kind.fields, **COMMON}, {**kind.wire, **WIRE_COMMON}
    settings = {**SETTINGS, **kind.settings, "fallback_id": "cm9"}
    wire_settings = {**WIRE_SETTINGS, **kind.wire_settings, "fallbackId": "cm9"}
    least = {**kind.fields, "trigger_type": "none"}
    cases: dict[str, tuple[Any, str, str, Any]] = {
        "create": (lambda c: family(c).create(bot), "POST", "/create/sales", wire),
        "create the least": (
            lambda c: family(c).create(least, on_unknown="raise", retry=False, timeout_ms=9),
            "POST",
            "/create/sales",
            {**kind.wire, "enabled": True, "triggerType": "none"},
        ),
        "find": (lambda c: family(c).find(), "GET", "/find/sales", None),
        "fetch": (lambda c: family(c).fetch("a/b"), "GET", "/fetch/a%2Fb/sales", None),
        "update": (lambda c: family(c).update("cm1", bot), "PUT", "/update/cm1/sales", wire),
        "delete": (lambda c: family(c).delete("cm1"), "DELETE", "/delete/cm1/sales", None),
        "settings": (
            lambda c: family(c).set_settings(settings),
            "POST",
            "/settings/sales",
            wire_settings,
        ),
        "fetch settings": (
            lambda c: family(c).fetch_settings(),
            "GET",
            "/fetchSettings/sales",
            None,
        ),
        "status": (
            lambda c: family(c).change_status(Jid.parse(CHAT), "paused"),
            "POST",
            "/changeStatus/sales",
            {"remoteJid": CHAT, "status": "paused"},
        ),
        "sessions": (
            lambda c: family(c).fetch_sessions("cm1"),
            "GET",
            "/fetchSessions/cm1/sales",
            None,
        ),
        "ignore": (
            lambda c: family(c).ignore_jid("@g.us", "add"),
            "POST",
            "/ignoreJid/sales",
            {"remoteJid": "@g.us", "action": "add"},
        ),
    }
    return {
        f"{kind.attribute} {name}": (call, method, f"/{kind.route}{path}", body)
        for name, (call, method, path, body) in cases.items()
    }


START = {"url": "https://viewer.example", "typebot": "my-bot"}
BOT_CASES: dict[str, tuple[Any, str, str, Any]] = {
    **{name: case for kind in KINDS for name, case in _cases(kind).items()},
    "typebot settings, the least": (
        lambda c: c.typebot.set_settings(
            {
                "expire_minutes": 0,
                "keyword_finish": "",
                "delay_message_ms": 0,
                "unknown_message": "",
                "listening_from_me": False,
                "stop_bot_from_me": False,
            }
        ),
        "POST",
        "/typebot/settings/sales",
        {
            "expire": 0,
            "keywordFinish": "",
            "delayMessage": 0,
            "unknownMessage": "",
            "listeningFromMe": False,
            "stopBotFromMe": False,
        },
    ),
    "typebot start": (
        lambda c: c.typebot.start(CHAT, **START),
        "POST",
        "/typebot/start/sales",
        {"remoteJid": CHAT, **START},
    ),
    "typebot start with variables": (
        lambda c: c.typebot.start(
            Jid.parse(CHAT), start_session=True, variables={"name": "Ada"}, **START
        ),
        "POST",
        "/typebot/start/sales",
        {
            "remoteJid": CHAT,
            **START,
            "startSession": True,
            "variables": [{"name": "name", "value": "Ada"}],
        },
    ),
    "openai assistant": (
        lambda c: c.openai.create(
            {
                "openai_creds_id": "cm1",
                "bot_type": "assistant",
                "assistant_id": "asst_1",
                "trigger_type": "advanced",
                "trigger_value": "contains:hi",
            }
        ),
        "POST",
        "/openai/create/sales",
        {
            "enabled": True,
            "openaiCredsId": "cm1",
            "botType": "assistant",
            "assistantId": "asst_1",
            "triggerType": "advanced",
            "triggerValue": "contains:hi",
        },
    ),
    "openai new key": (
        lambda c: c.openai.create_creds("main", "sk-1"),
        "POST",
        "/openai/creds/sales",
        {"name": "main", "apiKey": "sk-1"},
    ),
    "openai keys": (lambda c: c.openai.find_creds(), "GET", "/openai/creds/sales", None),
    "openai key gone": (
        lambda c: c.openai.delete_creds("cm 1"),
        "DELETE",
        "/openai/creds/cm%201/sales",
        None,
    ),
    "openai models": (lambda c: c.openai.get_models(), "GET", "/openai/getModels/sales", None),
    "openai models of a key": (
        lambda c: c.openai.get_models("cm1"),
        "GET",
        "/openai/getModels/sales?openaiCredsId=cm1",
        None,
    ),
}

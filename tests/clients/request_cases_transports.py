"""What transports and Chatwoot are to send: (call, method, path with query, body)."""

from __future__ import annotations

from typing import Any

QUEUES = ("websocket", "rabbitmq", "nats", "sqs", "kafka")
ACCOUNT = {"app_id": "1", "key": "k", "secret": "s", "cluster": "us2"}
WIRE_ACCOUNT = {"appId": "1", "key": "k", "secret": "s", "cluster": "us2"}
LINK = {
    "account_id": "1",
    "token": "t",
    "url": "http://127.0.0.1:8086/cw",
    "sign_msg": True,
    "reopen_conversation": True,
    "conversation_pending": False,
}
WIRE_LINK = {
    "enabled": True,
    "accountId": "1",
    "token": "t",
    "url": "http://127.0.0.1:8086/cw",
    "signMsg": True,
    "reopenConversation": True,
    "conversationPending": False,
}


def _queue_cases(name: str) -> dict[str, tuple[Any, str, str, Any]]:
    return {
        f"{name} some": (
            lambda c: getattr(c, name).set(["MESSAGES_UPSERT", "CALL"]),
            "POST",
            f"/{name}/set/sales",
            {name: {"enabled": True, "events": ["MESSAGES_UPSERT", "CALL"]}},
        ),
        f"{name} all": (
            lambda c: getattr(c, name).set(),
            "POST",
            f"/{name}/set/sales",
            {name: {"enabled": True, "events": []}},
        ),
        f"{name} off": (
            lambda c: getattr(c, name).set(enabled=False),
            "POST",
            f"/{name}/set/sales",
            {name: {"enabled": False, "events": []}},
        ),
        f"{name} find": (lambda c: getattr(c, name).find(), "GET", f"/{name}/find/sales", None),
    }


TRANSPORT_CASES: dict[str, tuple[Any, str, str, Any]] = {
    **{key: case for name in QUEUES for key, case in _queue_cases(name).items()},
    "pusher": (
        lambda c: c.pusher.set(**ACCOUNT),
        "POST",
        "/pusher/set/sales",
        {"pusher": {"enabled": True, "events": [], **WIRE_ACCOUNT, "useTLS": True}},
    ),
    "pusher some, off, plain": (
        lambda c: c.pusher.set(["CALL"], enabled=False, use_tls=False, **ACCOUNT),
        "POST",
        "/pusher/set/sales",
        {"pusher": {"enabled": False, "events": ["CALL"], **WIRE_ACCOUNT, "useTLS": False}},
    ),
    "pusher find": (lambda c: c.pusher.find(), "GET", "/pusher/find/sales", None),
    "chatwoot": (lambda c: c.chatwoot.set(**LINK), "POST", "/chatwoot/set/sales", WIRE_LINK),
    "chatwoot whole": (
        lambda c: c.chatwoot.set(
            **LINK,
            enabled=False,
            sign_delimiter="\n",
            name_inbox="inbox",
            merge_brazil_contacts=False,
            import_contacts=True,
            import_messages=False,
            days_limit_import_messages=3,
            auto_create=False,
            organization="Loja",
            logo="https://a.example/logo.png",
            number="5511987654321",
            ignore_jids=["@g.us"],
        ),
        "POST",
        "/chatwoot/set/sales",
        {
            **WIRE_LINK,
            "enabled": False,
            "signDelimiter": "\n",
            "nameInbox": "inbox",
            "mergeBrazilContacts": False,
            "importContacts": True,
            "importMessages": False,
            "daysLimitImportMessages": 3,
            "autoCreate": False,
            "organization": "Loja",
            "logo": "https://a.example/logo.png",
            "number": "5511987654321",
            "ignoreJids": ["@g.us"],
        },
    ),
    "chatwoot find": (lambda c: c.chatwoot.find(), "GET", "/chatwoot/find/sales", None),
}

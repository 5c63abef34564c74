"""From a composed message and the options of its hand-over to a draft; pure."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from evolution_sdk._base.json_types import is_object
from evolution_sdk._client.composed import Composed
from evolution_sdk.errors import RequestValidationError
from evolution_sdk.identity.chat_forms import PHONE, STATUS_CHAT, chat_forms
from evolution_sdk.identity.chat_names import Lids
from evolution_sdk.media._plan import Base64

from .handing_over import DraftContent, OutboxDraft, new_key
from .options import OwnOptions
from .payload import Cipher, Payload, keep_file

__all__ = ["chat_of", "draft_of", "names_of", "recipient_of"]


def draft_of(
    composed: Composed,
    own: OwnOptions,
    instance: str,
    *,
    now: datetime,
    on_unknown: str,
    cipher: Cipher | None,
    limit_bytes: int,
    lids: Lids,
) -> OutboxDraft:
    """Make a draft of a message; reads its file.

    Args:
        composed: The message.
        own: The options of the hand-over.
        instance: The instance.
        now: The present.
        on_unknown: What to do when nothing is proven, unless the options say so.
        cipher: Encrypts its content.
        limit_bytes: Largest file that is kept, in bytes.
        lids: Pairs of hidden id and phone.

    Raises:
        RequestValidationError: A value breaks a rule.
    """
    if own.expires_at is not None and own.expires_at <= now:
        raise RequestValidationError("expires_at", "lies in the past: it would never be sent")
    recipient = recipient_of(composed.body)
    plan = composed.plan
    payload = Payload(
        operation=composed.operation.name,
        instance=instance,
        body=composed.body,
        hold_ms=composed.hold_ms,
        delay_ms=composed.client_delay_ms,
        message_id=composed.options.get("message_id"),
    )
    field = plan.field if plan is not None and isinstance(plan.content, Base64) else None
    payload, file = keep_file(payload, composed.file, field, cipher, limit_bytes)
    names = names_of(recipient, lids)
    return OutboxDraft(
        key=own.key if own.key is not None else new_key(),
        instance=instance,
        recipient=recipient,
        operation=payload.operation,
        priority=own.priority,
        not_before=own.not_before,
        expires_at=own.expires_at,
        content=DraftContent(
            chat=chat_of(recipient),
            names=names,
            payload=payload,
            kept=payload.dump(cipher),
            file=file,
            metadata=None if own.metadata is None else json.dumps(dict(own.metadata)),
            on_unknown=own.on_unknown or on_unknown,
        ),
    )


def chat_of(recipient: str) -> str:
    """Return the one name of a chat that all spellings of its number have in common.

    Args:
        recipient: The recipient as it stands in a body.
    """
    if recipient == STATUS_CHAT:
        return recipient
    names = chat_forms(recipient)
    return min((name for name in names if name.endswith(PHONE)), default=names[0])


def names_of(recipient: str, lids: Lids) -> tuple[str, ...]:
    """List the names of a chat: all spellings of its number, and hidden ids that are known.

    Args:
        recipient: The recipient as it stands in a body.
        lids: Pairs of hidden id and phone.
    """
    if recipient == STATUS_CHAT:
        return (recipient,)
    names = chat_forms(recipient)
    return tuple(dict.fromkeys((*names, *lids.forms(names))))


def recipient_of(body: Any) -> str:
    """Return the recipient as it stands in the body of a message; stories have one of their own.

    Args:
        body: The body.
    """
    key = body.get("key")
    # A reaction names its chat in the key of the message it reacts to.
    number = key.get("remoteJid") if is_object(key) else body.get("number")
    return number if isinstance(number, str) and number else STATUS_CHAT

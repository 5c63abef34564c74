"""Reasons for which WhatsApp refuses a message that the server has accepted. Pure.

The recorded servers tell only the status ERROR and drop the code (`facts/versions/baileys.md`,
"Event → shape", status ERROR; neither the Message nor the MessageUpdate row has a column for it).
It is read wherever a server might tell it: Baileys hands it over in ``messageStubParameters``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from evolution_sdk._base.json_types import is_array, is_object

__all__ = ["CODES", "Refusal", "likely_refusal", "refusal_of", "told_code"]


@dataclass(frozen=True, slots=True)
class Refusal:
    """Reason of a refusal, as far as it is known.

    Attributes:
        code: WhatsApp's code, such as 463; None where the server does not tell it.
        meaning: The reason in words.
        advice: Recommended action.
        reason_is_told: True if ``code`` was told; False if ``meaning`` is a guess or unknown.
    """

    code: int | None
    meaning: str
    advice: str
    reason_is_told: bool


_LOCK: Final = (
    "Stop writing first to strangers, and do not send it again: each repetition counts as another "
    "attempt and makes the lock last. Whoever writes to this account, and chats that exist, can "
    "still be answered."
)
_CAP: Final = "Write first to nobody new until WhatsApp's month is over; chats that exist go on."
_FORM: Final = (
    "WhatsApp does not take this message in this form: send another kind, and update the server."
)
_SESSION: Final = "Check the recipient, restart the instance, then send it once more."
_GROUP: Final = "Restart the instance, so that the server reads the group anew, then send it again."
_LATER: Final = "A fault on the other side: send it once more, later."
_NEVER: Final = "Do not send it again: it will be refused again."

_LOCKED: Final = (
    "the reach-out time-lock: for a while this account may not begin new chats, or it lacks the "
    "privacy token of this contact"
)
_INVALID: Final = (
    "the form of the message or its address is invalid (smax-invalid); likely a stale session with "
    "the recipient's device"
)

# 463 and 479: `handleBadAck` and SERVER_ERROR_CODES of Baileys (src/Socket/messages-recv.ts,
# src/Utils/decode-wa-message.ts at 78e7e4e2cf); that repeating prolongs the lock: there, and waha
# issue 2050. 421 and 475: NackReason of WhatsApp Web (WAWebCreateNackFromStanza), which shows 475
# as UserReachedMaxMonthlyLimitForNewMessages and reads a group anew after 421. The others are the
# words of NACK_REASONS in Baileys and of the constants in whatsmeow's receipt.go: codes with which
# a client refuses, and which WhatsApp itself may use as well. A code that no public source names,
# such as 473, is left out on purpose.
CODES: Final[Mapping[int, tuple[str, str]]] = MappingProxyType(
    {
        421: ("the group's addressing has changed since the server read it last", _GROUP),
        463: (_LOCKED, _LOCK),
        475: ("the month's limit of first messages to new chats is reached", _CAP),
        479: (_INVALID, _SESSION),
        487: ("it could not be parsed", _FORM),
        488: ("its stanza is not recognised", _FORM),
        489: ("the class of its stanza is not recognised", _FORM),
        490: ("the type of its stanza is not recognised", _FORM),
        491: ("its protobuf is invalid", _FORM),
        493: ("its stanza is invalid for a hosted companion", _FORM),
        495: ("the secret of the message it refers to is missing", _NEVER),
        496: ("the counter of the encrypted session is old", _SESSION),
        499: ("the message it refers to was deleted", _NEVER),
        500: ("an error that was not handled", _LATER),
        550: ("an administrator's deletion is not supported here", _NEVER),
        551: ("groups with hidden ids (LID) are not supported here", _NEVER),
        552: ("a database operation failed", _LATER),
    }
)
"""Meaning and advice by code, as far as Baileys, whatsmeow and WhatsApp Web name them."""

_UNKNOWN_CODE: Final = (
    "WhatsApp gave a code of which no meaning is public",
    "Do not send it again before you know more: look for the code in the issues of Baileys.",
)
_LOOK: Final = (
    'The server\'s log has it, as "received error in ack" (LOG_BAILEYS=warn). Do not send it again '
    "before you know it: the usual reason in 2026 is the reach-out time-lock (463), and "
    "repetitions make that worse."
)
_UNTOLD: Final = ("the server does not pass on WhatsApp's reason", _LOOK)
_META: Final = (
    "Meta could not deliver it, and the server does not pass on Meta's reason",
    "Look at the number's quality and limits in Meta's WhatsApp manager.",
)
_FAILED: Final = "FAILED"
_REFUSED: Final = frozenset({"ERROR", _FAILED})

_STUB: Final = "messageStubParameters"
_INSIDE: Final = ("update", "data", "message")
_FIELDS: Final = ("code", "errorCode", "error", "errors")
_MOST_ITEMS: Final = 10
# WhatsApp's have three digits, Meta's up to six.
_POSSIBLE: Final = range(100, 1_000_000)


def refusal_of(status: object, raw: object) -> Refusal | None:
    """Read a refusal from what tells a status: an event's data, a stored status, a message.

    Args:
        status: The status, such as ``ERROR``.
        raw: The JSON as it came, of any shape.

    Returns:
        The refusal; None for any other status.
    """
    word = status.upper() if isinstance(status, str) else ""
    if word not in _REFUSED:
        return None
    code = told_code(raw)
    if code is None:
        return Refusal(None, *(_META if word == _FAILED else _UNTOLD), reason_is_told=False)
    return Refusal(code, *CODES.get(code, _UNKNOWN_CODE), reason_is_told=True)


def likely_refusal(strangers: int) -> Refusal:
    """Make the likely reason where no code was told, of a first message to a stranger.

    Args:
        strangers: New chats that were refused lately, this one included.

    Returns:
        The refusal, which says that its reason is a guess.
    """
    many = f"; {strangers} new chats were refused lately" if strangers > 1 else ""
    meaning = (
        "probably the reach-out time-lock (463), for it was a first message to a chat that this "
        f"client does not know{many}"
    )
    return Refusal(None, meaning, _LOCK, reason_is_told=False)


def told_code(raw: object) -> int | None:
    """Look for WhatsApp's code where a server may tell it.

    Args:
        raw: The JSON of a status, of any shape.

    Returns:
        The code, or None. Texts around it are never returned.
    """
    if not is_object(raw):
        return None
    inner = [raw[name] for name in _INSIDE if is_object(raw.get(name))]
    # Where Baileys has it first; other fields are for servers that will name it themselves.
    for part in (raw, *inner):
        found = _code_in(part.get(_STUB))
        if found is not None:
            return found
    # The content of a message has fields of any name: no code is looked for there.
    parts = [raw, *(raw[name] for name in _INSIDE[:2] if is_object(raw.get(name)))]
    return next(_codes(part.get(name) for part in parts for name in _FIELDS), None)


def _codes(values: Iterable[object]) -> Iterator[int]:
    return (code for value in values if (code := _code_in(value)) is not None)


def _code_in(value: object) -> int | None:
    """Read a code: a number, its digits, or the first one in a list or an object with ``code``."""
    for item in value[:_MOST_ITEMS] if is_array(value) else [value]:
        found = item.get("code") if is_object(item) else item
        if isinstance(found, str):
            text = found.strip() if len(found) <= _MOST_ITEMS else ""
            found = int(text) if text.isascii() and text.isdigit() else None
        if isinstance(found, int) and not isinstance(found, bool) and found in _POSSIBLE:
            return found
    return None

"""The check before a send that stops first messages to new chats while they are paused."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from evolution_sdk._base.json_types import is_object
from evolution_sdk.errors import NewContactsPausedError
from evolution_sdk.identity.chat_names import Whom
from evolution_sdk.resilience.new_contacts import NewContactPause

from .contacts import Contacts

__all__ = ["FirstContacts"]


class FirstContacts:
    """Refuses a send to a chat that is not known, while new chats of its instance are paused.

    Args:
        contacts: Knows the chats.
        pause: Knows the pauses.
        clock: Unix seconds.
    """

    def __init__(
        self, contacts: Contacts, pause: NewContactPause, clock: Callable[[], float]
    ) -> None:
        self._contacts = contacts
        self._pause = pause
        self._clock = clock

    def check(self, instance: str | None, body: Mapping[str, Any]) -> None:
        """Let a message pass, or not.

        Args:
            instance: The instance that is to send it.
            body: The body of the send.

        Raises:
            NewContactsPausedError: The chat is not known, and new ones are paused.
        """
        owner, now = instance or "", self._clock()
        paused = self._pause.paused(owner, now)
        if paused is None:
            return
        chats = _chats_of(body)
        if chats and not _answers(body, chats) and not self._contacts.knows(owner, chats):
            until = datetime.fromtimestamp(paused.until, UTC)
            raise NewContactsPausedError(until, paused.refusals, (paused.until - now) * 1_000)


def _chats_of(body: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the chat that a send goes to; empty where it names none.

    What names a message by its key, such as a reaction, is about a chat that exists.
    """
    number = body.get("number")
    return (number,) if isinstance(number, str) and not is_object(body.get("key")) else ()


def _answers(body: Mapping[str, Any], chats: tuple[str, ...]) -> bool:
    """Tell if it quotes a message that came in from the same chat, which is known thereby.

    A message may be answered that this client has not heard: one that a durable inbox or a backfill
    brings after a restart.
    """
    quoted = body.get("quoted")
    key = quoted.get("key") if is_object(quoted) else None
    if not is_object(key) or key.get("fromMe") is not False:
        return False
    told = (key.get("remoteJid"), key.get("remoteJidAlt"))
    return Whom(chats).is_told_by(*(name for name in told if isinstance(name, str)))

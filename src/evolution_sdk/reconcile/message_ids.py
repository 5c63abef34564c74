"""Ids that the client gives to messages, and which servers make them the messages' own.

From 2.4 on a server takes an id chosen by the client (`facts/versions/versions.md` §4). It does
not remove doubles by it, so that the id is for looking: a message under it is the send, and where
the server surely takes ids, no message under it is its absence. Pure and thread-safe.
"""

from __future__ import annotations

import re
import secrets
import threading
from collections.abc import Callable
from typing import Final

from evolution_sdk._base.bounded_dict import BoundedDict
from evolution_sdk._base.forking import free_in_child
from evolution_sdk.errors import RequestValidationError

__all__ = ["MessageIds", "checked_message_id", "new_message_id"]

_PREFIX: Final = "3EB0"
_RANDOM_BYTES: Final = 9
_FORM: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{7,63}")
_MOST: Final = 4_096


def new_message_id() -> str:
    """Make an id as WhatsApp Web does: ``3EB0`` and 18 random hexadecimal digits."""
    return _PREFIX + secrets.token_hex(_RANDOM_BYTES).upper()


def checked_message_id(value: object) -> str:
    """Check an id that a caller chose.

    Args:
        value: The id.

    Returns:
        The id.

    Raises:
        RequestValidationError: It cannot be the id of a message.
    """
    if not isinstance(value, str) or _FORM.fullmatch(value) is None:
        raise RequestValidationError(
            "message_id",
            "must be 8 to 64 letters, digits, dots, dashes or underscores, beginning with a letter "
            "or digit, such as 3EB0C767D097B7AA1B05; or leave it out",
        )
    return value


class MessageIds:
    """Makes ids, and learns from answers where they are heeded.

    Args:
        make: Makes an id; random ones by default.
    """

    def __init__(self, make: Callable[[], str] = new_message_id) -> None:
        self.make: Callable[[], str] = make
        self._heeded: BoundedDict[tuple[str | None, str], str | None] = BoundedDict(_MOST)
        self._lock = free_in_child(threading.Lock())

    def heeded(self, instance: str | None, operation: str) -> bool | None:
        """Tell if the server made our id the message's own, the last time.

        It may have become another server, or another instance of that name, since.

        Args:
            instance: The instance, which decides by its channel.
            operation: Key of the operation.

        Returns:
            None where no answer has told yet.
        """
        place = (instance, operation)
        return self._heeded[place] is not None if place in self._heeded else None

    def witness(self, instance: str | None, operation: str) -> str | None:
        """Return the last message that got our id: while it is there, the instance is the same.

        Args:
            instance: The instance.
            operation: Key of the operation.
        """
        return self._heeded.get((instance, operation))

    def learn(self, instance: str | None, operation: str, message_id: str | None) -> None:
        """Take what an answer, or a message in the store, told.

        Args:
            instance: The instance.
            operation: Key of the operation.
            message_id: Our id, which the message had; None where it had another one.
        """
        with self._lock:
            self._heeded[instance, operation] = message_id

    def forget(self) -> None:
        """Forget all of it: the server has another version."""
        with self._lock:
            self._heeded.clear()

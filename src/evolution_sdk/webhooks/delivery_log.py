"""The log of a receiver: one line for each request, and for the end of its event.

See ``docs/en/webhooks.md``. The lines hold names, counts and times, never a body, a key, a text or
a phone number.
"""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable
from typing import Any, Final

from evolution_sdk._base.handler_log import tell_handler_failure
from evolution_sdk._base.json_types import is_object
from evolution_sdk._base.quiet_log import QuietLog
from evolution_sdk._base.redact import mask_phone
from evolution_sdk.events import Event

from .responses import ANSWERS, Answer

__all__ = ["DeliveryLog"]

_log = logging.getLogger("evolution_sdk.webhooks")
_FINE: Final = (Answer.ACCEPTED, Answer.DUPLICATE, Answer.IGNORED)
# Names of events and instances are shorter; a longer one is somebody's attempt to fill the log.
_LONGEST_NAME: Final = 128
# Ids that the server or WhatsApp made; a phone number is none of these.
_ID: Final = re.compile(r"(?=.*[A-Za-z])[A-Za-z0-9_-]{1,64}")


class DeliveryLog:
    """Writes the log of one receiver.

    Args:
        clock: Seconds that never go back, for the least time between two equal lines.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._trouble = QuietLog(_log, clock)

    def answered(
        self, answer: Answer, event: Event[Any] | None, size: int | None, depth: int
    ) -> None:
        """Log the answer to a request.

        Args:
            answer: The reason for the answer.
            event: The event of the request, where it could be read.
            size: Bytes of its body, where it came.
            depth: Number of events that wait.
        """
        if answer in _FINE:
            # Asked first: a busy receiver should not make fields that nobody reads.
            if _log.isEnabledFor(logging.DEBUG):
                fields = _fields(event) | {"queue_depth": depth, "size": size}
                _log.debug(
                    "webhook %s: event=%s instance=%s id=%s queue_depth=%d size=%s",
                    answer.value, fields["event"], fields["instance"], fields["event_id"],
                    depth, size, extra={"result": answer.value, **fields},
                )  # fmt: skip
            return
        if answer is Answer.FAILED:
            return  # the line about the failure itself says more
        rule = ANSWERS[answer]
        self._trouble.trouble(
            answer,
            "webhook refused: reason=%s event=%s instance=%s, answered %d: %s",
            answer.value,
            "-" if event is None else _one_line(event.event),
            "-" if event is None else _one_line(event.instance),
            rule.status,
            rule.why,
            # A process that ends is no trouble: the server sends its events again.
            level=logging.INFO if answer is Answer.CLOSING else logging.WARNING,
            extra=lambda: {
                "result": "refused",
                "reason": answer.value,
                "status": rule.status,
                **_fields(event),
            },
        )

    def handled(self, event: Event[Any], attempt: int, took_ms: float, waited_ms: float) -> None:
        """Log that all handlers finished an event.

        Args:
            event: The event.
            attempt: Number of attempts.
            took_ms: Time of the handlers, in milliseconds.
            waited_ms: Time from its arrival to their beginning, in milliseconds.
        """
        if not _log.isEnabledFor(logging.DEBUG):
            return
        fields = _fields(event)
        _log.debug(
            "webhook handled: event=%s instance=%s id=%s attempt=%d took_ms=%.0f waited_ms=%.0f",
            fields["event"], fields["instance"], fields["event_id"], attempt, took_ms, waited_ms,
            extra={
                "result": "handled", "attempt": attempt, "took_ms": took_ms,
                "waited_ms": waited_ms, **fields,
            },
        )  # fmt: skip

    def retried(self, event: Event[Any], attempt: int, error: str) -> None:
        """Log that an event is handed to its handlers again.

        Args:
            event: The event.
            attempt: Number of the attempt that begins.
            error: Class of the handler's last error.
        """
        fields = _fields(event)
        _log.info(
            "webhook retried: event=%s instance=%s id=%s attempt=%d error=%s",
            fields["event"], fields["instance"], fields["event_id"], attempt, error,
            extra={"result": "retried", "attempt": attempt, "error": error, **fields},
        )  # fmt: skip

    def dead(self, event: Event[Any], number: int, attempt: int, error: BaseException) -> None:
        """Log that an event became a dead letter, and the line in the program that raised.

        Args:
            event: The event.
            number: Number of the dead letter, for ``replay`` and ``discard``.
            attempt: Number of attempts.
            error: The handler's last error.
        """
        # Two lines: where the program failed, and what can be done about the event.
        fields = _fields(event) | {"attempt": attempt, "dead_letter": number}
        tell_handler_failure(self._trouble, f"a handler of {event.event!r}", error, **fields)
        name = type(error).__qualname__
        self._trouble.trouble(
            ("dead", event.event, name),
            "webhook dead-lettered: event=%s instance=%s id=%s attempt=%d error=%s "
            "dead_letter=%d; receiver.replay([…]) tries it again",
            fields["event"], fields["instance"], fields["event_id"], attempt, name, number,
            extra=lambda: {"result": "dead_letter", "error": name, **fields},
        )  # fmt: skip


def _fields(event: Event[Any] | None) -> dict[str, Any]:
    if event is None:
        return {"event": None, "instance": None, "event_id": None}
    return {
        "event": _one_line(event.event),
        "instance": _one_line(event.instance),
        "event_id": _id_of(event),
    }


def _one_line(name: str | None) -> str | None:
    """Make a name safe for a line: a sender must not be able to write lines of their own."""
    if name is None:
        return None
    whole = name.isprintable() and len(name) <= _LONGEST_NAME
    # Some people name an instance by its phone number.
    return mask_phone(name if whole else repr(name[:_LONGEST_NAME])[1:-1])


def _id_of(event: Event[Any]) -> str | None:
    """Return the id of the message that an event is about; None where it may be something else."""
    raw: Any = event.raw
    data: Any = raw.get("data") if is_object(raw) else None
    if not is_object(data):
        return None
    key: Any = data.get("key")
    found: Any = data.get("keyId") or (key.get("id") if is_object(key) else None)
    return found if isinstance(found, str) and _ID.fullmatch(found) else None

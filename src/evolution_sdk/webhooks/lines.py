"""One log line for each request and for what becomes of its event: see ``docs/webhooks.md``.

Names, counts and times only: never a body, a key, a text or a number that people have.
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

from .answers import ANSWERS, Answer

__all__ = ["Lines"]

_log = logging.getLogger("evolution_sdk.webhooks")
_FINE: Final = (Answer.ACCEPTED, Answer.DUPLICATE, Answer.IGNORED)
_LONGEST_NAME: Final = 128
# Ids that the server or WhatsApp made; a phone number is none of these.
_ID: Final = re.compile(r"(?=.*[A-Za-z])[A-Za-z0-9_-]{1,64}")


class Lines:
    """Writes the lines of one receiver.

    Args:
        clock: Seconds that never go back, for the least time between two alike.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._trouble = QuietLog(_log, clock)

    def answered(
        self, answer: Answer, event: Event[Any] | None, size: int | None, depth: int
    ) -> None:
        """Tell how a request was answered.

        Args:
            answer: Why as it was.
            event: Its event, where it could be read.
            size: Bytes of its body, where it came.
            depth: Events that wait.
        """
        if answer in _FINE:
            if _log.isEnabledFor(logging.DEBUG):
                fields = _fields(event) | {"queue_depth": depth, "size": size}
                _log.debug(
                    "webhook %s: event=%s instance=%s id=%s queue_depth=%d size=%s",
                    answer.value, fields["event"], fields["instance"], fields["event_id"],
                    depth, size, extra={"result": answer.value, **fields},
                )  # fmt: skip
            return
        if answer is Answer.FAILED:
            return  # the line of its failure says more
        rule = ANSWERS[answer]
        self._trouble.trouble(
            answer,
            "webhook refused: reason=%s event=%s instance=%s, answered %d: %s",
            answer.value,
            "-" if event is None else _one_line(event.event),
            "-" if event is None else _one_line(event.instance),
            rule.status,
            rule.why,
            # The end of a process is planned, and the server sends its events again.
            level=logging.INFO if answer is Answer.CLOSING else logging.WARNING,
            extra=lambda: {
                "result": "refused",
                "reason": answer.value,
                "status": rule.status,
                **_fields(event),
            },
        )

    def handled(self, event: Event[Any], attempt: int, took_ms: float, waited_ms: float) -> None:
        """Tell that all handlers are done with an event.

        Args:
            event: The event.
            attempt: How often it was tried.
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
        """Tell that an event is handed to its handlers again.

        Args:
            event: The event.
            attempt: Number of the attempt that begins.
            error: Class of what its handler raised.
        """
        fields = _fields(event)
        _log.info(
            "webhook retried: event=%s instance=%s id=%s attempt=%d error=%s",
            fields["event"], fields["instance"], fields["event_id"], attempt, error,
            extra={"result": "retried", "attempt": attempt, "error": error, **fields},
        )  # fmt: skip

    def dead(self, event: Event[Any], number: int, attempt: int, error: BaseException) -> None:
        """Tell that an event became a dead letter, and where in the program its handler raised.

        Args:
            event: The event.
            number: Number of the dead letter, for ``replay`` and ``discard``.
            attempt: How often it was tried.
            error: What its handler raised last.
        """
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
    """A name as it may stand in a line: whoever posts it must not write lines of their own."""
    if name is None:
        return None
    whole = name.isprintable() and len(name) <= _LONGEST_NAME
    # Some people name an instance by its phone number.
    return mask_phone(name if whole else repr(name[:_LONGEST_NAME])[1:-1])


def _id_of(event: Event[Any]) -> str | None:
    """The id of the message that an event is about; None where it is no such id."""
    raw: Any = event.raw
    data: Any = raw.get("data") if is_object(raw) else None
    if not is_object(data):
        return None
    key: Any = data.get("key")
    found: Any = data.get("keyId") or (key.get("id") if is_object(key) else None)
    return found if isinstance(found, str) and _ID.fullmatch(found) else None

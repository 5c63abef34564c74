"""Failures on demand: by operation, before or after the server acts, by chance and by count."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import Any

from evolution_sdk._common.arguments import checked

from .arrange_errors import ArrangementError
from .reply import Cut, Reply

_JSON = (("content-type", "application/json; charset=utf-8"),)


class FaultKind(StrEnum):
    """A kind of failure, before or after the server has acted."""

    REFUSE = "refuse"
    """Connection refused; nothing happened. Over real HTTP: cut before acting."""
    DROP = "drop"
    """The connection breaks before the server acts."""
    ANSWER_THEN_DROP = "answer_then_drop"
    """The server acts; its answer is lost."""
    DELAY = "delay"
    """The server acts; its answer comes ``delay_ms`` late."""
    STATUS = "status"
    """Any status and body, before acting."""
    STATUS_AFTER = "status_after"
    """The server acts; any status and body instead of its answer."""
    TRUNCATE = "truncate"
    """The server acts; the body is cut in half."""
    EMPTY = "empty"
    """The server acts; the body is empty."""


BEFORE = frozenset({FaultKind.REFUSE, FaultKind.DROP, FaultKind.STATUS})


@dataclass(eq=False)
class Fault:
    """One armed fault.

    Attributes:
        operation: Key or pattern: ``message.send_text``, ``message.*``, ``*``.
        kind: The kind of failure.
        probability: Chance of each matching request to be hit, 0 to 1.
        count: Most times that it strikes; None means for ever.
        instance: Strike only requests for this instance; None means all.
        status: Status of ``status`` and ``status_after``.
        body: Body of ``status`` and ``status_after``: bytes and text as they are, else as JSON.
        headers: Further headers of ``status`` and ``status_after``.
        delay_ms: Time that ``delay`` keeps the answer back, in milliseconds.
        hits: Number of times it has struck.
    """

    operation: str
    kind: FaultKind
    probability: float = 1.0
    count: int | None = None
    instance: str | None = None
    status: int = 500
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    delay_ms: float = 0.0
    hits: int = 0
    _owner: list[Fault] | None = field(default=None, repr=False)

    def remove(self) -> None:
        """Disarm the fault; ``hits`` stays readable."""
        if self._owner is not None and self in self._owner:
            self._owner.remove(self)

    def matches(self, operation: str, instance: str | None) -> bool:
        """Tell if the fault may strike a request."""
        if self.count is not None and self.hits >= self.count:
            return False
        if self.instance is not None and self.instance != instance:
            return False
        return fnmatchcase(operation, self.operation)

    def strike(self, reply: Reply) -> Reply:
        """Turn an answer into the failure."""
        match self.kind:
            case FaultKind.REFUSE:
                # Status 0: no answer exists, so that nothing is ever read from it.
                return Reply(0, cut=Cut.REFUSE)
            case FaultKind.DROP:
                return Reply(0, cut=Cut.DROP)
            case FaultKind.ANSWER_THEN_DROP:
                # The answer is kept, so that the delay of a send passes before the connection
                # breaks.
                return Reply(reply.status, reply.headers, reply.body, reply.hold_ms, Cut.DROP)
            case FaultKind.DELAY:
                held = reply.hold_ms + self.delay_ms
                return Reply(reply.status, reply.headers, reply.body, held)
            case FaultKind.STATUS | FaultKind.STATUS_AFTER:
                return Reply(self.status, self._headers(), self._body(), reply.hold_ms)
            case FaultKind.TRUNCATE:
                # At least one byte, so that it stays apart from an empty body.
                half = reply.body[: max(1, len(reply.body) // 2)]
                return Reply(reply.status, reply.headers, half, reply.hold_ms)
            case FaultKind.EMPTY:
                return Reply(reply.status, reply.headers, b"", reply.hold_ms)

    def _headers(self) -> tuple[tuple[str, str], ...]:
        given = tuple((name.lower(), value) for name, value in self.headers.items())
        return given if any(name == "content-type" for name, _ in given) else _JSON + given

    def _body(self) -> bytes:
        if self.body is None:
            return b""
        if isinstance(self.body, bytes):
            return self.body
        text = self.body if isinstance(self.body, str) else json.dumps(self.body)
        return text.encode()


@checked()
class Faults:
    """The armed faults of one fake.

    Args:
        chance: Source of randomness for probabilities; seeded by the fake.
    """

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._armed: list[Fault] = []

    def add(
        self,
        operation: str,
        kind: FaultKind | str,
        *,
        probability: float = 1.0,
        count: int | None = None,
        instance: str | None = None,
        status: int | None = None,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
        delay_ms: float = 0.0,
    ) -> Fault:
        """Arm a fault; of several that match a request, the one added first strikes.

        Args:
            operation: Key of an operation (``message.send_text``) or a pattern
                (``message.*``, ``*``; ``unknown`` is any route the server does not have).
            kind: A :class:`FaultKind` or its value.
            probability: Chance of each matching request to be hit, 0 to 1.
            count: Most times that it strikes; None means for ever.
            instance: Strike only requests for this instance; None means all.
            status: Status of ``status`` and ``status_after``; they need one.
            body: Their body: bytes and text as they are, anything else as JSON.
            headers: Their further headers, such as ``Retry-After``.
            delay_ms: Time that ``delay`` keeps the answer back, in milliseconds.

        Returns:
            The fault, with ``hits`` and ``remove()``.

        Raises:
            ValueError: The kind is unknown, a needed value is missing, or one is out of range.
        """
        if kind not in list(FaultKind):
            raise ArrangementError(
                f"kind: must be one of {', '.join(FaultKind)}, not {kind!r}.",
                variable="kind",
            )
        chosen = FaultKind(kind)
        if not 0 <= probability <= 1:
            raise ArrangementError(
                f"probability: must lie between 0 and 1, not {probability}.", variable="probability"
            )
        if chosen in (FaultKind.STATUS, FaultKind.STATUS_AFTER) and status is None:
            raise ArrangementError(
                f"status: a {chosen.value} fault needs one, such as status=503.", variable="status"
            )
        if chosen is FaultKind.DELAY and delay_ms <= 0:
            raise ArrangementError(
                "delay_ms: a delay fault needs one above 0, in milliseconds.", variable="delay_ms"
            )
        fault = Fault(
            operation,
            chosen,
            probability=probability,
            count=count,
            instance=instance,
            status=500 if status is None else status,
            body=body,
            headers=dict(headers or {}),
            delay_ms=delay_ms,
            _owner=self._armed,
        )
        self._armed.append(fault)
        return fault

    @property
    def armed(self) -> list[Fault]:
        """The faults that are armed, in the order in which they were added."""
        return list(self._armed)

    def clear(self) -> None:
        """Disarm all."""
        self._armed.clear()

    def draw(self, operation: str, instance: str | None) -> Fault | None:
        """Choose the fault that strikes a request, and count it as a hit; None when none does."""
        for fault in self._armed:
            if not fault.matches(operation, instance):
                continue
            # A certain fault draws nothing, so that adding one does not move the chances of the
            # others.
            if fault.probability < 1 and self._chance.random() >= fault.probability:
                continue
            fault.hits += 1
            return fault
        return None

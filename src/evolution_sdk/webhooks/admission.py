"""Admission of requests: everything that can be judged without the inbox."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from evolution_sdk.errors import ConfigurationError
from evolution_sdk.events import Event, MalformedEvent, parse_event

from .body import DEFAULT_MAX_UNFINISHED, announced_too_large, hint_of, unpack
from .budget import BodyBudget
from .queue import utc_time
from .responses import Answer
from .verify import Verification


@dataclass(slots=True)  # not frozen, which doubles its cost: one is made for every event
class AdmittedRequest:
    """A request that was admitted.

    Attributes:
        event: Its event.
        body: Its JSON.
        hint: The event's name in its path.
    """

    event: Event[Any]
    body: bytes = field(repr=False)
    hint: str | None = field(repr=False)


class AdmissionControl:
    """Judges requests.

    Args:
        verification: The proofs that they must give.
        max_body_bytes: Most bytes of one body, packed and unpacked.
        max_unfinished_bytes: Most bytes of all bodies that arrive or are judged.
        clock: Seconds since 1970.

    Raises:
        ConfigurationError: One body could never be judged within ``max_unfinished_bytes``.
    """

    def __init__(
        self,
        verification: Verification,
        max_body_bytes: int,
        max_unfinished_bytes: int | None,
        clock: Callable[[], float],
    ) -> None:
        # A packed body takes room twice: as it came, and unpacked.
        least = 2 * max_body_bytes
        most = max(DEFAULT_MAX_UNFINISHED, least)
        if max_unfinished_bytes is not None:
            if max_unfinished_bytes < least:
                raise ConfigurationError(
                    f"max_unfinished_bytes must be at least {least}, twice max_body_bytes: one "
                    "body takes room packed and unpacked.",
                    variable="max_unfinished_bytes",
                )
            most = max_unfinished_bytes
        self.budget: BodyBudget = BodyBudget(most)
        self._verification = verification
        self.max_bytes: int = max_body_bytes
        self._clock = clock

    @property
    def proves(self) -> bool:
        """True if a request that passes is surely the server's."""
        return self._verification.proves

    def judge_head(self, method: str, headers: Mapping[str, str]) -> Answer | None:
        """Judge a request before its body is read.

        Args:
            method: The HTTP method.
            headers: Names in lower case.

        Returns:
            The reason to refuse it, or None.
        """
        # The cheapest questions first: a stranger's request should cost as little as it can.
        if method.upper() != "POST":
            return Answer.NOT_POST
        if announced_too_large(headers, self.max_bytes):
            return Answer.TOO_LARGE
        return self._verification.of_headers(headers, self._clock())

    def judge_body(
        self, path: str, headers: Mapping[str, str], body: bytes
    ) -> AdmittedRequest | Answer:
        """Read and judge a body.

        Args:
            path: The path as it was asked for, query string included.
            headers: Names in lower case.
            body: The body as it came; its room is already taken.

        Returns:
            The event, or the reason to refuse it.
        """
        if "content-encoding" not in headers:
            return self._judge_plain(path, bytes(body or b""))
        # The unpacked bytes are counted while they are judged.
        with self.budget.lease() as lease:
            plain = unpack(bytes(body or b""), headers, self.max_bytes, lease.add)
            return plain if isinstance(plain, Answer) else self._judge_plain(path, plain)

    def _judge_plain(self, path: str, plain: bytes) -> AdmittedRequest | Answer:
        if len(plain) > self.max_bytes:
            return Answer.TOO_LARGE
        hint = hint_of(path)
        event = parse_event(
            plain, source="webhook", received_at=utc_time(self._clock()), event_hint=hint
        )
        # No handler could take it. It is refused so that the server posts it again: the body may
        # have been damaged on the way.
        if isinstance(event, MalformedEvent):
            return Answer.UNREADABLE
        return self._verification.of_body(event.raw) or AdmittedRequest(event, plain, hint)


def at_least_one(**limits: int) -> None:
    """Refuse a limit of less than 1, which lets nothing through.

    Args:
        **limits: The limits by name.

    Raises:
        ConfigurationError: One is less than 1.
    """
    for name, value in limits.items():
        if value < 1:
            raise ConfigurationError(f"{name} must be at least 1.", variable=name)

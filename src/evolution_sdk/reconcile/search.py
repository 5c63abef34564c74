"""The state of a search for one lost send: what is wanted, and what has been seen."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from evolution_sdk._base.json_types import is_object
from evolution_sdk.errors import EvolutionError
from evolution_sdk.operations.operation import Channel, Operation
from evolution_sdk.operations.target import Target

from .fingerprint import Fingerprint
from .observed_sends import Evidence, told_of
from .send_ledger import Send
from .server_clock import Zone
from .verdict import Sighting

__all__ = ["LostSend", "Search", "looks_ms"]

_FIRST_WAIT_MS = 200.0
_MOST_CHECKS = 3  # a number check reaches out to WhatsApp, and each one costs


def looks_ms(patience_ms: float, hold_ms: float = 0) -> tuple[float, ...]:
    """Waits before each look at the store, in milliseconds.

    Args:
        patience_ms: How long to go on after the first look.
        hold_ms: How long the server may still hold the send before acting.

    Returns:
        The first is ``hold_ms``; the others double from about 200 ms and add up to the patience.
    """
    if patience_ms <= 0:
        return (hold_ms,)
    count = max(1, math.ceil(math.log2(patience_ms / _FIRST_WAIT_MS + 1)))
    first = patience_ms / (2**count - 1)
    return (hold_ms, *(first * 2**step for step in range(count)))


@dataclass(slots=True)
class LostSend:
    """A send whose answer was lost.

    Attributes:
        send: The send.
        operation: What was sent.
        target: Through which instance.
        error: Why its outcome is unknown.
        hold_ms: How long the server holds such a send before acting, in milliseconds.
        limit_ms: How long the server is given for it beyond that, in milliseconds.
        resend: Whether it will be sent again if it is proven absent.
    """

    send: Send
    operation: Operation[Any]
    target: Target
    error: EvolutionError
    hold_ms: float
    limit_ms: float
    resend: bool


@dataclass(slots=True)
class Search:
    """One look-up under way: what is wanted, and what has been learned meanwhile.

    Attributes:
        target: The instance.
        wanted: What the message must look like.
        number: The recipient as written in the request.
        channels: On which channels such a send is possible.
        zone: Says when, by the server's clock, it can have been made.
        seen: What looks like it, by message id.
        hidden: Records of the same content under ids of unknown persons, by message id.
        asked: Hidden ids whose chats have been read.
        placed: Whether the server has told where it keeps the recipient.
        told: Under which ids the server has told that it keeps the recipient.
        channel_told: Whether the server has told that its channel knows no hidden ids.
        one_page: Whether the last look read all that the instance sent, in one page.
        checks: How often it was asked under which id it keeps the recipient.
        unanswered: Whether the last time no answer came.
        until: Monotonic time up to which it goes on: its reads are then made once a look, for the
            next look repeats them. None for a single look, whose reads are retried as usual.
        looks: How often the store was looked at.
        whole: Whether all of it could be read that had to be.
        everywhere: Whether the last look went back without a limit of time.
        message_id: The id that the client gave the message; None where it gave none.
        id_chosen: Whether the caller chose it, who may have given it to another message before.
        exact: Whether the server surely made it the message's own, so that nothing else counts;
            None while that was not asked.
        any_time: Whether a message under a chosen id may be from before.
        named: The message under that id.
        contested: Whether another message is under that id.
    """

    target: Target
    wanted: Fingerprint
    number: Any
    channels: tuple[Channel, ...]
    zone: Callable[[], Zone]
    seen: dict[str, Sighting] = field(default_factory=dict[str, Sighting])
    hidden: dict[str, Mapping[str, Any]] = field(default_factory=dict[str, Mapping[str, Any]])
    asked: set[str] = field(default_factory=set[str])
    placed: bool = False
    told: tuple[str, ...] = ()
    channel_told: bool = False
    one_page: bool = False
    checks: int = 0
    unanswered: bool = False
    until: float | None = None
    looks: int = 0
    whole: bool = True
    everywhere: bool = False
    message_id: str | None = None
    id_chosen: bool = False
    exact: bool | None = None
    any_time: bool = False
    named: Sighting | None = None
    contested: bool = False

    @property
    def may_ask(self) -> bool:
        """Tell if it is worth asking again under which id the server keeps the recipient.

        Only what stands under an id of an unknown person can be settled by a later answer.
        """
        told = self.told or self.channel_told
        return bool(self.hidden) and not told and self.checks < _MOST_CHECKS

    def meet(self, record: Mapping[str, Any], evidence: Evidence) -> None:
        """Note a record, if it has the id that was given to the message."""
        key = record.get("key")
        name = key.get("id") if is_object(key) else None
        if not is_object(key) or name is None or name != self.message_id:
            return
        if key.get("fromMe") is False:
            return
        # An id of ours is random, and nobody else's; one that was chosen may have been used before,
        # in another chat, for another content, or for another message of the same.
        if self.id_chosen and not self._surely_wanted(record):
            self.contested = True
        elif self.named is None:
            self.named = Sighting(str(name), told_of(record), record, evidence)

    def _surely_wanted(self, record: Mapping[str, Any]) -> bool:
        ours = self.any_time or self.zone().place(told_of(record)) == "ours"
        return ours and self.wanted.matches(record)

    def sight(self, record: Mapping[str, Any], evidence: Evidence) -> None:
        """Note a record, if it looks like what is wanted."""
        if self.wanted.matches(record):
            name = record["key"].get("id")
            # A record without an id cannot be claimed, and so proves no send. The first sight
            # counts.
            if isinstance(name, str) and name and name not in self.seen:
                self.seen[name] = Sighting(name, told_of(record), record, evidence)

"""Reading the server's store for messages that look like one send: where it looks, and how far."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from evolution_sdk.errors import ChannelNotSupportedError, EvolutionAPIError, EvolutionError
from evolution_sdk.identity.chat_forms import LID, PHONE
from evolution_sdk.identity.lids import LidMap
from evolution_sdk.models.base import to_iso
from evolution_sdk.models.message import MessagePage
from evolution_sdk.operations.operation import Channel, Operation
from evolution_sdk.operations.routes.chat import CHECK_WHATSAPP_NUMBERS, FIND_MESSAGES
from evolution_sdk.reconcile.evidence import Evidence, told_of
from evolution_sdk.reconcile.fingerprint import Fingerprint
from evolution_sdk.reconcile.send_ledger import Send
from evolution_sdk.reconcile.server_clock import Zone
from evolution_sdk.reconcile.verdict import Sighting

if TYPE_CHECKING:
    from .pipeline import Pipeline, Target

_log = logging.getLogger("evolution_sdk")

_PAGE_SIZE = 100
_MOST_PAGES = 10
_MOST_HIDDEN = 3
_LAST_TIME = "2038-01-19T03:14:07.000Z"  # the store counts seconds in 32 bits
_LAST_SECOND = 2**31 - 1


@dataclass(slots=True)
class Lost:
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
class Hunt:
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
        looks: How often the store was looked at.
        whole: Whether all of it could be read that had to be.
        everywhere: Whether the last look went back without a limit of time.
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
    looks: int = 0
    whole: bool = True
    everywhere: bool = False

    def sight(self, record: Mapping[str, Any], evidence: Evidence) -> None:
        """Note a record, if it looks like what is wanted."""
        if self.wanted.matches(record):
            name = record["key"].get("id")
            if isinstance(name, str) and name and name not in self.seen:
                self.seen[name] = Sighting(name, told_of(record), record, evidence)


class Hunter:
    """Reads the store for one hunt after the other.

    Args:
        caller: Through whom the server is asked.
        lids: Which hidden id stands for which phone.
        passed: Is told of every record of the instance's own that a look passes.
    """

    def __init__(
        self,
        caller: Pipeline,
        lids: LidMap,
        passed: Callable[[Hunt, Mapping[str, Any]], None],
    ) -> None:
        self._pipeline = caller
        self._lids = lids
        self._passed = passed

    async def look(
        self, hunt: Hunt, enough: Callable[[], bool], *, everywhere: bool = False
    ) -> None:
        """Look once: in the chats, then where else the server may keep the recipient.

        Args:
            hunt: What is looked for; takes what is seen.
            enough: Whether what has been seen settles it.
            everywhere: Without a limit of time, where the server's clock is not known.
        """
        hunt.looks += 1
        hunt.whole, hunt.everywhere = True, everywhere
        for chat in hunt.wanted.chats:
            await self._search(hunt, {"remoteJid": chat, "fromMe": True})
            if enough():
                return
        if hunt.wanted.place_unknown and not hunt.placed:
            await self._place(hunt, enough)

    async def _place(self, hunt: Hunt, enough: Callable[[], bool]) -> None:
        """Ask under which id the server keeps the person; if it does not tell, look everywhere."""
        before = hunt.wanted.chats
        asked = hunt.number or hunt.wanted.phone or hunt.wanted.lid
        baileys = True
        try:
            checks = await self._pipeline.look_up(
                CHECK_WHATSAPP_NUMBERS, hunt.target, {"numbers": [asked]}
            )
            told = [check.jid for check in checks if check.jid]
        except ChannelNotSupportedError:  # only Baileys has hidden ids
            told, baileys = [before[0]], False
        except EvolutionAPIError as error:
            _log.debug("the number's id is not told: %s", type(error).__name__)
            told = []
        hunt.wanted = hunt.wanted.also(told).resolved(self._lids)
        for chat in hunt.wanted.chats[len(before) :]:
            await self._search(hunt, {"remoteJid": chat, "fromMe": True})
            if enough():
                return
        if baileys and hunt.wanted.lid is None:
            # Asked by phone, 2.3.7 tells the phone also where its rows keep the hidden id.
            for chat in hunt.wanted.chats:
                if chat.endswith(PHONE):
                    await self._search_beside(hunt, chat)
                    if enough():
                        return
        if told:
            hunt.placed = hunt.whole  # else the next look must not forget that
            return
        await self._search(hunt, {"fromMe": True})
        if not enough():
            await self._unveil(hunt)

    async def _search(self, hunt: Hunt, key: Mapping[str, Any]) -> None:
        for page in range(1, _MOST_PAGES + 1):
            records = await self._page(hunt, key, page)
            if len(records) < _PAGE_SIZE:
                return
        hunt.whole = False

    async def _search_beside(self, hunt: Hunt, phone: str) -> None:
        """Look for rows under a hidden id that name the phone beside it."""
        for page in range(1, _MOST_PAGES + 1):
            records = await self._page(hunt, {"remoteJidAlt": phone, "fromMe": True}, page)
            if len(records) < _PAGE_SIZE:
                return
            if any(_beside(record) != phone for record in records):
                return  # an old server, which does not know the filter: nothing is named beside
        hunt.whole = False

    async def _page(self, hunt: Hunt, key: Mapping[str, Any], page: int) -> list[Mapping[str, Any]]:
        where: dict[str, Any] = {"key": key}
        if not hunt.everywhere:
            # No upper bound: the server's clock may be ahead of all that we know of it.
            since = _iso(hunt.zone().since - 1)
            where["messageTimestamp"] = {"gte": since, "lte": _LAST_TIME}
        result: MessagePage = await self._pipeline.look_up(
            FIND_MESSAGES, hunt.target, {"where": where, "offset": _PAGE_SIZE, "page": page}
        )
        hunt.wanted = hunt.wanted.resolved(self._lids)
        records = [record.raw for record in result.records]
        for record in records:
            self._passed(hunt, record)
            hunt.sight(record, "store")
            if hunt.wanted.hidden(record):
                hunt.hidden.setdefault(str(record["key"].get("id")), record)
        return records

    async def _unveil(self, hunt: Hunt) -> None:
        """Find out from their chats whose the hidden ids are that have the same content."""
        lids = dict.fromkeys(_chat(record) for record in hunt.hidden.values())
        for lid in [chat for chat in lids if chat.endswith(LID)][:_MOST_HIDDEN]:
            if lid not in hunt.asked and self._lids.phone_of(lid) is None:
                hunt.asked.add(lid)
                # What comes in from there names the number; the answer teaches us in passing.
                body = {"where": {"key": {"remoteJid": lid}}, "offset": _PAGE_SIZE, "page": 1}
                await self._pipeline.look_up(FIND_MESSAGES, hunt.target, body)
        hunt.wanted = hunt.wanted.resolved(self._lids)
        for name, record in tuple(hunt.hidden.items()):
            if self._lids.forms([_chat(record)]):
                del hunt.hidden[name]
                hunt.sight(record, "store")


def _chat(record: Mapping[str, Any]) -> str:
    return str(record["key"].get("remoteJid"))


def _beside(record: Mapping[str, Any]) -> object:
    return record["key"].get("remoteJidAlt") if "key" in record else None


def _iso(seconds: float) -> str:
    return to_iso(datetime.fromtimestamp(min(max(seconds, 1.0), _LAST_SECOND), tz=UTC))

"""Reading the server's store for messages that look like one send: where it looks, and how far."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from evolution_sdk.errors import ChannelNotSupportedError, EvolutionAPIError, EvolutionError
from evolution_sdk.identity.chat_forms import LID, PHONE
from evolution_sdk.identity.lids import LidMap
from evolution_sdk.models.base import to_iso
from evolution_sdk.reconcile.search import Search

from .store_reads import StoreReads

_log = logging.getLogger("evolution_sdk")

# Bounds on the work of one look; what they cut off counts as doubt, never as absence.
_PAGE_SIZE = 100
_MOST_PAGES = 10
_MOST_HIDDEN = 3
_LEAST_CHECK_MS = 1_000.0
_UNDER_ONE_ID = 10  # the server does not refuse an id that is there already
_LAST_TIME = "2038-01-19T03:14:07.000Z"  # the store counts seconds in 32 bits
_LAST_SECOND = 2**31 - 1


class SendSearch:
    """Reads the store for one search after the other.

    Args:
        reads: Asks the store.
        lids: Which hidden id stands for which phone.
        passed: Is told of every record of the instance's own that a look passes.
        now: Tells seconds that never go back.
    """

    def __init__(
        self,
        reads: StoreReads,
        lids: LidMap,
        passed: Callable[[Search, Mapping[str, Any]], None],
        now: Callable[[], float],
    ) -> None:
        self._reads = reads
        self._lids = lids
        self._passed = passed
        self._now = now

    async def look(
        self, search: Search, enough: Callable[[], bool], *, everywhere: bool = False
    ) -> None:
        """Look once: in the chats, then where else the server may keep the recipient.

        Args:
            search: What is looked for; takes what is seen.
            enough: Whether what has been seen settles it.
            everywhere: Without a limit of time, where the server's clock is not known.
        """
        # Each look judges anew if it was whole; an earlier, cut one does not count.
        search.looks += 1
        search.whole, search.everywhere = True, everywhere
        # One page had all that the instance sent: the parts of it need not be asked for again.
        if search.one_page and not everywhere and search.wanted.place_unknown:
            await self._search_all(search, enough, again=True)
            if search.whole or enough():
                return
        for chat in search.wanted.chats:
            await self._search(search, {"remoteJid": chat, "fromMe": True})
            if enough():
                return
        if search.wanted.place_unknown and not search.placed:
            await self._place(search, enough)

    async def look_by_id(self, search: Search) -> None:
        """Look for the one message under the id that the client gave it: no likeness, no time.

        Args:
            search: What is looked for; takes what is seen.
        """
        search.looks += 1
        where = {"key": {"id": search.message_id}}
        once = search.until is not None
        result = await self._reads.find_messages(
            search.target, where, size=_UNDER_ONE_ID, once=once
        )
        for record in result.records:
            self._passed(search, record.raw)
            search.meet(record.raw, "store")

    async def _place(self, search: Search, enough: Callable[[], bool]) -> None:
        """Ask under which id the server keeps the person; if it does not tell, look everywhere."""
        before = search.wanted.chats
        first = search.checks == 0
        if first:
            await self._ask_place(search)
        told = search.told
        search.wanted = search.wanted.also(told).resolved(self._lids)
        for chat in search.wanted.chats[len(before) :]:
            await self._search(search, {"remoteJid": chat, "fromMe": True})
            if enough():
                return
        if not search.channel_told and not any(jid.endswith(LID) for jid in told):
            # Asked by phone, 2.3.7 tells the phone also where its rows keep the hidden id.
            for chat in search.wanted.chats:
                if chat.endswith(PHONE):
                    await self._search_beside(search, chat)
                    if enough():
                        return
        if told or search.channel_told:
            search.placed = search.whole  # else the next look must not forget that
            return
        await self._search_all(search, enough, again=not first)

    async def _search_all(self, search: Search, enough: Callable[[], bool], *, again: bool) -> None:
        """Look at all that the instance sent, whoever it was for."""
        pages = await self._search(search, {"fromMe": True})
        search.one_page = pages == 1 and not search.everywhere
        if enough():
            return
        await self._unveil(search)
        if again and search.may_ask:
            await self._ask_place(search)
            search.wanted = search.wanted.also(search.told).resolved(self._lids)
            self._see_unveiled(search)

    async def _ask_place(self, search: Search) -> None:
        asked = search.number or search.wanted.phone or search.wanted.lid
        once_ms = None
        if search.until is not None:
            once_ms = max((search.until - self._now()) * 1_000, _LEAST_CHECK_MS)
        search.checks += 1
        try:
            checks = await self._reads.check_number(search.target, asked, once_ms)
        except ChannelNotSupportedError:  # only Baileys has hidden ids
            search.channel_told, search.unanswered = True, False
        except EvolutionError as error:
            _log.debug("the number's id is not told: %s", type(error).__name__)
            search.unanswered = not isinstance(error, EvolutionAPIError)
            # Without an answer the rest of the store may still show the message.
            if search.unanswered and (search.until is None or not error.transient):
                raise
        else:
            told = [check.jid for check in checks if check.jid]
            if search.wanted.by_lid:
                # A hidden id that comes back as it went tells no phone, under which a server since
                # 2.3.7 may have stored the message.
                told = [jid for jid in told if not jid.endswith(LID)]
            search.told, search.unanswered = tuple(told), False

    async def _search(self, search: Search, key: Mapping[str, Any]) -> int:
        for page in range(1, _MOST_PAGES + 1):
            records = await self._page(search, key, page)
            # A page that is not full is the last one.
            if len(records) < _PAGE_SIZE:
                return page
        search.whole = False
        return _MOST_PAGES

    async def _search_beside(self, search: Search, phone: str) -> None:
        """Look for rows under a hidden id that name the phone beside it."""
        for page in range(1, _MOST_PAGES + 1):
            records = await self._page(search, {"remoteJidAlt": phone, "fromMe": True}, page)
            if len(records) < _PAGE_SIZE:
                return
            if any(_beside(record) != phone for record in records):
                return  # an old server, which does not know the filter: nothing is named beside
        search.whole = False

    async def _page(
        self, search: Search, key: Mapping[str, Any], page: int
    ) -> list[Mapping[str, Any]]:
        where: dict[str, Any] = {"key": key}
        if not search.everywhere:
            # No upper bound: the server's clock may be ahead of all that we know of it.
            since = _iso(search.zone().since - 1)
            where["messageTimestamp"] = {"gte": since, "lte": _LAST_TIME}
        once = search.until is not None
        result = await self._reads.find_messages(
            search.target, where, size=_PAGE_SIZE, page=page, once=once
        )
        search.wanted = search.wanted.resolved(self._lids)
        records = [record.raw for record in result.records]
        for record in records:
            self._passed(search, record)
            search.sight(record, "store")
            if search.wanted.hidden(record) and not self._is_of_another(search, record):
                search.hidden.setdefault(str(record["key"].get("id")), record)
        return records

    def _is_of_another(self, search: Search, record: Mapping[str, Any]) -> bool:
        """Tell if both ids of the record's chat are known, and neither is the recipient's."""
        both = search.wanted.phone is not None and search.wanted.lid is not None
        return both and bool(self._lids.forms([_chat(record)]))

    async def _unveil(self, search: Search) -> None:
        """Find out from their chats whose the hidden ids are that have the same content."""
        lids = dict.fromkeys(_chat(record) for record in search.hidden.values())
        for lid in [chat for chat in lids if chat.endswith(LID)][:_MOST_HIDDEN]:
            if lid not in search.asked and self._lids.phone_of(lid) is None:
                search.asked.add(lid)
                # What comes in from there names the number; the answer teaches us in passing.
                inside = {"key": {"remoteJid": lid}}
                once = search.until is not None
                await self._reads.find_messages(search.target, inside, size=_PAGE_SIZE, once=once)
        search.wanted = search.wanted.resolved(self._lids)
        self._see_unveiled(search)

    def _see_unveiled(self, search: Search) -> None:
        """Take what was hidden for seen, now that it is known whose it is."""
        for name, record in tuple(search.hidden.items()):
            if _chat(record) in search.wanted.chats or self._lids.forms([_chat(record)]):
                del search.hidden[name]
                search.sight(record, "store")


def _chat(record: Mapping[str, Any]) -> str:
    return str(record["key"].get("remoteJid"))


def _beside(record: Mapping[str, Any]) -> object:
    return record["key"].get("remoteJidAlt") if "key" in record else None


def _iso(seconds: float) -> str:
    return to_iso(datetime.fromtimestamp(min(max(seconds, 1.0), _LAST_SECOND), tz=UTC))

"""Questions to an archive, as SQL. Pure."""

from __future__ import annotations

from datetime import datetime
from typing import Any, TypedDict

from evolution_sdk.errors import RequestValidationError
from evolution_sdk.identity import Jid

from .records import MESSAGE_COLUMNS


class MessageFilters(TypedDict, total=False):
    """Which messages; all that are given must fit.

    Attributes:
        instance: Of this instance.
        chat: In this chat, by its JID.
        sender: Written by this one, by JID.
        kind: Of this kind, such as ``image``.
        from_me: Own ones, or those of others.
        since: Written at this time or later (aware).
        until: Written at this time or earlier (aware).
        oldest_first: The order; default: newest first.
        limit: At most so many; default: all.
    """

    instance: str
    chat: str | Jid
    sender: str | Jid
    kind: str
    from_me: bool
    since: datetime
    until: datetime
    oldest_first: bool
    limit: int


_EQUAL = ("instance", "chat", "sender", "kind")


def question(filters: MessageFilters, text: str | None = None) -> tuple[str, list[Any]]:
    """The SELECT for some messages.

    Args:
        filters: Which ones.
        text: Words that must be in the text.

    Returns:
        SQL and its values.

    Raises:
        RequestValidationError: A filter does not exist, a time is naive, or a limit negative.
    """
    unknown = set(filters) - set(MessageFilters.__annotations__)
    if unknown:
        raise RequestValidationError(min(unknown), "is not a filter of the archive")
    wheres: list[str] = []
    values: list[Any] = []
    if text is not None:
        wheres.append("row IN (SELECT rowid FROM messages_text WHERE messages_text MATCH ?)")
        values.append(_words(text))
    for name in _EQUAL:
        if (wanted := filters.get(name)) is not None:
            wheres.append(f"{name} = ?")
            values.append(str(wanted))
    if (from_me := filters.get("from_me")) is not None:
        wheres.append("from_me = ?")
        values.append(int(from_me))
    for name, sign in (("since", ">="), ("until", "<=")):
        if (moment := filters.get(name)) is not None:
            wheres.append(f"timestamp {sign} ?")
            values.append(_seconds(name, moment))
    where = f" WHERE {' AND '.join(wheres)}" if wheres else ""
    order = "ASC" if filters.get("oldest_first") else "DESC"
    limit = filters.get("limit")
    if limit is not None and limit < 0:
        raise RequestValidationError("limit", "must be 0 or more")
    values.append(-1 if limit is None else limit)
    sql = f"SELECT {MESSAGE_COLUMNS} FROM messages{where} "  # noqa: S608  names of ours
    return f"{sql}ORDER BY timestamp {order}, row {order} LIMIT ?", values


def _words(text: str) -> str:
    """Every word must be in it; quoted, so that no sign means anything to the search engine."""
    # Half a character and the end of a C string are in no text that is stored.
    words = text.replace("\0", " ").encode("utf-8", "replace").decode().split()
    if not words:
        raise RequestValidationError("text", "must hold at least one word")
    return " ".join('"' + word.replace('"', '""') + '"' for word in words)


def _seconds(name: str, moment: Any) -> float:
    if not isinstance(moment, datetime) or moment.tzinfo is None:
        raise RequestValidationError(name, "must be an aware datetime")
    return moment.timestamp()

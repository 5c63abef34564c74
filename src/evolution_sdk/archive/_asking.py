"""SQL for reading an archive. Pure."""

from __future__ import annotations

from datetime import datetime
from typing import Any, TypedDict

from evolution_sdk.errors import RequestValidationError
from evolution_sdk.identity import Jid

from .records import MESSAGE_COLUMNS


class MessageFilters(TypedDict, total=False):
    """Filters for messages. A message must match all that are given.

    Attributes:
        instance: Name of the instance.
        chat: JID of the chat.
        sender: JID of the sender.
        kind: Kind of message, such as ``image``.
        from_me: True for own messages, False for those of others.
        since: Earliest time (aware), inclusive.
        until: Latest time (aware), inclusive.
        oldest_first: True for the oldest first. Default: newest first.
        limit: Most messages to return. Default: all.
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
    """Make the SELECT for messages.

    Args:
        filters: The filters.
        text: Words that must be in the text, or None.

    Returns:
        The SQL and its values.

    Raises:
        RequestValidationError: A filter does not exist, a time is naive, or the limit is negative.
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
    values.append(-1 if limit is None else limit)  # SQLite: no limit
    sql = f"SELECT {MESSAGE_COLUMNS} FROM messages{where} "  # noqa: S608  names of ours
    return f"{sql}ORDER BY timestamp {order}, row {order} LIMIT ?", values


def _words(text: str) -> str:
    """Turn words into an FTS5 query that matches texts with all of them."""
    # Stored texts hold no NUL and no half of a surrogate pair, so neither can be found.
    words = text.replace("\0", " ").encode("utf-8", "replace").decode().split()
    if not words:
        raise RequestValidationError("text", "must hold at least one word")
    # Quoted, so that no character of a word is an operator of the query language.
    return " ".join('"' + word.replace('"', '""') + '"' for word in words)


def _seconds(name: str, moment: Any) -> float:
    if not isinstance(moment, datetime) or moment.tzinfo is None:
        raise RequestValidationError(name, "must be an aware datetime")
    return moment.timestamp()

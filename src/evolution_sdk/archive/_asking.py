"""SQL for reading an archive. Pure."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import datetime
from typing import Any, NamedTuple, TypeAlias, TypedDict

from evolution_sdk.errors import RequestValidationError
from evolution_sdk.identity import Jid

from ._building import Shape
from ._vectors import every_word_of
from ._words import ROW_MASK, every_word, first_of, in_texts, last_of
from .records import MESSAGE_COLUMNS, UPDATE_COLUMNS

_COLUMNS = ", ".join(f"messages.{name}" for name in (*MESSAGE_COLUMNS.split(", "), "row"))


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


class _Way(NamedTuple):
    """Index that lists the messages with one value of a filter in the order of their times.

    Attributes:
        filter: The filter.
        table: Table of the index.
        columns: What else the index tells, so that no message is read for it.
    """

    filter: str
    table: str
    columns: frozenset[str]


# The first one that fits is taken: usually it leaves the fewest messages.
_WAYS = (
    _Way("chat", "message_chats", frozenset({"chat", "instance", "kind", "from_me"})),
    _Way("sender", "messages", frozenset()),  # an index of SQLite: senders become known later
    _Way("instance", "message_instances", frozenset({"instance", "kind", "from_me"})),
    _Way("kind", "message_kinds", frozenset({"kind", "from_me"})),
    _Way("from_me", "message_sides", frozenset({"from_me"})),
    _Way("", "messages", frozenset()),
)

_ALL = 2**63 - 1  # a limit that is none

Asked: TypeAlias = Callable[[str, str | None, Shape], tuple[str, list[Any]]]
"""Question about an id in an instance."""
Place: TypeAlias = tuple[int, int]
"""Time and row of a message, by which pages go on."""


def question(
    filters: MessageFilters,
    text: str | None = None,
    shape: Shape | None = None,
    after: Place | None = None,
    until_row: int | None = None,
) -> tuple[str, list[Any]]:
    """Make the SELECT for messages: the columns of a record, and the row.

    Args:
        filters: The filters.
        text: Words that must be in the text, or None.
        shape: State of the archive's indexes. Default: all are there.
        after: Place of the last message of the page before, or None.
        until_row: Highest row, or None.

    Returns:
        The SQL and its values.

    Raises:
        RequestValidationError: A filter does not exist, a time is naive, or the limit is negative.
    """
    unknown = set(filters) - set(MessageFilters.__annotations__)
    if unknown:
        raise RequestValidationError(min(unknown), "is not a filter of the archive")
    limit = filters.get("limit")
    if limit is not None and limit < 0:
        raise RequestValidationError("limit", "must be 0 or more")
    if text is None:
        asked = _by_index(filters, shape or Shape())
    elif shape is not None and shape.vectors:
        asked = _by_vectors(filters, text)
    elif shape is None or shape.worded:
        asked = _by_words(filters, every_word(text))
    else:
        asked = _by_old_words(filters, every_word(text))
    up = bool(filters.get("oldest_first"))
    wheres, values = asked.wheres, asked.values
    if until_row is not None:
        wheres.append("messages.row <= ?")
        values.append(until_row)
    if after is not None:
        wheres.append(f"({asked.order[0]}, {asked.order[-1]}) {'>' if up else '<'} (?, ?)")
        values.extend(after)
    where = f"WHERE {' AND '.join(wheres)} " if wheres else ""
    order = ", ".join(f"{name} {'ASC' if up else 'DESC'}" for name in asked.order)
    values.append(_ALL if limit is None else limit)
    sql = f"SELECT {_COLUMNS} FROM {asked.source} {where}ORDER BY {order} LIMIT ?"  # noqa: S608
    return sql, values


def message_question(message_id: str, instance: str | None, shape: Shape) -> tuple[str, list[Any]]:
    """Make the SELECT for the messages with an id, the newest first.

    Returns:
        The SQL, for the columns of a record and two names of its chat, and its values.
    """
    where, values = _of_id("message_ids", message_id, instance, shape)
    sql = (
        f"SELECT {MESSAGE_COLUMNS}, chat, chat_alt FROM messages "  # noqa: S608  names of ours
        f"WHERE {where} ORDER BY timestamp DESC, row DESC"
    )
    return sql, values


def updates_question(message_id: str, instance: str | None, shape: Shape) -> tuple[str, list[Any]]:
    """Make the SELECT for the changes of an id, the oldest first.

    Returns:
        The SQL, for the columns of a change and two names of its chat, and its values.
    """
    where, values = _of_id("update_ids", message_id, instance, shape)
    columns = ", ".join(f"changes.{name}" for name in UPDATE_COLUMNS.split(", "))
    sql = (
        f"SELECT {columns}, changes.chat, messages.chat FROM "  # noqa: S608  names of ours
        f"(SELECT * FROM updates WHERE {where}) AS changes "
        "LEFT JOIN messages ON messages.row = changes.message ORDER BY changes.at, changes.row"
    )
    return sql, values


def contacts_question(instance: str | None) -> tuple[str, list[Any]]:
    """Make the SELECT for contacts, in the order of their table."""
    where, values = ("", []) if instance is None else ("WHERE instance = ? ", [instance])
    sql = (
        "SELECT instance, jid, name, picture_url, updated_at FROM contacts "  # noqa: S608
        f"{where}ORDER BY instance, jid"
    )
    return sql, values


def _of_id(
    table: str, message_id: str, instance: str | None, shape: Shape
) -> tuple[str, list[Any]]:
    where, values = "id = ?", [message_id]
    if instance is not None:
        where, values = f"{where} AND instance = ?", [message_id, instance]
    if shape.indexed:
        where = f"row IN (SELECT row FROM {table} WHERE {where})"  # noqa: S608  names of ours
    return where, values


class _Asked(NamedTuple):
    source: str
    order: tuple[str, ...]
    wheres: list[str]
    values: list[Any]


def _by_index(filters: MessageFilters, shape: Shape) -> _Asked:
    """Ask for messages along the index that fits the filters."""
    if not shape.indexed:
        way = _WAYS[-1]  # the database finds an index itself
    else:
        given = {name for name, value in filters.items() if value is not None}
        way = next(each for each in _WAYS if not each.filter or each.filter in given)
    table = way.table
    source = "messages"
    if table != "messages":
        source = f"{table} CROSS JOIN messages ON messages.row = {table}.row"
    wheres, values = _wheres(filters, table, way.columns)
    if way.table == "messages" and way.filter:
        # Elsewhere SQLite could choose another index, and sort.
        source = f"messages INDEXED BY messages_by_{way.filter}"
    elif not way.filter and shape.indexed:
        source = "messages INDEXED BY messages_by_time"
    return _Asked(source, (f"{table}.timestamp", f"{table}.row"), wheres, values)


def _by_words(filters: MessageFilters, words: str) -> _Asked:
    """Ask for messages along the full-text index, whose numbers grow with the time."""
    chat = filters.get("chat")
    values: list[Any] = [in_texts(words, None if chat is None else str(chat))]
    wheres = ["messages_words MATCH ?"]
    for name, sign, number in (("since", ">=", first_of), ("until", "<=", last_of)):
        if (moment := filters.get(name)) is not None:
            wheres.append(f"messages_words.rowid {sign} ?")
            values.append(number(_seconds(name, moment)))
    more, others = _wheres(filters, "messages", frozenset())
    source = (
        f"messages_words CROSS JOIN messages ON messages.row = messages_words.rowid & {ROW_MASK}"
    )
    return _Asked(source, ("messages_words.rowid",), [*wheres, *more], [*values, *others])


def _by_vectors(filters: MessageFilters, text: str) -> _Asked:
    """Ask for messages along the full-text index of PostgreSQL."""
    every_word(text)  # is wrong without a word
    wheres, values = _wheres(filters, "messages", frozenset())
    words = every_word_of(text)
    source = "messages_words JOIN messages ON messages.row = messages_words.row"
    order = ("messages.timestamp", "messages.row")
    if words is None:
        return _Asked(source, order, ["1 = 0", *wheres], values)
    hits = "messages_words.words @@ ?::tsquery"
    return _Asked(source, order, [hits, *wheres], [words, *values])


def _by_old_words(filters: MessageFilters, words: str) -> _Asked:
    """Ask as long as only the full-text index of older versions is complete."""
    wheres, values = _wheres(filters, "messages", frozenset())
    hits = "messages.row IN (SELECT rowid FROM messages_text WHERE messages_text MATCH ?)"
    order = ("messages.timestamp", "messages.row")
    return _Asked("messages", order, [hits, *wheres], [words, *values])


def _wheres(
    filters: MessageFilters, table: str, told: frozenset[str]
) -> tuple[list[str], list[Any]]:
    wheres: list[str] = []
    values: list[Any] = []
    for name in (*_EQUAL, "from_me"):
        if (wanted := filters.get(name)) is not None:
            wheres.append(f"{table if name in told else 'messages'}.{name} = ?")
            values.append(int(bool(wanted)) if name == "from_me" else str(wanted))
    for name, sign in (("since", ">="), ("until", "<=")):
        if (moment := filters.get(name)) is not None:
            wheres.append(f"{table}.timestamp {sign} ?")
            # Times of messages are whole seconds, and PostgreSQL's index knows no others.
            whole = math.ceil if sign == ">=" else math.floor
            values.append(whole(_seconds(name, moment)))
    return wheres, values


def _seconds(name: str, moment: Any) -> float:
    if not isinstance(moment, datetime) or moment.tzinfo is None:
        raise RequestValidationError(name, "must be an aware datetime")
    return moment.timestamp()

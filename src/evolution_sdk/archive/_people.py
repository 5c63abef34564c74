"""People in an archive: hidden ids and their phones, and the admins of groups."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator

from evolution_sdk.identity.chat_forms import LID, PHONE
from evolution_sdk.identity.chat_names import Whom, all_names, names_of

from ._building import Shape
from ._judging import Names
from ._taking import AdminRow

# Messages of a chat in an instance whose id another message has, too.
_TWICE = (
    "SELECT a.instance, i.id FROM message_chats AS a CROSS JOIN messages AS m ON m.row = a.row "
    "CROSS JOIN message_ids AS i ON i.id = m.id AND i.instance = m.instance AND i.row <> m.row "
    "CROSS JOIN messages AS b ON b.row = i.row WHERE a.instance = ? AND a.chat = ?"
)
_TWICE_OLD = (
    "SELECT a.instance, a.id FROM messages AS a JOIN messages AS b "
    "ON b.instance = a.instance AND b.id = a.id AND b.row <> a.row "
    "WHERE a.instance = ? AND a.chat = ?"
)


class FileLids:
    """Pairs of hidden id and phone in an archive, in one transaction.

    Args:
        connection: The archive.
        shape: State of its indexes in this transaction.
    """

    def __init__(self, connection: sqlite3.Connection, shape: Shape | None = None) -> None:
        self._connection = connection
        self._shape = shape or Shape()
        # A batch asks again and again for the same people. Never kept beyond the transaction:
        # other processes learn, too.
        self._phones: dict[str, str | None] = {}
        self._lids: dict[str, tuple[str, ...]] = {}

    def phone_of(self, who: str, /) -> str | None:
        """Return the phone's JID behind a hidden id, or None."""
        if who not in self._phones:
            found = self._connection.execute(
                "SELECT phone FROM lids WHERE lid = ?", (who,)
            ).fetchone()
            self._phones[who] = None if found is None else str(found[0])
        return self._phones[who]

    def forms(self, chats: Iterable[str]) -> tuple[str, ...]:
        """Return the hidden ids of phones, and the phones of hidden ids."""
        return tuple(form for chat in chats for form in self._of(chat))

    def _of(self, chat: str) -> Iterator[str]:
        if chat.endswith(LID):
            phone = self.phone_of(chat)
            yield from () if phone is None else names_of(phone)
        elif chat.endswith(PHONE):
            if chat not in self._lids:
                rows = self._connection.execute("SELECT lid FROM lids WHERE phone = ?", (chat,))
                self._lids[chat] = tuple(str(lid) for (lid,) in rows.fetchall())
            yield from self._lids[chat]

    def learn(self, lid: str, phone: str) -> bool:
        """Store a pair; a newer pair replaces the old one of the hidden id.

        Returns:
            True if it was new.
        """
        if self.phone_of(lid) == phone:
            return False
        self._connection.execute("INSERT OR REPLACE INTO lids VALUES (?, ?)", (lid, phone))
        self._phones[lid] = phone
        self._lids.clear()
        return True

    def touched(self, instance: str, lid: str, phone: str) -> list[tuple[str, str]]:
        """Find the messages to which a new pair may assign changes or duplicates.

        Duplicates are looked for only in the instance that reported the pair; elsewhere they are
        joined by the next change to the message.

        Returns:
            Instance and id of each message.
        """
        # Changes may name a person by JID or by bare digits.
        hidden = (lid, lid.partition("@")[0])
        phones = tuple(names_of(phone))
        told = (*hidden, *phones, *(name.partition("@")[0] for name in phones))
        marks = ", ".join("?" * len(told))
        found = self._connection.execute(
            f"SELECT instance, id FROM updates WHERE kind <> 'status' AND chat IN ({marks}) "  # noqa: S608  marks
            f"UNION SELECT instance, id FROM updates WHERE kind <> 'status' "
            f"AND participant IN ({marks}) "
            f"UNION {_TWICE if self._shape.indexed else _TWICE_OLD} AND b.chat IN ({marks})",
            (*told, *told, instance, lid, *told),
        )
        return [(str(owner), str(message_id)) for owner, message_id in found.fetchall()]


def learn_admins(connection: sqlite3.Connection, row: AdminRow, lids: FileLids) -> None:
    """Store the admins of a group.

    Args:
        connection: The archive.
        row: The reported admins.
        lids: The known hidden ids.
    """
    known = _admins(connection, row.instance, row.chat)
    # An admin may be stored under another name than the one reported now.
    gone = [
        each[0] for each in known
        if row.whole or any(Whom(each, lids).is_told_by(*other) for other in row.others)
    ]  # fmt: skip
    connection.executemany(
        "DELETE FROM admins WHERE instance = ? AND chat = ? AND jid = ?",
        [(row.instance, row.chat, jid) for jid in gone],
    )
    connection.executemany(
        "INSERT OR REPLACE INTO admins VALUES (?, ?, ?, ?)",
        [(row.instance, row.chat, *(*names, None)[:2]) for names in row.admins if names],
    )


def is_admin(
    connection: sqlite3.Connection, instance: str, chat: str | None, who: Names, lids: FileLids
) -> bool:
    """Return True if a person is a known admin of a group.

    Args:
        connection: The archive.
        instance: The instance that reported the group.
        chat: The group.
        who: Names of the person.
        lids: The known hidden ids.
    """
    if not chat or not all_names(who):
        return False
    known = _admins(connection, instance, chat)
    return any(Whom(names, lids).is_told_by(*who) for names in known)


def _admins(connection: sqlite3.Connection, instance: str, chat: str) -> list[Names]:
    found = connection.execute(
        "SELECT jid, alt FROM admins WHERE instance = ? AND chat = ?", (instance, chat)
    )
    return [(str(jid), alt) for jid, alt in found.fetchall()]

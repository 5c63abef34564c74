"""People in an archive: hidden ids and their phones, and the admins of groups."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from evolution_sdk._sql.database import Session
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
        session: The archive, in a transaction.
        shape: State of its indexes in this transaction.
    """

    def __init__(self, session: Session, shape: Shape | None = None) -> None:
        self._session = session
        self._shape = shape or Shape()
        # A batch asks again and again for the same people. Never kept beyond the transaction:
        # other processes learn, too.
        self._phones: dict[str, str | None] = {}
        self._lids: dict[str, tuple[str, ...]] = {}

    def phone_of(self, who: str, /) -> str | None:
        """Return the phone's JID behind a hidden id, or None."""
        if who not in self._phones:
            found = self._session.run("SELECT phone FROM lids WHERE lid = ?", (who,))
            self._phones[who] = str(found[0][0]) if found else None
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
                rows = self._session.run("SELECT lid FROM lids WHERE phone = ?", (chat,))
                self._lids[chat] = tuple(str(lid) for (lid,) in rows)
            yield from self._lids[chat]

    def learn(self, lid: str, phone: str) -> bool:
        """Store a pair; a newer pair replaces the old one of the hidden id.

        Returns:
            True if it was new.
        """
        if self.phone_of(lid) == phone:
            return False
        self._session.run(
            "INSERT INTO lids (lid, phone) VALUES (?, ?) "
            "ON CONFLICT (lid) DO UPDATE SET phone = excluded.phone",
            (lid, phone),
        )
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
        found = self._session.run(
            f"SELECT instance, id FROM updates WHERE kind <> 'status' AND chat IN ({marks}) "  # noqa: S608  marks
            f"UNION SELECT instance, id FROM updates WHERE kind <> 'status' "
            f"AND participant IN ({marks}) "
            f"UNION {_TWICE if self._shape.indexed else _TWICE_OLD} AND b.chat IN ({marks})",
            (*told, *told, instance, lid, *told),
        )
        return [(str(owner), str(message_id)) for owner, message_id in found]


def learn_admins(session: Session, row: AdminRow, lids: FileLids) -> None:
    """Store the admins of a group.

    Args:
        session: The archive, in a transaction.
        row: The reported admins.
        lids: The known hidden ids.
    """
    known = _admins(session, row.instance, row.chat)
    # An admin may be stored under another name than the one reported now.
    gone = [
        each[0] for each in known
        if row.whole or any(Whom(each, lids).is_told_by(*other) for other in row.others)
    ]  # fmt: skip
    session.run_many(
        "DELETE FROM admins WHERE instance = ? AND chat = ? AND jid = ?",
        [(row.instance, row.chat, jid) for jid in gone],
    )
    session.run_many(
        "INSERT INTO admins (instance, chat, jid, alt) VALUES (?, ?, ?, ?) "
        "ON CONFLICT (instance, chat, jid) DO UPDATE SET alt = excluded.alt",
        [(row.instance, row.chat, *(*names, None)[:2]) for names in row.admins if names],
    )


def is_admin(session: Session, instance: str, chat: str | None, who: Names, lids: FileLids) -> bool:
    """Return True if a person is a known admin of a group.

    Args:
        session: The archive, in a transaction.
        instance: The instance that reported the group.
        chat: The group.
        who: Names of the person.
        lids: The known hidden ids.
    """
    if not chat or not all_names(who):
        return False
    known = _admins(session, instance, chat)
    return any(Whom(names, lids).is_told_by(*who) for names in known)


def _admins(session: Session, instance: str, chat: str) -> list[Names]:
    found = session.run(
        "SELECT jid, alt FROM admins WHERE instance = ? AND chat = ?", (instance, chat)
    )
    return [(str(jid), alt) for jid, alt in found]

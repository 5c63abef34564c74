"""Decision if a reported change counts for an archived message. Pure.

An id alone proves nothing, because anybody may use any id in a chat of their own. A change counts
only for the same chat and the same author. The server itself names the author in
``messages.delete``, in ``messages.update`` with new content (since 2.3.7) and in
``send.message.update``. The key in ``messages.edited`` was written by the sender's phone, including
its claim of whose message it is (`facts/versions/baileys.md`, "who edited / revoked"). Such hearsay
counts for messages that the other side of a one-to-one chat wrote, whose ids nobody else knows;
elsewhere only once the server reports the same change.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from evolution_sdk.identity.chat_names import Lids, Whom

Names = tuple[str | None, ...]


@dataclass(frozen=True, slots=True)
class Kept:
    """Message in the archive.

    Attributes:
        row: Its row number.
        chat: Names of the chat.
        from_me: True if the account wrote it.
        sender: Names of the sender.
        text: Its original text.
    """

    row: int
    chat: Names
    from_me: bool
    sender: Names
    text: str | None = None

    @property
    def is_direct(self) -> bool:
        """True if it is in a chat of two people."""
        return not (self.chat[0] or "").endswith(("@g.us", "@broadcast", "@newsletter"))


@dataclass(frozen=True, slots=True)
class Change:
    """Change reported by an event.

    Attributes:
        row: Its row number.
        kind: ``status``, ``edit`` or ``delete``.
        status: The status, as a word.
        text: The new text of an edit.
        at: Time of the change, in unix seconds.
        chat: Names of the chat, as reported.
        by_me: True if the account made it; for a status, if the account wrote the message.
        author: Names of the author; empty if none was reported.
        proven: True if the server itself names the author.
        mirrored: True if chat and ``by_me`` are seen from the other side, with us as the chat.
        by_admin: True if the author was a known admin of the group.
        old: Row of the message for which it counted in archives of version 1, which did not
            compare chats and authors.
    """

    row: int
    kind: str
    status: str | None
    text: str | None
    at: int
    chat: Names
    by_me: bool | None
    author: Names = ()
    proven: bool = False
    mirrored: bool = False
    by_admin: bool = False
    old: int | None = None

    @property
    def words(self) -> tuple[str, str | None]:
        """Content of the change, by which hearsay is compared with the server's report."""
        return self.kind, self.text if self.kind == "edit" else None


@dataclass(frozen=True, slots=True)
class Verdict:
    """State of one message after its changes.

    Attributes:
        counting: Rows of the changes that count for it.
        text: Its text.
        edited_at: Time of the last edit, in unix seconds, or None.
        deleted_at: Time of the deletion, in unix seconds, or None.
    """

    counting: frozenset[int]
    text: str | None
    edited_at: int | None
    deleted_at: int | None


def judge(message: Kept, others: int, changes: Iterable[Change], lids: Lids) -> Verdict:
    """Decide which edits and deletions count for a message, and apply them.

    Args:
        message: The message.
        others: Number of other archived messages with its id.
        changes: Every reported edit and deletion of its id, in the order of arrival.
        lids: The known hidden ids.

    Returns:
        The verdict, which does not depend on the order of arrival.
    """
    told = [each for each in changes if each.kind in ("edit", "delete")]
    proofs: dict[tuple[str, str | None], list[Change]] = {}
    for each in told:
        if each.proven:
            proofs.setdefault(each.words, []).append(each)
    counting = [
        each for each in told if counts(message, each, others, proofs.get(each.words, ()), lids)
    ]
    edits = sorted(
        (each for each in counting if each.kind == "edit"),
        key=lambda each: _made_at(each, counting),
    )
    texts = [each.text for each in edits if each.text is not None]
    deleted = [each.at for each in counting if each.kind == "delete"]
    return Verdict(
        counting=frozenset(each.row for each in counting),
        text=texts[-1] if texts else message.text,
        edited_at=_made_at(edits[-1], counting) if edits else None,
        deleted_at=min(deleted, default=None),
    )


def meant(messages: Iterable[Kept], status: Change, lids: Lids) -> Kept | None:
    """Find the message that a status is about.

    Args:
        messages: The messages with its id.
        status: The status.
        lids: The known hidden ids.

    Returns:
        The message, or None if the status belongs to none of their chats.
    """
    held = list(messages)
    found = [each for each in held if Whom(each.chat, lids).is_told_by(*status.chat)]
    # A receipt may come from an unknown hidden id. That is good enough if only one message fits.
    if not found:
        found = [each for each in held if Whom(each.chat, lids).may_be_told_by(*status.chat)]
        found = found if len(found) == 1 else []
    # Business reports the account's own messages as those of others (`facts/events.json`), so a
    # wrong ``by_me`` alone excludes nothing.
    return next((each for each in found if each.from_me == status.by_me), next(iter(found), None))


def is_same(one: Kept, other: Kept, lids: Lids) -> bool:
    """Return True if two records with one id are the same message.

    Args:
        one: A record.
        other: Another record with the same instance and id.
        lids: The known hidden ids.
    """
    if one.from_me != other.from_me or not Whom(one.chat, lids).is_told_by(*other.chat):
        return one.from_me == other.from_me and one.chat == other.chat
    return (
        one.from_me or one.is_direct or not any(one.sender) or not any(other.sender)
        or Whom(one.sender, lids).is_told_by(*other.sender)
    )  # fmt: skip


def counts(
    message: Kept, change: Change, others: int, proofs: Iterable[Change], lids: Lids
) -> bool:
    """Return True if an edit or a deletion counts for a message.

    Args:
        message: The message.
        change: The change.
        others: Number of other archived messages with its id.
        proofs: The server's own reports with the same content.
        lids: The known hidden ids.
    """
    if change.proven:
        return _proven_for(message, change, lids)
    # If the server has reported the same change, its report decides and not the hearsay.
    twins = list(proofs)
    if any(_proven_for(message, each, lids) for each in twins):
        return True
    if any(not _unknown_chat(message, each, lids) for each in twins):
        return False
    if message.from_me or not message.is_direct:
        return False
    # Seen from the other side, the chat is our own account and tells no chat apart. It counts if no
    # other message has the id.
    if change.mirrored:
        return others == 0
    return Whom(message.chat, lids).is_told_by(*change.chat)


def _proven_for(message: Kept, change: Change, lids: Lids) -> bool:
    if change.old is not None:
        return change.old == message.row
    if not Whom(message.chat, lids).is_told_by(*change.chat):
        return False
    if change.kind == "delete" and not message.is_direct and (change.by_admin or change.by_me):
        return True  # admins may delete; ours would have been refused if we were not one
    if change.by_me != message.from_me:
        return False
    return (
        message.from_me or message.is_direct
        or Whom(message.sender, lids).is_told_by(*change.author)
    )  # fmt: skip


def _unknown_chat(message: Kept, change: Change, lids: Lids) -> bool:
    """Return True if a change with an unknown hidden id may be in the message's chat.

    Server 2.3.7 reports a message of a hidden chat by the phone number alone, and its edit by the
    hidden id alone (`facts/versions/baileys.md`, "text in a @lid chat").
    """
    return change.by_me == message.from_me and Whom(message.chat, lids).may_be_told_by(*change.chat)


def _made_at(edit: Change, counting: Iterable[Change]) -> int:
    """Return the time of an edit."""
    # Hearsay carries the time of the edit; the server's report only that of its arrival.
    if not edit.proven:
        return edit.at
    said = (each.at for each in counting if not each.proven and each.words == edit.words)
    return min(said, default=edit.at)

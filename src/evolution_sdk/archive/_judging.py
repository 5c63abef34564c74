"""Judging if a change that was told counts for a message that is kept. Pure.

An id alone proves nothing: everybody may use it in a chat of theirs. A change counts for the same
chat and the same author. Who did it is told by the server itself in ``messages.delete``, in
``messages.update`` with new content (since 2.3.7) and in ``send.message.update``. Not so in
``messages.edited``: its key is what the writer's phone wrote into the message, also about whose it
is (`facts/versions/baileys.md`, "who edited / revoked"). Such hearsay counts for what the other
side of a one-to-one chat wrote, whose ids nobody else knows; elsewhere only once the server says
the same.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from evolution_sdk.identity.chat_names import Lids, Whom

Names = tuple[str | None, ...]


@dataclass(frozen=True, slots=True)
class Kept:
    """A message that is kept.

    Attributes:
        row: Its number in the archive.
        chat: The chat's names.
        from_me: Whether the account wrote it.
        sender: The writer's names.
        text: Its text as it was written.
    """

    row: int
    chat: Names
    from_me: bool
    sender: Names
    text: str | None = None

    @property
    def is_direct(self) -> bool:
        """True if it was written by one person to one other."""
        return not (self.chat[0] or "").endswith(("@g.us", "@broadcast", "@newsletter"))


@dataclass(frozen=True, slots=True)
class Change:
    """A change that was told.

    Attributes:
        row: Its number in the archive.
        kind: ``status``, ``edit`` or ``delete``.
        status: The status, as a word.
        text: The new text of an edit.
        at: When, in unix seconds.
        chat: The chat's names, as told.
        by_me: Whether the account did it; of a status whether it wrote the message.
        author: Who did it, by all names that were told; empty where nobody said.
        proven: Whether the server itself says who did it.
        mirrored: Whether chat and ``by_me`` are seen from the other side: it names us as the chat.
        by_admin: Whether it was done by somebody who was known as an admin of the group.
        old: The message for which it counted before chats and authors were looked at.
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
        """Content of the change; the server may say the same of which hearsay came."""
        return self.kind, self.text if self.kind == "edit" else None


@dataclass(frozen=True, slots=True)
class Verdict:
    """The state of one message after the changes to it.

    Attributes:
        counting: The changes that count for it, by their numbers.
        text: Its text.
        edited_at: When it was edited.
        deleted_at: When it was taken back.
    """

    counting: frozenset[int]
    text: str | None
    edited_at: int | None
    deleted_at: int | None


def judge(message: Kept, others: int, changes: Iterable[Change], lids: Lids) -> Verdict:
    """Say which edits and deletions count for a message, and what they make of it.

    Args:
        message: The message.
        others: How many further messages of its id are kept.
        changes: Every edit and deletion that was told of its id, in the order of their coming.
        lids: What is known of hidden ids.

    Returns:
        The verdict; the same in whatever order all this came.
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
    """The message of which a status tells.

    Args:
        messages: The messages of its id.
        status: The status.
        lids: What is known of hidden ids.

    Returns:
        The message; None where it is in none of their chats.
    """
    held = list(messages)
    found = [each for each in held if Whom(each.chat, lids).is_told_by(*status.chat)]
    if not found:
        found = [each for each in held if Whom(each.chat, lids).may_be_told_by(*status.chat)]
        found = found if len(found) == 1 else []
    # On Business the account's own messages are told as others' (`facts/events.json`).
    return next((each for each in found if each.from_me == status.by_me), next(iter(found), None))


def is_same(one: Kept, other: Kept, lids: Lids) -> bool:
    """Tell if two records of one id are the same message.

    Args:
        one: A record.
        other: Another one of the same instance and id.
        lids: What is known of hidden ids.
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
    """Tell if an edit or a deletion counts for a message.

    Args:
        message: The message.
        change: The change.
        others: How many further messages of its id are kept.
        proofs: What the server itself tells in the same words.
        lids: What is known of hidden ids.
    """
    if change.proven:
        return _proven_for(message, change, lids)
    # Where the server tells who said this, that decides, and not what was said.
    twins = list(proofs)
    if any(_proven_for(message, each, lids) for each in twins):
        return True
    if any(not _unknown_chat(message, each, lids) for each in twins):
        return False
    if message.from_me or not message.is_direct:
        return False
    if change.mirrored:
        return others == 0
    return Whom(message.chat, lids).is_told_by(*change.chat)


def _proven_for(message: Kept, change: Change, lids: Lids) -> bool:
    if change.old is not None:
        return change.old == message.row
    if not Whom(message.chat, lids).is_told_by(*change.chat):
        return False
    if change.kind == "delete" and not message.is_direct and (change.by_admin or change.by_me):
        return True  # WhatsApp lets admins, and would not have let us without being one
    if change.by_me != message.from_me:
        return False
    return (
        message.from_me or message.is_direct
        or Whom(message.sender, lids).is_told_by(*change.author)
    )  # fmt: skip


def _unknown_chat(message: Kept, change: Change, lids: Lids) -> bool:
    """Tell if it may be in the message's chat: it names a hidden id, and nobody told whose.

    Server 2.3.7 tells a message of a hidden chat by its phone number alone, its edit by the hidden
    id alone (`facts/versions/baileys.md`, "text in a @lid chat").
    """
    return change.by_me == message.from_me and Whom(message.chat, lids).may_be_told_by(*change.chat)


def _made_at(edit: Change, counting: Iterable[Change]) -> int:
    """Date a change: the hearsay about an edit knows when it was made, the proof when it came."""
    if not edit.proven:
        return edit.at
    said = (each.at for each in counting if not each.proven and each.words == edit.words)
    return min(said, default=edit.at)

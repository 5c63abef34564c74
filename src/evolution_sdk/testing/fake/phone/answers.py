"""Answers to earlier messages: votes, choices and reactions."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final, NamedTuple

from evolution_sdk.testing.fake import incoming
from evolution_sdk.testing.fake.arrange_errors import ArrangementError
from evolution_sdk.testing.fake.channels.baileys.content import long, plain
from evolution_sdk.testing.fake.incoming import Arrival
from evolution_sdk.testing.fake.js import UNDEFINED, JsonObject, as_list, as_object, get
from evolution_sdk.testing.fake.message_table import MessageRow
from evolution_sdk.testing.fake.state import Instance, ServerState

from .context import answer_to
from .people import Actor, actor, check_phone, found, key_of, own_name, tell_contact

# The kinds that the server reads the options of.
_POLLS: Final = ("pollCreationMessage", "pollCreationMessageV3")
_TAG_BYTES: Final = 16
_OPTION_BYTES: Final = 34
_IV_BYTES: Final = 12


def _arrive(
    server: ServerState,
    instance: Instance,
    by: Actor,
    kind: str,
    node: JsonObject,
    key_id: str | None,
    **more: Any,
) -> str:
    """Let an answer arrive, with bytes and long numbers as the version writes them."""
    message = {kind: node}
    if not server.profile.has("sends_as_web"):
        message = plain(message)
    arrival = Arrival(by.name, key_id, by.member, from_me=by.known_as_own, **more)
    return incoming.receive(server, instance, by.chat, message, kind, arrival)


def _stamp(server: ServerState) -> JsonObject:
    return long(int(server.now_ms()))


# Votes.


def vote(
    server: ServerState,
    instance: Instance,
    *,
    poll: str,
    options: Sequence[str],
    from_: str | None,
    participant: str | None,
    push_name: str | None,
    key_id: str | None,
) -> str:
    """Vote in a poll, as :meth:`PhoneActs.vote`.

    Raises:
        ArrangementError: The message is no poll, or the poll cannot be voted on like this.
    """
    check_phone(instance)
    row = instance.message(poll)
    names = None if row is None else _checked(row, options)
    by = actor(server, instance, row, from_, participant, push_name)
    voter = own_name(server, instance, by.chat) if by.own else by.jid
    counts = None if names is None else _counts(names, options, voter)
    made_id = key_id or server.ids.whatsapp("3A")
    if not server.profile.has("poll_votes_decrypted"):
        if row is not None and counts is not None:
            _tell_update(server, instance, row, counts)
        if not by.own:
            tell_contact(server, instance, voter)
        return made_id
    size = _TAG_BYTES + _OPTION_BYTES * len(options)
    ballot: JsonObject = {
        "encPayload": server.ids.secret(size),
        "encIv": server.ids.secret(_IV_BYTES),
    }
    if names is not None:
        # In the order of the poll, whatever was ticked first.
        ballot["selectedOptions"] = [name for name in names if name in options]
    node = {
        "pollCreationMessageKey": _poll_key(server, instance, row, poll, by),
        "vote": ballot,
        "senderTimestampMs": _stamp(server),
    }
    return _arrive(server, instance, by, "pollUpdateMessage", node, made_id, poll_updates=counts)


def _poll_key(
    server: ServerState, instance: Instance, row: MessageRow | None, poll: str, by: Actor
) -> JsonObject:
    if row is not None:
        return key_of(server, instance, row, by)
    # Where nothing is known the author is taken for whoever votes.
    return {
        "remoteJid": by.chat, "fromMe": by.known_as_own, "id": poll, "participant": by.member or "",
    }  # fmt: skip


def _checked(row: MessageRow, options: Sequence[str]) -> list[str]:
    """Return the options of a poll, having held a vote against them."""
    node = next((node for kind in _POLLS if (node := as_object(row.message.get(kind)))), None)
    if node is None:
        raise ArrangementError(
            f"poll: {row.key['id']!r} is no poll, but a {row.message_type}. Take the id of a "
            "send_poll().",
            variable="poll",
        )
    names = [str(get(option, "optionName")) for option in as_list(node.get("options")) or ()]
    for option in options:
        if option not in names:
            raise ArrangementError(
                f"options: the poll has no option {option!r}; it has {', '.join(names)}.",
                variable="options",
            )
    most = node.get("selectableOptionsCount") or len(names)
    if len(set(options)) != len(options) or len(options) > most:
        raise ArrangementError(
            f"options: this poll takes at most {most} of its options, each of them once.",
            variable="options",
        )
    return names


def _counts(names: list[str], options: Sequence[str], voter: str) -> list[JsonObject]:
    return [{"name": name, "voters": [voter] if name in options else []} for name in names]


def _tell_update(
    server: ServerState, instance: Instance, row: MessageRow, counts: list[JsonObject]
) -> None:
    """Announce a vote as the oldest servers do: those of the first kind of poll only.

    They keep the secret of the others as text, and cannot decrypt what is voted there
    (``getMessage`` of `whatsapp.baileys.service.ts` 2.2.3; `facts/versions/baileys.md`).
    """
    if _POLLS[0] not in row.message or server.profile.has("poll_updates_left_out"):
        return
    data = {
        "messageId": row.id,
        "keyId": row.key["id"],
        "remoteJid": row.key["remoteJid"],
        "fromMe": row.key["fromMe"],
        "participant": row.key["remoteJid"],
        "pollUpdates": counts,
        "instanceId": instance.id,
    }
    server.emit(instance, "messages.update", data)


# Choices.


class _Choice(NamedTuple):
    """One thing that can be chosen in a message, and the answer that a phone gives."""

    id: str
    title: str
    kind: str
    node: JsonObject


def choose(
    server: ServerState,
    instance: Instance,
    *,
    message_id: str,
    id: str | None,  # noqa: A002 - the name that buttons and rows have for it
    title: str | None,
    from_: str | None,
    participant: str | None,
    push_name: str | None,
    key_id: str | None,
) -> str:
    """Choose a button or a row, as :meth:`PhoneActs.choose`.

    Raises:
        ArrangementError: The message has no such button or row.
    """
    check_phone(instance)
    row = found(instance, message_id)
    by = actor(server, instance, row, from_, participant, push_name)
    choices = list(_choices(server, row.message))
    chosen = next(
        (
            each
            for each in choices
            if id in (None, each.id) and title in (None, each.title) and (id, title) != (None, None)
        ),
        None,
    )
    if chosen is None:
        has = "; ".join(f"id={each.id!r}, title={each.title!r}" for each in choices)
        raise ArrangementError(
            f"{'title' if id is None else 'id'}: nothing in this {row.message_type} can be chosen "
            f"by id={id!r}, title={title!r}; it has {has or 'nothing to choose'}.",
            variable="title" if id is None else "id",
        )
    context = _told_context(server, answer_to(server, instance, row))
    return _arrive(server, instance, by, chosen.kind, chosen.node, key_id, context=context)


def _told_context(server: ServerState, context: JsonObject) -> JsonObject:
    return context if server.profile.has("sends_as_web") else plain(context)


def _choices(server: ServerState, message: JsonObject) -> Iterator[_Choice]:
    """List what can be chosen, in every form in which buttons and lists are sent."""
    web = server.profile.has("sends_as_web")
    inner = as_object(get(message, "viewOnceMessage", "message")) or message
    for kind, read in _FORMS.items():
        node = as_object(inner.get(kind))
        if node is not None:
            yield from read(node, web)


def _flow_choices(node: JsonObject, web: bool) -> Iterator[_Choice]:
    cards = as_list(get(node, "carouselMessage", "cards")) or ()
    for each in (node, *cards):
        for button in as_list(get(each, "nativeFlowMessage", "buttons")) or ():
            if get(button, "name") != "quick_reply":
                continue  # links, calls and codes to copy are answered by nobody
            given = _parameters(button)
            key, title = str(given.get("id", "")), str(given.get("display_text", ""))
            told = json.dumps(
                {"id": key, "display_text": title}, ensure_ascii=False, separators=(",", ":")
            )
            answer = {
                "body": {"text": title, "format": 1 if web else "EXTENSIONS_1"},
                "nativeFlowResponseMessage": {
                    "name": "quick_reply", "paramsJson": told, "version": 3,
                },
            }  # fmt: skip
            yield _Choice(key, title, "interactiveResponseMessage", answer)


def _parameters(button: Any) -> JsonObject:
    try:
        return as_object(json.loads(str(get(button, "buttonParamsJson")))) or {}
    except ValueError:
        return {}


def _rows(node: JsonObject, web: bool) -> Iterator[_Choice]:
    for section in as_list(node.get("sections")) or ():
        for row in as_list(get(section, "rows")) or ():
            key, title = str(get(row, "rowId")), str(get(row, "title"))
            answer: JsonObject = {
                "title": title,
                "listType": 1 if web else "SINGLE_SELECT",
                "singleSelectReply": {"selectedRowId": key},
            }
            about = get(row, "description")
            if about is not UNDEFINED:
                answer["description"] = about
            yield _Choice(key, title, "listResponseMessage", answer)


def _plain_buttons(node: JsonObject, web: bool) -> Iterator[_Choice]:
    for button in as_list(node.get("buttons")) or ():
        key, title = str(get(button, "buttonId")), str(get(button, "buttonText", "displayText"))
        answer = {
            "selectedButtonId": key,
            "selectedDisplayText": title,
            "type": 1 if web else "DISPLAY_TEXT",
        }
        yield _Choice(key, title, "buttonsResponseMessage", answer)


def _template_buttons(node: JsonObject, _: bool) -> Iterator[_Choice]:
    hydrated = as_object(node.get("hydratedTemplate")) or as_object(
        node.get("hydratedFourRowTemplate")
    )
    for at, each in enumerate(as_list(get(hydrated, "hydratedButtons")) or ()):
        button = as_object(get(each, "quickReplyButton"))
        if button is None:
            continue
        key, title = str(button.get("id", "")), str(button.get("displayText", ""))
        answer = {
            "selectedId": key,
            "selectedDisplayText": title,
            "selectedIndex": get(each, "index") if "index" in each else at,
        }
        yield _Choice(key, title, "templateButtonReplyMessage", answer)


_FORMS: Final[dict[str, Callable[[JsonObject, bool], Iterator[_Choice]]]] = {
    "interactiveMessage": _flow_choices,
    "listMessage": _rows,
    "buttonsMessage": _plain_buttons,
    "templateMessage": _template_buttons,
}
"""Contents that offer a choice (`facts/versions/baileys.md` "Sends"), with their readers."""


# Reactions.


def react(
    server: ServerState,
    instance: Instance,
    *,
    message_id: str,
    emoji: str,
    from_: str | None,
    participant: str | None,
    push_name: str | None,
    key_id: str | None,
) -> str:
    """React to a message, as :meth:`PhoneActs.react`."""
    check_phone(instance)
    row = found(instance, message_id)
    by = actor(server, instance, row, from_, participant, push_name)
    node: dict[str, Any] = {
        "key": key_of(server, instance, row, by),
        "text": emoji,
        "senderTimestampMs": _stamp(server),
    }
    return _arrive(server, instance, by, "reactionMessage", node, key_id)

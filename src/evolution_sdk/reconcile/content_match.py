"""Compares stored content with what a request would have made: one rule per kind of send.

Each channel stores the same send in its own shape (recorded; `facts/semantics.md` §6). A rule
compares what the store keeps and says nothing about what it drops, such as the bytes of a picture.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from evolution_sdk._base.json_types import is_array, is_object
from evolution_sdk.models.content import part, unwrap
from evolution_sdk.operations.operation import SentKind

__all__ = ["RULES", "matches_content"]

Body = Mapping[str, Any]
Record = Mapping[str, Any]
Rule = Callable[[Body, Record], bool]

_ARROW = "▶️"
_EVOLUTION_FILE = frozenset({"mediaUrl", "base64"})
_BUTTON_FIELDS: Mapping[str, tuple[str, ...]] = {
    "reply": ("displayText", "id"),
    "copy": ("displayText", "copyCode"),
    "url": ("displayText", "url"),
    "call": ("displayText", "phoneNumber"),
    "pix": ("key",),
}


def matches_content(kind: SentKind, body: Body, record: Record) -> bool:
    """Tell if kind and content of a stored record fit a request.

    Args:
        kind: The kind of send.
        body: Its body, with the server's names.
        record: A message as stored, answered or announced.

    Returns:
        False also for a record that is odd.
    """
    return isinstance(record.get("messageType"), str) and RULES[kind](body, record)


def _content(record: Record) -> Mapping[str, Any]:
    content = record.get("message")
    return unwrap(content) if is_object(content) else {}


def _node(record: Record) -> Mapping[str, Any]:
    content = record.get("message")
    return part(content, record["messageType"]) if is_object(content) else {}


def _words(record: Record) -> str | None:
    content = _content(record)
    extended = content.get("extendedTextMessage")
    text = extended.get("text") if is_object(extended) else content.get("conversation")
    return text if isinstance(text, str) else None


def _same(wanted: Any, found: Any) -> bool:
    """Equal, where leaving a text out is the same as an empty one."""
    return (wanted or "") == (found or "")


def _is_url(text: Any) -> bool:
    return isinstance(text, str) and "://" in text[:12]


def _text(body: Body, record: Record) -> bool:
    if not record["messageType"].startswith(("conversation", "extendedTextMessage")):
        return False
    return isinstance(body.get("text"), str) and _words(record) == body["text"]


def _file(kind: str, source: Any, caption: Any, record: Record) -> bool:
    """A file of one kind: by caption, and by where it came from if the channel keeps that."""
    if record["messageType"] != f"{kind}Message":
        return False
    content = record.get("message")
    # 2.2.3 of EVOLUTION keeps {} where later versions keep {"mediaUrl": null}.
    if is_object(content) and set(content) <= _EVOLUTION_FILE:
        return _same_url(source, content.get("mediaUrl"), record.get("instanceId"))
    node = _node(record)
    if "mediaType" in node and isinstance(source, str) and source != node.get("media"):
        return False  # Business keeps the URL or the base64 as it was given
    return _same(caption, node.get("caption")) and (bool(node) or not caption)


def _same_url(source: Any, stored: Any, instance_id: Any) -> bool:
    """EVOLUTION keeps a URL, and nothing of other files; with S3 its own URL of either."""
    if isinstance(stored, str) and isinstance(instance_id, str) and instance_id in stored:
        return True
    return stored == source or (stored is None and not _is_url(source))


def _media(body: Body, record: Record) -> bool:
    kind = body.get("mediatype")
    if not _file(str(kind), body.get("media"), body.get("caption"), record):
        return False
    node = _node(record)
    if kind == "audio" and node.get("ptt") is True:
        return False
    name = body.get("fileName")
    return kind != "document" or not name or node.get("fileName", name) == name


def _audio(body: Body, record: Record) -> bool:
    return _file("audio", body.get("audio"), None, record) and _node(record).get("ptt") is not False


def _ptv(_body: Body, record: Record) -> bool:
    return bool(record["messageType"] == "ptvMessage")


def _sticker(_body: Body, record: Record) -> bool:
    return bool(record["messageType"] == "stickerMessage")


def _location(body: Body, record: Record) -> bool:
    # By the content: 2.2.3 of BUSINESS calls the kind "conversation".
    node = _content(record).get("locationMessage")
    if not is_object(node) or not node:
        return False
    places = (("latitude", "degreesLatitude"), ("longitude", "degreesLongitude"))
    return (
        _same(body.get("name"), node.get("name"))
        and _same(body.get("address"), node.get("address"))
        and all(_near(body.get(asked), node.get(kept)) for asked, kept in places)
    )


def _near(wanted: Any, found: Any) -> bool:
    if not isinstance(wanted, int | float) or not isinstance(found, int | float):
        return True
    return math.isclose(wanted, found, abs_tol=1e-6)


def _contact(body: Body, record: Record) -> bool:
    content = _content(record)
    # BUSINESS keeps a single one as "contact".
    one = content.get("contactMessage", content.get("contact"))
    many = content.get("contactsArrayMessage")
    cards = many.get("contacts") if is_object(many) else [one] if is_object(one) else None
    wanted = body.get("contact")
    if not is_array(cards) or not is_array(wanted) or len(cards) != len(wanted):
        return False
    return all(
        is_object(card) and is_object(person) and _on_card(person, card)
        for person, card in zip(wanted, cards, strict=True)
    )


def _on_card(person: Mapping[str, Any], card: Mapping[str, Any]) -> bool:
    written = card.get("vcard")
    if person.get("fullName") != card.get("displayName") or not isinstance(written, str):
        return False
    digits = re.sub(r"\D", "", str(person.get("phoneNumber") or ""))
    return digits in re.sub(r"[^\d\n]", "", written)


def _reaction(body: Body, record: Record) -> bool:
    node, key = _content(record).get("reactionMessage"), body.get("key")
    if not is_object(node) or not is_object(key):
        return False
    target = node.get("key")
    return (
        _same(body.get("reaction"), node.get("text"))
        and is_object(target)
        and target.get("id") == key.get("id")
    )


def _poll(body: Body, record: Record) -> bool:
    node = _node(record)
    if not record["messageType"].startswith("pollCreationMessage"):
        return False
    options = node.get("options")
    names = [o.get("optionName") for o in options if is_object(o)] if is_array(options) else None
    return node.get("name") == body.get("name") and names in (None, list(body.get("values") or ()))


def _list(body: Body, record: Record) -> bool:
    words = _words(record)
    wanted = list(_rows(body))
    if words is not None:  # Business
        lines = words.splitlines()
        return lines[:1] == [body.get("title")] and all(row[0] in lines for row in wanted)
    node = _node(record)
    if record["messageType"] != "listMessage":
        return False
    named = all(
        _same(body.get(name), node.get(name))
        for name in ("title", "description", "buttonText", "footerText")
        if name in node
    )
    return named and ("sections" not in node or list(_rows(node)) == wanted)


def _rows(listed: Mapping[str, Any]) -> Iterator[tuple[Any, ...]]:
    sections = listed.get("sections")
    for section in sections if is_array(sections) else ():
        rows = section.get("rows") if is_object(section) else None
        for row in rows if is_array(rows) else ():
            if is_object(row):
                yield row.get("title"), row.get("rowId"), row.get("description") or ""


def _buttons(body: Body, record: Record) -> bool:
    given = body.get("buttons")
    wanted = [button for button in given if is_object(button)] if is_array(given) else []
    words = _words(record)
    if words is not None:  # Business
        lines = words.splitlines()
        shown = [f"{_ARROW} {button.get('displayText', 'undefined')}" for button in wanted]
        return lines[:1] == [body.get("title")] and [x for x in lines if _ARROW in x] == shown
    if not record["messageType"].startswith(("viewOnce", "interactive", "button")):
        return False
    content = _content(record)
    kept = content.get("buttons")
    if is_array(kept):  # EVOLUTION
        pairs = zip(wanted, kept, strict=False)
        return (
            len(kept) == len(wanted)
            and all(is_object(k) and _same_button(w, list(k.values())) for w, k in pairs)
            and all(_same(body.get(n), content.get(n)) for n in ("title", "description", "footer"))
        )
    return _interactive(body, wanted, content)


def _interactive(body: Body, wanted: list[Mapping[str, Any]], content: Mapping[str, Any]) -> bool:
    """Baileys: each button is JSON inside; a pix button keeps no title."""
    params = [text for name, text in _texts(content) if name == "buttonParamsJson"]
    pix = any(button.get("type") == "pix" for button in wanted)
    if params:
        if len(params) != len(wanted):
            return False
        pairs = zip(wanted, params, strict=True)
        if not all(_same_button(button, list(_values(text))) for button, text in pairs):
            return False
    texts = [text for _, text in _texts(content)]
    marks = [body.get("title"), body.get("description"), body.get("footer")]
    if pix:
        marks = [button.get("key") for button in wanted]
    return all(any(mark in text for text in texts) for mark in marks if isinstance(mark, str))


def _same_button(button: Mapping[str, Any], values: list[Any]) -> bool:
    names = _BUTTON_FIELDS.get(str(button.get("type")), ("displayText",))
    return all(button[name] in values for name in names if isinstance(button.get(name), str))


def _values(text: str) -> Iterator[str]:
    try:
        made = json.loads(text)
    except ValueError:
        return
    for _, value in _texts(made):
        yield value


def _carousel(body: Body, record: Record) -> bool:
    """By texts and buttons: titles are kept nowhere (`facts/versions/2.4-pre`)."""
    node, given = _content(record).get("interactiveMessage"), body.get("cards")
    if not is_object(node) or not is_array(given):
        return False
    inner = node.get("carouselMessage")
    # One card without a picture is sent by itself, and the text above it is dropped (its source).
    if not is_object(inner):
        return len(given) == 1 and _same_card(given[0], node)
    kept = inner.get("cards")
    return (
        is_array(kept)
        and len(kept) == len(given)
        and _shown(node) == body.get("body")
        and all(_same_card(wanted, card) for wanted, card in zip(given, kept, strict=True))
    )


def _same_card(wanted: Any, card: Any) -> bool:
    if not is_object(wanted) or not is_object(card) or _shown(card) != wanted.get("body"):
        return False
    params = [text for name, text in _texts(card) if name == "buttonParamsJson"]
    buttons = wanted.get("buttons")
    if not is_array(buttons) or len(buttons) != len(params):
        return False
    return all(
        is_object(button) and _same_button(button, list(_values(text)))
        for button, text in zip(buttons, params, strict=True)
    )


def _shown(node: Mapping[str, Any]) -> Any:
    text = node.get("body")
    return text.get("text") if is_object(text) else None


def _template(body: Body, record: Record) -> bool:
    name, words = body.get("name"), _words(record)
    if words is not None:
        return words.strip("▶◀\ufe0f") == name
    if not record["messageType"].startswith("templateMessage"):
        return False
    return isinstance(name, str) and any(name in text for _, text in _texts(_content(record)))


def _status(body: Body, record: Record) -> bool:
    kind = body.get("type")
    if kind == "text":
        return _text({"text": body.get("content")}, record)
    return _file(str(kind), body.get("content"), body.get("caption"), record)


def _texts(value: Any, name: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield name, value
    elif is_object(value):
        for key, inner in value.items():
            yield from _texts(inner, key)
    elif is_array(value):
        for inner in value:
            yield from _texts(inner, name)


RULES: Final[Mapping[SentKind, Rule]] = {
    "text": _text,
    "media": _media,
    "ptv": _ptv,
    "whatsapp_audio": _audio,
    "sticker": _sticker,
    "location": _location,
    "contact": _contact,
    "reaction": _reaction,
    "poll": _poll,
    "list": _list,
    "buttons": _buttons,
    "carousel": _carousel,
    "template": _template,
    "status": _status,
}
"""The rule of each kind of send (``Operation.recognised_as``)."""

"""Events as lines for people and as JSON, and the filters of the commands that print them.

What is shown is listed here, field by field: keys, tokens, QR codes and files never are.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, TypeAlias

from evolution_sdk._cli.language import t
from evolution_sdk._cli.options import whole_number
from evolution_sdk._cli.output import print_json, print_text
from evolution_sdk.errors import RequestValidationError
from evolution_sdk.events import (
    ConnectionUpdate,
    Event,
    MalformedEvent,
    MessageEvent,
    MessagesUpdate,
    QrcodeUpdated,
)
from evolution_sdk.events.parse import event_class
from evolution_sdk.identity import Jid
from evolution_sdk.identity.chat_forms import chat_forms

from .recording import Recorder

__all__ = [
    "EventFilter",
    "EventPrinter",
    "Show",
    "add_end_and_file",
    "add_filters",
    "event_json",
    "event_words",
    "filter_of",
    "shower",
]

Show: TypeAlias = Callable[[Event[Any]], None]
"""Prints an event."""

_NUMBER: Final = re.compile(r"\+?[0-9 ().-]{5,24}")
_LONGEST: Final = 500


@dataclass(frozen=True, slots=True)
class EventFilter:
    """Conditions that an event must meet to be printed; empty ones let everything pass.

    Attributes:
        events: Names as the server writes them.
        instances: Names of instances.
        people: JIDs, one of which must be the writer's.
        text: Part of the message's text, in any case.
    """

    events: frozenset[str] = frozenset()
    instances: frozenset[str] = frozenset()
    people: frozenset[str] = frozenset()
    text: str = ""

    def passes(self, event: Event[Any]) -> bool:
        """Tell if an event is to be printed.

        Args:
            event: The event.
        """
        if self.events and event.event not in self.events:
            return False
        if self.instances and event.instance not in self.instances:
            return False
        if not self.people and not self.text:
            return True
        if not isinstance(event, MessageEvent):
            return False
        if self.people and self.people.isdisjoint(_writers(event)):
            return False
        return self.text.casefold() in (event.text or "").casefold()


def _writers(event: MessageEvent[Any]) -> set[str]:
    return {str(each) for each in (event.sender, event.sender_alt) if each is not None}


def add_filters(options: argparse.ArgumentParser) -> None:
    """Add the options that choose events.

    Args:
        options: The parser.
    """
    options.add_argument(
        "--event",
        action="append",
        default=[],
        type=_event_name,
        metavar=t("NAME", "NOME"),
        help=t(
            "only this event, such as messages.upsert or MESSAGES_UPSERT; repeatable",
            "só este evento, como messages.upsert ou MESSAGES_UPSERT; pode repetir",
        ),
    )
    options.add_argument(
        "--from",
        dest="sender",
        type=_people,
        default=frozenset(),
        metavar=t("NUMBER", "NÚMERO"),
        help=t(
            "only messages written by this phone number or JID",
            "só mensagens escritas por este telefone ou JID",
        ),
    )
    options.add_argument(
        "--text",
        default="",
        metavar=t("WORDS", "TEXTO"),
        help=t(
            "only messages with these words in their text, in any case",
            "só mensagens com este texto, em maiúsculas ou minúsculas",
        ),
    )


def add_end_and_file(options: argparse.ArgumentParser) -> None:
    """Add the options of commands that show live events: when to end, and where to keep them.

    Args:
        options: The parser.
    """
    options.add_argument(
        "--count",
        type=whole_number,
        metavar="N",
        help=t("end after so many events", "termina depois de N eventos"),
    )
    options.add_argument(
        "--save",
        type=Path,
        metavar=t("PATH", "CAMINHO"),
        help=t(
            "also append the events to this file, whole but without tokens and QR codes, for "
            "events replay; only its owner can read it",
            "também grava os eventos no fim deste arquivo, inteiros mas sem tokens e QR codes, "
            "para events replay; só o dono pode lê-lo",
        ),
    )


def filter_of(arguments: argparse.Namespace, instances: frozenset[str]) -> EventFilter:
    """Make the filter that the options describe.

    Args:
        arguments: The parsed options, with those of :func:`add_filters`.
        instances: Names of the instances to show; empty for all.
    """
    return EventFilter(frozenset(arguments.event), instances, arguments.sender, arguments.text)


def _event_name(text: str) -> str:
    kind = event_class(text.strip())
    if kind is None:
        raise argparse.ArgumentTypeError(
            t(
                f"the server has no event {text!r}; write it as messages.upsert",
                f"o servidor não tem o evento {text!r}; escreva como messages.upsert",
            )
        )
    return kind.wire


def _people(text: str) -> frozenset[str]:
    written = text.strip()
    if "@" in written:
        return frozenset({written.lower()})
    if _NUMBER.fullmatch(written) is None:
        raise argparse.ArgumentTypeError(
            t(
                f"{text!r} is no phone number; write it with country code, as 5511999999999",
                f"{text!r} não é um telefone; escreva com o código do país, como 5511999999999",
            )
        )
    try:
        return frozenset(each for each in chat_forms(written) if "@" in each)
    except RequestValidationError as wrong:
        raise argparse.ArgumentTypeError(str(wrong)) from None


def shower(arguments: argparse.Namespace) -> Show:
    """Return what prints an event as the options say.

    Args:
        arguments: The parsed options, with ``--json``; those of :func:`add_end_and_file` count.

    Raises:
        ConfigurationError: The file of ``--save`` cannot be written.
    """
    recorder = None if getattr(arguments, "save", None) is None else Recorder(arguments.save)
    as_json: bool = arguments.json

    def show(event: Event[Any]) -> None:
        if recorder is not None:
            recorder.take(event)
        if as_json:
            print_json(event_json(event))
        else:
            print_text(event_words(event))

    return show


class EventPrinter:
    """Prints events until enough were seen.

    Args:
        chosen: Chooses the events.
        show: Prints one.
        count: Most events; None for no end.
        ended: Called when no more are printed.

    Attributes:
        error: Why the output could not be written; None while it can.
    """

    def __init__(
        self, chosen: EventFilter, show: Show, count: int | None, ended: Callable[[], object]
    ) -> None:
        self._chosen = chosen
        self._show = show
        self._left = count
        self._ended = ended
        self._is_over = False
        self.error: OSError | None = None

    async def take(self, event: Event[Any]) -> None:
        """Print an event; on the loop, so that lines do not mix."""
        if self._is_over or not self._chosen.passes(event):
            return
        try:
            self._show(event)
        except OSError as error:
            # The reader of the output has gone: no other line can be written.
            self.error = error
            self.stop()
            return
        if self._left is not None:
            self._left -= 1
            if self._left == 0:
                self.stop()

    def stop(self) -> None:
        """Print no more."""
        self._is_over = True
        self._ended()


def event_words(event: Event[Any]) -> str:
    """Write an event as one line for people.

    Args:
        event: The event.
    """
    at = _at(event)
    when = "--:--:--" if at is None else f"{at.astimezone(UTC):%H:%M:%S}"
    return f"{when}  {event.instance or '-'}  {event.event or '-'}  {_detail(event)}".rstrip()


def event_json(event: Event[Any]) -> dict[str, Any]:
    """Return what is shown of an event, for JSON.

    Args:
        event: The event.

    Returns:
        Event, instance, times, and for messages who wrote what where.
    """
    shown: dict[str, Any] = {
        "event": event.event,
        "instance": event.instance,
        "source": event.source,
        "received_at": _iso(event.received_at),
    }
    match event:
        case MessageEvent():
            media = event.media
            shown |= {
                "id": event.id,
                "chat": _text(event.chat),
                "chat_alt": _text(event.chat_alt),
                "from_me": event.from_me,
                "sender": _text(event.sender),
                "sender_alt": _text(event.sender_alt),
                "push_name": event.push_name,
                "kind": str(event.kind),
                "text": event.text,
                "mimetype": None if media is None else media.mimetype,
                "status": _text(event.status),
                "timestamp": _iso(event.timestamp),
            }
        case MessagesUpdate():
            shown |= {
                "id": event.id,
                "chat": _text(getattr(event.data, "remote_jid", None)),
                "status": _text(event.status),
            }
        case ConnectionUpdate():
            shown |= {"state": _text(event.state), "reason": event.reason}
        case QrcodeUpdated():
            shown |= {"limit_reached": event.limit_reached}
        case MalformedEvent():
            shown |= {"malformed": event.reason}
        case _:
            pass
    return shown


def _detail(event: Event[Any]) -> str:
    match event:
        case MessageEvent():
            return f"{_who(event)}: {_what(event)}"
        case MessagesUpdate():
            return f"{event.id}: {event.status or '-'}"
        case ConnectionUpdate():
            reason = "" if event.reason is None else f" ({event.reason})"
            return f"{event.state or '-'}{reason}"
        case QrcodeUpdated() if event.limit_reached:
            return t("no more QR codes: connect again", "sem mais QR codes: conecte de novo")
        case QrcodeUpdated():
            return t("a new QR code to scan", "um novo QR code para ler")
        case MalformedEvent():
            return t(f"no event: {event.reason}", f"não é um evento: {event.reason}")
        case _:
            return ""


def _who(event: MessageEvent[Any]) -> str:
    chat = _place(event.chat_alt if _is_hidden(event.chat) else event.chat)
    if event.from_me:
        return t(f"me to {chat}", f"eu para {chat}")
    sender = _place(event.sender_alt if _is_hidden(event.sender) else event.sender)
    named = f"{event.push_name} ({sender})" if event.push_name else sender
    return t(f"{named} in {chat}", f"{named} em {chat}") if event.is_group else named


def _is_hidden(jid: Jid | None) -> bool:
    return jid is not None and str(jid).endswith("@lid")


def _place(jid: Jid | None) -> str:
    return "?" if jid is None else str(jid).removesuffix("@s.whatsapp.net")


def _what(event: MessageEvent[Any]) -> str:
    text = event.text or ""
    shown = f"{text[:_LONGEST]}…" if len(text) > _LONGEST else text
    kind = str(event.kind)
    return shown if kind == "text" and shown else f"[{kind}] {shown}".rstrip()


def _at(event: Event[Any]) -> datetime | None:
    if event.received_at is not None:
        return event.received_at
    return event.timestamp if isinstance(event, MessageEvent) else None


def _iso(at: datetime | None) -> str | None:
    return None if at is None else at.astimezone(UTC).isoformat(timespec="seconds")


def _text(value: object) -> str | None:
    return None if value is None else str(value)

"""The index of a router: the same dispatch as without it, for far less work."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from event_corpus import EVERYTHING, message_body
from hypothesis import given, settings
from hypothesis import strategies as st

from evolution_sdk.errors import ConfigurationError
from evolution_sdk.events import (
    ContinueHandling,
    Event,
    EventRouter,
    Handling,
    MessageEvent,
    MessagesUpdate,
    MessagesUpsert,
    SendMessage,
    StopHandling,
    _dispatch_plan,
    filters,
    parse_event,
)
from evolution_sdk.events._dispatch_plan import DispatchProgress
from evolution_sdk.events.filters import Filter
from evolution_sdk.events.filters._literals import Digit, lowered, needed_words

_TEXT_ID = next(
    row.body["data"]["key"]["id"]
    for row in EVERYTHING
    if row.body.get("event") == "messages.upsert"
    and "conversation" in row.body["data"].get("message", {})
)
WORDS = ["oi", "Olá", "/start", "/START agora", "!ajuda", "/ oi", "preço 5", "PREÇO 12", "ſtop", ""]
PATTERNS = [
    r"pre[çc]o",
    r"(?i)PREÇO \d+",
    r"^oi$",
    r"(?i)^(oi|olá)",
    r"\d",
    r"[0-9]{2}",
    r"x*",
    r"(?:start)?",
    r"(?i)stop",
    r"(?<=/)start(?! agora)",
    r"(.)\1",
    r"(?i:O)i|5",
    r"\bajuda\b",
]
TEXTS = st.one_of(st.sampled_from(WORDS), st.text(alphabet="oiIİıſsSKkç 5/!Σσς", max_size=8))


def text_event(text: str) -> Event[Any]:
    body = message_body(_TEXT_ID)
    body["data"]["message"] = {"conversation": text}
    return parse_event(body)


EVENTS = st.one_of(
    TEXTS.map(text_event),
    st.sampled_from(EVERYTHING).map(lambda row: parse_event(row.body)),
)
SOME_WORDS = st.lists(TEXTS, min_size=1, max_size=2)
CHOICES = [filters.text, filters.reaction, filters.selected, filters.poll_vote]
PLAIN: list[Filter[Any]] = [
    *CHOICES,
    filters.command(),
    filters.command(prefixes=""),
    filters.media,
    filters.media.image,
    filters.location,
    filters.private,
    filters.group,
    filters.from_me,
    filters.edited,
    filters.quoted,
    filters.mentions,
    filters.addressed_to_me,
    filters.status("READ", "DELIVERY_ACK"),
    filters.source("webhook"),
    filters.instance("sales", "va"),
    filters.kind("text", "image"),
    filters.kind("futureMessage", "reaction"),
    filters.newer_than_s(3600),
]


class Book:
    """What was called, in order."""

    def __init__(self) -> None:
        self.lines: list[object] = []


Maker = Callable[[Book], Filter[Any]]


def user_filter(name: str, answer: object) -> Maker:
    def make(book: Book) -> Filter[Any]:
        def ask(event: Any) -> Any:
            book.lines.append(f"asked {name}")
            if isinstance(answer, Exception):
                raise answer
            return answer

        return filters.new(ask, name=name)

    return make


def fixed(one: Filter[Any]) -> Maker:
    return lambda book: one


ANSWERS = [True, False, None, {}, {"found": 1}, ValueError("filter")]
LEAVES = st.one_of(
    st.sampled_from(PLAIN).map(fixed),
    SOME_WORDS.map(lambda told: fixed(filters.text(*told))),
    SOME_WORDS.map(lambda told: fixed(filters.startswith(*told))),
    SOME_WORDS.map(lambda told: fixed(filters.contains(*told))),
    SOME_WORDS.map(lambda told: fixed(filters.command(*(one.lstrip("/!") for one in told)))),
    SOME_WORDS.map(lambda told: fixed(filters.selected(*told))),
    st.sampled_from(["👍", "❤️", ""]).map(lambda told: fixed(filters.reaction(told))),
    st.sampled_from(PATTERNS).map(lambda told: fixed(filters.regex(told))),
    st.builds(user_filter, st.sampled_from("abc"), st.sampled_from(ANSWERS)),
)


def combined(inner: st.SearchStrategy[Maker]) -> st.SearchStrategy[Maker]:
    return st.one_of(
        st.builds(lambda a, b: lambda book: a(book) & b(book), inner, inner),
        st.builds(lambda a, b: lambda book: a(book) | b(book), inner, inner),
        inner.map(lambda a: lambda book: ~a(book)),
    )


FILTERS = st.recursive(LEAVES, combined, max_leaves=4)
RESULTS = [
    None,
    None,
    Handling.CONTINUE,
    Handling.STOP,
    ContinueHandling(),
    StopHandling(),
    ValueError("handler"),
    KeyError("handler"),
]
KINDS: list[Any] = [Event, MessageEvent, MessagesUpsert, SendMessage, MessagesUpdate]
HANDLERS = st.tuples(
    st.sampled_from(KINDS),
    st.lists(FILTERS, max_size=2),
    st.sampled_from(RESULTS),
    st.sampled_from([None, True, False]),
    st.integers(0, 2),
)
MIDDLEWARE = st.sampled_from(["none", "none", "none", "pass", "drop", "other"])


def routers(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.tuples(
        st.lists(FILTERS, max_size=1),
        st.sampled_from(["first", "all"]),
        MIDDLEWARE,
        st.booleans(),
        st.lists(st.one_of(HANDLERS, HANDLERS, inner), max_size=6),
    )


ROUTERS = routers(routers(routers(st.nothing())))


def built(plan: Any, book: Book, name: str = "r") -> EventRouter:
    conditions, runs, middleware, catches, entries = plan
    router = EventRouter(*(one(book) for one in conditions), name=name, runs=runs)
    if middleware != "none":

        @router.middleware
        def around(event: Any, call_next: Any) -> Any:
            book.lines.append(f"{name} {middleware}")
            if middleware != "drop":
                return call_next(text_event("/start 5") if middleware == "other" else event)
            return None

    if catches:

        @router.on_error(ValueError)
        def caught(error: Exception, event: Any, registration: Any) -> None:
            book.lines.append(f"{name} caught {error!r} {getattr(registration, 'name', None)}")

    for number, entry in enumerate(entries):
        label = f"{name}.{number}"
        if len(entry) == 5 and isinstance(entry[3], bool) and isinstance(entry[4], list):
            router.include(built(entry, book, label), priority=number % 2)
            continue
        kind, conditions, result, passes_on, priority = entry
        router.add(
            noting(book, label, result),
            kind,
            *(one(book) for one in conditions),
            passes_on=passes_on,
            priority=priority,
            name=label,
        )
    return router


def noting(book: Book, label: str, result: object) -> Any:
    def handle(event: Any, command: Any = None, match: Any = None, found: Any = None) -> Any:
        at = None if match is None else match.span()
        book.lines.append((f"ran {label}", type(event).__name__, command, at, found))
        if isinstance(result, Exception):
            raise result
        return result

    return handle


@contextmanager
def without_index() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_dispatch_plan, "_places", lambda view, *_: range(len(view.entries)))
        patch.setattr(_dispatch_plan, "_is_idle", lambda *_: False)
        patch.setattr(_dispatch_plan, "is_pure", lambda _: False)
        yield


def told_by(plan: Any, event: Event[Any], attempts: int) -> list[object]:
    book = Book()
    router = built(plan, book)
    progress = DispatchProgress()
    for _ in range(attempts):
        try:
            book.lines.append(router.dispatch_sync(event, progress=progress))
        except Exception as error:  # noqa: BLE001 - compared with the other one
            book.lines.append(repr(error))
        blamed = [one.name for _, one in progress.blame]
        book.lines.append((dict(progress.finished), list(progress.ran), progress.stopped, blamed))
    return book.lines


@settings(max_examples=300, deadline=None)
@given(ROUTERS, EVENTS, st.integers(1, 2))
def test_a_dispatch_is_the_same_with_and_without_the_index(
    plan: Any, event: Event[Any], attempts: int
) -> None:
    found = told_by(plan, event, attempts)
    with without_index():
        again = parse_event(event.raw, source=event.source)
        assert found == told_by(plan, again, attempts)

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

from effort import examples
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
from evolution_sdk.events.filters import Filter, _content
from evolution_sdk.events.filters._literals import Digit, lowered, needed_words
from evolution_sdk.identity.lids import pairs_in

_TEXT_ID = next(
    row.body["data"]["key"]["id"]
    for row in EVERYTHING
    if row.body.get("event") == "messages.upsert"
    and "conversation" in row.body["data"].get("message", {})
)
WORDS = [
    "oi",
    "Olá",
    "/start",
    "/START agora",
    "!ajuda",
    "/ oi",
    "preço 5",
    "PREÇO 12",
    "\u017ftop",
    "",
]
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
TEXTS = st.one_of(
    st.sampled_from(WORDS),
    st.text(alphabet="oiI\u0130\u0131\u017fsSKk\u212aç 5/!\u03a3\u03c3\u03c2", max_size=8),
)


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
        except Exception as error:
            book.lines.append(repr(error))
        blamed = [one.name for _, one in progress.blame]
        book.lines.append((dict(progress.finished), list(progress.ran), progress.stopped, blamed))
    return book.lines


@settings(max_examples=examples(60), deadline=None)
@given(ROUTERS, EVENTS, st.integers(1, 2))
def test_a_dispatch_is_the_same_with_and_without_the_index(
    plan: Any, event: Event[Any], attempts: int
) -> None:
    found = told_by(plan, event, attempts)
    with without_index():
        again = parse_event(event.raw, source=event.source)
        assert found == told_by(plan, again, attempts)


def left_out(one: Filter[Any], event: Event[Any]) -> bool:
    router = EventRouter()
    router.add(print, Event, one)
    return not router.view().handlers.places(event, "", {})


@settings(max_examples=examples(500), deadline=None)
@given(FILTERS, EVENTS)
def test_a_filter_that_is_not_asked_would_have_said_no_to_nobody(
    make: Maker, event: Event[Any]
) -> None:
    book = Book()
    one = make(book)
    if left_out(one, event):
        assert one.find(event) is None
        assert not book.lines


@settings(max_examples=examples(500), deadline=None)
@given(st.sampled_from(PATTERNS), TEXTS)
def test_a_pattern_is_tried_wherever_it_matches(pattern: str, text: str) -> None:
    event = text_event(text)
    assert not (left_out(filters.regex(pattern), event) and re.search(pattern, text))


@pytest.mark.parametrize(
    ("made", "text"),
    [
        (filters.contains(""), "oi"),
        (filters.contains("x", ""), ""),
        (filters.startswith("", "x"), "oi"),
        (filters.text(""), " "),
        (filters.command(), "/start"),
        (filters.command(prefixes="."), ".start"),
        (filters.command("STRASSE"), "/straße"),
        (filters.contains("STRASSE"), "na straße"),
        (filters.regex("(?i)stop"), "\u017fTOP"),
        (filters.regex("(?i)kilo"), "\u212aILO"),
        (filters.regex("(?i)oi"), "O\u0130"),
        (filters.regex("(?i)oi"), "O\u0131"),
        (filters.regex("Σ"), "ΟΣ"),
        (filters.regex("(?:start)?"), "oi"),
        (filters.regex("(?:start){0,2}x"), "x"),
        (filters.regex("a|"), "oi"),
        (filters.regex("(?i)(?-i:o)I"), "oi"),
        (filters.regex(r"\d"), "٣"),
        (filters.regex("[^a]"), "b"),
        (filters.regex("[^0-9]"), "b"),
        (filters.regex("(a)?(?(1)b|c)"), "c"),
        (filters.regex("(?x) o i  # both"), "oi"),
        (filters.kind("conversation"), "oi"),
    ],
    ids=repr,
)
def test_whoever_matches_is_asked(made: Filter[Any], text: str) -> None:
    event = text_event(text)
    assert made.check(event)
    assert not left_out(made, event)


def test_letters_that_are_equal_to_re_are_equal_in_the_index() -> None:
    letters = [chr(code) for code in range(0x100) if chr(code).isascii() or code >= 0xC0]
    every = "".join(chr(code) for code in range(0x11_0000) if not 0xD800 <= code < 0xE000)
    taken = "".join(re.findall(f"[{''.join(map(re.escape, letters))}]", every, re.IGNORECASE))
    assert len(taken) > len(letters)
    for letter in letters:
        for equal in re.findall(re.escape(letter), taken, re.IGNORECASE):
            assert lowered(equal) == lowered(letter)
    # Each letter by itself: a text is never written in another way than its parts.
    assert lowered(every) == "".join(map(lowered, every))


@pytest.mark.parametrize(
    ("pattern", "words"),
    [
        (r"\bpedido 7\b", {"pedido 7"}),
        (r"(?i)^trocas?\s+(da|do) Loja 7$", {" loja 7"}),
        (r"[Pp]reço", {"preço"}),
        (r"\d{5}-?\d{3}", {Digit()}),
        (r"(bom dia|boa tarde)!?", {"m dia", "a tarde"}),
        (r"(?:olá|quero)+", {"olá", "quero"}),
        (r"(?>abc)d*", {"abc"}),
        (r".*", None),
        (r"(?:a|b)?", None),
        (r"(?i)Ж", None),
        (r"(?!abc)", None),
    ],
)
def test_the_parts_that_a_pattern_needs(pattern: str, words: set[str] | None) -> None:
    assert needed_words(re.compile(pattern)) == words


def test_a_pattern_that_the_parser_cannot_read_needs_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("evolution_sdk.events.filters._literals.import_module", {}.__getitem__)
    assert needed_words(re.compile("abc")) is None


def test_a_pattern_of_bytes_fails_when_it_is_asked() -> None:
    router = EventRouter()
    router.add(print, MessagesUpsert, filters.regex(re.compile(b"oi")))  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        router.dispatch_sync(text_event("x"))


def writing(calls: list[str], word: str) -> Any:
    return lambda event: calls.append(word)


def commands(count: int) -> EventRouter:
    router = EventRouter()
    for number in range(count):
        made = filters.command(f"c{number}") if number % 2 else filters.regex(rf"\bx{number}\b")
        router.add(print, MessagesUpsert, filters.private & made)
    return router


def asked(router: EventRouter, event: Event[Any], monkeypatch: pytest.MonkeyPatch) -> int:
    count = 0
    find = Filter.find

    for kind in {type(one.filter) for one in router._registrations()}:
        find = kind.find  # type: ignore[union-attr]

        def counting(self: Any, event: Any, find: Any = find) -> Any:
            nonlocal count
            count += any(self is one.filter for one in router._registrations())
            return find(self, event)

        monkeypatch.setattr(kind, "find", counting)
    router.dispatch_sync(event)
    return count


@pytest.mark.parametrize("count", [20, 500])
@pytest.mark.parametrize(("text", "most"), [("bom dia", 0), ("/c7", 1), ("x8 e x10", 1)])
def test_only_the_handlers_that_may_match_are_asked(
    count: int, text: str, most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = message_body(_TEXT_ID)
    body["data"]["message"] = {"conversation": text}
    body["data"]["key"] = {"id": "1", "remoteJid": "5511900000001@s.whatsapp.net", "fromMe": False}
    assert asked(commands(count), parse_event(body), monkeypatch) == most


def test_a_handler_that_has_run_still_decides_for_the_others() -> None:
    calls: list[str] = []
    router = EventRouter(name="r")
    router.add(writing(calls, "one"), Event, filters.command("gone"), name="one")
    router.add(writing(calls, "two"), Event, name="two")
    inner = router.include(EventRouter(name="in"), priority=1)
    inner.add(writing(calls, "three"), Event, filters.command("gone"), name="three")
    for finished, ended, ran in (
        ({"one": True}, True, []),
        ({"one": False}, True, ["two"]),
        ({"in.0/three": True}, True, []),
        ({"in.0/three": False}, True, ["two"]),
        ({"three": True}, True, ["two"]),
    ):
        calls.clear()
        outcome = router.dispatch_sync(text_event("oi"), progress=DispatchProgress(dict(finished)))
        assert (outcome.ended, calls) == (ended, ran)


def test_a_condition_of_an_included_router_is_asked_in_its_turn() -> None:
    calls: list[str] = []
    router = EventRouter()
    inner = router.include(EventRouter(filters.new(writing(calls, "asked"))))
    inner.add(print, MessagesUpsert, filters.command("x"))
    router.dispatch_sync(text_event("oi"))
    assert calls == ["asked"]


def test_a_change_counts_from_the_next_event_on() -> None:
    calls: list[str] = []
    router = EventRouter()
    inner = router.include(EventRouter(runs="all"))
    event = text_event("/go")
    assert not router.wants(event)
    router.dispatch_sync(event)
    made = inner.add(writing(calls, "one"), MessagesUpsert, filters.command("go"))
    assert router.wants(event)
    router.dispatch_sync(event)
    made.remove()
    made.remove()
    assert not router.wants(event)
    router.dispatch_sync(event)
    assert calls == ["one"]

    async def later(event: Any) -> None: ...

    inner.add(later, SendMessage)
    with pytest.raises(ConfigurationError, match="async"):
        router.dispatch_sync(event)


def test_a_middleware_that_comes_later_gets_what_no_handler_wants() -> None:
    seen: list[str] = []
    router = EventRouter()
    inner = router.include(EventRouter())
    inner.add(print, MessagesUpsert, filters.command("x"))
    router.dispatch_sync(text_event("oi"))

    @inner.middleware
    def around(event: Any, call_next: Any) -> Any:
        seen.append(event.text)
        return call_next(event)

    router.dispatch_sync(text_event("olá"))
    assert seen == ["olá"]


def test_names_are_the_lowest_that_are_free() -> None:
    router = EventRouter()
    made = [router.add(print, Event, name=name) for name in ("a", "a", "a", "a#2", "a#2")]
    assert [one.name for one in made] == ["a", "a#2", "a#3", "a#2#2", "a#2#3"]
    made[1].remove()
    assert router.add(print, Event, name="a").name == "a#2"
    made[0].remove()
    assert [router.add(print, Event, name="a").name for _ in range(2)] == ["a", "a#4"]


async def test_an_async_dispatch_asks_the_same() -> None:
    calls: list[object] = []
    router = EventRouter(runs="all")

    async def answer(event: Any, command: Any) -> None:
        calls.append(command.name)

    for name in ("a", "b", "c"):
        router.add(answer, MessagesUpsert, filters.command(name))
    await router.dispatch(text_event("/b now"))
    assert calls == ["b"]


def test_text_and_pairs_are_found_once_per_event(monkeypatch: pytest.MonkeyPatch) -> None:
    reads: list[str] = []
    text, found = _content._text_of, pairs_in

    def reading(event: object) -> str:
        reads.append("text")
        return text(event)

    def pairing(told: Any) -> Any:
        reads.append("pairs")
        return found(told)

    monkeypatch.setattr(_content, "_text_of", reading)
    monkeypatch.setattr("evolution_sdk.events._base.pairs_in", pairing)
    router = EventRouter(runs="all")
    inner = router.include(EventRouter(runs="all"))
    for one in (filters.text("oi"), filters.contains("o"), filters.regex("oi"), filters.command()):
        router.add(print, MessagesUpsert, one)
        inner.add(print, MessagesUpsert, one, filters.startswith("o"))
    event = text_event("oi")
    for _ in range(2):
        router.dispatch_sync(event)
    assert sorted(reads) == ["pairs", "text"]

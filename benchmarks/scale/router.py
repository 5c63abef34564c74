"""Dispatch with few and many handlers, and reading events, measured in CPU time."""

from __future__ import annotations

import gc
import json
import statistics
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from rows import Row, cpu_us

from evolution_sdk.events import Event, EventRouter, MessagesUpsert, filters, parse_event
from evolution_sdk.events.filters import Filter

CORPUS = Path(__file__).parent.parent.parent / "facts" / "webhooks.json"
SIZES = (20, 200, 1_000)
MOST_GROWTH = 3.0
MOST_TIMES_LOADS = 2.0
WORDS = ("pedido", "boleto", "entrega", "cupom", "troca", "agenda", "fatura", "plano", "visita")


def command(number: int) -> Filter[Any]:
    return filters.command(f"{WORDS[number % len(WORDS)]}{number}")


def pattern(number: int) -> Filter[Any]:
    word = WORDS[number % len(WORDS)]
    return filters.regex(
        (rf"\b{word} {number}\b", rf"(?i)^{word}s?\s+(da|do) loja {number}$")[number % 2]
    )


def mixed(number: int) -> Filter[Any]:
    return command(number) if number % 2 else pattern(number)


def guarded(number: int) -> Filter[Any]:
    return filters.private & ~filters.from_me & mixed(number)


def part(number: int) -> Filter[Any]:
    word = WORDS[number % len(WORDS)]
    return filters.contains(f"{word} {number}", f"{number}º {word}")


def shapeless(number: int) -> Filter[Any]:
    return filters.regex(rf"^\w{{{number % 9 + 40}}}$")


def by_user(number: int) -> Filter[Any]:
    return filters.new(lambda event: number < 0)


# Nothing is known of these: each is asked, in its turn. For information.
LINEAR: dict[str, Callable[[int], Filter[Any]]] = {
    "regexes without any literal": shapeless,
    "functions of the user": by_user,
}
KINDS_OF_FILTER: dict[str, Callable[[int], Filter[Any]]] = {
    "commands and regexes": mixed,
    "private, not mine, commands and regexes": guarded,
    "contains": part,
}


def recorded_bodies() -> list[bytes]:
    rows = json.loads(CORPUS.read_text("utf-8"))
    return [json.dumps(row["json"], ensure_ascii=False).encode() for row in rows]


def message(text: str) -> Any:
    """A recorded text message with other words."""
    for body in recorded_bodies():
        raw = json.loads(body)
        if raw["event"] == "messages.upsert" and "conversation" in raw["data"]["message"]:
            raw["data"]["message"]["conversation"] = text
            return raw
    raise LookupError("no text was recorded")


def router_of(count: int, made: Callable[[int], Filter[Any]]) -> EventRouter:
    router = EventRouter()
    for number in range(count):
        router.add(nothing, MessagesUpsert, made(number))
    return router


def nothing(event: Any) -> None:
    """Handle an event in no time."""


def fresh(raw: Any, dispatch: Callable[[Event], object]) -> Callable[[], object]:
    """Dispatch an event that nobody has read before."""
    return lambda: dispatch(parse_event(raw))


def measure(quick: bool) -> Iterable[Row]:
    """Measure dispatch at three numbers of handlers, and the reading of recorded events."""
    times = 20 if quick else 100
    raw = message("Bom dia! Ainda tem vaga para amanhã, às 10h? Obrigada")
    for name, made in KINDS_OF_FILTER.items():
        yield from growing(
            f"dispatch without a match: {name}",
            {size: fresh(raw, router_of(size, made).dispatch_sync) for size in SIZES},
            times,
        )
    for name, made in LINEAR.items():
        for size in SIZES:
            run = fresh(raw, router_of(size, made).dispatch_sync)
            yield Row(f"dispatch without a match: {name}", size, cpu_us(run, times), "us CPU")
    yield from growing(
        "wants, of a class without a handler",
        {size: fresh({"event": "groups.update"}, router_of(size, command).wants) for size in SIZES},
        times,
    )
    yield from adding()
    yield from reading(10 if quick else 60)


def growing(what: str, runs: dict[int, Callable[[], object]], times: int) -> Iterator[Row]:
    """Measure at each size; the target is a multiple of the smallest one's cost."""
    first = None
    for size, run in runs.items():
        run()
        took = cpu_us(run, times)
        yield Row(what, size, took, "us CPU", None if first is None else MOST_GROWTH * first)
        first = took if first is None else first


def adding() -> Iterator[Row]:
    """Measure the addition of one handler to a router, the others being made already."""
    made = {size: [command(number) for number in range(size)] for size in SIZES}
    first = None
    for size, all_filters in made.items():

        def add(all_filters: list[Filter[Any]] = all_filters) -> None:
            router = EventRouter()
            for one in all_filters:
                router.add(print, MessagesUpsert, one)

        took = cpu_us(add, 1) / size
        yield Row("add one handler", size, took, "us CPU", None if first is None else 3 * first)
        first = took if first is None else first


def reading(rounds: int) -> Iterator[Row]:
    """Measure the recorded bodies against ``json.loads``, in turns."""
    bodies = recorded_bodies()
    subjects: dict[str, Callable[[bytes], object]] = {
        "parse_event": parse_event,
        "parse_event, .data read": lambda body: parse_event(body).data,
        "parse_event, .dedupe_key": lambda body: parse_event(body).dedupe_key,
    }
    for name, subject in subjects.items():
        ratios: list[float] = []
        gc.disable()
        for _ in range(rounds):
            base, took = once(json.loads, bodies), once(subject, bodies)
            ratios.append(took / base)
            gc.collect()
        gc.enable()
        target = MOST_TIMES_LOADS if name != "parse_event, .dedupe_key" else None
        yield Row(name, len(bodies), statistics.median(ratios), "x loads", target)


def once(subject: Callable[[bytes], object], bodies: list[bytes]) -> float:
    begun = time.process_time()
    for _ in range(3):
        for body in bodies:
            subject(body)
    return time.process_time() - begun

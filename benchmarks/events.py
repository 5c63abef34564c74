"""``parse_event`` on the recorded mix against ``json.loads`` and plain pydantic, in one run.

The subjects take turns in short rounds; the median of the rounds' ratios is reported.

Usage: ``python benchmarks/events.py [--quick]``. Exits with 1 when ``parse_event``, or
it with ``.data`` read, costs more than the target. The pydantic subject validates one comparable
envelope with a typed message key.
"""

from __future__ import annotations

import gc
import json
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, TypeAdapter

from evolution_sdk.events import parse_event

CORPUS = Path(__file__).parent.parent / "facts" / "webhooks.json"
MOST_TIMES_LOADS = 2.0


class Loose(BaseModel):
    model_config = ConfigDict(extra="allow")


class Key(Loose):
    id: str
    remoteJid: str  # noqa: N815 - the server's name
    fromMe: bool = False  # noqa: N815 - the server's name


class Data(Loose):
    key: Key | None = None
    message: Any = None
    messageType: str | None = None  # noqa: N815 - the server's name
    status: Any = None


class Envelope(Loose):
    event: str | None = None
    instance: str | None = None
    data: Data | list[Any] | None = None
    date_time: str | None = None
    sender: str | None = None


ADAPTER = TypeAdapter(Envelope)
SUBJECTS: dict[str, Callable[[bytes], Any]] = {
    "json.loads": json.loads,
    "parse_event": parse_event,
    "parse_event, .data read": lambda body: parse_event(body).data,
    "parse_event, .dedupe_key": lambda body: parse_event(body).dedupe_key,
    "pydantic validate_json": ADAPTER.validate_json,
}


def once(subject: Callable[[bytes], Any], bodies: list[bytes]) -> float:
    begun = time.perf_counter()
    for body in bodies:
        subject(body)
    return (time.perf_counter() - begun) / len(bodies) * 1e6


def main() -> int:
    rows = json.loads(CORPUS.read_text("utf-8"))
    bodies = [json.dumps(row["json"], ensure_ascii=False).encode() for row in rows]
    rounds = 30 if "--quick" in sys.argv[1:] else 200
    gc.disable()
    times: dict[str, list[float]] = {name: [] for name in SUBJECTS}
    for _ in range(rounds):
        for name, subject in SUBJECTS.items():
            times[name].append(once(subject, bodies))
        gc.collect()
    base, plain = times["json.loads"], times["pydantic validate_json"]
    print(f"{len(bodies)} recorded bodies, {rounds} rounds; median ratios of the rounds")
    for name, took in times.items():
        over = statistics.median(a / b for a, b in zip(took, base, strict=True))
        against = statistics.median(a / b for a, b in zip(took, plain, strict=True))
        print(
            f"{name:26} {statistics.median(took):7.2f} us"
            f"  {over:5.2f} x json.loads  {against:5.2f} x pydantic"
        )
    held = (times["parse_event"], times["parse_event, .data read"])
    ratios = [statistics.median(a / b for a, b in zip(took, base, strict=True)) for took in held]
    return 1 if max(ratios) > MOST_TIMES_LOADS else 0


if __name__ == "__main__":
    sys.exit(main())

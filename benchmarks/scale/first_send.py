"""CPU of a fresh process up to its first send, beside a program that does it with httpx alone."""

from __future__ import annotations

import resource
import subprocess
import sys
from collections.abc import Iterable

from rows import Row

from evolution_sdk.testing import FakeEvolution

# Of the CPU of a program that sends with httpx and checks with two classes of pydantic.
_MOST = 1.6
_LEAST_TIMES = 5

_BARE = """
import httpx, pydantic
class Text(pydantic.BaseModel):
    number: str
    text: str
class Sent(pydantic.BaseModel):
    key: dict
    messageTimestamp: int
with httpx.Client(headers={{"apikey": {key!r}, "content-type": "application/json"}}) as client:
    body = Text(number="5511987654321", text="oi").model_dump_json()
    answer = client.post({url!r} + "/message/sendText/sales", content=body)
    Sent.model_validate_json(answer.content)
"""
_SYNC = """
from evolution_sdk import EvolutionClient
with EvolutionClient({url!r}, {key!r}, instance="sales") as client:
    client.messages.send_text("5511987654321", "oi")
"""
_ASYNC = """
import asyncio
from evolution_sdk import AsyncEvolutionClient
async def main():
    async with AsyncEvolutionClient({url!r}, {key!r}, instance="sales") as client:
        await client.messages.send_text("5511987654321", "oi")
asyncio.run(main())
"""
_ASYNC_BARE = """
import asyncio
import httpx, pydantic
class Text(pydantic.BaseModel):
    number: str
    text: str
class Sent(pydantic.BaseModel):
    key: dict
    messageTimestamp: int
async def main():
    headers = {{"apikey": {key!r}, "content-type": "application/json"}}
    async with httpx.AsyncClient(headers=headers) as client:
        body = Text(number="5511987654321", text="oi").model_dump_json()
        answer = await client.post({url!r} + "/message/sendText/sales", content=body)
        Sent.model_validate_json(answer.content)
asyncio.run(main())
"""
_COUNTED = "\nimport sys; print(sum(name.startswith('evolution_sdk') for name in sys.modules))"


def _cpu_ms(code: str, rounds: int) -> float:
    best = float("inf")
    for _ in range(rounds):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, "-c", code], check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        best = min(best, used * 1_000)
    return best


def measure(quick: bool) -> Iterable[Row]:
    """Measure both colours; there is but one size, a single send."""
    rounds = _LEAST_TIMES if quick else 3 * _LEAST_TIMES
    with FakeEvolution().serve() as fake:
        fake.create_instance("sales", state="open")
        names = {"url": fake.url, "key": fake.api_key}
        for colour, bare, code in (("sync", _BARE, _SYNC), ("async", _ASYNC_BARE, _ASYNC)):
            alone = _cpu_ms(bare.format(**names), rounds)
            used = _cpu_ms(code.format(**names), rounds)
            yield Row(f"first send, {colour}: httpx and pydantic alone", 1, alone, "ms")
            yield Row(f"first send, {colour}: a client", 1, used, "ms")
            yield Row(f"first send, {colour}: of those alone", 1, used / alone, "times", _MOST)
        run = [sys.executable, "-c", _SYNC.format(**names) + _COUNTED]
        told = subprocess.run(run, check=True, capture_output=True, text=True).stdout
        yield Row("first send: modules of this package loaded", 1, float(told), "modules")

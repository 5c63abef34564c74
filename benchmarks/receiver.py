"""Throughput of a receiver under uvicorn on one core, beside a bare endpoint in the same run.

The bare endpoint does ``json.loads`` and answers 200; ours verifies a token, parses, tells copies
apart, stores and answers 200, and handles the events meanwhile. Both take turns on the same core;
the sender has another one. ``p99`` is with 16 senders
at once, ``p99 alone`` with one. Usage: ``python benchmarks/receiver.py [--quick]``.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SUBJECTS = ["starlette", "memory", "memory+jwt", "sqlite", "sqlite+jwt"]
# Its own commits wait for a disk, unlike those of SQLite with synchronous=normal.
DATABASE = os.environ.get("EVOLUTION_BENCH_POSTGRES", "postgresql://postgres@127.0.0.1:5432/test")
SCHEMA = f"bench_receiver_{os.getpid()}"
CONNECTIONS = 16
KEY = "the key of a benchmark"


def make_app(subject: str, folder: str) -> object:
    """The application of one subject."""
    if subject == "starlette":
        from starlette.applications import Starlette
        from starlette.requests import Request
        from starlette.responses import Response
        from starlette.routing import Route

        async def hook(request: Request) -> Response:
            json.loads(await request.body())
            return Response(b"{}", media_type="application/json")

        return Starlette(routes=[Route("/", hook, methods=["POST"])])
    from evolution_sdk.events import EventRouter, MessagesUpsert
    from evolution_sdk.webhooks import WebhookReceiver

    router = EventRouter()

    @router.on(MessagesUpsert)
    async def handler(event: MessagesUpsert) -> None:
        _ = event.id

    kind, _, jwt = subject.partition("+")
    inbox: Path | str | None = Path(folder) / f"{subject}.db" if kind == "sqlite" else None
    if kind == "postgres":
        inbox = os.environ["BENCH_INBOX"]
    return WebhookReceiver(
        router, inbox=inbox, jwt_key=KEY if jwt else None, max_queue=1_000_000
    ).asgi


def serve(subject: str, port: int, folder: str, core: int) -> None:
    """Run one server on one core."""
    import uvicorn

    os.sched_setaffinity(0, {core})
    app = make_app(subject, folder)
    uvicorn.run(app, port=port, log_level="critical", ws="none", access_log=False)  # type: ignore[arg-type]  # an ASGI application


@contextmanager
def running(subject: str, folder: str, core: int) -> Iterator[int]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    command = [sys.executable, __file__, "--serve", subject, str(port), folder, str(core)]
    process = subprocess.Popen(command)
    try:
        for _ in range(500):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.02)
        yield port
    finally:
        process.terminate()
        process.wait()


def request(number: int, token: str) -> bytes:
    data = {
        "key": {"remoteJid": f"{number % 50}@g.us", "fromMe": False, "id": f"ID{number}"},
        "message": {"conversation": "some words of a usual length, as people write them"},
        "messageType": "conversation",
        "messageTimestamp": 1_795_447_889,
        "pushName": "Somebody",
        "source": "android",
    }
    envelope = {"event": "messages.upsert", "instance": "sales", "data": data, "apikey": "x" * 36}
    body = json.dumps(envelope).encode()
    head = f"POST / HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\n"
    return (
        f"{head}content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n".encode()
        + body
    )


async def round_of(
    port: int, requests: list[bytes], connections: int = CONNECTIONS
) -> tuple[float, list[float]]:
    """Requests per second, and the time of each answer in ms."""
    left = iter(requests)
    times: list[float] = []

    async def connection() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for one in left:
            start = time.perf_counter()
            writer.write(one)
            head = await reader.readuntil(b"\r\n\r\n")
            length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0])
            await reader.readexactly(length)
            times.append((time.perf_counter() - start) * 1_000)
            assert head.startswith(b"HTTP/1.1 200"), head
        writer.close()

    start = time.perf_counter()
    await asyncio.gather(*(connection() for _ in range(connections)))
    return len(requests) / (time.perf_counter() - start), times


@contextmanager
def database() -> Iterator[bool]:
    """A schema of its own in PostgreSQL; False where there is none."""
    try:
        import psycopg

        with psycopg.connect(DATABASE, autocommit=True, connect_timeout=2) as db:
            db.execute(f"CREATE SCHEMA {SCHEMA}")
    except Exception:
        yield False
        return
    os.environ["BENCH_INBOX"] = f"{DATABASE}?options=-csearch_path%3D{SCHEMA}"
    try:
        yield True
    finally:
        with psycopg.connect(DATABASE, autocommit=True) as db:
            db.execute(f"DROP SCHEMA {SCHEMA} CASCADE")


def main(rounds: int, size: int) -> None:
    with database() as there:
        measure([*SUBJECTS, "postgres"] if there else SUBJECTS, rounds, size)


def measure(subjects: list[str], rounds: int, size: int) -> None:
    from evolution_sdk.webhooks import sign_token

    cores = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {cores[0]})
    token = sign_token(KEY, time.time())
    rates: dict[str, list[float]] = {subject: [] for subject in subjects}
    times: dict[str, list[float]] = {subject: [] for subject in subjects}
    alone: dict[str, list[float]] = {subject: [] for subject in subjects}
    with tempfile.TemporaryDirectory() as folder:
        for number in range(rounds):
            for at, subject in enumerate(subjects):
                first = (number * len(subjects) + at) * size
                requests = [request(first + n, token) for n in range(size)]
                with running(subject, folder, cores[-1]) as port:
                    asyncio.run(
                        round_of(port, [request(-n - 1 - first, token) for n in range(200)])
                    )
                    rate, took = asyncio.run(round_of(port, requests))
                    calm = [request(10**9 + one + first, token) for one in range(size // 4)]
                    alone[subject] += asyncio.run(round_of(port, calm, 1))[1]
                rates[subject].append(rate)
                times[subject] += took
    print(
        f"{'subject':<12} {'events/s':>9} {'ratio':>6} {'p50 ms':>8} {'p99 ms':>8} {'p99 alone':>9}"
    )
    bare = statistics.median(rates["starlette"])
    for subject in subjects:
        rate = statistics.median(rates[subject])
        calm_cut = statistics.quantiles(alone[subject], n=100)[98]
        cuts = statistics.quantiles(times[subject], n=100)
        print(
            f"{subject:<12} {rate:>9.0f} {rate / bare:>6.2f} "
            f"{cuts[49]:>8.2f} {cuts[98]:>8.2f} {calm_cut:>9.2f}"
        )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--serve", nargs=4)
    options = parser.parse_args()
    if options.serve:
        serve(options.serve[0], int(options.serve[1]), options.serve[2], int(options.serve[3]))
    else:
        main(*((1, 1_000) if options.quick else (3, 3_000)))

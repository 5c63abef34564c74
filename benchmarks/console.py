"""The console's cost: 200 instances, 1,000 events/s into the monitor, 20 open pages, one stuck.

Two processes are measured one after the other: a monitor with a web server that nobody asks, and
the same with a console that 20 pages read over sockets. The difference is the console's price.

Run: python benchmarks/console.py [seconds]
"""

from __future__ import annotations

import asyncio
import json
import random
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psutil

INSTANCES = 200
EVENTS_PER_SECOND = 1_000
PAGES = 20
SECONDS = 30
WARM_S = 6.0
TOKEN = "a-token-of-24-characters"
LARGEST_SHARE = 0.10
LARGEST_GROWTH = 0.10


class Client:
    """Answers at once, and is told events."""

    def __init__(self) -> None:
        from evolution_sdk import EvolutionConfig

        self.config = EvolutionConfig("http://fake.test", "key")
        self.server = self.instances = self
        self.names = [f"shop-{number:03d}" for number in range(INSTANCES)]

    def close(self) -> None:
        """Nothing is open."""

    def observe(self, observer: Any) -> Any:
        return self.close

    def observe_events(self, listener: Any) -> Any:
        self.feed = listener
        return self.close

    def info(self, **_: Any) -> Any:
        return SimpleNamespace(version="2.3.7")

    def verify_creds(self, **_: Any) -> Any:
        return SimpleNamespace()

    def fetch(self, **_: Any) -> Any:
        return [SimpleNamespace(name=name, connection_status="open") for name in self.names]

    def connection_state(self, name: str, **_: Any) -> Any:
        return SimpleNamespace(name=name, state="open")


async def feed(client: Client) -> None:
    """Feed events at an even rate: messages that arrive, and statuses of sent ones."""
    dice, number, begun = random.Random(7), 0, time.monotonic()
    while True:
        due = int((time.monotonic() - begun) * EVENTS_PER_SECOND)
        while number < due:
            number += 1
            name, key = dice.choice(client.names), f"3EB0{number:016X}"
            chat = "5511900000001@s.whatsapp.net"
            if number % 2:
                row: Any = {"keyId": key, "remoteJid": chat, "fromMe": True, "status": "READ"}
                event = "messages.update"
            else:
                row = {"key": {"id": key, "fromMe": False, "remoteJid": chat}}
                event = "messages.upsert"
            client.feed({"event": event, "instance": name, "data": row})
        await asyncio.sleep(0.01)


async def idle(scope: Any, receive: Any, send: Any) -> None:
    """An app of nothing."""
    await send({"type": "http.response.start", "status": 404, "headers": []})
    await send({"type": "http.response.body", "body": b""})


async def serve(kind: str) -> None:
    """Run a monitor, fed with events, and a web server beside it, until the parent ends it."""
    import uvicorn

    from evolution_sdk.monitor import EvolutionConsole, EvolutionMonitorService

    client: Any = Client()
    monitor = EvolutionMonitorService(client, instances="*", sinks=())
    app: Any = idle if kind == "bare" else EvolutionConsole(monitor, token=TOKEN)
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="critical", access_log=False))
    feeding = asyncio.create_task(feed(client))
    monitor.start_monitoring()
    serving = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 - uvicorn has no event for it
        await asyncio.sleep(0.01)
    sys.stdout.write(f"{server.servers[0].sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await asyncio.gather(feeding, serving)


def cpu_s(pid: int) -> float:
    """Return the time that all threads of a process have run, to the nanosecond (Linux)."""
    total = 0
    for task in Path(f"/proc/{pid}/task").iterdir():
        total += int((task / "schedstat").read_text().split()[0])
    return total / 1e9


def state_of(port: int) -> Any:
    """Ask for the state once."""
    asked = urllib.request.Request(
        f"http://127.0.0.1:{port}/api/state", headers={"authorization": f"Bearer {TOKEN}"}
    )
    with urllib.request.urlopen(asked, timeout=20) as answer:
        return json.load(answer)


def events_in(state: Any) -> int:
    """Count the events that the console has heard."""
    return sum(each["count"] for each in state["events"]["by_kind"])


class Page(threading.Thread):
    """One open page, which reads what it is sent."""

    def __init__(self, port: int) -> None:
        super().__init__(daemon=True)
        self.bytes = 0
        self.changes = 0
        self._socket = open_page(port)

    def run(self) -> None:
        while part := self._socket.recv(1 << 16):
            self.bytes += len(part)
            self.changes += part.count(b"event: changes")


def open_page(port: int, *, small: bool = False) -> socket.socket:
    """Ask for the stream; with a small buffer, a page that does not read is stuck soon."""
    made = socket.socket()
    if small:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
    made.connect(("127.0.0.1", port))
    asked = f"GET /api/stream HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKEN}\r\n\r\n"
    made.sendall(asked.encode())
    return made


def measure(kind: str, seconds: float) -> dict[str, float]:
    """Measure one process."""
    child = subprocess.Popen(
        [sys.executable, __file__, "--child", kind], stdout=subprocess.PIPE, text=True
    )
    try:
        assert child.stdout is not None
        port = int(child.stdout.readline())
        pages: list[Page] = []
        stuck: socket.socket | None = None
        if kind == "console":
            stuck = open_page(port, small=True)  # asks, and never reads
            pages = [Page(port) for _ in range(PAGES)]
            for page in pages:
                page.start()
        process = psutil.Process(child.pid)
        time.sleep(WARM_S)
        heard = events_in(state_of(port)) if pages else 0
        before, begun = cpu_s(child.pid), time.monotonic()
        memory = process.memory_info().rss
        read = sum(page.changes for page in pages)
        size = sum(page.bytes for page in pages)
        time.sleep(seconds)
        lasted, used = time.monotonic() - begun, cpu_s(child.pid) - before
        grown = process.memory_info().rss
        found = {"cores": used / lasted, "memory": grown, "growth": grown / memory - 1}
        if pages:
            state = state_of(port)
            # What was measured must be what is claimed.
            found["events"] = (events_in(state) - heard) / lasted
            found["instances"] = len(state["instances"])
            found["checks_well"] = float(state["health"]["status"] == "healthy")
            found["changes"] = (sum(page.changes for page in pages) - read) / lasted / PAGES
            found["kib"] = (sum(page.bytes for page in pages) - size) / lasted / PAGES / 1_024
        if stuck is not None:
            stuck.close()
        return found
    finally:
        child.kill()
        child.wait()


def main(seconds: float) -> int:
    """Measure both, and compare."""
    bare = measure("bare", seconds)
    shown = measure("console", seconds)
    more = shown["cores"] - bare["cores"]
    result = {
        "instances": shown["instances"],
        "events_per_second": round(shown["events"]),
        "pages": PAGES,
        "cores_without": round(bare["cores"], 4),
        "cores_with": round(shown["cores"], 4),
        "cores_more": round(more, 4),
        "ratio": round(shown["cores"] / bare["cores"], 3),
        "memory_mib_without": round(bare["memory"] / 2**20, 1),
        "memory_mib_with": round(shown["memory"] / 2**20, 1),
        "memory_growth": round(shown["growth"], 4),
        "changes_per_second_of_a_page": round(shown["changes"], 3),
        "kib_per_second_of_a_page": round(shown["kib"], 1),
    }
    sys.stdout.write(json.dumps(result, indent=1) + "\n")
    if shown["instances"] != INSTANCES or shown["events"] < 0.95 * EVENTS_PER_SECOND:
        sys.stderr.write("what was measured is not what was meant\n")
        return 2
    # The other pages go on beside the stuck one.
    return int(more > LARGEST_SHARE or shown["growth"] > LARGEST_GROWTH or shown["changes"] < 0.5)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--child"]:
        asyncio.run(serve(sys.argv[2]))
    else:
        sys.exit(main(float(sys.argv[1]) if len(sys.argv) > 1 else SECONDS))

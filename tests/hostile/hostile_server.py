"""A hostile server of our own: the fake's kernel behind a raw socket that cheats.

One event loop in a thread reads, acts and answers; what happens to a send is decided by a script,
so that the same load meets the same faults in any order of arrival.
"""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import socket
import struct
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from email.utils import formatdate
from enum import Enum
from typing import Any, Self

from evolution_sdk.testing import FakeEvolution

FAR_FUTURE = "Fri, 31 Dec 9999 23:59:59 GMT"
PAGE = "<html><head><title>{0}</title></head><body><center><h1>{0}</h1></center></body></html>"
BOMB = gzip.compress(b'{"key":"' + b"a" * 3_000_000 + b'"}')
DRIP_S = 0.02
_TURNS = 8  # of the loop, until everything that has arrived by now has been read
_NO_LINGER = struct.pack("ii", 1, 0)


class Acts(Enum):
    """Whether the server behind does what it is asked."""

    YES = "yes"
    NO = "no"


@dataclass(frozen=True, slots=True)
class Trick:
    """One way to cheat.

    Attributes:
        name: For reports.
        acts: Whether the server behind acts.
        play: Writes what the client gets: the answer proper is given, ``None`` without one.
    """

    name: str
    acts: Acts
    play: Callable[[Wire, Reply], None]


@dataclass(slots=True)
class Reply:
    """An answer of the server behind."""

    status: int
    body: bytes
    date: str
    headers: dict[str, str] = field(default_factory=dict)

    def head(self, length: int | None = None) -> bytes:
        lines = [f"HTTP/1.1 {self.status} Whatever", f"Date: {self.date}"]
        lines += [f"{name}: {value}" for name, value in self.headers.items()]
        if length is not None:
            lines.append(f"Content-Length: {length}")
        return "\r\n".join([*lines, "", ""]).encode("latin-1")

    def raw(self) -> bytes:
        return self.head(len(self.body)) + self.body


Script = Callable[[str, str, bytes], "tuple[Trick | None, float | str]"]
"""Method, target and body of a request; gives the trick, and by how many seconds ``Date`` is off
(or what it says)."""


class Wire(asyncio.Protocol):
    """One connection, seen from the server."""

    def __init__(self, server: HostileServer) -> None:
        self._server = server
        self._received = bytearray()
        self.transport: Any = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        self._server.wires.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._server.wires.discard(self)

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, end, rest = bytes(self._received).partition(b"\r\n\r\n")
        if not end:
            return
        lines = head.decode("latin-1").split("\r\n")
        headers = {
            name.lower(): value.strip()
            for name, _, value in (line.partition(":") for line in lines[1:])
        }
        length = int(headers.get("content-length", 0))
        if len(rest) < length:
            return
        self._received = bytearray(rest[length:])
        method, target, _ = lines[0].split(" ")
        self._server.take(self, method, target, headers, rest[:length])

    def write(self, data: bytes) -> None:
        if not self.transport.is_closing():
            self.transport.write(data)

    def close(self) -> None:
        self.transport.close()

    def reset(self) -> None:
        wire = self.transport.get_extra_info("socket")
        if not self.transport.is_closing():
            wire.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
        self.transport.abort()

    def later(self, seconds: float, do: Callable[[], None]) -> None:
        asyncio.get_running_loop().call_later(seconds, do)

    def drip(self, data: bytes) -> None:
        if data and not self.transport.is_closing():
            self.write(data[:1])
            self.later(DRIP_S, lambda: self.drip(data[1:]))


class HostileServer:
    """The fake behind a listener that cheats.

    Args:
        fake: The server that acts; its store is what counts.
        script: Decides what happens to each request.

    Attributes:
        struck: How often each trick was played.
        redirected_to: Where redirects lead; nothing may ever arrive there.
        followed: How many connections arrived there.
    """

    def __init__(self, fake: FakeEvolution, script: Script) -> None:
        self._fake = fake
        self._script = script
        self._ready = threading.Event()
        self.wires: set[Wire] = set()
        self.struck: Counter[str] = Counter()
        self.followed = 0
        self.url = self.redirected_to = ""
        self._thread = threading.Thread(target=lambda: asyncio.run(self._main()), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        self._ready.wait()
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()

    async def _main(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        main = await self._loop.create_server(lambda: Wire(self), "127.0.0.1", 0, backlog=256)
        trap = await self._loop.create_server(self._caught, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{main.sockets[0].getsockname()[1]}"
        self.redirected_to = f"http://127.0.0.1:{trap.sockets[0].getsockname()[1]}"
        self._ready.set()
        await self._stop.wait()
        main.close()
        trap.close()
        for wire in tuple(self.wires):
            wire.transport.abort()
        await asyncio.sleep(0)

    def _caught(self) -> asyncio.Protocol:
        self.followed += 1
        return asyncio.Protocol()

    def take(
        self, wire: Wire, method: str, target: str, headers: dict[str, str], body: bytes
    ) -> None:
        """One whole request has arrived."""
        trick, date = self._script(method, target, body)
        if trick is not None:
            self.struck[trick.name] += 1

        def act() -> None:
            reply = Reply(0, b"", self._date(date))
            if trick is None or trick.acts is Acts.YES:
                made = self._fake.kernel.handle(method, target, headers, body)
                reply.status, reply.body = made.status, made.body
                reply.headers = {
                    name: value for name, value in made.headers if name != "content-length"
                }
            reply.headers["x-trap"] = f"{self.redirected_to}/steal"
            (trick.play if trick is not None else whole)(wire, reply)

        if "/message/" in target:
            act()
        else:
            # A look-up must see every send that arrived before it, though its own connection
            # was ready first: the client may have given the send up in between.
            self._after(_TURNS, act)

    def _after(self, turns: int, do: Callable[[], None]) -> None:
        self._loop.call_soon(do if turns == 0 else lambda: self._after(turns - 1, do))

    def _date(self, off: float | str) -> str:
        if isinstance(off, str):
            return off
        return formatdate(self._fake.clock.now_ms() / 1_000 + off, usegmt=True)


def whole(wire: Wire, reply: Reply) -> None:
    wire.write(reply.raw())


def _segments(wire: Wire, reply: Reply) -> None:
    data = reply.raw()
    half = len(data) // 2
    wire.write(data[:half])
    wire.later(0.001, lambda: wire.write(data[half:]))


def _cut(share: float) -> Callable[[Wire, Reply], None]:
    def play(wire: Wire, reply: Reply) -> None:
        data = reply.raw()
        wire.write(data[: int(len(data) * share)])
        wire.close()

    return play


def _drop(wire: Wire, _: Reply) -> None:
    wire.close()


def _reset(wire: Wire, _: Reply) -> None:
    wire.reset()


def _answered_then_reset(wire: Wire, reply: Reply) -> None:
    wire.write(reply.raw())
    wire.reset()


def _drip(wire: Wire, reply: Reply) -> None:
    wire.drip(reply.raw())


def _silence(_wire: Wire, _reply: Reply) -> None:
    """Hold the connection; the client will leave."""


def _says(status: int, body: str, **headers: str) -> Callable[[Wire, Reply], None]:
    def play(wire: Wire, reply: Reply) -> None:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        wire.write(Reply(status, body.encode(), reply.date, named).raw())

    return play


def _page(status: int, title: str) -> Callable[[Wire, Reply], None]:
    return _says(status, PAGE.format(title), content_type="text/html")


def _redirect(status: int) -> Callable[[Wire, Reply], None]:
    def play(wire: Wire, reply: Reply) -> None:
        to = {"Location": reply.headers["x-trap"]}
        wire.write(Reply(status, b"", reply.date, to).raw())

    return play


def _instead(body: bytes, **headers: str) -> Callable[[Wire, Reply], None]:
    """The status of a completed send, with something else in it."""

    def play(wire: Wire, reply: Reply) -> None:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        wire.write(Reply(reply.status, body, reply.date, named).raw())

    return play


def _broken_json(wire: Wire, reply: Reply) -> None:
    wire.write(Reply(reply.status, reply.body[: len(reply.body) // 2], reply.date).raw())


def _short(wire: Wire, reply: Reply) -> None:
    wire.write(reply.head(len(reply.body) + 500) + reply.body)
    wire.close()


def _garbage(wire: Wire, _: Reply) -> None:
    wire.write(b"\x00\xffSSH-2.0-OpenSSH_9.6\r\n\r\n")
    wire.close()


_AXUM = "connection closed before message completed"
BEFORE = (
    Trick("dropped", Acts.NO, _drop),
    Trick("reset", Acts.NO, _reset),
    Trick("garbage", Acts.NO, _garbage),
    Trick("redirected", Acts.NO, _redirect(302)),
    Trick("redirected for good", Acts.NO, _redirect(308)),
    Trick("502 page, not done", Acts.NO, _page(502, "502 Bad Gateway")),
    Trick("502 words, not done", Acts.NO, _says(502, _AXUM)),
    Trick("503 page, not done", Acts.NO, _page(503, "503 Service Temporarily Unavailable")),
    Trick("504 page, not done", Acts.NO, _page(504, "504 Gateway Time-out")),
    Trick("408, not done", Acts.NO, _page(408, "408 Request Time-out")),
    Trick("499, not done", Acts.NO, _says(499, "")),
)
"""Tricks on a send that the server behind never sees."""
AFTER = (
    Trick("dropped, done", Acts.YES, _drop),
    Trick("cut in the head", Acts.YES, _cut(0.1)),
    Trick("cut in the body", Acts.YES, _cut(0.9)),
    Trick("answered, then reset", Acts.YES, _answered_then_reset),
    Trick("a length too large", Acts.YES, _short),
    Trick("garbage, done", Acts.YES, _garbage),
    Trick("502 page", Acts.YES, _page(502, "502 Bad Gateway")),
    Trick("502 words", Acts.YES, _says(502, _AXUM)),
    Trick("503 page", Acts.YES, _page(503, "503 Service Temporarily Unavailable")),
    Trick("504 page", Acts.YES, _page(504, "504 Gateway Time-out")),
    Trick("408", Acts.YES, _page(408, "408 Request Time-out")),
    Trick("460", Acts.YES, _says(460, "")),
    Trick("499", Acts.YES, _says(499, "")),
    Trick("bad gzip", Acts.YES, _instead(b"not gzip", content_encoding="gzip")),
)
"""Tricks on a send that was done: its outcome is unknown."""
SLOW = (
    Trick("drip", Acts.YES, _drip),
    Trick("silence", Acts.YES, _silence),
)
"""The same, and the client waits for all its time."""
NAMELESS = (
    Trick("201, empty", Acts.YES, _instead(b"")),
    Trick("201, cut", Acts.YES, _broken_json),
    Trick("201, a page", Acts.YES, _instead(PAGE.format("Welcome").encode())),
    Trick("201, alien", Acts.YES, _instead(b'{"status":"ok"}')),
    Trick("201, a list", Acts.YES, _instead(b"[1,2]")),
    Trick("201, a bomb", Acts.YES, _instead(BOMB, content_encoding="gzip")),
)
"""Completed sends whose answer does not tell the message's id."""
HARMLESS = (Trick("two segments", Acts.YES, _segments),)
"""What an answer survives."""
DATES: tuple[float | str, ...] = (8, -8, 60, -60, FAR_FUTURE)
"""By how many seconds the ``Date`` of a proxy is off, or what it says."""


@contextlib.contextmanager
def hostile(fake: FakeEvolution, script: Script) -> Iterator[HostileServer]:
    with HostileServer(fake, script) as server:
        yield server

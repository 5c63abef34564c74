"""A database that goes away and comes back: nothing is lost, and nothing is handled twice."""

from __future__ import annotations

import contextlib
import os
import select
import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from evolution_sdk.events import Event

from .conftest import Kit, posted
from .inbox_places import postgres_schema


class Cable:
    """A port that leads to PostgreSQL, unless it is cut."""

    def __init__(self) -> None:
        self._pairs: list[socket.socket] = []
        self._listening: socket.socket | None = None
        self.port = 0
        self.mend()

    def mend(self) -> None:
        listening = socket.create_server(("127.0.0.1", self.port))
        self.port = listening.getsockname()[1]
        self._listening = listening
        threading.Thread(target=self._accept, args=(listening,), daemon=True).start()

    def cut(self) -> None:
        """Nobody is reached, and whoever talks is cut off."""
        if self._listening is not None:
            self._listening.shutdown(socket.SHUT_RDWR)
            self._listening.close()
        for one in self._pairs:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
        self._pairs.clear()

    def _accept(self, listening: socket.socket) -> None:
        while True:
            try:
                near, _ = listening.accept()
            except OSError:
                return
            far = socket.create_connection(("127.0.0.1", 5432))
            self._pairs += [near, far]
            threading.Thread(target=self._carry, args=(near, far), daemon=True).start()

    def _carry(self, near: socket.socket, far: socket.socket) -> None:
        with near, far, contextlib.suppress(OSError):
            while True:
                for one in select.select([near, far], [], [])[0]:
                    data = one.recv(65_536)
                    if not data:
                        return
                    (far if one is near else near).sendall(data)


@pytest.fixture
def cable() -> Iterator[Cable]:
    made = Cable()
    yield made
    made.cut()


def test_receivers_come_back_after_an_outage_without_losing_or_doubling(
    kit: Kit, cable: Cable
) -> None:
    go_on, begun = threading.Event(), threading.Event()

    def hold(event: Event[Any]) -> None:
        if event.raw["data"]["key"]["id"] == "ID0":
            begun.set()
            assert go_on.wait(60)

    kit.router.add(hold, Event, priority=1)
    with postgres_schema() as direct:
        url = direct.replace(":5432", f":{cable.port}")
        receivers = [kit.receiver(inbox=url, concurrency=4) for _ in range(2)]
        for number in range(20):
            body = posted(number, chat=f"{number % 5}@g.us")
            assert kit.post(receivers[number % 2], body) == 200
        assert begun.wait(20)
        cable.cut()
        assert kit.post(receivers[0], posted(20)) == 503
        assert kit.post(receivers[1], posted(21)) == 503
        go_on.set()  # a handler ends while nobody can be told
        cable.mend()
        for number in (20, 21):
            while kit.post(receivers[number % 2], posted(number)) != 200:
                pass  # the server posts it again, and again
        while len(kit.seen) < 22 or not all(one._queue.idle for one in receivers):
            for one in receivers:
                with contextlib.suppress(Exception):
                    one._queue.adopt()
                one.drain(timeout_ms=5_000)
        for one in receivers:
            one.close()
        names = sorted(event.raw["data"]["key"]["id"] for event in kit.seen)
        assert names == sorted(f"ID{number}" for number in range(22))
        later = kit.receiver(inbox=direct).start()
        assert later.drain()
        assert len(kit.seen) == 22, "all ends were told"
        later.close()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_forked_process_is_a_receiver_of_its_own(kit: Kit) -> None:
    with postgres_schema() as url:
        receiver = kit.receiver(inbox=url)
        assert kit.post(receiver, posted(1)) == 200
        assert receiver.drain()
        child = os.fork()
        if child == 0:
            fine = False
            with contextlib.suppress(BaseException):
                told = [kit.post(receiver, posted(number)) for number in (1, 2)]
                counts = receiver.metrics()
                fine = receiver.drain() and told == [200, 200] and counts.duplicates == 1
                receiver.close()
            os._exit(0 if fine and len(kit.seen) == 2 else 1)
        assert os.waitpid(child, 0)[1] == 0
        assert kit.post(receiver, posted(2)) == 200
        assert kit.post(receiver, posted(3)) == 200
        assert receiver.drain()
        assert receiver.metrics().duplicates == 1, "its child has seen it"
        assert len(kit.seen) == 2
        receiver.close()

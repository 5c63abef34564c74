"""Bodies that are not here yet: all of them together are bounded, and none may drip for ever."""

from __future__ import annotations

import asyncio
import gzip
import json
import threading
from typing import Any

import pytest

from evolution_sdk.errors import ConfigurationError
from evolution_sdk.webhooks import ANSWERS, Answer

from .conftest import JSON, NOW, Kit, posted
from .test_webhooks_apps import Exchange, ask, part

KIB = 1_024
ROOM: dict[str, Any] = {"max_body_bytes": 500 * KIB, "max_unfinished_bytes": 1_000 * KIB}


def padded(number: int, size: int) -> bytes:
    return posted(number, pad="x" * (size - len(posted(number)) - len(', "pad": ""')))


async def test_unfinished_bodies_are_bounded_together(kit: Kit) -> None:
    """40 connections that stop in the middle of their bodies held 805 MB."""
    receiver = kit.receiver(**ROOM)
    held = [Exchange(part(bytes(100 * KIB), more=True), hang=True) for _ in range(40)]
    asked = [asyncio.ensure_future(ask(receiver, one)) for one in held]
    done, waiting = await asyncio.wait(asked, timeout=0.2)
    assert receiver.budget.held == 1_000 * KIB
    assert (len(done), len(waiting)) == (30, 10)
    assert {one.result().status for one in done} == {503}
    headers = dict(next(iter(done)).result().sent[0]["headers"])
    assert headers[b"retry-after"] == b"5"
    for one in waiting:
        one.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    assert receiver.budget.held == 0, "who goes away gives the room back"
    assert (await ask(receiver, Exchange(part(padded(1, 400 * KIB))))).status == 200
    assert await receiver.drain_async()
    assert (len(kit.seen), receiver.budget.held) == (1, 0)
    assert receiver.metrics().rejected == {"busy": 30}
    await receiver.close_async()


def test_who_is_sent_away_is_sent_again() -> None:
    for answer in (Answer.BUSY, Answer.UNSTORED):
        assert ANSWERS[answer].status == 503
        assert ANSWERS[answer].server_retries


@pytest.mark.parametrize("size", [1, 100, 480])
async def test_one_body_alone_always_fits(kit: Kit, size: int) -> None:
    receiver = kit.receiver(**ROOM)
    body = padded(1, size * KIB) if size > 1 else posted()
    head = [(b"content-encoding", b"gzip")]
    packed = gzip.compress(body)
    assert (await ask(receiver, Exchange(part(packed)), headers=head)).status == 200
    assert kit.post(receiver, body) == 200
    assert receiver.metrics().duplicates == 1
    await receiver.close_async()


def test_a_bomb_is_stopped_where_there_is_no_room_for_it(kit: Kit) -> None:
    receiver = kit.receiver(**ROOM)
    bomb = gzip.compress(bytes(450 * KIB))
    assert kit.post(receiver, bomb, content_encoding="gzip") == 415, "there is room, and no event"
    with receiver.budget.lease() as others:
        assert others.add(800 * KIB)
        assert kit.post(receiver, bomb, content_encoding="gzip") == 503
    assert kit.post(receiver, gzip.compress(bytes(501 * KIB)), content_encoding="gzip") == 413
    assert receiver.budget.held == 0


def test_views_share_the_same_room(kit: Kit) -> None:
    receiver = kit.receiver(**ROOM)
    with receiver.budget.lease() as others:
        assert others.add(999 * KIB)
        assert kit.post(receiver, padded(1, 50 * KIB)) == 503
        assert kit.post(receiver, bytes(501 * KIB)) == 413, "it never fits, and is told so"
    assert kit.post(receiver, padded(1, 50 * KIB)) == 200


async def test_views_of_an_event_loop_have_a_handle_of_their_own(kit: Kit, tmp_path: Any) -> None:
    receiver = kit.receiver(inbox=tmp_path / "inbox.db", **ROOM)
    status, _, content = await receiver.handle_async("POST", "/", iter(JSON.items()), posted())
    assert (status, json.loads(content)["status"]) == (200, "accepted")
    assert (await receiver.handle_async("GET", "/", {}, b""))[0] == 405
    with receiver.budget.lease() as others:
        assert others.add(999 * KIB)
        big = padded(2, 50 * KIB)
        assert (await receiver.handle_async("POST", "/", JSON, big))[0] == 503
    assert await receiver.drain_async()
    assert len(kit.seen) == 1
    await receiver.close_async()


class Stream:
    """A WSGI input that gives its pieces one by one."""

    def __init__(self, pieces: list[bytes], after: Any = None) -> None:
        self.pieces = pieces
        self.after = after

    def read(self, size: int) -> bytes:
        if self.after is not None:
            self.after()
        return self.pieces.pop(0) if self.pieces else b""


def call(receiver: Any, stream: Any, length: int) -> int:
    told: list[str] = []
    environ = {
        "REQUEST_METHOD": "POST", "PATH_INFO": "/", "CONTENT_LENGTH": str(length),
        "wsgi.input": stream,
    }  # fmt: skip
    b"".join(receiver.wsgi(environ, lambda status, _: told.append(status)))
    return int(told[0][:3])


def test_wsgi_shares_the_room_of_all_its_threads(kit: Kit) -> None:
    receiver = kit.receiver(**ROOM)
    gate, refused = threading.Event(), threading.Event()
    statuses: list[int] = []

    def held() -> None:
        count = 0

        def wait_after_half() -> None:
            nonlocal count
            count += 1
            if count == 26:
                gate.wait(10)

        pieces = Stream([bytes(8 * KIB)] * 50, wait_after_half)
        status = call(receiver, pieces, 400 * KIB)
        statuses.append(status)
        if status == 503:
            refused.set()

    threads = [threading.Thread(target=held) for _ in range(6)]
    for thread in threads:
        thread.start()
    assert refused.wait(10), "five times 200 KiB are here, and the sixth found no room"
    assert receiver.budget.held <= 1_000 * KIB
    gate.set()
    for thread in threads:
        thread.join(10)
    assert receiver.budget.held == 0
    assert set(statuses) == {503, 415}


def test_wsgi_sends_a_drip_away(kit: Kit) -> None:
    receiver = kit.receiver(body_timeout_ms=20_000)
    now = NOW

    def later() -> None:
        nonlocal now
        now += 1

    receiver.wsgi._clock = lambda: now
    drip = Stream([b"x"] * 1_000, later)
    assert call(receiver, drip, 1_000) == 408
    assert len(drip.pieces) == 979, "after 20 s it stops reading"
    whole = posted()
    slow = Stream([whole[n : n + 40] for n in range(0, len(whole), 40)], later)
    assert call(receiver, slow, len(whole)) == 200


def test_wsgi_takes_what_is_here_where_it_can(kit: Kit) -> None:
    """A read of a whole block would wait for it, however long it drips."""

    class Buffered(Stream):
        def read(self, size: int) -> bytes:
            raise AssertionError("this would wait for the whole block")

        read1 = Stream.read

    assert call(kit.receiver(), Buffered([posted()]), len(posted())) == 200


@pytest.mark.parametrize("error", [OSError(), ValueError("chunk"), RuntimeError("gone")])
def test_whatever_a_server_raises_while_it_reads_is_a_body_that_did_not_come(
    kit: Kit, error: Exception
) -> None:
    def fail() -> None:
        raise error

    assert call(kit.receiver(), Stream([], fail), 9) == 408


def test_room_for_less_than_one_body_is_a_mistake(kit: Kit) -> None:
    with pytest.raises(ConfigurationError, match="at least 200, twice max_body_bytes"):
        kit.receiver(max_body_bytes=100, max_unfinished_bytes=199)
    large = kit.receiver(max_body_bytes=100_000_000)
    with large.budget.lease() as lease:
        assert lease.add(200_000_000)
        assert not lease.add(1)
    usual = kit.receiver().budget
    assert usual.take(64 * KIB * KIB)
    assert not usual.take(1)


def test_a_view_without_a_body_is_answered(kit: Kit) -> None:
    nothing: Any = None
    assert kit.receiver().handle("POST", "/", {}, nothing)[0] == 415

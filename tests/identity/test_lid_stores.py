"""Pairs that outlive the process: written behind, by threads of their own, harming nobody."""

from __future__ import annotations

import asyncio
import logging
import stat
import sys
import threading
import uuid
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import pytest

from evolution_sdk import AsyncEvolutionClient, EvolutionClient, Jid
from evolution_sdk.errors import ConfigurationError, RequestValidationError
from evolution_sdk.identity import LidMap, RedisLidStore, SqliteLidStore
from evolution_sdk.identity.lid_stores import lid_store_at
from evolution_sdk.testing import FakeEvolution
from services import require_service


def lid(n: int) -> Jid:
    return Jid(str(10**14 + n), "lid")


def phone(n: int) -> Jid:
    return Jid(str(5511900000000 + n), "s.whatsapp.net")


class Redis:
    """What of ``redis.Redis`` the store uses."""

    def __init__(self) -> None:
        self.hashes: dict[str, dict[bytes, bytes]] = {}
        self.closed = self.number = 0

    def hgetall(self, key: str) -> dict[bytes, bytes]:
        return dict(self.hashes.get(key, {}))

    def hset(self, key: str, *, mapping: Mapping[str, str]) -> None:
        told = {name.encode(): value.encode() for name, value in mapping.items()}
        self.hashes.setdefault(key, {}).update(told)

    def incr(self, _key: str) -> int:
        self.number += 1
        return self.number

    def hdel(self, key: str, *names: str) -> None:
        for name in names:
            self.hashes[key].pop(name.encode(), None)

    def close(self) -> None:
        self.closed += 1


class Broken:
    """A store that is away, and may come back."""

    def __init__(self) -> None:
        self.away = True
        self.kept: dict[str, str] = {}

    def load(self, most: int) -> list[tuple[str, str]]:
        self._ask()
        return list(self.kept.items())[:most]

    def put(self, pairs: Mapping[str, str]) -> None:
        self._ask()
        self.kept.update(pairs)

    def forget(self, lids: Collection[str]) -> None:
        self._ask()
        for one in lids:
            self.kept.pop(one, None)

    def close(self) -> None:
        self._ask()

    def _ask(self) -> None:
        if self.away:
            raise OSError("+5511900000001 cannot be stored")


def test_a_file_keeps_pairs(tmp_path: Path) -> None:
    path = tmp_path / "lids.db"
    lids = LidMap(store=SqliteLidStore(path))
    for n in range(3):
        assert lids.add(lid(n), phone(n))
    lids.add(lid(9), phone(1))  # replaces the pair of phone 1
    assert lids.forget(phone(2))
    assert not lids.forget(lid(77))
    again = LidMap(store=SqliteLidStore(path))
    assert (
        again.to_dict()
        == lids.to_dict()
        == {lid(0).user: phone(0).user, lid(9).user: phone(1).user}
    )
    assert all(stat.S_IMODE(one.stat().st_mode) == 0o600 for one in tmp_path.iterdir())
    lids.close()
    lids.add(lid(5), phone(5))  # a closed map goes on
    lids.close()
    assert LidMap(store=SqliteLidStore(path)).phone_of(lid(5)) == phone(5).phone
    assert LidMap(1, store=SqliteLidStore(path)).to_dict() == {lid(5).user: phone(5).user}


def test_two_processes_may_share_a_file(tmp_path: Path) -> None:
    one, other = (SqliteLidStore(tmp_path / "lids.db", max_pairs=3) for _ in range(2))
    one.put({lid(1).user: phone(1).user})
    other.put({lid(2).user: phone(1).user, lid(3).user: phone(3).user})
    assert one.load(9) == [(lid(2).user, phone(1).user), (lid(3).user, phone(3).user)]
    one.put({lid(n).user: phone(n).user for n in range(4, 8)})
    assert [pair[0] for pair in other.load(9)] == [lid(n).user for n in (5, 6, 7)]
    with pytest.raises(RequestValidationError):
        SqliteLidStore(tmp_path / "x.db", max_pairs=0)


def test_a_path_that_cannot_be_is_told_at_once(tmp_path: Path) -> None:
    (tmp_path / "text.db").write_text("no database, and long enough to be seen as none" * 99)
    for path in (tmp_path / "no" / "lids.db", tmp_path / "text.db"):
        with pytest.raises(ConfigurationError, match=r"cannot be used") as caught:
            LidMap(store=SqliteLidStore(path))
        assert caught.value.variable == "lids"


def test_redis() -> None:
    server = Redis()
    lids = LidMap(store=RedisLidStore(server))
    lids.add(lid(1), phone(1))
    lids.add(lid(2), phone(1))
    lids.add(lid(3), phone(3))
    again = LidMap(store=RedisLidStore(server))
    assert again.to_dict() == {lid(2).user: phone(1).user, lid(3).user: phone(3).user}
    lids.close()
    assert not server.closed, "a client that was given is its owner's"
    shown = repr(lid_store_at("redis://:secret@127.0.0.1:1/0"))
    assert shown == "RedisLidStore(key='evolution-sdk:lids')"
    assert isinstance(lid_store_at("lids.db"), SqliteLidStore)


def test_redis_must_be_there(monkeypatch: pytest.MonkeyPatch) -> None:
    from redis.asyncio import Redis as AsyncRedis

    with pytest.raises(ConfigurationError, match=r"redis\.asyncio"):
        RedisLidStore(AsyncRedis())
    with pytest.raises(ConfigurationError, match="redis://"):
        RedisLidStore("http://127.0.0.1")
    monkeypatch.setitem(sys.modules, "redis", None)
    with pytest.raises(ConfigurationError, match=r"pip install 'evolutionapi-sdk\[redis\]'"):
        RedisLidStore("redis://127.0.0.1:1/0")


def test_a_store_that_is_away_harms_nobody(caplog: pytest.LogCaptureFixture) -> None:
    store = Broken()
    with caplog.at_level(logging.WARNING, "evolution_sdk"):
        lids = LidMap(store=store)
        for n in range(5):
            assert lids.add(lid(n), phone(n))
            lids.flush()
    assert len(lids) == 5
    assert len(caplog.records) == 1
    assert "OSError" in caplog.text
    assert "5511" not in caplog.text
    store.away = False
    lids.add(lid(6), phone(6))
    lids.flush()
    assert store.kept == lids.to_dict(), "what could not be written is written later"
    store.away = True
    lids.close()


def test_no_event_waits_for_the_store() -> None:
    go_on, begun = threading.Event(), threading.Event()
    writers: set[int] = set()

    class Slow(Broken):
        def put(self, pairs: Mapping[str, str]) -> None:
            begun.set()
            writers.add(threading.get_ident())
            assert go_on.wait(10)
            super().put(pairs)

    store = Slow()
    store.away = False

    async def scene() -> int:
        lids = LidMap(store=store)
        lids.add(lid(1), phone(1))
        await asyncio.to_thread(begun.wait, 10)
        for n in range(2, 50):
            lids.add(lid(n), phone(n))
        go_on.set()
        await asyncio.to_thread(lids.close)
        return threading.get_ident()

    loop_thread = asyncio.run(scene())
    assert len(store.kept) == 49
    assert writers
    assert loop_thread not in writers


PAIR = {"remoteJid": str(phone(2)), "senderLid": str(lid(2))}
EVENT = {"event": "messages.upsert", "instance": "sales", "data": {"key": PAIR}}


def test_only_proven_pairs_are_stored(tmp_path: Path) -> None:
    path = tmp_path / "lids.db"
    with FakeEvolution().serve() as fake:
        mine = LidMap(store=SqliteLidStore(path))
        with EvolutionClient(fake.url, "key", instance="sales", lids=mine) as client:
            client.feed(EVENT)
            assert client.lids.phone_of(str(lid(2))) == phone(2).phone
            assert client.lids.lid_of(phone(2)) == lid(2)
            assert client.lids.resolve(lid(2)) == phone(2)
            assert client.lids.learn({"remoteJid": str(phone(3)), "lid": str(lid(3))}) == 1
            assert len(mine) == 0, "a stranger may have posted it"
            client.feed(EVENT, verified=True)
            assert mine.to_dict() == {lid(2).user: phone(2).user}
        mine.flush()
    assert SqliteLidStore(path).load(9) == [(lid(2).user, phone(2).user)]


async def test_a_client_closes_the_store_that_it_opened(tmp_path: Path) -> None:
    from evolution_sdk import EvolutionConfig

    path = tmp_path / "lids.db"
    with FakeEvolution().serve() as fake:
        config = EvolutionConfig(fake.url, "key", instance="sales", lid_store=str(path))
        async with AsyncEvolutionClient(config=config) as client:
            client.feed(EVENT, verified=True)
    assert SqliteLidStore(path).load(9) == [(lid(2).user, phone(2).user)]
    assert str(path) not in repr(config), "it may be a URL with a password"


def test_strangers_of_the_type_are_refused() -> None:
    odd: Any = 7
    with pytest.raises((ConfigurationError, RequestValidationError)):
        SqliteLidStore(odd)


def test_the_newest_pair_of_a_phone_wins_in_redis() -> None:
    """Two processes: the second one never heard of the former hidden id of the phone.

    An old pair in its place would be looked under, and a lost send under the new one be missed.
    """
    require_service("Redis", 6379)
    redis: Any = pytest.importorskip("redis")
    url, key = "redis://127.0.0.1:6379/0", f"evolution-sdk-test-{uuid.uuid4().hex}"
    owner = redis.Redis.from_url(url)
    try:
        for n in range(20):
            one = LidMap(store=RedisLidStore(url, key=key))
            one.add(lid(n), phone(n))
            one.close()
        # Each map learns a new hidden id of its phone, without the old one: it was made before.
        for n in range(20):
            RedisLidStore(url, key=key).put({lid(100 + n).user: phone(n).user})
        RedisLidStore(url, key=key).put({lid(1).user: phone(1).user})  # and back again
        lids = LidMap(store=RedisLidStore(owner, key=key))
        assert [lids.lid_of(str(phone(n))) for n in (0, 1, 2)] == [lid(100), lid(1), lid(102)]
        assert all(lids.lid_of(str(phone(n))) == lid(100 + n) for n in range(2, 20))
        assert len(lids) == 20
        newest = LidMap(2, store=RedisLidStore(owner, key=key))
        assert sorted(newest.to_dict()) == sorted((lid(1).user, lid(119).user))
        assert lids.forget(phone(1))
        lids.flush()
        assert lid(1).user not in dict(RedisLidStore(url, key=key).load(99))
        lids.close()
        assert owner.ping(), "a client that was given is its owner's"
    finally:
        owner.delete(key, f"{key}:count")
        owner.close()


async def test_a_redis_that_is_away_holds_up_no_loop(caplog: pytest.LogCaptureFixture) -> None:
    pytest.importorskip("redis")
    # Nobody listens on port 1 of this machine.
    lids = LidMap(store=RedisLidStore("redis://127.0.0.1:1/0"))
    lids.add(lid(1), phone(1))
    await asyncio.to_thread(lids.close)
    assert lids.phone_of(lid(1)) == phone(1).phone
    assert "hidden ids are not stored" in caplog.text
    assert phone(1).user not in caplog.text

"""Pairs of hidden ids in PostgreSQL, for several machines."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from databases import NOBODY, fresh_postgres
from evolution_sdk import EvolutionClient, Jid
from evolution_sdk.errors import ConfigurationError, RequestValidationError
from evolution_sdk.identity import LidMap, PostgresLidStore
from evolution_sdk.identity.lid_stores import lid_store_at


def lid(n: int) -> Jid:
    return Jid(str(10**14 + n), "lid")


def phone(n: int) -> Jid:
    return Jid(str(5511900000000 + n), "s.whatsapp.net")


@pytest.fixture
def url() -> Iterator[str]:
    with fresh_postgres() as place:
        yield place


def test_it_keeps_pairs_and_lets_newer_ones_win(url: str) -> None:
    lids = LidMap(store=PostgresLidStore(url))
    for n in range(3):
        assert lids.add(lid(n), phone(n))
    lids.add(lid(9), phone(1))  # replaces the pair of phone 1
    assert lids.forget(phone(2))
    lids.close()
    again = LidMap(store=lid_store_at(url))
    assert again.to_dict() == {lid(0).user: phone(0).user, lid(9).user: phone(1).user}
    again.add(lid(5), phone(0))  # a number is given to somebody else
    again.close()
    last = LidMap(store=PostgresLidStore(url))
    assert last.lid_of(phone(0)) == lid(5)
    assert last.phone_of(lid(0)) is None
    last.close()


def test_the_oldest_pairs_go(url: str) -> None:
    store = PostgresLidStore(url, max_pairs=3)
    for n in range(6):
        store.put({lid(n).user: phone(n).user})
    assert store.load(10) == [(lid(n).user, phone(n).user) for n in (3, 4, 5)]
    assert store.load(1) == [(lid(5).user, phone(5).user)]
    store.close()


def test_several_machines_tell_the_same_pairs_at_once(url: str) -> None:
    stores = [PostgresLidStore(url) for _ in range(4)]
    pairs = {lid(n).user: phone(n).user for n in range(20)}
    turned = dict(reversed(pairs.items()))
    with ThreadPoolExecutor(4) as pool:
        list(
            pool.map(lambda one: one[0].put(one[1]), zip(stores, [pairs, turned] * 2, strict=True))
        )
    assert dict(stores[0].load(100)) == pairs
    for one in stores:
        one.close()


def test_a_client_uses_the_one_of_its_settings(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EVOLUTION_LID_STORE", url)
    with EvolutionClient("http://127.0.0.1:1", "k") as client:
        assert client.config.lid_store is not None
    store = PostgresLidStore(url)
    assert store.load(1) == []
    store.close()


def test_what_cannot_be_used_is_told_without_the_password() -> None:
    with pytest.raises(ConfigurationError, match="cannot be used") as told:
        LidMap(store=PostgresLidStore(NOBODY))
    assert "s3cret" not in f"{told.value!r}{told.value.__cause__!r}"
    assert "s3cret" not in repr(PostgresLidStore(NOBODY))
    with pytest.raises(ConfigurationError, match="postgresql://"):
        PostgresLidStore("lids.db")
    with pytest.raises(RequestValidationError, match="max_pairs"):
        PostgresLidStore(NOBODY, max_pairs=0)

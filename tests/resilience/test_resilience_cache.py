"""The store of the cache: time to live, bound, and copies that nobody else can change."""

from __future__ import annotations

from typing import Any

import pytest

from evolution_sdk.config import CacheConfig
from evolution_sdk.models.chat import NumberCheck, ProfilePicture
from evolution_sdk.operations.operation import CacheKind
from evolution_sdk.resilience.cache import MISSING, AnswerCache, Key

NUMBER = NumberCheck.from_wire({"jid": "1@s.whatsapp.net", "exists": True, "number": "1"})


class Clock:
    now = 50.0

    def __call__(self) -> float:
        return self.now


def kept(**changes: Any) -> tuple[AnswerCache, Clock]:
    clock = Clock()
    return AnswerCache(CacheConfig(**changes), clock), clock


@pytest.mark.parametrize("kind", ["number", "group", "picture"])
@pytest.mark.parametrize("absent", [True, False])
def test_each_kind_has_its_own_time_and_absence_a_shorter_one(
    kind: CacheKind, absent: bool
) -> None:
    times = {"number": 4_000, "group": 3_000, "picture": 2_000}
    cache, clock = kept(
        numbers_ttl_ms=4_000, groups_ttl_ms=3_000, pictures_ttl_ms=2_000, negative_ttl_ms=2_500
    )
    key: Key = (kind, "sales", "1")
    cache.put(key, NUMBER, absent=absent)
    lives = min(times[kind], 2_500) if absent else times[kind]
    clock.now += lives / 1_000 - 0.001
    assert cache.get(key) == NUMBER
    clock.now += 0.001
    assert cache.get(key) is MISSING


def test_the_bound_is_kept() -> None:
    cache, _ = kept(max_entries=2)
    for name in "abc":
        cache.put(("number", None, name), NUMBER, absent=False)
    assert cache.get(("number", None, "a")) is MISSING
    assert cache.get(("number", None, "c")) == NUMBER


def test_instances_and_kinds_are_kept_apart() -> None:
    cache, _ = kept()
    cache.put(("number", "a", "1"), NUMBER, absent=False)
    assert cache.get(("number", "b", "1")) is MISSING
    assert cache.get(("picture", "a", "1")) is MISSING


def test_nobody_can_change_what_is_kept() -> None:
    cache, _ = kept()
    key: Key = ("picture", "a", "1")
    given = ProfilePicture.from_wire({"wuid": "1", "x": {"y": [1]}, "profilePictureUrl": None})
    cache.put(key, given, absent=False)
    given.raw["x"]["y"].append(2)
    cache.get(key).raw["x"]["y"].append(3)
    assert cache.get(key).raw["x"] == {"y": [1]}
    assert cache.get(key).drift == given.drift


def test_nothing_is_an_answer_too() -> None:
    cache, _ = kept()
    cache.put(("group", "a", "1"), None, absent=True)
    assert cache.get(("group", "a", "1")) is None


def test_answers_can_be_forgotten() -> None:
    cache, _ = kept()
    for name in "ab":
        cache.put(("number", None, name), NUMBER, absent=False)
    cache.drop(("number", None, "a"))
    cache.drop(("number", None, "never"))
    assert cache.get(("number", None, "a")) is MISSING
    cache.clear()
    assert cache.get(("number", None, "b")) is MISSING

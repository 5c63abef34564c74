from __future__ import annotations

from evolution_sdk.transport._idle import IdleConnections


class Fake:
    def __init__(self) -> None:
        self.expired = False

    def has_expired(self) -> bool:
        return self.expired

    def is_idle(self) -> bool:
        return True


def idle_with(count: int, limit: int = 10) -> tuple[IdleConnections[Fake], list[Fake]]:
    idle: IdleConnections[Fake] = IdleConnections(limit)
    made = [Fake() for _ in range(count)]
    for _ in made:
        assert idle.take("a") is None
    for connection in made:
        idle.put("a", connection)
    return idle, made


def test_the_newest_is_reused_first():
    idle, made = idle_with(3)
    assert [idle.take("a") for _ in range(4)] == [made[2], made[1], made[0], None]


def test_each_server_has_its_own():
    idle, made = idle_with(1)
    assert idle.take("b") is None
    assert idle.take("a") is made[0]


def test_expired_ones_are_dropped_on_the_way():
    idle, made = idle_with(3)
    made[2].expired = made[1].expired = True
    assert idle.take("a") is made[0]
    assert idle.stale == [made[2], made[1]]


def test_the_oldest_is_dropped_when_another_comes_back():
    idle, made = idle_with(3)
    made[0].expired = True
    newest = idle.take("a")
    assert newest is made[2]
    idle.put("a", newest)
    assert idle.stale == [made[0]]
    assert [idle.take("a") for _ in range(3)] == [made[2], made[1], None]


def test_at_the_limit_an_idle_one_of_another_server_makes_room():
    idle, made = idle_with(2, limit=2)
    assert idle.take("b") is None
    assert idle.stale == [made[0]]


def test_lost_ones_make_room():
    idle, made = idle_with(2, limit=2)
    assert idle.take("a") is made[1]
    idle.forget()
    assert idle.take("b") is None
    assert idle.stale == []


def test_clear_gives_everything_to_close():
    idle, made = idle_with(3)
    made[2].expired = True
    assert idle.take("a") is made[1]
    assert set(idle.clear()) == {made[0], made[2]}
    assert idle.clear() == []
    assert idle.take("a") is None

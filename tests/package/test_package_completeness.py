"""A route is whole, or a test says what is missing: each part was taken away once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from completeness import House, missing

KEY = "message.send_poll"
GROUP = "group.update_group_subject"


def test_every_route_is_whole() -> None:
    assert missing(House()) == []


def changed(key: str, **facts: object) -> Callable[[House], None]:
    def change(house: House) -> None:
        house.operations[key] = replace(house.operations[key], **facts)

    return change


@pytest.mark.parametrize(
    ("take_away", "told"),
    [
        (lambda house: house.methods.discard(KEY), "no method"),
        (lambda house: house.bodies.discard(KEY), "request model"),
        (lambda house: house.fake.discard(("POST", "/message/sendPoll/{instance}")), "fake"),
        (lambda house: house.rules.discard("poll"), "recognises its content"),
        (lambda house: house.forms.discard("poll"), "recorded in a store"),
        (lambda house: house.lines.discard(KEY), "operations.md"),
        (lambda house: house.recorded.discard(KEY), "no exchange"),
        (lambda house: house.table.pop(KEY), "table of routes"),
        (changed(KEY, since=""), "since"),
        (changed(KEY, until="soon"), "until"),
        (changed(KEY, recognised_as=None), "recognised_as"),
        (changed(KEY, paced_as=None), "paced_as"),
        (changed(KEY, session=False), "session"),
        (changed("message.send_media", media=None), "media"),
        (changed(GROUP, invalidates=()), "invalidates"),
    ],
)
def test_what_is_taken_away_is_missed(take_away: Callable[[House], object], told: str) -> None:
    house = House()
    take_away(house)
    (line,) = missing(house)
    assert told in line

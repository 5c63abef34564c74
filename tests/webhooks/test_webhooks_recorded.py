"""What a running server posted, through the receiver: everything is taken, once."""

from __future__ import annotations

import json

from evolution_sdk.events import MalformedEvent, parse_event
from facts import read

from .conftest import Kit


def test_every_recorded_post_is_accepted_and_handled_once(kit: Kit) -> None:
    posts = read("webhooks.json")
    receiver = kit.receiver()
    bodies = [json.dumps(post["json"]).encode() for post in posts]
    for _ in range(2):
        for post, body in zip(posts, bodies, strict=True):
            status, _, answer = receiver.handle("POST", post["path"], post["headers"], body)
            assert status == 200, (post["path"], answer)
    assert receiver.drain()
    keys = {parse_event(body, event_hint=post["path"].rpartition("/")[2]).delivery_key
            for post, body in zip(posts, bodies, strict=True)}  # fmt: skip
    assert sorted(event.delivery_key for event in kit.seen) == sorted(keys)
    assert not any(isinstance(event, MalformedEvent) for event in kit.seen)
    told = receiver.metrics()
    assert told.accepted == told.handled == len(keys)
    assert told.duplicates == 2 * len(posts) - len(keys)

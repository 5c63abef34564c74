"""Every answer: its status, that the server comes back, and that the page says the same."""

from __future__ import annotations

import gzip
import json
import logging
import zlib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from effort import examples
from evolution_sdk.events import EventRouter, MessagesUpdate, MessagesUpsert
from evolution_sdk.webhooks import ANSWERS, DROPPED_FOR_GOOD, Answer, WebhookReceiver, sign_token
from evolution_sdk.webhooks.inbox import MemoryInbox
from facts import read

from .conftest import JSON, NOW, Kit, posted

DOCS = Path(__file__).parents[2] / "docs" / "en" / "webhooks.md"


def test_no_answer_makes_the_server_drop_an_event() -> None:
    for answer, rule in ANSWERS.items():
        assert rule.status not in DROPPED_FOR_GOOD
        assert rule.server_retries is (rule.status != 200)
        assert (rule.status == 200) is (answer.value in ("accepted", "duplicate", "ignored"))
    config = read("webhook_retries.json")["config"]
    assert set(config["non_retryable"]) == DROPPED_FOR_GOOD


def test_the_page_shows_the_table_of_the_code() -> None:
    rows = [line for line in DOCS.read_text("utf-8").splitlines() if line.startswith("| `")]
    wanted = [
        f"| `{answer.value}` | {rule.status} | {'yes' if rule.server_retries else 'no'} "
        f"| {rule.why} |"
        for answer, rule in ANSWERS.items()
    ]
    assert [row for row in rows if row.count("|") == 5] == wanted


def status_of(receiver: WebhookReceiver, *request: Any) -> tuple[int, str]:
    status, headers, body = receiver.handle(*request)
    assert headers["content-length"] == str(len(body))
    return status, json.loads(body)["status"]


@pytest.mark.parametrize(
    ("body", "headers", "reason"),
    [
        (posted(), {}, "accepted"),
        (posted(), {"content-type": "text/plain"}, "accepted"),
        (gzip.compress(posted(), mtime=0), {"Content-Encoding": "GZIP"}, "accepted"),
        (zlib.compress(posted()), {"content-encoding": "deflate"}, "accepted"),
        (gzip.compress(posted(), mtime=0)[:-9], {"content-encoding": "gzip"}, "unreadable"),
        (posted(), {"content-encoding": "gzip"}, "unreadable"),
        (posted(), {"content-encoding": "br"}, "unreadable"),
        (posted(), {"content-encoding": "gzip, gzip"}, "unreadable"),
        (gzip.compress(b" " * 50_000_000, mtime=0), {"content-encoding": "gzip"}, "too_large"),
        (b" " * 1_001, {}, "too_large"),
        (b"", {"content-length": "1001"}, "too_large"),
        (b"", {"content-length": "9" * 5_000}, "too_large"),
        (b"", {}, "unreadable"),
        (b"{", {}, "unreadable"),
        (b"\xff\xfe\xfd", {}, "unreadable"),
        (b"[" * 900, {}, "unreadable"),
        (b"[]", {}, "unreadable"),
        (b"{}", {}, "unreadable"),
        (b'{"event":"no.such","instance":"x","data":{}}', {}, "accepted"),
    ],
)
def test_bodies(kit: Kit, body: bytes, headers: dict[str, str], reason: str) -> None:
    receiver = kit.receiver(max_body_bytes=1_000)
    status, told = status_of(receiver, "POST", "/", headers, body)
    assert (status, told) == (ANSWERS[Answer(reason)].status, reason)
    if reason != "accepted":
        assert receiver.metrics().rejected == {reason: 1}


def test_only_post_is_taken(kit: Kit) -> None:
    status, headers, _ = kit.receiver().handle("GET", "/", {}, b"")
    assert (status, headers["allow"]) == (405, "POST")


@pytest.mark.parametrize(
    "path",
    [
        "/messages-upsert",
        "/ok?secret=1/messages-upsert",
        "//messages-upsert",
        "/a//messages-upsert",
    ],
)
def test_both_styles_of_url(kit: Kit, path: str) -> None:
    receiver = kit.receiver()
    body = json.loads(posted())
    del body["event"]
    assert status_of(receiver, "POST", path, JSON, json.dumps(body).encode()) == (200, "accepted")
    assert receiver.drain()
    assert [event.event for event in kit.seen] == ["messages.upsert"]


def test_two_votes_are_two_events_and_a_retry_is_none(kit: Kit) -> None:
    """Case 99: on 2.2.3 the votes of a poll come as one messages.update after the other."""
    recorded = next(
        row["json"]
        for row in read("versions/2.2.3/baileys_webhooks.json")
        if row["name"] == "poll vote on received v1 group poll"
        and row["json"]["event"] == "messages.update"
    )
    first = recorded["data"]["pollUpdates"]
    more = [{**first[0], "voters": [*first[0]["voters"], "100000000000003@lid"]}, *first[1:]]
    receiver = kit.receiver()
    answers = [
        status_of(receiver, "POST", "/", JSON, json.dumps(body).encode())[1]
        for body in (
            recorded,
            recorded,
            {**recorded, "data": {**recorded["data"], "pollUpdates": more}},
        )
    ]
    assert answers == ["accepted", "duplicate", "accepted"]
    assert receiver.drain()
    assert [type(event) for event in kit.seen] == [MessagesUpdate, MessagesUpdate]


def test_what_nobody_handles_is_not_stored(kit: Kit) -> None:
    router = EventRouter()
    router.add(print, MessagesUpdate)
    receiver = kit.receiver(router=router)
    assert status_of(receiver, "POST", "/", JSON, posted()) == (200, "ignored")
    assert receiver.metrics().ignored == 1
    assert receiver.metrics().queue_depth == 0


def test_what_cannot_be_stored_is_a_503_and_shows_nothing(
    kit: Kit, caplog: pytest.LogCaptureFixture
) -> None:
    class Broken:
        blocks = False

        def open(self) -> list[Any]:
            return []

        def add(self, entry: Any, now: float) -> str:
            raise OSError("disk full of secret text 1")

        def count_dead(self) -> int:
            return 0

        def close(self) -> None: ...

    receiver = kit.receiver(inbox=Broken())
    assert status_of(receiver, "POST", "/", JSON, posted()) == (503, "unstored")
    assert "OSError" in caplog.text
    assert "text 1" not in caplog.text


def test_an_inbox_that_stays_broken_fills_no_log(
    kit: Kit, caplog: pytest.LogCaptureFixture
) -> None:
    """The server posts each event up to ten times: one line until it works again."""

    class Broken(MemoryInbox):
        broken = True

        def add(self, entry: Any, now: float) -> Any:
            if self.broken:
                raise OSError("disk full")
            return super().add(entry, now)

    inbox = Broken()
    receiver = kit.receiver(inbox=inbox)
    for _ in range(20):
        assert status_of(receiver, "POST", "/", JSON, posted()) == (503, "unstored")
    inbox.broken = False
    assert status_of(receiver, "POST", "/", JSON, posted()) == (200, "accepted")
    lines = [record.getMessage() for record in caplog.records]
    assert lines == [
        "the inbox cannot store an event: OSError",
        (
            "webhook refused: reason=unstored event=messages.upsert instance=sales, answered 503: "
            "the inbox cannot store the event now"
        ),
        "the inbox stores events again (failures: 20)",
    ]


def test_logs_and_reprs_show_no_body_and_no_key(kit: Kit, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)

    def bad(event: Any) -> None:
        raise ValueError(event.text)

    kit.router.add(bad, MessagesUpsert)
    receiver = kit.receiver(jwt_key="open sesame, open sesame", apikeys="tok")
    token = f"Bearer {sign_token('open sesame, open sesame', NOW)}"
    kit.post(receiver, posted(apikey="tok"), authorization=token)
    assert receiver.drain()
    letter = receiver.dead_letters()[0]
    shown = f"{caplog.text} {receiver!r} {receiver.metrics()!r} {kit.router!r}"
    assert "ValueError" in shown
    assert not any(word in shown for word in ("open sesame, open sesame", "text 1", token, "'tok'"))
    assert letter.error_text == "text 1"


HEADERS = st.dictionaries(
    st.sampled_from(["Authorization", "content-encoding", "content-length", "x-secret", "é"]),
    st.text(max_size=40) | st.sampled_from(["gzip", "Bearer a.b.c", "Bearer e30.e30.e30", "-1"]),
)
JSONS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=12,
)
ENVELOPES = st.fixed_dictionaries(
    {"event": st.sampled_from(["messages.upsert", "messages.update", "call", "\ud800"]) | JSONS},
    optional={"instance": JSONS, "data": JSONS, "apikey": JSONS, "server_url": JSONS},
)
BODIES = st.binary() | ENVELOPES.map(lambda e: json.dumps(e).encode()) | st.just(b'[{"a":' * 9_000)


@settings(max_examples=examples(300))
@given(st.text(max_size=9), st.text(), HEADERS, BODIES, st.booleans())
def test_nothing_gets_out_of_handle(
    method: str, path: str, headers: dict[str, str], body: bytes, strict: bool
) -> None:
    kit = Kit()
    strictness: dict[str, Any] = {"jwt_key": "k" * 16, "secret_headers": {"X-Secret": "é"}}
    receiver = kit.receiver(**(strictness if strict else {}), concurrency=1)
    try:
        for verb in (method, "POST"):
            status, _, _ = receiver.handle(verb, path, headers, body)
            assert status in {rule.status for rule in ANSWERS.values()}
            assert status != 500
    finally:
        receiver.close()

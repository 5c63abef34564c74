"""The pure parts of finding out whether a send happened."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evolution_sdk.identity import Jid, LidMap
from evolution_sdk.identity.chat_forms import chat_forms
from evolution_sdk.reconcile.claimed_ids import ClaimedIds
from evolution_sdk.reconcile.fingerprint import fingerprint
from evolution_sdk.reconcile.observed_sends import ObservedSend, ObservedSends, event_of
from evolution_sdk.reconcile.search import looks_ms
from evolution_sdk.testing.fake.numbers import create_jid, variants

PHONE, LID = "5511987654321@s.whatsapp.net", "99887766554433@lid"
MARK = fingerprint("text", {"number": "5511987654321", "text": "oi"})


def told(message_id: str = "3EB0", text: str = "oi", **key: Any) -> dict[str, Any]:
    return {
        "key": {"id": message_id, "fromMe": True, "remoteJid": PHONE, **key},
        "message": {"conversation": text},
        "messageType": "conversation",
        "messageTimestamp": 1_000,
    }


# Where the chat may be stored

LINES = st.one_of(
    st.builds("55{:02}9{:08}".format, st.integers(11, 99), st.integers(10_000_000, 99_999_999)),
    st.builds("55{:02}{:08}".format, st.integers(11, 99), st.integers(10_000_000, 99_999_999)),
    st.builds("521{:010}".format, st.integers(2_000_000_000, 9_999_999_999)),
    st.builds("52{:010}".format, st.integers(2_000_000_000, 9_999_999_999)),
    st.builds("549{:010}".format, st.integers(1_000_000_000, 9_999_999_999)),
    st.builds("54{:010}".format, st.integers(1_000_000_000, 9_999_999_999)),
    st.integers(10**9, 10**15 - 1).map(str),
)
WRITTEN = st.sampled_from(
    [
        lambda n: n,
        lambda n: f"+{n}",
        lambda n: f"+{n[:2]} ({n[2:4]}) {n[4:-4]}-{n[-4:]}",
        lambda n: f"{n}@s.whatsapp.net",
        lambda n: f"{n}:12@s.whatsapp.net",
        lambda n: f"{n}@c.us",
    ]
)


@given(LINES, WRITTEN)
def test_whatever_the_server_makes_of_a_number_is_looked_for(line: str, written: Any) -> None:
    """Its own rewriting, and both spellings among which its look-up at WhatsApp chooses."""
    number = written(line)
    looked_for = chat_forms(number)
    jid = create_jid(number)
    assert jid in looked_for
    assert number in looked_for  # so EVOLUTION stores it
    server_variants = variants(jid.partition("@")[0])
    if server_variants and len(jid.partition("@")[0]) in (12, 13):
        assert {f"{spelling}@s.whatsapp.net" for spelling in server_variants} <= set(looked_for)


@pytest.mark.parametrize(
    ("number", "chat"),
    [
        ("120363000000000001@g.us", "120363000000000001@g.us"),
        ("120363000000000001", "120363000000000001@g.us"),
        ("5511987654321-1612345678", "5511987654321-1612345678@g.us"),
        (LID, LID),
        ("status@broadcast", "status@broadcast"),
    ],
)
def test_groups_and_hidden_ids_are_looked_for_as_they_are(number: str, chat: str) -> None:
    assert chat_forms(number)[0] == chat
    assert not any("s.whatsapp.net" in form for form in chat_forms(number))


# Hidden ids


def test_a_hidden_id_is_learned_from_all_that_passes_by() -> None:
    for seen in (
        told(remoteJid=LID, remoteJidAlt=PHONE),
        told(remoteJid=PHONE, remoteJidAlt=LID),
        [{"jid": PHONE, "exists": True, "number": "5511987654321", "lid": LID}],
        [{"jid": LID, "exists": True, "number": "5511987654321", "lid": "lid"}],
        [{"remoteJid": LID, "lastMessage": told(remoteJid=LID, remoteJidAlt=PHONE)}],
        {"messages": {"records": [told(participant=LID, participantAlt=PHONE)]}},
    ):
        book = LidMap()
        book.learn(seen)
        assert PHONE in book.forms([LID]), seen
        assert LID in MARK.resolved(book).chats
        assert MARK.resolved(book).matches(told(remoteJid=LID))
        hidden = fingerprint("text", {"number": LID, "text": "oi"})
        assert hidden.resolved(book).matches(told())


@pytest.mark.parametrize(
    "seen", [None, 7, "x", [], [[]], {}, {"key": 1}, {"jid": PHONE, "lid": "lid"}, {"jid": LID},
             {"key": {"remoteJid": LID, "remoteJidAlt": LID}}, {"exists": 1, "number": 5}],
)  # fmt: skip
def test_odd_answers_teach_nothing(seen: object) -> None:
    book = LidMap()
    book.learn(seen)
    assert len(book) == 0


def pair(book: LidMap, hidden: str, phone: str) -> None:
    book.add(Jid.parse(hidden), Jid.parse(phone))


def test_the_book_is_bounded_and_a_new_pair_replaces_the_old() -> None:
    book = LidMap(2)
    for number in range(4):
        pair(book, f"{number}9999@lid", f"551198765432{number}@s.whatsapp.net")
    assert len(book) == 2
    assert book.phone_of("09999@lid") is None
    assert book.forms(["5511987654320@s.whatsapp.net"]) == ()
    pair(book, "39999@lid", PHONE)
    assert PHONE in book.forms(["39999@lid"])
    assert book.forms(["5511987654323@s.whatsapp.net"]) == ()


def test_a_record_under_a_hidden_id_of_nobody_is_neither_ours_nor_not() -> None:
    assert MARK.hidden(told(remoteJid=LID)) == LID
    assert not MARK.matches(told(remoteJid=LID))
    for other in (
        told(),
        told(remoteJid=LID, text="other"),
        told(remoteJid=LID, fromMe=False),
        told(remoteJid=LID, remoteJidAlt="5521912345678@s.whatsapp.net"),
        {},
    ):
        assert MARK.hidden(other) is None


# When to look


@given(st.floats(0, 1e7), st.floats(0, 1e7))
def test_looks_add_up_to_hold_and_patience_and_stretch(patience: float, hold: float) -> None:
    looks = looks_ms(patience, hold)
    assert looks[0] == hold
    assert sum(looks[1:]) == pytest.approx(patience)
    assert list(looks[1:]) == sorted(looks[1:])
    assert len(looks) < 20


def test_no_patience_is_one_look() -> None:
    assert looks_ms(0) == (0,)
    assert looks_ms(3_000) == (0, 200, 400, 800, 1_600)


# ClaimedIds


def test_a_message_is_claimed_once_also_by_threads_at_once() -> None:
    claims, won = ClaimedIds(), []

    def take() -> None:
        won.extend(n for n in range(500) if claims.take(str(n)))

    threads = [threading.Thread(target=take) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(won) == list(range(500))


def test_claims_are_bounded() -> None:
    claims = ClaimedIds(most=2)
    assert all(claims.take(name) for name in "abc")
    assert "a" not in claims
    assert {"b", "c"} <= {name for name in "abc" if name in claims}


# Events


def envelope(**changes: Any) -> dict[str, Any]:
    return {"event": "send.message", "instance": "sales", "data": told(), **changes}


@pytest.mark.parametrize("name", ["send.message", "SEND_MESSAGE", "send-message"])
def test_an_event_is_read_under_every_spelling_of_its_name(name: str) -> None:
    seen = event_of(envelope(event=name), 5.0)
    assert seen == ObservedSend("sales", told(), 5.0)


@pytest.mark.parametrize(
    "odd",
    [None, 1, "x", [], {}, envelope(event="messages.upsert"), envelope(event=3),
     envelope(data=None),
     envelope(data=[]), envelope(data="x"), envelope(instance=None), envelope(data={"key": 1}),
     envelope(data={"key": {"id": ""}}), envelope(data={"key": {"id": 7}})],
)  # fmt: skip
def test_odd_events_are_no_evidence(odd: object) -> None:
    assert event_of(odd, 5.0) is None


def test_a_file_inside_an_event_is_not_kept() -> None:
    data = {**told(), "message": {"imageMessage": {"caption": "c"}, "base64": "A" * 1_000}}
    seen = event_of(envelope(data=data), 5.0)
    assert seen is not None
    assert seen.record["message"] == {"imageMessage": {"caption": "c"}}
    assert "base64" in data["message"]


def test_witnesses_tell_of_their_instance_and_time_and_are_forgotten() -> None:
    witnesses = ObservedSends(most=3, life_s=60)
    witnesses.add(ObservedSend("sales", told("a"), 1_000))
    assert [r["key"]["id"] for r in witnesses.matching("sales", MARK, 995)] == ["a"]
    assert witnesses.matching("other", MARK, 995) == ()
    assert witnesses.matching("sales", MARK, 1_001) == ()  # sent before ours was begun
    witnesses.add(ObservedSend("sales", told("b", text="other"), 1_030))
    witnesses.add(ObservedSend("sales", told("c"), 1_070))
    assert [r["key"]["id"] for r in witnesses.matching("sales", MARK, 0)] == ["c"]
    for _ in range(5):
        witnesses.add(ObservedSend("sales", told("d"), 1_071))
    assert len(witnesses) == 3


def test_a_channel_is_kept_as_it_is() -> None:
    """Only 2.4 sends to one, and takes it as it is (`facts/versions/versions.md`)."""
    assert chat_forms("120363400000000001@newsletter") == ("120363400000000001@newsletter",)

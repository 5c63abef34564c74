"""The learned map of hidden ids: only what was told, bounded, the same after saving."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import event_corpus as corpus
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evolution_sdk import Jid, PhoneNumber
from evolution_sdk.errors import ConfigurationError, RequestValidationError
from evolution_sdk.events import MessagesUpsert, parse_event
from evolution_sdk.identity import LidMap
from evolution_sdk.models import MessageKey

ADA, LID = Jid.parse("5511987654321@s.whatsapp.net"), Jid.parse("999888777666555@lid")


def lid(n: int) -> Jid:
    return Jid(str(10**14 + n), "lid")


def phone(n: int) -> Jid:
    return Jid(str(5511900000000 + n), "s.whatsapp.net")


def learned(event: str, data: Any) -> LidMap:
    lids = LidMap()
    lids.learn(parse_event({"event": event, "instance": "a", "data": data}))
    return lids


def test_the_recorded_events_teach_one_pair() -> None:
    lids = LidMap()
    news = [lids.learn(parse_event(row.body)) for row in corpus.EVERYTHING]
    assert sum(news) == 1
    assert lids.to_dict() == {LID.user: ADA.user}
    assert lids.phone_of(LID) == lids.phone_of(str(LID)) == ADA.phone
    assert lids.lid_of(ADA) == lids.lid_of("+5511987654321") == LID
    assert lids.resolve(LID) == ADA


@pytest.mark.parametrize(
    ("event", "data"),
    [
        ("messages.upsert", {"key": {"remoteJid": str(LID), "remoteJidAlt": str(ADA)}}),
        ("messages.upsert", {"key": {"remoteJid": str(ADA), "previousRemoteJid": str(LID)}}),
        ("messages.upsert", {"key": {"remoteJid": str(LID), "senderPn": str(ADA)}}),
        ("messages.set", [{"key": {"participant": str(LID), "participantAlt": str(ADA)}}]),
        ("groups.upsert", [{"participants": [{"id": str(LID), "phoneNumber": str(ADA)}]}]),
        ("groups.update", [{"author": str(LID), "authorPn": str(ADA)}]),
        (
            "group-participants.update",
            {"participantsData": [{"jid": str(LID), "phoneNumber": str(ADA)}]},
        ),
    ],
)
def test_where_pairs_are_told(event: str, data: Any) -> None:
    assert learned(event, data).phone_of(LID) == ADA.phone


def test_the_digits_of_a_lid_are_never_a_number() -> None:
    lids = LidMap()
    assert lids.phone_of(LID) is None
    assert lids.resolve(LID) == LID
    assert lids.phone_of(ADA) == ADA.phone
    assert lids.lid_of(LID) == LID
    own = {"key": {"remoteJid": str(LID), "fromMe": True, "senderPn": str(ADA)}}
    assert len(learned("messages.upsert", own)) == 0, "that is the account's own number"


@pytest.mark.parametrize(
    ("hidden", "known"),
    [
        (ADA, LID),
        (ADA, phone(1)),
        (LID, lid(1)),
        (LID, Jid.parse("120363000000000001@g.us")),
        (Jid.parse("120363000000000001@g.us"), ADA),
    ],
)
def test_only_a_hidden_id_and_a_phone_make_a_pair(hidden: Jid, known: Jid) -> None:
    lids = LidMap()
    assert not lids.add(hidden, known)
    assert lids.to_dict() == {}


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), max_size=40), st.integers(1, 6))
def test_laws(pairs: list[tuple[int, int]], most: int) -> None:
    lids = LidMap(most)
    for one, other in pairs:
        lids.add(lid(one), phone(other))
        assert lids.phone_of(lid(one)) == phone(other).phone
        assert len(lids) <= most
        for hidden, digits in lids.to_dict().items():
            assert lids.lid_of(PhoneNumber(digits)) == Jid(hidden, "lid")
    again = LidMap.from_dict(lids.to_dict(), max_entries=most)
    assert again.to_dict() == lids.to_dict()


def test_what_is_used_stays() -> None:
    lids = LidMap(2)
    lids.add(lid(1), phone(1))
    lids.add(lid(2), phone(2))
    lids.phone_of(lid(1))
    lids.add(lid(3), phone(3))
    assert [lids.phone_of(lid(n)) is not None for n in (1, 2, 3)] == [True, False, True]


def test_saving(tmp_path: Path) -> None:
    place = tmp_path / "lids.json"
    assert len(LidMap.load(place)) == 0
    lids = LidMap()
    lids.add(LID, ADA)
    lids.save(place)
    assert LidMap.load(place).to_dict() == lids.to_dict()
    assert place.stat().st_mode & 0o077 == 0
    assert list(tmp_path.iterdir()) == [place]
    for wrong in ("{", "[]"):
        place.write_text(wrong)
        with pytest.raises(ConfigurationError, match="LidMap"):
            LidMap.load(place)
    with pytest.raises(RequestValidationError):
        LidMap(0)
    assert ADA.user not in repr(lids)


def test_what_contains_itself_is_read_once() -> None:
    ring: list[Any] = [{"remoteJid": str(LID), "remoteJidAlt": str(ADA)}]
    ring.append(ring)
    lids = LidMap()
    assert lids.learn(ring) == 1
    assert lids.phone_of(LID) == ADA.phone


def test_a_model_in_place_of_jids_has_no_other_form() -> None:
    model: Any = MessageKey(id="3EB0AA")  # iterable, and so no wrong type
    assert LidMap().forms(model) == ()


@pytest.mark.parametrize("key", [
    {"remoteJid": "100000000000002@lid", "remoteJidAlt": "100000000000002@s.whatsapp.net"},
    {"remoteJid": "100000000000002@lid", "senderPn": "100000000000002"},
    {"remoteJid": "120363000000000009@g.us", "participant": "100000000000002@lid",
     "participantAlt": "100000000000002@s.whatsapp.net"},
    {"remoteJid": "120363000000000009@g.us", "participant": "131100000000721"},
    {"remoteJid": "100000000000002"},
])  # fmt: skip
def test_digits_of_a_hidden_id_are_no_phone_of_the_writer(key: dict[str, Any]) -> None:
    """Where no phone is known the digits are repeated, and 2.4 cuts off servers after a device.

    `facts/versions/baileys.md`: "receipt from a device jid"; ``prepareMessage`` of 2.4.0-rc2.
    """
    record = {"key": {"id": "A", "fromMe": False, **key}, "message": {"conversation": "oi"}}
    event = parse_event({"event": "messages.upsert", "instance": "loja", "data": record})
    assert isinstance(event, MessagesUpsert)
    for jid in (event.sender, event.sender_alt, event.chat, event.chat_alt):
        assert jid is None or jid.phone is None
    assert event.sender is not None
    assert event.sender.is_lid


def test_bare_digits_stay_a_phone_where_they_are_one() -> None:
    """The EVOLUTION channel reports the number alone; 2.4 cuts a phone's device off as well."""
    for number, mode in (("5511900000002", None), ("100000000000002", "pn")):
        key = {"id": "A", "remoteJid": number, "fromMe": False, "addressingMode": mode}
        event = parse_event({"event": "messages.upsert", "instance": "loja", "data": {"key": key}})
        assert isinstance(event, MessagesUpsert)
        assert event.chat is not None
        assert event.chat.is_phone

"""Notices in a chat; the parameters are those that Baileys writes (``Socket/messages-recv.ts``)."""

from __future__ import annotations

from typing import Any

import pytest
from version_deliveries import VERSIONS, rows

from evolution_sdk.events import MessagesUpsert, NoticeKind, notice_of, parse_event
from evolution_sdk.events.notices import STUB_TYPES
from evolution_sdk.identity import Jid, PhoneNumber
from evolution_sdk.models import Member

BIA_LID, BIA = Jid("100000000000003", "lid"), PhoneNumber("5511900000003")


def record(stub: Any, *parameters: Any) -> dict[str, Any]:
    return {"key": {}, "messageStubType": stub, "messageStubParameters": list(parameters)}


@pytest.mark.parametrize("version", VERSIONS)
def test_what_the_sockets_were_given(version: str) -> None:
    """The stubs of the recordings, none of which a server passed on."""
    found = {}
    for row in rows(version):
        stub = (row["injected"] or {}).get("stub") if isinstance(row["injected"], dict) else None
        assert notice_of(row["json"]["data"]) is None
        if stub:
            found[row["name"].partition(" (")[0]] = notice_of(record(stub[0], *stub[1]))
    missed, lost = found["call log missed stub"], found["undecryptable stub"]
    assert missed is not None
    assert (missed.kind, missed.type) == (NoticeKind.CALL_MISSED, "CALL_MISSED_VOICE")
    assert lost is not None
    assert (lost.kind, lost.text) == (NoticeKind.UNDECRYPTABLE, "No session record")
    if version != "2.2.3":
        for action in ("add", "promote", "demote"):
            notice = found[f"group participants {action}"]
            assert notice is not None
            assert notice.kind.value.startswith(f"members_{action}")
            assert notice.members == (Member(BIA_LID, BIA_LID, BIA, is_admin=False),)
            assert notice.text is None


@pytest.mark.parametrize(
    ("stub", "parameters", "kind", "text", "people"),
    [
        (21, ["Equipe"], "group_subject", "Equipe", 0),
        ("GROUP_CHANGE_ANNOUNCE", ["on"], "group_announce", "on", 0),
        ("27", ["1000@lid", "55119@s.whatsapp.net"], "members_added", None, 2),
        (28, ['{"id": "1000@lid"}', "{", '{"id": 1}', 7], "members_removed", "{", 1),
        (172, ['{"lid": "1@lid", "pn": "5511900000003@s.whatsapp.net"}', "created", "invite_link"],
         "group_join_request", "created", 1),
        (46, [], "call_missed", None, 0),
        ({"low": 43, "high": 0}, None, "group_deleted", None, 0),
        (199, [], "unknown", None, 0),
        ("REMINDER_SENT_MESSAGE", [], "reminder_sent_message", None, 0),
        ("BIZ_NAME_CHANGE", [], "business", None, 0),
    ],
)  # fmt: skip
def test_kinds(stub: Any, parameters: Any, kind: str, text: Any, people: int) -> None:
    notice = notice_of({"messageStubType": stub, "messageStubParameters": parameters})
    assert notice is not None
    assert (notice.kind, notice.text, len(notice.members)) == (kind, text, people)
    assert not any(word in repr(notice) for word in ("Equipe", "1000", "5511"))


def test_calls_tell_their_sort() -> None:
    sorts = {}
    for number in (40, 41, 45, 46):
        notice = notice_of(record(number))
        assert notice is not None
        sorts[number] = (notice.is_video_call, notice.is_group_call)
    assert sorts == {40: (False, False), 41: (True, False), 45: (False, True), 46: (True, True)}


@pytest.mark.parametrize(
    "odd", [None, 0, -1, True, 1.5, 2**40, "", "UNKNOWN", "X" * 101, [], {}, {"a": 1}]
)
def test_what_is_no_notice(odd: Any) -> None:
    assert notice_of(record(odd)) is None
    assert notice_of(odd) is None


def test_a_deep_parameter_is_text() -> None:
    deep = '{"a":' * 100_000
    notice = notice_of(record(27, deep))
    assert notice is not None
    assert (notice.members, notice.text) == ((), deep)


def test_each_number_and_each_word_once() -> None:
    assert len({row.number for row in STUB_TYPES}) == len({row.word for row in STUB_TYPES}) > 50


def test_a_message_shows_its_notice() -> None:
    data = {**record(21, "Equipe"), "key": {"id": "A", "remoteJid": "1@g.us"}}
    event = parse_event({"event": "messages.upsert", "instance": "a", "data": data})
    assert isinstance(event, MessagesUpsert)
    notice = event.message.notice
    assert notice is not None
    assert (notice.kind, notice.text) == (NoticeKind.GROUP_SUBJECT, "Equipe")
    del data["messageStubType"]
    plain = parse_event({"event": "messages.upsert", "instance": "a", "data": data})
    assert isinstance(plain, MessagesUpsert)
    assert plain.message.notice is None

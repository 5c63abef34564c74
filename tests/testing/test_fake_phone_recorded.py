"""What the fake's phones do beside what was recorded of the same acts on each version."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from evolution_sdk.testing import FakeClock, FakeEvolution

FACTS = Path(__file__).parents[2] / "facts" / "versions"
VERSIONS = ("2.2.3", "2.3.7", "2.4-pre")
OWN, ADA, BIA = "5511900000001", "5511900000002", "5511900000003"
OWN_LID, ADA_LID, BIA_LID = (f"10000000000000{n}@lid" for n in (1, 2, 3))
GROUP = "120363000000000001@g.us"
PICTURE = "https://pps.whatsapp.net/v/t61.24694-24/sim.jpg?ccb=11-4&oh=01&oe=00"
# Times, ids of rows, the device behind an id: what no two runs have alike.
OF_THE_RUN = {
    "instanceId", "messageId", "messageTimestamp", "timestampMs", "senderTimestampMs", "source",
    "date",
}  # fmt: skip
IMAGE = {"mimetype": "image/jpeg", "caption": "Foto"}


@cache
def webhooks(version: str) -> list[Any]:
    found = json.loads((FACTS / version / "baileys_webhooks.json").read_text("utf-8"))
    return [each["json"] | {"name": each["name"]} for each in found]


def recorded(version: str, name: str, event: str) -> list[Any]:
    return [r for r in webhooks(version) if r["name"] == name and r["event"] == event]


def alike(value: Any) -> Any:
    """The value without what belongs to one run, and without what only real phones add."""
    if isinstance(value, dict):
        if value and all(key.isdigit() for key in value):
            return f"{len(value)} bytes"
        if "extendedTextMessage" in value:
            # Quoted inside a message it keeps the name that the server takes from it beside.
            return {"conversation": value["extendedTextMessage"]["text"]}
        return {
            key: type(item).__name__ if key in OF_THE_RUN else alike(item)
            for key, item in value.items()
            if key != "messageContextInfo"
        }
    return [alike(item) for item in value] if isinstance(value, list) else value


def stage(version: str) -> FakeEvolution:
    fake = FakeEvolution(version=version, clock=FakeClock())
    fake.create_instance("sales", state="close")
    fake.scan_qr("sales", owner=OWN, profile_name="Loja")
    for phone, lid in ((OWN, OWN_LID), (ADA, ADA_LID), (BIA, BIA_LID)):
        fake.set_lid(phone, lid)
        fake.set_profile(phone, picture=PICTURE)
    return fake


def told(fake: FakeEvolution, event: str) -> list[Any]:
    """What the last act has told."""
    return [each for each in fake.events if each["event"] == event]


def text(fake: FakeEvolution, words: str = "Olá, tudo bem?", **more: Any) -> str:
    key_id = more.pop("key_id", "3ASIM00000000000001")
    who = {"from_": ADA, "push_name": "Ada", **more}
    return fake.receive_text("sales", text=words, key_id=key_id, **who)


def in_group(member: str = BIA_LID, name: str = "Bia") -> dict[str, Any]:
    return {"from_": GROUP, "participant": member, "push_name": name}


def own_poll(fake: FakeEvolution, names: str, most: int, key_id: str) -> None:
    """A poll of the own account, under the id that it had in the recording."""
    node = {
        "name": "Q", "selectableOptionsCount": most, "options": [{"optionName": n} for n in names],
    }  # fmt: skip
    kind = "pollCreationMessageV3" if most == 1 else "pollCreationMessage"
    fake.receive("sales", from_=ADA, message={kind: node}, kind=kind, key_id=key_id, from_me=True)


Play = Callable[[FakeEvolution, Any], None]


def _vote(names: list[str], options: str, most: int, poll_of: Callable[[Any], str]) -> Play:
    def play(fake: FakeEvolution, real: Any) -> None:
        own_poll(fake, options, most, poll_of(real))
        fake.vote(
            "sales", poll=poll_of(real), options=names, push_name="Ada",
            key_id=real["data"]["key"]["id"],
        )  # fmt: skip

    return play


def _poll_of(real: Any) -> str:
    return str(real["data"]["message"]["pollUpdateMessage"]["pollCreationMessageKey"]["id"])


def group_poll(fake: FakeEvolution) -> str:
    options = [{"optionName": "Sim"}, {"optionName": "Não"}]
    poll = {"name": "Vamos?", "options": options, "selectableOptionsCount": 1}
    return fake.receive(
        "sales", message={"pollCreationMessage": poll}, kind="pollCreationMessage",
        key_id="3ASIM00000000000032", **in_group(),
    )  # fmt: skip


def _vote_in_group(fake: FakeEvolution, real: Any) -> None:
    poll = group_poll(fake)
    key_id = real["data"].get("key", {}).get("id")
    fake.vote("sales", poll=poll, options=["Sim"], from_=ADA_LID, push_name="Ada", key_id=key_id)


def _vote_unknown(fake: FakeEvolution, real: Any) -> None:
    fake.vote(
        "sales", poll="3ANOPOLL", options=["Não"], from_=ADA, push_name="Ada",
        key_id=real["data"]["key"]["id"],
    )  # fmt: skip


def _choose(offer: dict[str, Any], **chosen: Any) -> Play:
    """Choose in a message that says what the recorded answers quote; only it offers nothing."""

    def play(fake: FakeEvolution, real: Any) -> None:
        text(fake)
        row = fake.instances["sales"].message("3ASIM00000000000001")
        assert row is not None
        row.message = {**row.message, **offer}
        fake.choose(
            "sales", message_id=row.key["id"], push_name="Ada", key_id=real["data"]["key"]["id"],
            **chosen,
        )  # fmt: skip

    return play


LIST = {"sections": [{"rows": [{"rowId": "row-1", "title": "Pizza", "description": "Grande"}]}]}
BUTTONS = {"buttons": [{"buttonId": "btn-1", "buttonText": {"displayText": "Quero"}}]}
TEMPLATE = {
    "hydratedTemplate": {
        "hydratedButtons": [
            {"index": 0, "quickReplyButton": {"id": "tb-1", "displayText": "Confirmar"}}
        ]
    }
}
FLOW = {
    "nativeFlowMessage": {
        "buttons": [
            {"name": "cta_url", "buttonParamsJson": '{"display_text":"Site"}'},
            {"name": "quick_reply", "buttonParamsJson": '{"display_text":"Quero","id":"nf-1"}'},
        ]
    }
}


def _edited(fake: FakeEvolution, real: Any) -> None:
    data = real["data"]
    text(fake, "erado", key_id=data["keyId"] if "keyId" in data else data["key"]["id"])
    fake.edit("sales", data["keyId"] if "keyId" in data else data["key"]["id"], "editado")


def _corrected(fake: FakeEvolution, real: Any) -> None:
    text(fake, "erado", key_id="3ASIM00000000000046")
    fake.edit("sales", "3ASIM00000000000046", "errado, corrigido")


def _edited_in_group(fake: FakeEvolution, real: Any) -> None:
    text(fake, key_id="3ASIM00000000000504", **in_group())
    fake.edit("sales", "3ASIM00000000000504", "editado no grupo")


def _revoked_in_group(fake: FakeEvolution, real: Any) -> None:
    text(fake, key_id="3ASIM00000000000504", **in_group())
    fake.revoke("sales", "3ASIM00000000000504")


def _revoked_by_admin(fake: FakeEvolution, real: Any) -> None:
    key_id = real["data"].get("id") or real["data"]["key"]["id"]
    text(fake, key_id=key_id, **in_group())
    fake.revoke("sales", key_id, from_=ADA_LID)


def _own(fake: FakeEvolution) -> str:
    return fake.receive_text(
        "sales", from_=ADA, text="meu texto", key_id="3ASIM00000000000507", from_me=True
    )


def _own_edited(fake: FakeEvolution, real: Any) -> None:
    fake.edit("sales", _own(fake), "meu texto editado")


def _own_revoked(fake: FakeEvolution, real: Any) -> None:
    fake.revoke("sales", _own(fake))


def _unreacted(fake: FakeEvolution, real: Any) -> None:
    text(fake)
    fake.react(
        "sales", message_id="3ASIM00000000000001", emoji="", push_name="Ada",
        key_id=real["data"]["key"]["id"],
    )  # fmt: skip


def _own_text(fake: FakeEvolution, real: Any) -> None:
    fake.receive_text(
        "sales", from_=ADA, text="do celular", key_id=real["data"]["key"]["id"], from_me=True
    )


def _own_in_group(fake: FakeEvolution, real: Any) -> None:
    fake.receive_text(
        "sales", from_=GROUP, text="eu no grupo", key_id=real["data"]["key"]["id"], from_me=True
    )


def _own_in_lid_chat(fake: FakeEvolution, real: Any) -> None:
    fake.receive_text(
        "sales", from_=ADA_LID, text="meu texto lid", key_id=real["data"]["key"]["id"],
        from_me=True,
    )  # fmt: skip


def _reply_in_group(fake: FakeEvolution, real: Any) -> None:
    text(fake, "oi grupo", key_id="3ASIM00000000000009", **in_group())
    text(
        fake, "concordo", key_id=real["data"]["key"]["id"], quote="3ASIM00000000000009",
        **in_group(ADA_LID, "Ada"),
    )  # fmt: skip


def _mention(fake: FakeEvolution, real: Any) -> None:
    text(fake, "@5511900000003 oi", key_id=real["data"]["key"]["id"], mentions=[BIA])


def _on_a_story(fake: FakeEvolution, real: Any) -> None:
    fake.receive_text(
        "sales", from_="status@broadcast", text="meu status", key_id="3ASTATUS1", from_me=True
    )
    text(fake, "legal", key_id=real["data"]["key"]["id"], quote="3ASTATUS1")


def _image(fake: FakeEvolution, real: Any) -> None:
    text(fake)
    node = {k: v for k, v in real["data"]["message"]["imageMessage"].items() if k != "contextInfo"}
    fake.receive(
        "sales", from_=ADA, message={"imageMessage": node}, kind="imageMessage",
        push_name="Ada", key_id=real["data"]["key"]["id"], quote="3ASIM00000000000001",
    )  # fmt: skip


def _album_image(fake: FakeEvolution, real: Any) -> None:
    message = real["data"]["message"]
    fake.receive(
        "sales", from_=ADA, message=message, kind="imageMessage", push_name="Ada",
        key_id=real["data"]["key"]["id"],
    )  # fmt: skip


def _typing(fake: FakeEvolution, real: Any) -> None:
    fake.presence("sales", from_=ADA)


def _there(fake: FakeEvolution, real: Any) -> None:
    fake.presence("sales", from_=ADA_LID, state="available")


def _call(status: Any) -> Play:
    def play(fake: FakeEvolution, real: Any) -> None:
        assert fake.call("sales", from_=ADA, status=status, call_id="CALLSIM1") == "CALLSIM1"

    return play


def _history(fake: FakeEvolution, real: Any) -> None:
    phone, lid = "5511900000130", "100000000000013@lid"
    fake.set_lid("5511900000131", lid)
    for each in (phone, lid):
        fake.set_profile(each, picture=PICTURE)
    mention = {"mentionedJid": [f"{ADA}@s.whatsapp.net"]}
    one = {
        "key": {"remoteJid": f"{phone}@s.whatsapp.net", "fromMe": False, "id": "HISTSIM3"},
        "message": {"conversation": "antiga"}, "messageTimestamp": 1764136800,
    }  # fmt: skip
    two = {
        "key": {"remoteJid": lid, "fromMe": True, "id": "HISTSIML3"},
        "message": {"extendedTextMessage": {"text": "antiga lid", "contextInfo": mention}},
        "messageTimestamp": 1764136799, "status": "READ",
    }  # fmt: skip
    fake.sync_history("sales", [one, two], contacts={phone: "Hist", lid: "HistLid"})


def _read(fake: FakeEvolution, real: Any) -> None:
    fake.deliver(text(fake), "READ")


def _delivered(fake: FakeEvolution, real: Any) -> None:
    text(fake)
    sent = fake.http_client(headers={"apikey": fake.api_key}).post(
        "/message/sendText/sales", json={"number": ADA, "text": "x"}
    )
    row = fake.instances["sales"].message(sent.json()["key"]["id"])
    assert row is not None
    if isinstance(real["data"], dict):
        row.key["id"] = real["data"]["keyId"]
        fake.instances["sales"].remove_message(row)
        fake.instances["sales"].add_message(row)
    fake.deliver(row.key["id"], "DELIVERY_ACK")


EDIT = "edit, key as the phone of the contact writes it (remoteJid = us, fromMe true)"
GROUP_EDIT = "group edit by its author (fromMe true, no participant in key)"
GROUP_REVOKE = "group revoke by its author (fromMe true)"
ACTS: list[tuple[str, str, Play]] = [
    ("poll vote two options", "messages.upsert", _vote(["C", "A"], "ABC", 2, _poll_of)),
    (
        "poll vote single choice, key as the phone writes it",
        "messages.upsert",
        _vote(["Y"], "XY", 1, _poll_of),
    ),
    ("poll vote on received v1 group poll", "messages.upsert", _vote_in_group),
    ("poll vote on received v1 group poll", "messages.update", _vote_in_group),
    ("poll vote on an unknown poll", "messages.upsert", _vote_unknown),
    ("list reply", "messages.upsert", _choose({"listMessage": LIST}, id="row-1")),
    ("button reply", "messages.upsert", _choose({"buttonsMessage": BUTTONS}, title="Quero")),
    ("template button reply", "messages.upsert", _choose({"templateMessage": TEMPLATE}, id="tb-1")),
    (
        "interactive native-flow reply",
        "messages.upsert",
        _choose({"viewOnceMessage": {"message": {"interactiveMessage": FLOW}}}, id="nf-1"),
    ),
    ("edit (protocolMessage MESSAGE_EDIT)", "messages.update", _corrected),
    ("edit (protocolMessage MESSAGE_EDIT)", "chats.upsert", _corrected),
    (EDIT, "messages.edited", _edited),
    (EDIT, "messages.update", _edited),
    (GROUP_EDIT, "messages.edited", _edited_in_group),
    (GROUP_EDIT, "messages.update", _edited_in_group),
    ("own edit sent from the phone", "messages.edited", _own_edited),
    ("own edit sent from the phone", "messages.update", _own_edited),
    ("own revoke sent from the phone", "messages.edited", _own_revoked),
    ("own revoke sent from the phone", "messages.delete", _own_revoked),
    (GROUP_REVOKE, "messages.edited", _revoked_in_group),
    (GROUP_REVOKE, "messages.delete", _revoked_in_group),
    ("revoke in group by an admin", "messages.edited", _revoked_by_admin),
    ("revoke in group by an admin", "messages.delete", _revoked_by_admin),
    ("reaction removed", "messages.upsert", _unreacted),
    ("text sent from the phone (fromMe)", "messages.upsert", _own_text),
    ("group text fromMe", "messages.upsert", _own_in_group),
    ("own text sent from the phone in a LID chat", "messages.upsert", _own_in_lid_chat),
    ("group reply to a LID participant", "messages.upsert", _reply_in_group),
    ("mention one-to-one", "messages.upsert", _mention),
    ("status reply (quoted remoteJid status@broadcast)", "messages.upsert", _on_a_story),
    ("image with caption quoting a text", "messages.upsert", _image),
    ("album child image", "messages.upsert", _album_image),
    ("presence composing", "presence.update", _typing),
    ("presence LID available", "presence.update", _there),
    ("call offer", "call", _call("offer")),
    ("call timeout", "call", _call("timeout")),
    ("messages.update status 3 (DELIVERY_ACK)", "messages.update", _delivered),
    ("messages.update status 3 (DELIVERY_ACK)", "chats.upsert", _delivered),
    ("messages.update incoming read elsewhere", "messages.update", _read),
    ("messages.update incoming read elsewhere", "chats.upsert", _read),
    *(
        ("messaging-history.set without progress", event, _history)
        for event in ("chats.set", "messages.set", "contacts.upsert", "contacts.update")
    ),
]
NOTHING = object()


def _real(version: str, name: str, event: str) -> Any:
    found = recorded(version, name, event)
    return found[0] if found else NOTHING


CASES = [
    pytest.param(version, name, event, play, id=f"{version} {name} {event}")
    for version in VERSIONS
    for name, event, play in ACTS
    if _real(version, name, event) is not NOTHING
]


@pytest.mark.parametrize(("version", "name", "event", "play"), CASES)
def test_it_is_told_as_it_was_recorded(version: str, name: str, event: str, play: Play) -> None:
    real = _real(version, name, event)
    fake = stage(version)
    play(fake, real)
    ours = told(fake, event)[-1]
    expected, got = alike(real["data"]), alike(ours["data"])
    if version == "2.4-pre" and isinstance(expected, dict) and "contextInfo" in expected:
        # A copy of what the recorded phones have put into the message, and ours have not.
        expected["contextInfo"] = got["contextInfo"] = None
    for side in (expected, got):
        _unquote(side)
    assert got == expected
    assert {key: value for key, value in ours.items() if key in ("isLatest", "progress")} == {
        key: value for key, value in real.items() if key in ("isLatest", "progress")
    }


def _unquote(value: Any) -> None:
    """Leave the offer out that a recorded answer did not quote."""
    if isinstance(value, dict):
        quoted = value.get("quotedMessage")
        if isinstance(quoted, dict) and "conversation" in quoted:
            value["quotedMessage"] = {"conversation": quoted["conversation"]}
        for each in value.values():
            _unquote(each)


@pytest.mark.parametrize(
    ("name", "play", "events"),
    [
        ("poll vote two options", None, []),
        ("poll vote on an unknown poll", _vote_unknown, []),
        (EDIT, _edited, ["messages.edited"]),
        (GROUP_REVOKE, _revoked_in_group, ["messages.delete"]),
        ("own revoke sent from the phone", _own_revoked, ["messages.delete"]),
    ],
)
def test_2_2_3_tells_less(name: str, play: Play | None, events: list[str]) -> None:
    assert [
        each["event"] for each in webhooks("2.2.3")
        if each["event"].startswith("messages.") and each["name"] == name
    ] == events  # fmt: skip
    fake, real = stage("2.2.3"), {"data": {"key": {"id": "3A01"}}}
    if play is None:
        sent = fake.http_client(headers={"apikey": fake.api_key}).post(
            "/message/sendPoll/sales",
            json={"number": ADA, "name": "Q", "selectableCount": 2, "values": ["A", "B", "C"]},
        )  # fmt: skip
        # This version has one type for every poll (recorded: "API sendPoll multi").
        assert sent.json()["messageType"] == "pollCreationMessageV3"
        fake.vote("sales", poll=sent.json()["key"]["id"], options=["A", "C"])
    else:
        play(fake, real)
    acts = [e["event"] for e in fake.events if e["event"].startswith("messages.")]
    assert [each for each in acts if each != "messages.upsert"] == events


@pytest.mark.parametrize("version", ["2.3.7", "2.4-pre"])
def test_members_changed_on_a_phone(version: str) -> None:
    name = "group participants add (stub 27, as Baileys 7 decodes it)"
    real = _real(version, name, "group-participants.update")
    fake = stage(version)
    fake.groups.add(GROUP, "Team", [ADA_LID], admins=[ADA_LID])
    fake.groups.change(GROUP, "add", [BIA], author=ADA)
    assert alike(told(fake, "group-participants.update")[-1]["data"]) == alike(real["data"])
    fake.groups.change(GROUP, "promote", [BIA_LID, "5511900000004"], author=ADA_LID)
    assert fake.groups[GROUP].is_admin(f"{BIA}@s.whatsapp.net", fake.kernel.server.network.lids)
    fake.groups.change(GROUP, "remove", [BIA], author=BIA)
    data = told(fake, "group-participants.update")[-1]["data"]
    assert (data["action"], data["author"], data["participants"][0]["id"]) == (
        "remove", BIA_LID, BIA_LID,
    )  # fmt: skip
    assert fake.groups[GROUP].participants == [ADA_LID]


def _row(version: str, key_id: str) -> Any:
    exchanges = json.loads((FACTS / version / "baileys_exchanges.json").read_text("utf-8"))
    listed = next(each for each in exchanges if each["name"] == "findMessages rows (extra)")
    rows = listed["response"]["json"]["messages"]["records"]
    return next(each for each in rows if each["key"]["id"] == key_id)


def _found(fake: FakeEvolution, key_id: str) -> Any:
    answer = fake.http_client(headers={"apikey": fake.api_key}).post(
        "/chat/findMessages/sales", json={"where": {"key": {"id": key_id}}}
    )
    return answer.json()["messages"]["records"][0]


@pytest.mark.parametrize("version", VERSIONS)
def test_rows_change_as_recorded(version: str) -> None:
    """`facts/versions/baileys.md` "Stored rows against events": edited, then revoked."""
    fake = stage(version)
    _own(fake)
    fake.edit("sales", "3ASIM00000000000507", "meu texto editado")
    kept = version == "2.2.3"
    words = "meu texto" if kept else "meu texto editado"
    assert _found(fake, "3ASIM00000000000507")["message"] == {"conversation": words}
    fake.revoke("sales", "3ASIM00000000000507")
    assert alike(_found(fake, "3ASIM00000000000507")) | {"id": ""} == alike(
        _row(version, "3ASIM00000000000507")
    ) | {"id": ""}


@pytest.mark.parametrize("version", ["2.3.7", "2.4-pre"])
@pytest.mark.parametrize(("key_id", "names"), [("522", ["A", "C"]), ("523", [])])
def test_rows_of_votes_are_as_recorded(version: str, key_id: str, names: list[str]) -> None:
    """Bytes are base64 there, in the length of the vote; who voted is not stored."""
    real = _row(version, f"3ASIM00000000000{key_id}")
    fake = stage(version)
    _vote(names, "ABC", 2, _poll_of)(fake, {"data": real})
    found = _found(fake, real["key"]["id"])
    for row in (found, real):
        vote = row["message"]["pollUpdateMessage"]["vote"]
        for name in ("encPayload", "encIv"):
            vote[name] = len(base64.b64decode(vote[name]))
    assert alike(found) | {"id": ""} == alike(real) | {"id": ""}
